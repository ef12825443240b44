package typed

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ksdispatch/ksdispatch/engine/internal/utf16le"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// StringFunc declares a property that is text: UTF-16LE with a terminating 0, at most limit code units with that 0, as in
// WCHAR name[limit].
//
// get returns the text, set gets it. Either may be nil. [ScalarFunc] says how they are called. Out, text ends at its first 0,
// and what is not UTF-8 becomes U+FFFD. In, what follows the first 0 is ignored; data without a 0 or with half a surrogate pair is
// STATUS_INVALID_PARAMETER, data that is empty, of odd length or longer than limit is STATUS_INVALID_BUFFER_SIZE.
// Sizes are answered, and the text of a getter is limited, as [BlobFunc] says.
func StringFunc(id uint32, limit int, get func(Request) (string, ks.Status), set func(Request, UTF16) ks.Status) Property {
	p := Property{id: id, limits: limits{form: form{vt: kssets.VT_LPWSTR}}}
	if !p.boundedText(limit) {
		return p
	}
	most := 3 * limit // a text that fits has at most 3 bytes of UTF-8 a code unit; more is not even measured
	limit *= 2
	if get != nil {
		p.get = func(_ *limits, r Request, data []byte) (uint64, ks.Status) {
			s, status := get(r)
			if status != ks.StatusSuccess {
				if status = outcome(status); !status.IsSuccess() {
					return 0, status
				}
			}
			s = cString(s[:min(len(s), most)])
			n := int(utf16le.Len(s)) + 2
			if n, refusal := room(data, n, limit); refusal != ks.StatusSuccess {
				return n, refusal
			}
			binary.LittleEndian.PutUint16(utf16le.Encode(data, s), 0)
			return uint64(n), status
		}
	}
	if set != nil {
		p.set = func(_ *limits, r Request, data []byte) (uint64, ks.Status) {
			text, status := decodeText(data, limit)
			if status != ks.StatusSuccess {
				return 0, status
			}
			return 0, outcome(set(r, text))
		}
	}
	return p
}

// StringVar is [StringFunc] for text that lives in a variable. It reserves the memory there, so that no SET allocates.
func StringVar(id uint32, limit int, v *Text) Property {
	p := Property{id: id, limits: limits{form: form{vt: kssets.VT_LPWSTR}}}
	if !p.boundedText(limit) || v == nil {
		return p
	}
	if err := v.units.bind(2*limit - 2); err != nil {
		p.fail("%w", err)
	}
	limit *= 2
	p.get = func(_ *limits, _ Request, data []byte) (uint64, ks.Status) { return v.get(data) }
	p.set = func(_ *limits, _ Request, data []byte) (uint64, ks.Status) {
		text, status := decodeText(data, limit)
		if status == ks.StatusSuccess {
			status = v.units.set(text)
		}
		return 0, status
	}
	return p
}

// boundedText reports whether text of limit code units may be declared, and says so if not.
func (p *Property) boundedText(limit int) bool {
	if limit < 1 || limit > math.MaxInt32/4 {
		p.fail("a limit of %d code units; it must be between 1, the terminator, and %d", limit, math.MaxInt32/4)
		return false
	}
	return true
}

// UTF16 is well-formed text in UTF-16LE, two bytes a code unit, without a terminator. A setter must copy what it keeps:
// [UTF16.String] and [UTF16.Append] do.
type UTF16 []byte

// String returns the text. It allocates.
func (u UTF16) String() string { return string(u.Append(make([]byte, 0, len(u)))) }

// Append appends the text in UTF-8 to b and returns the result. Half a surrogate pair, which no setter is given, becomes
// U+FFFD.
func (u UTF16) Append(b []byte) []byte {
	for i := 0; i+1 < len(u); i += 2 {
		r := rune(binary.LittleEndian.Uint16(u[i:]))
		if utf16.IsSurrogate(r) && i+3 < len(u) {
			if pair := utf16.DecodeRune(r, rune(binary.LittleEndian.Uint16(u[i+2:]))); pair != utf8.RuneError {
				r, i = pair, i+2
			}
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

// Text is a variable of limited length for [StringVar], safe for concurrent use. Its zero value is empty and ready; it gets
// its limit from StringVar, the least one if there are several. It must not be copied.
type Text struct {
	units Bytes // without the terminator
}

// Load returns the text. It allocates.
func (v *Text) Load() string { return UTF16(v.units.Load()).String() }

// Store replaces the text. It ends at its first 0, and what is not UTF-8 becomes U+FFFD. Store fails if the text is longer
// than the property may be.
func (v *Text) Store(s string) error {
	s = cString(s)
	units := make([]byte, utf16le.Len(s))
	utf16le.Encode(units, s)
	if v.units.set(units) != ks.StatusSuccess {
		return fmt.Errorf("typed: text of %d code units exceeds the limit of the property", len(units)/2)
	}
	return nil
}

func (v *Text) get(data []byte) (uint64, ks.Status) {
	v.units.mu.Lock()
	defer v.units.mu.Unlock()
	n := len(v.units.b) + 2
	if n > len(data) {
		return short(data, n)
	}
	copy(data, v.units.b)
	binary.LittleEndian.PutUint16(data[n-2:], 0)
	return uint64(n), ks.StatusSuccess
}

// cString is s as a reader of a terminated string sees it.
func cString(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return s
}

// decodeText checks what a SET brings and returns it without terminator, not copied.
func decodeText(data []byte, limit int) (UTF16, ks.Status) {
	if len(data) == 0 || len(data)%2 != 0 || len(data) > limit {
		return nil, ks.StatusInvalidBufferSize
	}
	paired := true // no high surrogate waits for its low one
	for i := 0; i < len(data); i += 2 {
		u := binary.LittleEndian.Uint16(data[i:])
		switch low := u&0xFC00 == 0xDC00; {
		case low == paired:
			return nil, ks.StatusInvalidParameter
		case u == 0:
			return UTF16(data[:i:i]), ks.StatusSuccess
		default:
			paired = u&0xFC00 != 0xD800
		}
	}
	return nil, ks.StatusInvalidParameter
}
