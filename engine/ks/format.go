package ks

import "encoding/binary"

// DataFormat is KSDATAFORMAT, and under its other name KSDATARANGE: a format, or a set of them, 64 bytes, followed by what its
// specifier says. Documented at ns-ks-ksdataformat.
type DataFormat struct {
	FormatSize  uint32 // offset 0: bytes of the whole format, these 64 included
	Flags       uint32 // offset 4: DataRange bits
	SampleSize  uint32 // offset 8: bytes of a sample; 0 if they vary
	Reserved    uint32 // offset 12; zero
	MajorFormat GUID   // offset 16: GUID_NULL in a range is any
	SubFormat   GUID   // offset 32: GUID_NULL in a range is any
	Specifier   GUID   // offset 48: the kind of what follows; GUID_NULL in a range is any
}

// SizeDataFormat is sizeof(KSDATAFORMAT) in bytes.
const SizeDataFormat = 64

// DecodeDataFormat reads a KSDATAFORMAT from the first 64 bytes of b; false if b is shorter.
func DecodeDataFormat(b []byte) (x DataFormat, ok bool) {
	if len(b) < SizeDataFormat {
		return x, false
	}
	x.FormatSize = binary.LittleEndian.Uint32(b)
	x.Flags = binary.LittleEndian.Uint32(b[4:])
	x.SampleSize = binary.LittleEndian.Uint32(b[8:])
	x.Reserved = binary.LittleEndian.Uint32(b[12:])
	x.MajorFormat = GUID(b[16:])
	x.SubFormat = GUID(b[32:])
	x.Specifier = GUID(b[48:])
	return x, true
}

// Put writes the 64 bytes of x; it panics if b is shorter.
func (x DataFormat) Put(b []byte) {
	_ = b[SizeDataFormat-1]
	binary.LittleEndian.PutUint32(b, x.FormatSize)
	binary.LittleEndian.PutUint32(b[4:], x.Flags)
	binary.LittleEndian.PutUint32(b[8:], x.SampleSize)
	binary.LittleEndian.PutUint32(b[12:], x.Reserved)
	copy(b[16:], x.MajorFormat[:])
	copy(b[32:], x.SubFormat[:])
	copy(b[48:], x.Specifier[:])
}

// Bytes returns the 64 bytes of x.
func (x DataFormat) Bytes() []byte { return bytesOf(x, SizeDataFormat) }

// DataRange is KSDATARANGE.
type DataRange = DataFormat

// Flags of [DataFormat].
const (
	// DataRangeAttributes is KSDATARANGE_ATTRIBUTES and KSDATAFORMAT_ATTRIBUTES: a list of attributes follows (PN-11).
	DataRangeAttributes uint32 = 2
	// DataRangeRequiredAttributes is KSDATARANGE_REQUIRED_ATTRIBUTES: some of them must be met.
	DataRangeRequiredAttributes uint32 = 4
)

// Formats of which the constructors here make ranges. Any other GUID does as well.
var (
	// DataFormatTypeAudio is KSDATAFORMAT_TYPE_AUDIO, 73647561-0000-0010-8000-00aa00389b71.
	DataFormatTypeAudio = GUID{0x61, 0x75, 0x64, 0x73, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71}
	// DataFormatTypeMusic is KSDATAFORMAT_TYPE_MUSIC, e725d360-62cc-11cf-a5d6-28db04c10000.
	DataFormatTypeMusic = GUID{0x60, 0xd3, 0x25, 0xe7, 0xcc, 0x62, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00}
	// DataFormatTypeVideo is KSDATAFORMAT_TYPE_VIDEO, 73646976-0000-0010-8000-00aa00389b71.
	DataFormatTypeVideo = GUID{0x76, 0x69, 0x64, 0x73, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71}
	// DataFormatSubtypePCM is KSDATAFORMAT_SUBTYPE_PCM, 00000001-0000-0010-8000-00aa00389b71.
	DataFormatSubtypePCM = GUID{0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71}
	// DataFormatSubtypeIEEEFloat is KSDATAFORMAT_SUBTYPE_IEEE_FLOAT, 00000003-0000-0010-8000-00aa00389b71.
	DataFormatSubtypeIEEEFloat = GUID{0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71}
	// DataFormatSubtypeAnalog is KSDATAFORMAT_SUBTYPE_ANALOG, 6dba3190-67bd-11cf-a0f7-0020afd156e4.
	DataFormatSubtypeAnalog = GUID{0x90, 0x31, 0xba, 0x6d, 0xbd, 0x67, 0xcf, 0x11, 0xa0, 0xf7, 0x00, 0x20, 0xaf, 0xd1, 0x56, 0xe4}
	// DataFormatSubtypeMIDI is KSDATAFORMAT_SUBTYPE_MIDI, 1d262760-e957-11cf-a5d6-28db04c10000.
	DataFormatSubtypeMIDI = GUID{0x60, 0x27, 0x26, 0x1d, 0x57, 0xe9, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00}
	// DataFormatSpecifierNone is KSDATAFORMAT_SPECIFIER_NONE, 0f6417d6-c318-11d0-a43f-00a0c9223196.
	DataFormatSpecifierNone = GUID{0xd6, 0x17, 0x64, 0x0f, 0x18, 0xc3, 0xd0, 0x11, 0xa4, 0x3f, 0x00, 0xa0, 0xc9, 0x22, 0x31, 0x96}
	// DataFormatSpecifierWaveFormatEx is KSDATAFORMAT_SPECIFIER_WAVEFORMATEX, 05589f81-c356-11ce-bf01-00aa0055595a.
	DataFormatSpecifierWaveFormatEx = GUID{0x81, 0x9f, 0x58, 0x05, 0x56, 0xc3, 0xce, 0x11, 0xbf, 0x01, 0x00, 0xaa, 0x00, 0x55, 0x59, 0x5a}
	// DataFormatSpecifierVideoInfo is KSDATAFORMAT_SPECIFIER_VIDEOINFO, 05589f80-c356-11ce-bf01-00aa0055595a.
	DataFormatSpecifierVideoInfo = GUID{0x80, 0x9f, 0x58, 0x05, 0x56, 0xc3, 0xce, 0x11, 0xbf, 0x01, 0x00, 0xaa, 0x00, 0x55, 0x59, 0x5a}
)

// Attribute is KSATTRIBUTE: something that is said of a format beside what its structure holds, 24 bytes, followed by the rest
// of its Size. Documented at ns-ks-ksattribute.
type Attribute struct {
	Size      uint32 // offset 0: bytes of the whole attribute, these 24 included
	Flags     uint32 // offset 4: AttributeRequired or zero
	Attribute GUID   // offset 8: what it is
}

// SizeAttribute is sizeof(KSATTRIBUTE) in bytes.
const SizeAttribute = 24

// DecodeAttribute reads a KSATTRIBUTE from the first 24 bytes of b; false if b is shorter.
func DecodeAttribute(b []byte) (x Attribute, ok bool) {
	if len(b) < SizeAttribute {
		return x, false
	}
	x.Size = binary.LittleEndian.Uint32(b)
	x.Flags = binary.LittleEndian.Uint32(b[4:])
	x.Attribute = GUID(b[8:])
	return x, true
}

// Put writes the 24 bytes of x; it panics if b is shorter.
func (x Attribute) Put(b []byte) {
	_ = b[SizeAttribute-1]
	binary.LittleEndian.PutUint32(b, x.Size)
	binary.LittleEndian.PutUint32(b[4:], x.Flags)
	copy(b[8:], x.Attribute[:])
}

// Bytes returns the 24 bytes of x.
func (x Attribute) Bytes() []byte { return bytesOf(x, SizeAttribute) }

// AttributeRequired is KSATTRIBUTE_REQUIRED, a bit of Flags of [Attribute]: the other side must have the attribute (PN-23).
const AttributeRequired uint32 = 1

// AttributeList returns a KSMULTIPLE_ITEM and the attributes behind it, each at a multiple of 8 bytes: what follows a format whose
// Flags have DataRangeAttributes. An attribute is the bytes of an [Attribute] and of what else its Size counts.
func AttributeList(attributes ...[]byte) []byte {
	list := make([]byte, SizeMultipleItem)
	for _, a := range attributes {
		list = append(list, a...)
		list = append(list, make([]byte, -len(a)&7)...)
	}
	MultipleItem{Size: uint32(len(list)), Count: uint32(len(attributes))}.Put(list)
	return list
}

// DataRangeAudio is KSDATARANGE_AUDIO: the waves that a pin can stream, 88 bytes. [AudioRange] makes one. Documented at
// ns-ksmedia-ksdatarange_audio.
type DataRangeAudio struct {
	DataRange                     // offset 0
	MaximumChannels        uint32 // offset 64
	MinimumBitsPerSample   uint32 // offset 68
	MaximumBitsPerSample   uint32 // offset 72
	MinimumSampleFrequency uint32 // offset 76: Hz
	MaximumSampleFrequency uint32 // offset 80: Hz; 4 bytes of padding follow
}

// SizeDataRangeAudio is sizeof(KSDATARANGE_AUDIO) in bytes.
const SizeDataRangeAudio = 88

// DecodeDataRangeAudio reads a KSDATARANGE_AUDIO from the first 88 bytes of b; false if b is shorter.
func DecodeDataRangeAudio(b []byte) (x DataRangeAudio, ok bool) {
	if len(b) < SizeDataRangeAudio {
		return x, false
	}
	x.DataRange, _ = DecodeDataFormat(b)
	x.MaximumChannels = binary.LittleEndian.Uint32(b[64:])
	x.MinimumBitsPerSample = binary.LittleEndian.Uint32(b[68:])
	x.MaximumBitsPerSample = binary.LittleEndian.Uint32(b[72:])
	x.MinimumSampleFrequency = binary.LittleEndian.Uint32(b[76:])
	x.MaximumSampleFrequency = binary.LittleEndian.Uint32(b[80:])
	return x, true
}

// Put writes the 88 bytes of x; it panics if b is shorter.
func (x DataRangeAudio) Put(b []byte) {
	_ = b[SizeDataRangeAudio-1]
	x.DataRange.Put(b)
	binary.LittleEndian.PutUint32(b[64:], x.MaximumChannels)
	binary.LittleEndian.PutUint32(b[68:], x.MinimumBitsPerSample)
	binary.LittleEndian.PutUint32(b[72:], x.MaximumBitsPerSample)
	binary.LittleEndian.PutUint32(b[76:], x.MinimumSampleFrequency)
	binary.LittleEndian.PutUint32(b[80:], x.MaximumSampleFrequency)
	clear(b[84:88])
}

// Bytes returns the 88 bytes of x.
func (x DataRangeAudio) Bytes() []byte { return bytesOf(x, SizeDataRangeAudio) }

// AudioRange returns the range of waves with up to that many channels. sub is their encoding, such as DataFormatSubtypePCM;
// bits, of a sample, and rates, in Hz, are the least and the greatest.
func AudioRange(sub GUID, channels uint32, bits, rates [2]uint32) DataRangeAudio {
	return DataRangeAudio{
		DataRange:              audioFormat(SizeDataRangeAudio, 0, sub, DataFormatSpecifierWaveFormatEx),
		MaximumChannels:        channels,
		MinimumBitsPerSample:   bits[0],
		MaximumBitsPerSample:   bits[1],
		MinimumSampleFrequency: rates[0],
		MaximumSampleFrequency: rates[1],
	}
}

// AnalogRange returns the range of a pin that ends in a jack or a converter: analog audio, of which nothing more is said.
func AnalogRange() DataRange {
	return audioFormat(SizeDataFormat, 0, DataFormatSubtypeAnalog, DataFormatSpecifierNone)
}

func audioFormat(size, sample uint32, sub, specifier GUID) DataFormat {
	return DataFormat{FormatSize: size, SampleSize: sample, MajorFormat: DataFormatTypeAudio, SubFormat: sub, Specifier: specifier}
}

// DataRangeMusic is KSDATARANGE_MUSIC: the MIDI streams that a pin can take or give, 96 bytes. Documented at
// ns-ksmedia-ksdatarange_music.
type DataRangeMusic struct {
	DataRange          // offset 0
	Technology  GUID   // offset 64: of the synthesizer
	Channels    uint32 // offset 80
	Notes       uint32 // offset 84: at a time
	ChannelMask uint32 // offset 88; 4 bytes of padding follow
}

// SizeDataRangeMusic is sizeof(KSDATARANGE_MUSIC) in bytes.
const SizeDataRangeMusic = 96

// DecodeDataRangeMusic reads a KSDATARANGE_MUSIC from the first 96 bytes of b; false if b is shorter.
func DecodeDataRangeMusic(b []byte) (x DataRangeMusic, ok bool) {
	if len(b) < SizeDataRangeMusic {
		return x, false
	}
	x.DataRange, _ = DecodeDataFormat(b)
	x.Technology = GUID(b[64:])
	x.Channels = binary.LittleEndian.Uint32(b[80:])
	x.Notes = binary.LittleEndian.Uint32(b[84:])
	x.ChannelMask = binary.LittleEndian.Uint32(b[88:])
	return x, true
}

// Put writes the 96 bytes of x; it panics if b is shorter.
func (x DataRangeMusic) Put(b []byte) {
	_ = b[SizeDataRangeMusic-1]
	x.DataRange.Put(b)
	copy(b[64:], x.Technology[:])
	binary.LittleEndian.PutUint32(b[80:], x.Channels)
	binary.LittleEndian.PutUint32(b[84:], x.Notes)
	binary.LittleEndian.PutUint32(b[88:], x.ChannelMask)
	clear(b[92:96])
}

// Bytes returns the 96 bytes of x.
func (x DataRangeMusic) Bytes() []byte { return bytesOf(x, SizeDataRangeMusic) }

// WaveFormatEx is WAVEFORMATEX: one format of waves, 18 bytes. Documented at
// https://learn.microsoft.com/windows/win32/api/mmeapi/ns-mmeapi-waveformatex.
type WaveFormatEx struct {
	FormatTag      uint16 // offset 0, wFormatTag: a WaveFormat constant
	Channels       uint16 // offset 2, nChannels
	SamplesPerSec  uint32 // offset 4, nSamplesPerSec: Hz
	AvgBytesPerSec uint32 // offset 8, nAvgBytesPerSec
	BlockAlign     uint16 // offset 12, nBlockAlign: bytes of a sample of all channels
	BitsPerSample  uint16 // offset 14, wBitsPerSample
	ExtraSize      uint16 // offset 16, cbSize: bytes that follow
}

// SizeWaveFormatEx is sizeof(WAVEFORMATEX) in bytes.
const SizeWaveFormatEx = 18

// DecodeWaveFormatEx reads a WAVEFORMATEX from the first 18 bytes of b; false if b is shorter.
func DecodeWaveFormatEx(b []byte) (x WaveFormatEx, ok bool) {
	if len(b) < SizeWaveFormatEx {
		return x, false
	}
	x.FormatTag = binary.LittleEndian.Uint16(b)
	x.Channels = binary.LittleEndian.Uint16(b[2:])
	x.SamplesPerSec = binary.LittleEndian.Uint32(b[4:])
	x.AvgBytesPerSec = binary.LittleEndian.Uint32(b[8:])
	x.BlockAlign = binary.LittleEndian.Uint16(b[12:])
	x.BitsPerSample = binary.LittleEndian.Uint16(b[14:])
	x.ExtraSize = binary.LittleEndian.Uint16(b[16:])
	return x, true
}

// Put writes the 18 bytes of x; it panics if b is shorter.
func (x WaveFormatEx) Put(b []byte) {
	_ = b[SizeWaveFormatEx-1]
	binary.LittleEndian.PutUint16(b, x.FormatTag)
	binary.LittleEndian.PutUint16(b[2:], x.Channels)
	binary.LittleEndian.PutUint32(b[4:], x.SamplesPerSec)
	binary.LittleEndian.PutUint32(b[8:], x.AvgBytesPerSec)
	binary.LittleEndian.PutUint16(b[12:], x.BlockAlign)
	binary.LittleEndian.PutUint16(b[14:], x.BitsPerSample)
	binary.LittleEndian.PutUint16(b[16:], x.ExtraSize)
}

// Bytes returns the 18 bytes of x.
func (x WaveFormatEx) Bytes() []byte { return bytesOf(x, SizeWaveFormatEx) }

// FormatTag of [WaveFormatEx].
const (
	WaveFormatPCM           uint16 = 1      // WAVE_FORMAT_PCM
	WaveFormatIEEEFloat     uint16 = 3      // WAVE_FORMAT_IEEE_FLOAT
	WaveFormatTagExtensible uint16 = 0xFFFE // WAVE_FORMAT_EXTENSIBLE: a WAVEFORMATEXTENSIBLE, which has a SubFormat
)

// WaveFormatExtensible is WAVEFORMATEXTENSIBLE: a WaveFormatEx that names its speakers and its encoding, 40 bytes. Documented at
// https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatextensible.
type WaveFormatExtensible struct {
	Format      WaveFormatEx // offset 0: with an ExtraSize of 22
	Samples     uint16       // offset 18: the bits of a sample that count
	ChannelMask uint32       // offset 20, dwChannelMask: SPEAKER bits
	SubFormat   GUID         // offset 24
}

// SizeWaveFormatExtensible is sizeof(WAVEFORMATEXTENSIBLE) in bytes.
const SizeWaveFormatExtensible = 40

// DecodeWaveFormatExtensible reads a WAVEFORMATEXTENSIBLE from the first 40 bytes of b; false if b is shorter.
func DecodeWaveFormatExtensible(b []byte) (x WaveFormatExtensible, ok bool) {
	if len(b) < SizeWaveFormatExtensible {
		return x, false
	}
	x.Format, _ = DecodeWaveFormatEx(b)
	x.Samples = binary.LittleEndian.Uint16(b[18:])
	x.ChannelMask = binary.LittleEndian.Uint32(b[20:])
	x.SubFormat = GUID(b[24:])
	return x, true
}

// Put writes the 40 bytes of x; it panics if b is shorter.
func (x WaveFormatExtensible) Put(b []byte) {
	_ = b[SizeWaveFormatExtensible-1]
	x.Format.Put(b)
	binary.LittleEndian.PutUint16(b[18:], x.Samples)
	binary.LittleEndian.PutUint32(b[20:], x.ChannelMask)
	copy(b[24:], x.SubFormat[:])
}

// Bytes returns the 40 bytes of x.
func (x WaveFormatExtensible) Bytes() []byte { return bytesOf(x, SizeWaveFormatExtensible) }

// DataFormatWaveFormatEx is KSDATAFORMAT_WAVEFORMATEX: the format of a pin that streams waves, 82 bytes. [WaveFormat] makes one.
// Documented at ns-ksmedia-ksdataformat_waveformatex.
type DataFormatWaveFormatEx struct {
	DataFormat                // offset 0
	WaveFormatEx WaveFormatEx // offset 64
}

// SizeDataFormatWaveFormatEx is sizeof(KSDATAFORMAT_WAVEFORMATEX) in bytes.
const SizeDataFormatWaveFormatEx = 82

// DecodeDataFormatWaveFormatEx reads a KSDATAFORMAT_WAVEFORMATEX from the first 82 bytes of b; false if b is shorter.
func DecodeDataFormatWaveFormatEx(b []byte) (x DataFormatWaveFormatEx, ok bool) {
	if len(b) < SizeDataFormatWaveFormatEx {
		return x, false
	}
	x.DataFormat, _ = DecodeDataFormat(b)
	x.WaveFormatEx, _ = DecodeWaveFormatEx(b[64:])
	return x, true
}

// Put writes the 82 bytes of x; it panics if b is shorter.
func (x DataFormatWaveFormatEx) Put(b []byte) {
	_ = b[SizeDataFormatWaveFormatEx-1]
	x.DataFormat.Put(b)
	x.WaveFormatEx.Put(b[64:])
}

// Bytes returns the 82 bytes of x.
func (x DataFormatWaveFormatEx) Bytes() []byte { return bytesOf(x, SizeDataFormatWaveFormatEx) }

// WaveFormat returns the format of PCM waves of that many channels and bits a sample, and of that many Hz.
func WaveFormat(channels, bits uint16, rate uint32) DataFormatWaveFormatEx {
	align := channels * ((bits + 7) / 8)
	return DataFormatWaveFormatEx{
		DataFormat: audioFormat(SizeDataFormatWaveFormatEx, uint32(align), DataFormatSubtypePCM, DataFormatSpecifierWaveFormatEx),
		WaveFormatEx: WaveFormatEx{
			FormatTag: WaveFormatPCM, Channels: channels, SamplesPerSec: rate, AvgBytesPerSec: rate * uint32(align), BlockAlign: align,
			BitsPerSample: bits,
		},
	}
}

// DataFormatWaveFormatExtensible is KSDATAFORMAT_WAVEFORMATEXTENSIBLE: a [WaveFormatExtensible] as format of a pin, 104 bytes.
// [WaveFormatWithMask] makes one.
type DataFormatWaveFormatExtensible struct {
	DataFormat                         // offset 0
	WaveFormatExt WaveFormatExtensible // offset 64
}

// SizeDataFormatWaveFormatExtensible is sizeof(KSDATAFORMAT_WAVEFORMATEXTENSIBLE) in bytes.
const SizeDataFormatWaveFormatExtensible = 104

// DecodeDataFormatWaveFormatExtensible reads a KSDATAFORMAT_WAVEFORMATEXTENSIBLE from the first 104 bytes of b; false if b is shorter.
func DecodeDataFormatWaveFormatExtensible(b []byte) (x DataFormatWaveFormatExtensible, ok bool) {
	if len(b) < SizeDataFormatWaveFormatExtensible {
		return x, false
	}
	x.DataFormat, _ = DecodeDataFormat(b)
	x.WaveFormatExt, _ = DecodeWaveFormatExtensible(b[64:])
	return x, true
}

// Put writes the 104 bytes of x; it panics if b is shorter.
func (x DataFormatWaveFormatExtensible) Put(b []byte) {
	_ = b[SizeDataFormatWaveFormatExtensible-1]
	x.DataFormat.Put(b)
	x.WaveFormatExt.Put(b[64:])
}

// Bytes returns the 104 bytes of x.
func (x DataFormatWaveFormatExtensible) Bytes() []byte {
	return bytesOf(x, SizeDataFormatWaveFormatExtensible)
}

// WaveFormatWithMask returns the format of waves encoded as sub says, such as DataFormatSubtypePCM, all of whose bits count. mask
// has the SPEAKER bit of each channel.
func WaveFormatWithMask(sub GUID, channels, bits uint16, rate, mask uint32) DataFormatWaveFormatExtensible {
	plain := WaveFormat(channels, bits, rate)
	plain.WaveFormatEx.FormatTag = WaveFormatTagExtensible
	plain.WaveFormatEx.ExtraSize = SizeWaveFormatExtensible - SizeWaveFormatEx
	plain.DataFormat.FormatSize, plain.DataFormat.SubFormat = SizeDataFormatWaveFormatExtensible, sub
	return DataFormatWaveFormatExtensible{
		DataFormat:    plain.DataFormat,
		WaveFormatExt: WaveFormatExtensible{Format: plain.WaveFormatEx, Samples: bits, ChannelMask: mask, SubFormat: sub},
	}
}
