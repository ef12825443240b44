package table

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// FuzzOperations runs a stream of operations on a table and on the model, a map, and expects the same answers. The first
// byte of an operation says which it is, others follow as it needs; keys come from a small universe, so that they meet.
func FuzzOperations(f *testing.F) {
	f.Add([]byte("a\x00\x01\x02\x03b\x00l\x00\x01\x02\x03s\x00"))
	f.Add([]byte("b\x07l\x00\x00\x00\x00"))
	f.Add(bytes.Repeat([]byte("a\x01\x02\x03\x04"), 2))
	f.Fuzz(func(t *testing.T, stream []byte) { run(t, stream) })
}

func run(t testing.TB, stream []byte) {
	next := func() (b byte) {
		if len(stream) > 0 {
			b, stream = stream[0], stream[1:]
		}
		return b
	}
	key := func() Key {
		f := families[int(next())%len(families)]
		k := f.key(int(next()) | int(next())<<8)
		k.ID ^= uint32(next() & 1)
		return k
	}
	var entries []Entry[int]
	model := map[Key]int{} // the last entry of each key
	duplicates := 0
	table, err := Build(entries, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var direct Direct[int] // of entries shorter than a cache line
	built := map[Key]int{}
	for len(stream) > 0 {
		switch next() {
		case 'a': // add
			k := key()
			if _, ok := model[k]; ok {
				duplicates++
			}
			model[k] = len(entries)
			entries = append(entries, Entry[int]{Lo: k.Lo, Hi: k.Hi, ID: k.ID, Value: len(entries)})
		case 'm': // add many of a family
			f, from := families[int(next())%len(families)], int(next())<<8
			for i := range int(next()) {
				k := f.key(from + i)
				if _, ok := model[k]; !ok {
					model[k] = len(entries)
					entries = append(entries, Entry[int]{Lo: k.Lo, Hi: k.Hi, ID: k.ID, Value: len(entries)})
				}
			}
		case 'b': // build
			fresh, err := Build(entries, Config{Seed: binary.LittleEndian.Uint64([]byte{next(), 0, 0, 0, 0, 0, 0, 0})})
			if duplicates > 0 {
				if err == nil || !strings.Contains(err.Error(), "have the same key") {
					t.Fatalf("%d duplicates: %v", duplicates, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			table, direct = fresh, BuildDirect(entries)
			clear(built)
			for k, v := range model {
				built[k] = v
			}
			verify(t, table, entries)
			if !direct.Ready() {
				continue
			}
			for _, k := range entries {
				if e, found := direct.Find(k.Lo, k.Hi, uint64(k.ID)); !found || *e != k {
					t.Fatalf("Direct.Find(%v) = %v %v", k, e, found)
				}
				if e := direct.Lookup(k.Lo, k.Hi, k.ID); e == nil || *e != k {
					t.Fatalf("Direct.Lookup(%v) = %v", k, e)
				}
			}
		case 'r': // remove all
			entries, duplicates = nil, 0
			clear(model)
		case 'l': // look up
			k := key()
			v, ok := built[k]
			agrees := func(how string, e *Entry[int], found bool) {
				if found != ok || ok && e.Value != v {
					t.Fatalf("%s(%s) = %v %v, the model says %v %v", how, k.text(), e, found, v, ok)
				}
			}
			e := table.Lookup(k.Lo, k.Hi, k.ID)
			agrees("Lookup", e, e != nil)
			e, found := table.Find(k.Lo, k.Hi, k.ID)
			agrees("Find", e, found)
			if direct.Ready() {
				e = direct.Lookup(k.Lo, k.Hi, k.ID)
				agrees("Direct.Lookup", e, e != nil)
				e, found = direct.Find(k.Lo, k.Hi, uint64(next())<<32|uint64(k.ID))
				agrees("Direct.Find", e, found)
			}
		case 's': // look up many, members and strangers
			var keys []Key
			for range int(next()) {
				keys = append(keys, key())
			}
			out := make([]*Entry[int], len(keys))
			table.LookupBatch(keys, out)
			for i, k := range keys {
				if v, ok := built[k]; ok != (out[i] != nil) || ok && out[i].Value != v {
					t.Fatalf("LookupBatch: %s: %v, the model says %v %v", k.text(), out[i], v, ok)
				}
			}
		}
		if len(entries) > 5000 {
			return
		}
	}
}

// TestOperations runs random streams, among them long ones, and checks that the committed corpus is where go test looks.
func TestOperations(t *testing.T) {
	if found, err := filepath.Glob("testdata/fuzz/FuzzOperations/*"); err != nil || len(found) == 0 {
		t.Errorf("no corpus: %v %v", found, err)
	}
	rng := testkit.Rand(t)
	for range 300 {
		stream := make([]byte, rng.IntN(2000))
		for i := range stream {
			stream[i] = byte(rng.Uint32())
			if rng.IntN(4) == 0 {
				stream[i] = "ambbrlls"[rng.IntN(8)]
			}
		}
		run(t, stream)
	}
}
