package targets

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// window is how many requests a batch of lookups has.
const window = 256

// tour looks every key of a table up once in a random order. The requests are read as from callers: the bytes of a GUID and
// an id, one after the other in memory. Each loop returns how many keys it found.
type tour struct {
	requests [][ks.SizeIdentifier]byte
	table    *table.Table[value]
	flat     map[prefix]*table.Entry[value]
}

// random is a tour of n keys.
func random(n int) func(c *config) (*subjects, error) {
	return func(c *config) (*subjects, error) {
		list := entries(n, c.Seed)
		keys := prefixes(list)
		built, err := table.Build(list, table.Config{})
		if err != nil {
			return nil, err
		}
		t := &tour{requests: make([][ks.SizeIdentifier]byte, n), table: built, flat: filled(keys, list)}
		for i, at := range rand.New(rand.NewPCG(c.Seed, 1)).Perm(n) {
			copy(t.requests[i][:], keys[at][:])
		}
		return t.subjects()
	}
}

func (t *tour) subjects() (*subjects, error) {
	run := map[string]subject{}
	for name, pass := range map[string]func() int{"lookup": t.single, "map": t.byMap, "batch": t.batch} {
		if found := pass(); found != len(t.requests) {
			return nil, fmt.Errorf("%s finds %d of %d keys", name, found, len(t.requests))
		}
		run[name] = subject{Per: len(t.requests), Run: func(units int) {
			for range units {
				pass()
			}
		}}
	}
	return &subjects{run: run}, nil
}

func (t *tour) single() (found int) {
	requests, lookup := t.requests, t.table
	for i := range requests {
		in := &requests[i]
		if lookup.Lookup(binary.LittleEndian.Uint64(in[:]), binary.LittleEndian.Uint64(in[8:]), binary.LittleEndian.Uint32(in[16:])) != nil {
			found++
		}
	}
	return found
}

func (t *tour) byMap() (found int) {
	requests, flat := t.requests, t.flat
	for i := range requests {
		if flat[prefix(requests[i][:len(prefix{})])] != nil {
			found++
		}
	}
	return found
}

func (t *tour) batch() (found int) {
	var keys [window]table.Key
	var got [window]*table.Entry[value]
	for rest := t.requests; len(rest) > 0; {
		part := rest[:min(window, len(rest))]
		rest = rest[len(part):]
		for i := range part {
			in := &part[i]
			keys[i] = table.Key{Lo: binary.LittleEndian.Uint64(in[:]), Hi: binary.LittleEndian.Uint64(in[8:]),
				ID: binary.LittleEndian.Uint32(in[16:])}
		}
		t.table.LookupBatch(keys[:len(part)], got[:])
		for _, e := range got[:len(part)] {
			if e != nil {
				found++
			}
		}
	}
	return found
}
