package typed_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf16"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// wide16 is text in UTF-16LE with a terminator.
func wide16(s string) []byte { return units(append(utf16.Encode([]rune(s)), 0)...) }

func units(u ...uint16) (b []byte) {
	for _, v := range u {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

// TestP28_Blob climbs the sizes of a blob, bound to a variable and to functions.
func TestP28_Blob(t *testing.T) {
	var v typed.Bytes
	var p atomic.Pointer[[]byte]
	p.Store(&[]byte{})
	o := open(t, typed.BlobVar(0, 8, &v), typed.BlobFunc(1, 8,
		func(typed.Request) ([]byte, ks.Status) { return *p.Load(), ks.StatusSuccess },
		func(_ typed.Request, b []byte) ks.Status { b = bytes.Clone(b); p.Store(&b); return ks.StatusSuccess }))
	for id := range uint32(2) {
		five, eight := []byte{1, 2, 3, 4, 5}, []byte{1, 2, 3, 4, 5, 6, 7, 8}
		o.climb(id, []rung{
			{get, nil, 0, ks.StatusSuccess, nil, true}, // empty: there is nothing to ask the size of
			{get, room(3), 0, ks.StatusSuccess, nil, true},
			{set, five, 0, ks.StatusSuccess, nil, false},
			{get, nil, 5, ks.StatusBufferOverflow, nil, true},
			{get, room(1), 0, ks.StatusBufferTooSmall, nil, true},
			{get, room(4), 0, ks.StatusBufferTooSmall, nil, true},
			{get, room(5), 5, ks.StatusSuccess, five, true},
			{get, room(9), 5, ks.StatusSuccess, then(five, 4), true},
			{set, eight, 0, ks.StatusSuccess, nil, false},
			{set, append(eight, 9), 0, ks.StatusInvalidBufferSize, nil, false},
			{get, room(8), 8, ks.StatusSuccess, eight, true},
			{set, nil, 0, ks.StatusSuccess, nil, false},
			{get, room(8), 0, ks.StatusSuccess, nil, true},
		})
	}
}

// TestS24_BlobLimit checks both directions: a getter with too much is refused before anything is copied, and a setter is
// not called with too much.
func TestS24_BlobLimit(t *testing.T) {
	big := make([]byte, 9)
	calls := 0
	o := open(t,
		typed.BlobFunc(0, 8, func(typed.Request) ([]byte, ks.Status) { return big, ks.StatusSuccess },
			func(typed.Request, []byte) ks.Status { calls++; return ks.StatusSuccess }),
		typed.StringFunc(1, 4, func(typed.Request) (string, ks.Status) { return "", ks.StatusSuccess },
			func(typed.Request, typed.UTF16) ks.Status { calls++; return ks.StatusSuccess }))
	refused := ks.StatusInvalidBufferSize
	o.climb(0, []rung{{get, nil, 0, refused, nil, true}, {get, room(99), 0, refused, nil, true}, {set, room(9), 0, refused, nil, false}})
	for _, s := range []string{"abcd", strings.Repeat("x", 1<<20), "ab\U0001F600", "€€€€", "\xFF\xFF\xFF\xFF", strings.Repeat("€", 999)} {
		o := open(t, typed.StringFunc(0, 4, func(typed.Request) (string, ks.Status) { return s, ks.StatusSuccess }, nil))
		o.climb(0, []rung{{get, nil, 0, refused, nil, true}, {get, room(99), 0, refused, nil, true}})
	}
	o.climb(1, []rung{{set, wide16("abcd"), 0, refused, nil, false}, {set, append(wide16("ab"), 0, 0, 0, 0), 0, refused, nil, false}})
	for _, s := range []string{"abc", "€€€", "a\U0001F600", "\xFF\xFF\xFF", "€\x00" + strings.Repeat("x", 99)} { // what just fits
		o := open(t, typed.StringFunc(0, 4, func(typed.Request) (string, ks.Status) { return s, ks.StatusSuccess }, nil))
		want := wide16(strings.Split(s, "\x00")[0]) // []rune replaces what is not UTF-8
		o.climb(0, []rung{{get, room(len(want)), uint32(len(want)), ks.StatusSuccess, want, true}})
	}
	if calls != 0 {
		t.Errorf("%d setters were called", calls)
	}

	var v typed.Bytes
	var s typed.Text
	open(t, typed.BlobVar(0, 8, &v), typed.BlobVar(1, 9, &v), typed.StringVar(2, 4, &s))
	if err := v.Store(big); err == nil {
		t.Error("Store of 9 bytes where the least limit is 8")
	}
	if err := v.Store(big[:8]); err != nil || len(v.Load()) != 8 {
		t.Errorf("Store of 8 bytes: %v", err)
	}
	if err := s.Store("ab\U0001F600"); err == nil || s.Load() != "" {
		t.Errorf("Store of four units and a terminator where the limit is 4: %v, now %q", err, s.Load())
	}
	if err := s.Store("abc"); err != nil || s.Load() != "abc" {
		t.Errorf("Store of three: %v, now %q", err, s.Load())
	}
}

// TestP28_String climbs the sizes of a string, bound to a variable and to functions.
func TestP28_String(t *testing.T) {
	var v typed.Text
	var p atomic.Pointer[string]
	p.Store(new(string))
	o := open(t, typed.StringVar(0, 8, &v), typed.StringFunc(1, 8,
		func(typed.Request) (string, ks.Status) { return *p.Load(), ks.StatusSuccess },
		func(_ typed.Request, text typed.UTF16) ks.Status {
			s := text.String()
			p.Store(&s)
			return ks.StatusSuccess
		}))
	high, low := uint16(0xD83D), uint16(0xDE00) // U+1F600
	text, seven := "aé€\U0001F600", wide16("1234567")
	bad, size := ks.StatusInvalidParameter, ks.StatusInvalidBufferSize
	for id := range uint32(2) {
		o.climb(id, []rung{
			{get, nil, 2, ks.StatusBufferOverflow, nil, true}, // empty text has its terminator
			{get, room(1), 0, ks.StatusBufferTooSmall, nil, true},
			{get, room(2), 2, ks.StatusSuccess, []byte{0, 0}, true},
			{get, room(3), 2, ks.StatusSuccess, then([]byte{0, 0}, 1), true},
			{set, wide16(text), 0, ks.StatusSuccess, nil, false},
			{get, nil, 12, ks.StatusBufferOverflow, nil, true},
			{get, room(1), 0, ks.StatusBufferTooSmall, nil, true},
			{get, room(11), 0, ks.StatusBufferTooSmall, nil, true},
			{get, room(12), 12, ks.StatusSuccess, wide16(text), true},
			{get, room(17), 12, ks.StatusSuccess, then(wide16(text), 5), true},

			{set, nil, 0, size, nil, false},
			{set, []byte{0}, 0, size, nil, false},
			{set, []byte{'a', 0, 0}, 0, size, nil, false},
			{set, make([]byte, 18), 0, size, nil, false},
			{set, units('a', 'b'), 0, bad, nil, false}, // not terminated
			{set, units('1', '2', '3', '4', '5', '6', '7', '8'), 0, bad, nil, false},
			{set, units(high), 0, bad, nil, false},
			{set, units(high, 0), 0, bad, nil, false},
			{set, units(low, 0), 0, bad, nil, false},
			{set, units(low, high, 0), 0, bad, nil, false},
			{set, units(high, high, low, 0), 0, bad, nil, false},
			{set, units(high, low, low, 0), 0, bad, nil, false},
			{set, units(high, 'a', 0), 0, bad, nil, false},
			{get, room(12), 12, ks.StatusSuccess, wide16(text), true}, // nothing of it arrived

			{set, units('x', 0, high, 'y'), 0, ks.StatusSuccess, nil, false}, // what follows the end does not matter
			{get, room(4), 4, ks.StatusSuccess, wide16("x"), true},
			{set, units(0xFFFF, 0xD7FF, 0xE000, 0), 0, ks.StatusSuccess, nil, false}, // the neighbours of surrogates
			{get, room(8), 8, ks.StatusSuccess, units(0xFFFF, 0xD7FF, 0xE000, 0), true},
			{set, seven, 0, ks.StatusSuccess, nil, false},
			{get, room(16), 16, ks.StatusSuccess, seven, true},
			{set, units(0), 0, ks.StatusSuccess, nil, false},
			{get, room(2), 2, ks.StatusSuccess, units(0), true},
		})
	}

	// What a driver stores: text ends at its first 0 and is made well-formed.
	for s, want := range map[string]string{"": "", "a\x00b": "a", "\x00": "", "\xFFz": "\uFFFDz", "\xED\xA0\x80": "\uFFFD\uFFFD\uFFFD",
		text: text} {
		if err := v.Store(s); err != nil || v.Load() != want {
			t.Errorf("Store(%q): %v, Load %q; want %q", s, err, v.Load(), want)
		}
		p.Store(&s)
		for id := range uint32(2) {
			o.climb(id, []rung{{get, room(len(wide16(want))), uint32(len(wide16(want))), ks.StatusSuccess, wide16(want), true}})
		}
	}
}

// TestUTF16 decodes what no property hands out, too: UTF16 is only a slice.
func TestUTF16(t *testing.T) {
	for _, b := range [][]byte{nil, {1}, units('a'), units(0xD800), append(units(0xD83D), 1), units(0xDC00, 0xD800), units(0xD83D, 0xDE00),
		units(0xD83D, 'a'), units(0xD83D, 0xD83D, 0xDE00, 0xDE00)} {
		even := b[:len(b)&^1]
		var u []uint16
		for i := 0; i < len(even); i += 2 {
			u = append(u, binary.LittleEndian.Uint16(even[i:]))
		}
		if got, want := typed.UTF16(b).String(), string(utf16.Decode(u)); got != want {
			t.Errorf("% x is %q; want %q", b, got, want)
		}
	}
	if got := string(typed.UTF16(units('b')).Append([]byte("a"))); got != "ab" {
		t.Errorf("Append gives %q", got)
	}
}

// TestModelVariable compares random requests to a string and a blob with a naive model: a []uint16 and a []byte.
func TestModelVariable(t *testing.T) {
	r := testkit.Rand(t)
	for range 30 {
		limit := 1 + r.IntN(20)
		var v typed.Text
		var b typed.Bytes
		o := open(t, typed.StringVar(0, limit, &v), typed.BlobVar(1, limit, &b))
		var text []uint16
		var blob []byte
		for range 100 {
			data := randomText(r, limit)
			n, status, _ := o.both(0, set, data, false)
			decoded, want := naiveText(data, limit)
			if status != want || n != 0 {
				t.Fatalf("SET % x, limit %d: %v %d; want %v", data, limit, status, n, want)
			}
			if want == ks.StatusSuccess {
				text = decoded
			}
			checkGet(t, o, 0, units(append(text[:len(text):len(text)], 0)...), r)
			if got := v.Load(); got != string(utf16.Decode(text)) {
				t.Fatalf("Load %q; want %q", got, string(utf16.Decode(text)))
			}

			data = data[:min(len(data), r.IntN(limit+3))]
			want = ks.StatusInvalidBufferSize
			if len(data) <= limit {
				want, blob = ks.StatusSuccess, bytes.Clone(data)
			}
			if n, status, _ := o.both(1, set, data, false); status != want || n != 0 {
				t.Fatalf("SET of %d bytes, limit %d: %v %d; want %v", len(data), limit, status, n, want)
			}
			checkGet(t, o, 1, blob, r)
		}
		if err := o.h.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// randomText is mostly text, with terminators, surrogates and cuts where they hurt.
func randomText(r *rand.Rand, limit int) []byte {
	var u []uint16
	for range r.IntN(limit + 3) {
		switch r.IntN(8) {
		case 0:
			u = append(u, 0xD800+uint16(r.IntN(0x800)))
		case 1:
			h, l := utf16.EncodeRune(0x10000 + rune(r.IntN(0x100000)))
			u = append(u, uint16(h), uint16(l))
		default:
			u = append(u, 1+uint16(r.IntN(0xD7FF)))
		}
	}
	if r.IntN(8) != 0 {
		u = append(u, 0)
	}
	b := units(u...)
	if r.IntN(8) == 0 && len(b) > 0 {
		b = b[:r.IntN(len(b))]
	}
	return b
}

// naiveText is what a SET of a string does, by way of the standard library: well-formed is what survives decoding.
func naiveText(data []byte, limit int) ([]uint16, ks.Status) {
	if len(data) == 0 || len(data)%2 == 1 || len(data) > 2*limit {
		return nil, ks.StatusInvalidBufferSize
	}
	u := []uint16{}
	for i := 0; i < len(data); i += 2 {
		v := binary.LittleEndian.Uint16(data[i:])
		if v != 0 {
			u = append(u, v)
			continue
		}
		if back := utf16.Encode(utf16.Decode(u)); !bytes.Equal(units(back...), units(u...)) {
			return nil, ks.StatusInvalidParameter
		}
		return u, ks.StatusSuccess
	}
	return nil, ks.StatusInvalidParameter
}

// checkGet asks for value with a random amount of room.
func checkGet(t *testing.T, o *object, id uint32, value []byte, r *rand.Rand) {
	t.Helper()
	have := r.IntN(len(value) + 3)
	n, status, out := o.both(id, get, room(have), true)
	wantN, want, wantOut := uint32(len(value)), ks.StatusSuccess, room(have)
	switch {
	case have >= len(value):
		copy(wantOut, value)
	case have == 0:
		want = ks.StatusBufferOverflow
	default:
		wantN, want = 0, ks.StatusBufferTooSmall
	}
	if n != wantN || status != want || !bytes.Equal(out, wantOut) {
		t.Fatalf("GET of %d bytes into %d: %v %d % x; want %v %d % x", len(value), have, status, n, out, want, wantN, wantOut)
	}
}
