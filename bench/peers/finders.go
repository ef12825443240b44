package main

import (
	"github.com/cockroachdb/swiss"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
	"github.com/puzpuzpuz/xsync/v4"
)

// finder is the adapter of something that finds keys: their position in the order that they were given in plus 1, or 0.
type finder interface {
	find(k table.Key) uint32
	// send looks up the first n of the keys, in a cycle, and adds up what it finds. The number of keys is a power of two.
	send(keys []table.Key, n int) (sum uint64)
}

// The entry of the engine is 64 bytes, as a dispatcher's; the others keep four bytes with a key.
type value [5]uint64

type engineTable struct{ *table.Table[value] }

func newEngine(keys []table.Key) (finder, error) {
	entries := make([]table.Entry[value], len(keys))
	for i, k := range keys {
		entries[i] = table.Entry[value]{Lo: k.Lo, Hi: k.Hi, ID: k.ID, Tag: uint32(i) + 1}
	}
	t, err := table.Build(entries, table.Config{})
	return engineTable{t}, err
}

func (t engineTable) find(k table.Key) uint32 {
	if e := t.Lookup(k.Lo, k.Hi, k.ID); e != nil {
		return e.Tag
	}
	return 0
}

func (t engineTable) send(keys []table.Key, n int) (sum uint64) {
	for i := range n {
		k := &keys[i&(len(keys)-1)]
		if e := t.Lookup(k.Lo, k.Hi, k.ID); e != nil {
			sum += uint64(e.Tag)
		}
	}
	return sum
}

type goMap map[table.Key]uint32

func newMap(keys []table.Key) (finder, error) {
	m := make(goMap, len(keys))
	for i, k := range keys {
		m[k] = uint32(i) + 1
	}
	return m, nil
}

func (m goMap) find(k table.Key) uint32 { return m[k] }

func (m goMap) send(keys []table.Key, n int) (sum uint64) {
	for i := range n {
		sum += uint64(m[keys[i&(len(keys)-1)]])
	}
	return sum
}

type swissMap struct{ *swiss.Map[table.Key, uint32] }

func newSwiss(keys []table.Key) (finder, error) {
	m := swiss.New[table.Key, uint32](len(keys))
	for i, k := range keys {
		m.Put(k, uint32(i)+1)
	}
	return swissMap{m}, nil
}

func (m swissMap) find(k table.Key) uint32 {
	v, _ := m.Get(k)
	return v
}

func (m swissMap) send(keys []table.Key, n int) (sum uint64) {
	for i := range n {
		v, _ := m.Get(keys[i&(len(keys)-1)])
		sum += uint64(v)
	}
	return sum
}

type xsyncMap struct{ *xsync.Map[table.Key, uint32] }

func newXsync(keys []table.Key) (finder, error) {
	m := xsync.NewMap[table.Key, uint32](xsync.WithPresize(len(keys)))
	for i, k := range keys {
		m.Store(k, uint32(i)+1)
	}
	return xsyncMap{m}, nil
}

func (m xsyncMap) find(k table.Key) uint32 {
	v, _ := m.Load(k)
	return v
}

func (m xsyncMap) send(keys []table.Key, n int) (sum uint64) {
	for i := range n {
		v, _ := m.Load(keys[i&(len(keys)-1)])
		sum += uint64(v)
	}
	return sum
}

type sorted struct{ *rival.Sorted }

func newSorted(keys []table.Key) (finder, error) { return sorted{rival.NewSorted(keys)}, nil }

func (s sorted) find(k table.Key) uint32 { return s.Find(k.Lo, k.Hi, k.ID) }

func (s sorted) send(keys []table.Key, n int) (sum uint64) {
	for i := range n {
		k := &keys[i&(len(keys)-1)]
		sum += uint64(s.Find(k.Lo, k.Hi, k.ID))
	}
	return sum
}

// written is the generated switch. It has only the keys of its driver.
type written struct{}

func newWritten([]table.Key) (finder, error) { return written{}, nil }

func (written) find(k table.Key) uint32 { return rival.Switch(k.Lo, k.Hi, k.ID) }

func (written) send(keys []table.Key, n int) (sum uint64) {
	for i := range n {
		k := &keys[i&(len(keys)-1)]
		sum += uint64(rival.Switch(k.Lo, k.Hi, k.ID))
	}
	return sum
}
