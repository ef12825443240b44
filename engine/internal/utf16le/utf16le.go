// Package utf16le writes text as clients of Windows read it, UTF-16 in little-endian bytes, without allocating.
package utf16le

import (
	"encoding/binary"
	"unicode/utf16"
)

// Len returns the length of s in bytes. What is not UTF-8 counts as U+FFFD.
func Len(s string) (n uint64) {
	for _, r := range s {
		n += 2 * uint64(utf16.RuneLen(r)) // never -1: a rune of a string is a character, or U+FFFD
	}
	return n
}

// Encode writes s to b, which has room for Len(s) bytes, and returns what follows in b.
func Encode(b []byte, s string) []byte {
	for _, r := range s {
		if utf16.RuneLen(r) == 2 {
			var high rune
			high, r = utf16.EncodeRune(r)
			b = put(b, high)
		}
		b = put(b, r)
	}
	return b
}

func put(b []byte, unit rune) []byte {
	binary.LittleEndian.PutUint16(b, uint16(unit))
	return b[2:]
}
