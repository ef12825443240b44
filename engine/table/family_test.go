package table

import (
	"math/rand/v2"
)

// family makes n distinct keys of one kind: the shapes that real declarations, generators and adversaries have.
type family struct {
	name string
	key  func(i int) Key
}

var base = KeyOf([16]byte{0x4a, 0x5d, 0xe1, 0x45, 0x2f, 0x5c, 0xd0, 0x4b, 0x8e, 0x5a, 0x00, 0xa0, 0xc9, 0x06, 0x28, 0x21}, 0)

var families = []family{
	{"random", func(i int) Key {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		return Key{rng.Uint64(), rng.Uint64(), rng.Uint32()}
	}},
	{"sets of twenty ids", func(i int) Key {
		rng := rand.New(rand.NewPCG(uint64(i/20), 8))
		return Key{rng.Uint64(), rng.Uint64(), uint32(i % 20)}
	}},
	{"sequential ids", func(i int) Key { return Key{base.Lo, base.Hi, uint32(i)} }},
	{"ids in steps of 65536 and one", func(i int) Key { return Key{base.Lo, base.Hi, uint32(i)<<16 | uint32(i)>>16} }},
	{"ids in steps of 4096 and one", func(i int) Key { return Key{base.Lo, base.Hi, uint32(i)<<12 | uint32(i)>>20} }},
	{"sequential Data1", func(i int) Key { return Key{base.Lo + uint64(i), base.Hi, 0} }},
	{"sequential Data1, twenty ids", func(i int) Key { return Key{base.Lo + uint64(i/20), base.Hi, uint32(i % 20)} }},
	{"Data1 crossed with ids", func(i int) Key { return Key{base.Lo + uint64(i&1023), base.Hi, uint32(i >> 10)} }},
	{"last bytes of Data4", func(i int) Key {
		return Key{base.Lo, base.Hi ^ uint64(i&255)<<56 ^ uint64(i>>8&255)<<48 ^ uint64(i>>16)<<40, 0}
	}},
	{"last byte of Data4, ids", func(i int) Key { return Key{base.Lo, base.Hi ^ uint64(i&255)<<56, uint32(i >> 8)} }},
	{"one bit of the GUID, ids", func(i int) Key {
		lo, hi := base.Lo, base.Hi
		if b := i & 127; b < 64 {
			lo ^= 1 << b
		} else {
			hi ^= 1 << (b - 64)
		}
		return Key{lo, hi, uint32(i >> 7)}
	}},
	{"zero halves", func(i int) Key {
		switch i % 3 {
		case 0:
			return Key{0, 0, uint32(i / 3)}
		case 1:
			return Key{uint64(i/3 + 1), 0, 0}
		}
		return Key{0, uint64(i/3 + 1), 0}
	}},
	{"top bytes of both halves", func(i int) Key {
		return Key{base.Lo ^ uint64(i&255)<<56, base.Hi ^ uint64(i>>8&255)<<56, uint32(i >> 16)}
	}},
	{"top bits of id", func(i int) Key { return Key{base.Lo, base.Hi, 0xFFFFFFFF - uint32(i)} }},
}

func (f family) entries(n int) []Entry[int] {
	es := make([]Entry[int], n)
	for i := range es {
		k := f.key(i)
		es[i] = Entry[int]{Lo: k.Lo, Hi: k.Hi, ID: k.ID, Tag: uint32(i), Value: i}
	}
	return es
}
