package ks

import (
	"encoding/binary"
	"testing"
)

// Sinks of the benchmarks; alloc_test.go has its own, as it is left out under -race.
var (
	benchGUID GUID
	benchText []byte
	benchName string
	benchWord uint64
	benchCode uint32
)

func benchRequests() [][]byte {
	requests := make([][]byte, 64)
	for i := range requests {
		requests[i] = make([]byte, SizeIdentifier)
		Identifier{Set: GUID{byte(i), 15: 1}, ID: uint32(i), Flags: PropertyTypeGet}.Put(requests[i])
	}
	return requests
}

func BenchmarkDecodeIdentifier(b *testing.B) {
	requests := benchRequests()
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if x, ok := DecodeIdentifier(requests[i%64]); ok {
			lo, hi := x.Set.Words()
			benchWord = lo ^ hi ^ uint64(x.ID) ^ uint64(x.Flags)
		}
	}
}

// BenchmarkIdentifierWords reads the same 24 bytes as words, which is what DecodeIdentifier is measured against.
func BenchmarkIdentifierWords(b *testing.B) {
	requests := benchRequests()
	for i := 0; i < b.N; i++ {
		if r := requests[i%64]; len(r) >= SizeIdentifier {
			lo, hi := binary.LittleEndian.Uint64(r), binary.LittleEndian.Uint64(r[8:])
			id, flags := binary.LittleEndian.Uint32(r[16:]), binary.LittleEndian.Uint32(r[20:])
			benchWord = lo ^ hi ^ uint64(id) ^ uint64(flags)
		}
	}
}

func BenchmarkParseGUID(b *testing.B) {
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		benchGUID, _ = ParseGUID("{45FFAAA0-6E1B-11D0-BCF2-444553540000}")
	}
}

func BenchmarkGUIDAppendText(b *testing.B) {
	g := MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540000")
	room := make([]byte, 0, 64)
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		benchText, _ = g.AppendText(room)
	}
}

func BenchmarkStatusString(b *testing.B) {
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		benchName = StatusPropsetNotFound.String()
	}
}

func BenchmarkStatusWin32(b *testing.B) {
	for i := 0; i < b.N; i++ {
		benchCode = StatusPropsetNotFound.Win32()
	}
}
