package targets

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/ksdispatch/ksdispatch/engine/table"
)

// value is as long as what the dispatcher keeps with a key, so that an entry is a cache line.
type value [40]byte

// entries are sets of a random GUID and twenty ids from 0.
func entries(n int, seed uint64) []table.Entry[value] {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	list := make([]table.Entry[value], n)
	for i := range list {
		e := &list[i]
		if e.ID = uint32(i % 20); e.ID == 0 {
			e.Lo, e.Hi = rng.Uint64(), rng.Uint64()
		} else {
			e.Lo, e.Hi = list[i-1].Lo, list[i-1].Hi
		}
	}
	return list
}

// filled is a map of the entries, sized before it is filled, with pointers for values: a map that holds 40 bytes with each
// key takes longer to fill.
func filled(keys []prefix, list []table.Entry[value]) map[prefix]*table.Entry[value] {
	m := make(map[prefix]*table.Entry[value], len(list))
	for i := range list {
		m[keys[i]] = &list[i]
	}
	return m
}

// prefix is where a request has its key: 16 bytes of GUID and 4 of id.
type prefix [20]byte

func prefixes(list []table.Entry[value]) []prefix {
	keys := make([]prefix, len(list))
	for i, e := range list {
		binary.LittleEndian.PutUint64(keys[i][:], e.Lo)
		binary.LittleEndian.PutUint64(keys[i][8:], e.Hi)
		binary.LittleEndian.PutUint32(keys[i][16:], e.ID)
	}
	return keys
}

// build makes whole tables, and maps.
func build(n int) func(c *config) (*subjects, error) {
	return func(c *config) (*subjects, error) {
		call, done, err := bare(c, 1+n/2500) // a cycle and 2,500 keys take about 0.25 ms
		if err != nil {
			return nil, err
		}
		list := entries(n, c.Seed)
		keys := prefixes(list)
		if _, err := table.Build(list, table.Config{}); err != nil {
			return nil, errors.Join(err, done())
		}
		return &subjects{close: done, run: map[string]subject{
			"bare":  call,
			"build": builds(list),
			"map": {Per: n, Run: func(units int) {
				for range units {
					runtime.KeepAlive(filled(keys, list))
				}
			}},
		}}, nil
	}
}

func builds(list []table.Entry[value]) subject {
	return subject{Per: len(list), Run: func(units int) {
		for range units {
			if t, err := table.Build(list, table.Config{}); err != nil || t.Len() != len(list) {
				panic(fmt.Sprintf("the same keys built before: %v", err))
			}
		}
	}}
}

// twoCores builds the same table with one processor and with two. What a second one is worth at the moment is told by bare, in
// units that take about as long as a build of 2,000,000 keys.
func twoCores(n int) func(c *config) (*subjects, error) {
	return func(c *config) (*subjects, error) {
		list := entries(n, c.Seed)
		if _, err := table.Build(list, table.Config{}); err != nil {
			return nil, err
		}
		s, err := onTwo(c, 1000)
		if err != nil {
			return nil, err
		}
		b := builds(list)
		s.run["build on 1"] = subject{Per: n, Run: withProcessors(1, b.Run)}
		s.run["build on 2"] = subject{Per: n / 2, Run: withProcessors(2, b.Run)} // as of bare: the time of one of two
		return s, nil
	}
}

func withProcessors(n int, run func(units int)) func(units int) {
	return func(units int) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
		run(units)
	}
}

// memory asks the table what it is made of.
func memory(name string, n int) func(context.Context, *config) (map[string]float64, error) {
	return func(_ context.Context, c *config) (map[string]float64, error) {
		t, err := table.Build(entries(n, c.Seed), table.Config{})
		if err != nil {
			return nil, err
		}
		s := t.Stats()
		return map[string]float64{
			name + "/index": 8 * float64(s.Index) / float64(s.Keys),
			name + "/load":  float64(s.Keys) / float64(s.Slots),
		}, nil
	}
}
