package main

import (
	"encoding/binary"
	"math/bits"

	"github.com/cockroachdb/swiss"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
	"github.com/puzpuzpuz/xsync/v4"
)

// request is what a finder is asked with: the first bytes of a request, GUID and id.
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

// words is the key of the maps. They compare and hash three words in registers, but call functions for 20 bytes: swiss took four times
// as long.
type words struct{ lo, hi, id uint64 }

func wordsOf(lo, hi uint64, id uint32) words { return words{lo, hi, uint64(id)} }

func (r *request) key() words { return wordsOf(r.words()) }

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

type swissMap struct{ *swiss.Map[words, uint32] }

// oneBucket is more than any map has: with more buckets than one a key is looked for in a directory first.
const oneBucket = 1 << 20

func newSwiss(keys []table.Key) (finder, error) {
	m := swiss.New(len(keys), swiss.WithHash[words, uint32](hash), swiss.WithMaxBucketCapacity[words, uint32](oneBucket))
	for i, k := range keys {
		m.Put(wordsOf(k.Lo, k.Hi, k.ID), uint32(i)+1)
	}
	return swissMap{m}, nil
}

// hash folds one product of all words, which takes less time than the hash that a map has by itself.
func hash(k *words, seed uintptr) uintptr {
	a, b := bits.Mul64(k.lo^uint64(seed), k.hi^k.id*0x9e3779b97f4a7c15)
	return uintptr(a ^ b)
}

func (m swissMap) find(r *request) uint32 {
	v, _ := m.Get(r.key())
	return v
}

func (m swissMap) send(requests []request, n int) (sum uint64) {
	for i := range n {
		v, _ := m.Get(requests[i&(len(requests)-1)].key())
		sum += uint64(v)
	}
	return sum
}

// xsync has no option for a hash of one's own.
type xsyncMap struct{ *xsync.Map[words, uint32] }

func newXsync(keys []table.Key) (finder, error) {
	m := xsync.NewMap[words, uint32](xsync.WithPresize(len(keys)))
	for i, k := range keys {
		m.Store(wordsOf(k.Lo, k.Hi, k.ID), uint32(i)+1)
	}
	return xsyncMap{m}, nil
}

func (m xsyncMap) find(r *request) uint32 {
	v, _ := m.Load(r.key())
	return v
}

func (m xsyncMap) send(requests []request, n int) (sum uint64) {
	for i := range n {
		v, _ := m.Load(requests[i&(len(requests)-1)].key())
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
