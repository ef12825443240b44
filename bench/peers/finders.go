package main

import (
	"encoding/binary"

	"github.com/cockroachdb/swiss"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
	"github.com/puzpuzpuz/xsync/v4"
)

// request is what a finder is asked with: the first bytes of a request, GUID and id. Those that hash bytes take it as it lies there;
// those that compare words read three.
type request [20]byte

func requestOf(k table.Key) (r request) {
	binary.LittleEndian.PutUint64(r[:], k.Lo)
	binary.LittleEndian.PutUint64(r[8:], k.Hi)
	binary.LittleEndian.PutUint32(r[16:], k.ID)
	return r
}

func (r *request) words() (lo, hi uint64, id uint32) {
	return binary.LittleEndian.Uint64(r[:]), binary.LittleEndian.Uint64(r[8:]), binary.LittleEndian.Uint32(r[16:])
}

// finder is the adapter of something that finds keys: their position in the order that they were given in plus 1, or 0.
type finder interface {
	find(r *request) uint32
	// send looks up the first n of the requests, in a cycle, and adds up what it finds. The number of requests is a power of two.
	send(requests []request, n int) (sum uint64)
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

func (t engineTable) find(r *request) uint32 {
	if e := t.Lookup(r.words()); e != nil {
		return e.Tag
	}
	return 0
}

func (t engineTable) send(requests []request, n int) (sum uint64) {
	for i := range n {
		if e := t.Lookup(requests[i&(len(requests)-1)].words()); e != nil {
			sum += uint64(e.Tag)
		}
	}
	return sum
}

type swissMap struct{ *swiss.Map[request, uint32] }

func newSwiss(keys []table.Key) (finder, error) {
	m := swiss.New[request, uint32](len(keys))
	for i, k := range keys {
		m.Put(requestOf(k), uint32(i)+1)
	}
	return swissMap{m}, nil
}

func (m swissMap) find(r *request) uint32 {
	v, _ := m.Get(*r)
	return v
}

func (m swissMap) send(requests []request, n int) (sum uint64) {
	for i := range n {
		v, _ := m.Get(requests[i&(len(requests)-1)])
		sum += uint64(v)
	}
	return sum
}

type xsyncMap struct{ *xsync.Map[request, uint32] }

func newXsync(keys []table.Key) (finder, error) {
	m := xsync.NewMap[request, uint32](xsync.WithPresize(len(keys)))
	for i, k := range keys {
		m.Store(requestOf(k), uint32(i)+1)
	}
	return xsyncMap{m}, nil
}

func (m xsyncMap) find(r *request) uint32 {
	v, _ := m.Load(*r)
	return v
}

func (m xsyncMap) send(requests []request, n int) (sum uint64) {
	for i := range n {
		v, _ := m.Load(requests[i&(len(requests)-1)])
		sum += uint64(v)
	}
	return sum
}

type sorted struct{ *rival.Sorted }

func newSorted(keys []table.Key) (finder, error) { return sorted{rival.NewSorted(keys)}, nil }

func (s sorted) find(r *request) uint32 { return s.Find(r.words()) }

func (s sorted) send(requests []request, n int) (sum uint64) {
	for i := range n {
		sum += uint64(s.Find(requests[i&(len(requests)-1)].words()))
	}
	return sum
}

// written is the generated switch. It has only the keys of its driver.
type written struct{}

func newWritten([]table.Key) (finder, error) { return written{}, nil }

func (written) find(r *request) uint32 { return rival.Switch(r.words()) }

func (written) send(requests []request, n int) (sum uint64) {
	for i := range n {
		sum += uint64(rival.Switch(requests[i&(len(requests)-1)].words()))
	}
	return sum
}
