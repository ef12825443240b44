package table

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// The workloads: sets of a random GUID with sequential ids, and random hits prepared as request bytes. All loops are over
// b.N, because b.Loop costs as much as floor.
type workload struct {
	entries  []Entry[value40]
	requests []request // a power of two: 65,536, or with 2,000,000 keys enough to touch nearly all
	keys     []Key     // of the requests
}

type request [24]byte // a GUID, an id, flags: KSPROPERTY

func (r *request) decode() (lo, hi uint64, id uint32) {
	return binary.LittleEndian.Uint64(r[0:]), binary.LittleEndian.Uint64(r[8:]), binary.LittleEndian.Uint32(r[16:])
}

var sizes = []struct{ sets, items int }{{1, 1}, {1, 2}, {1, 4}, {1, 8}, {20, 12}, {200, 20}, {2000, 20}, {100_000, 20}}

// workloads makes each on its first use: by the number of keys.
var workloads = func() map[int]func() *workload {
	all := map[int]func() *workload{}
	for _, size := range sizes {
		all[size.sets*size.items] = sync.OnceValue(func() *workload { return newWorkload(size.sets, size.items) })
	}
	return all
}()

func newWorkload(sets, items int) *workload {
	rng := rand.New(rand.NewPCG(1, 2))
	w := &workload{}
	for range sets {
		lo, hi := rng.Uint64(), rng.Uint64()
		for id := range items {
			w.entries = append(w.entries, Entry[value40]{Lo: lo, Hi: hi, ID: uint32(id), Tag: 1})
		}
	}
	n := 1 << 16
	if sets*items > n {
		n = 1 << 21
	}
	var order []int
	w.requests, w.keys = make([]request, n), make([]Key, n)
	for i := range n {
		if len(order) == 0 {
			order = rng.Perm(len(w.entries))
		}
		e := &w.entries[order[0]]
		order = order[1:]
		binary.LittleEndian.PutUint64(w.requests[i][0:], e.Lo)
		binary.LittleEndian.PutUint64(w.requests[i][8:], e.Hi)
		binary.LittleEndian.PutUint32(w.requests[i][16:], e.ID)
		w.keys[i] = keyOf(e)
	}
	return w
}

var sink uint64

func BenchmarkLookup(b *testing.B) {
	for _, size := range sizes {
		n := size.sets * size.items
		for _, impl := range []struct {
			name string
			run  func(b *testing.B, w *workload)
			max  int
		}{
			{"floor", benchmarkFloor, 1 << 30},
			{"table", benchmarkTable, 1 << 30},
			{"linear", benchmarkLinear, 240},
			{"map", benchmarkMap, 1 << 30},
			{"nested", benchmarkNested, 1 << 30},
		} {
			if n > impl.max {
				continue
			}
			b.Run(fmt.Sprintf("impl=%s/keys=%d", impl.name, n), func(b *testing.B) {
				impl.run(b, workloads[n]())
			})
		}
	}
}

func benchmarkFloor(b *testing.B, w *workload) {
	var array [256]uint32
	sum, mask := uint64(0), len(w.requests)-1
	for i := 0; i < b.N; i++ {
		lo, hi, id := w.requests[i&mask].decode()
		sum += uint64(array[uint8(lo^hi^uint64(id))])
	}
	sink += sum
}

func benchmarkTable(b *testing.B, w *workload) {
	t := mustBuild(b, w.entries, Config{})
	sum, mask := uint64(0), len(w.requests)-1
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		e := t.Lookup(w.requests[i&mask].decode())
		if e == nil {
			b.Fatal("miss")
		}
		sum += uint64(e.Tag)
	}
	sink += sum
}

func benchmarkLinear(b *testing.B, w *workload) {
	sum, mask := uint64(0), len(w.requests)-1
	for i := 0; i < b.N; i++ {
		lo, hi, id := w.requests[i&mask].decode()
		e := linear(w.entries, lo, hi, id)
		if e == nil {
			b.Fatal("miss")
		}
		sum += uint64(e.Tag)
	}
	sink += sum
}

func linear(entries []Entry[value40], lo, hi uint64, id uint32) *Entry[value40] {
	for i := range entries {
		if e := &entries[i]; e.Lo == lo && e.Hi == hi && e.ID == id {
			return e
		}
	}
	return nil
}

func benchmarkMap(b *testing.B, w *workload) {
	m := makeMap(w.entries)
	sum, mask := uint64(0), len(w.requests)-1
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		lo, hi, id := w.requests[i&mask].decode()
		e := m[Key{lo, hi, id}]
		if e == nil {
			b.Fatal("miss")
		}
		sum += uint64(e.Tag)
	}
	sink += sum
}

func makeMap(entries []Entry[value40]) map[Key]*Entry[value40] {
	m := make(map[Key]*Entry[value40], len(entries))
	for i := range entries {
		m[keyOf(&entries[i])] = &entries[i]
	}
	return m
}

func benchmarkNested(b *testing.B, w *workload) {
	m := map[[2]uint64]map[uint32]*Entry[value40]{}
	for i := range w.entries {
		e := &w.entries[i]
		set := [2]uint64{e.Lo, e.Hi}
		if m[set] == nil {
			m[set] = map[uint32]*Entry[value40]{}
		}
		m[set][e.ID] = e
	}
	sum, mask := uint64(0), len(w.requests)-1
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		lo, hi, id := w.requests[i&mask].decode()
		e := m[[2]uint64{lo, hi}][id]
		if e == nil {
			b.Fatal("miss")
		}
		sum += uint64(e.Tag)
	}
	sink += sum
}

func BenchmarkLookupBatch(b *testing.B) {
	for _, n := range []int{240, 40_000, 2_000_000} {
		b.Run(fmt.Sprintf("impl=table/keys=%d", n), func(b *testing.B) {
			w := workloads[n]()
			t := mustBuild(b, w.entries, Config{})
			out := make([]*Entry[value40], 256)
			sum := uint64(0)
			b.ResetTimer()
			for i := 0; i < b.N; i += len(out) {
				from := i & (len(w.keys) - 1)
				t.LookupBatch(w.keys[from:from+len(out)], out)
				for _, e := range out {
					sum += uint64(e.Tag)
				}
			}
			sink += sum
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{240, 40_000, 2_000_000} {
		perKey := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
		}
		b.Run(fmt.Sprintf("impl=table/keys=%d", n), func(b *testing.B) {
			entries := workloads[n]().entries
			for i := 0; i < b.N; i++ {
				sink += uint64(mustBuild(b, entries, Config{Seed: uint64(i)}).Len())
			}
			perKey(b)
		})
		b.Run(fmt.Sprintf("impl=map/keys=%d", n), func(b *testing.B) {
			entries := workloads[n]().entries
			for i := 0; i < b.N; i++ {
				sink += uint64(len(makeMap(entries)))
			}
			perKey(b)
		})
	}
}
