package ks

import (
	"encoding/hex"
	"strings"
	"testing"
)

// TestConstructors compares what the constructors make with bytes that drivers and clients send: ranges of two audio samples,
// and the formats that a client offers them.
func TestConstructors(t *testing.T) {
	const audio, pcm, wave = "6175647300001000800000aa00389b71", "0100000000001000800000aa00389b71", "819f580556c3ce11bf0100aa0055595a"
	const float, analog, none = "0300000000001000800000aa00389b71", "9031ba6dbd67cf11a0f70020afd156e4", "d617640f18c3d011a43f00a0c9223196"
	const of58, of40 = "58000000000000000000000000000000", "40000000000000000000000000000000"
	const of52, of68 = "52000000000000000400000000000000", "68000000000000000800000000000000"
	audioRange := AudioRange(DataFormatSubtypePCM, 2, [2]uint32{16, 24}, [2]uint32{44100, 48000})
	masked := WaveFormatWithMask(DataFormatSubtypeIEEEFloat, 2, 32, 48000, 3)
	list := AttributeList(Attribute{Size: 24, Attribute: DataFormatTypeAudio}.Bytes(), append(Attribute{Size: 25, Flags: 1}.Bytes(), 7))
	attributes := "1800000000000000" + audio + "1900000001000000" + strings.Repeat("00", 16) + "0700000000000000"
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"AudioRange":         {audioRange.Bytes(), of58 + audio + pcm + wave + "02000000100000001800000044ac000080bb000000000000"},
		"AnalogRange":        {AnalogRange().Bytes(), of40 + audio + analog + none},
		"WaveFormat":         {WaveFormat(2, 16, 48000).Bytes(), of52 + audio + pcm + wave + "0100020080bb000000ee0200040010000000"},
		"WaveFormatWithMask": {masked.Bytes(), of68 + audio + float + wave + "feff020080bb000000dc05000800200016002000" + "03000000" + float},
		"AttributeList":      {list, "4000000002000000" + attributes},
		"12 bits in 2 bytes": {WaveFormat(1, 12, 8000).WaveFormatEx.Bytes(), "01000100401f0000803e000002000c000000"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s makes\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
