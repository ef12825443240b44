package table

import "math/bits"

// seed makes one hash function out of the family. An attempt to build takes one; the table keeps the one that served.
type seed struct{ lo, hi, id uint64 } // id is odd

// derive returns the seed of an attempt: successive outputs of SplitMix64 (Steele, Lea and Flood 2014).
func derive(base uint64, attempt int) seed {
	next := func(i uint64) uint64 { return splitmix(base + (3*uint64(attempt)+i)*golden) }
	return seed{next(1), next(2), next(3) | 1}
}

const golden = 0x9E3779B97F4A7C15 // 2^64 / the golden ratio, odd

func splitmix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// hash maps a key to 64 bits; whatever the table decides about a key, it decides by these.
//
// One wide multiplication mixes, a narrow one spreads the id before. Why each part is there:
//
//   - id*s.id, not id: ids and GUIDs vary in the same low bits, and with a plain xor two keys whose GUIDs differ as their
//     ids do would be equal under every seed. The product is spread over 64 bits by the seed.
//   - Both halves of the 128-bit product: the low one alone loses the top bit of one factor when the other is even, the
//     high one alone hardly moves when the low bits of a factor count up.
//   - The bytes of the high half reversed: for keys that count up, either half is an arithmetic progression modulo 2^64,
//     and those cluster (three-gap theorem) at whatever scale the seed happens to approximate a fraction. A plain xor of
//     the halves keeps the clusters: with it, and with the id added after the product, some seeds took 300 tries per key
//     on sequential ids and on sequential Data1 where random keys took 11. Reversed, the fast low bytes of one
//     progression land on the slow high bytes of the other, and all families measure like random keys (see the golden
//     build costs). A second round of xorshift and multiplication does the same and costs a lookup 0.3 ns more.
func (s seed) hash(lo, hi uint64, id uint32) uint64 {
	p, q := bits.Mul64(lo^s.lo, hi^s.hi^uint64(id)*s.id)
	return q ^ bits.ReverseBytes64(p)
}
