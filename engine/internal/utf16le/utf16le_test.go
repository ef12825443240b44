package utf16le

import (
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// The standard library's encoder, which allocates, says the same.
func TestEncode(t *testing.T) {
	texts := []string{"", "a\x00b", "Grüße", "𝄞\U0010ffff\uffff", "\xff\xed\xa0\x80", "\ufffd"}
	r := testkit.Rand(t)
	for range 10_000 {
		var b []byte
		for range r.IntN(8) {
			if b = append(b, string(rune(r.IntN(0x110000)))...); r.IntN(4) == 0 {
				b[r.IntN(len(b))] = byte(r.Uint32())
			}
		}
		texts = append(texts, string(b))
	}
	for _, s := range texts {
		var want []byte
		for _, u := range utf16.Encode([]rune(s)) {
			want = binary.LittleEndian.AppendUint16(want, u)
		}
		b := make([]byte, len(want)+3)
		rest := Encode(b, s)
		if got := b[:len(b)-len(rest)]; string(got) != string(want) || Len(s) != uint64(len(want)) {
			t.Errorf("%q: %x, length %d; want %x", s, got, Len(s), want)
		}
	}
}
