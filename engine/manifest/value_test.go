package manifest

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// Goroutines write values of equal bytes through both paths while others read through both: a reader that sees two
// different bytes saw half of a SET. Under -race this also shows that no access is unsynchronised.
func TestStoreConcurrent(t *testing.T) {
	const rounds = 3000
	store := program(t, "store")
	for _, size := range []int{4, 6, 8, 40, 1000} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			v := NewValue(uint32(size))
			var wg sync.WaitGroup
			torn := make(chan []byte, 1)
			for g := range 4 {
				path := paths[g%2]
				wg.Go(func() {
					for i := range rounds {
						path.call(store, VerbSet, v, bytes.Repeat([]byte{byte(g<<6 + i)}, size))
					}
				})
				wg.Go(func() {
					data := make([]byte, size)
					for range rounds {
						path.call(store, VerbGet, v, data)
						if bytes.Count(data, data[:1]) != size {
							select {
							case torn <- bytes.Clone(data):
							default:
							}
							return
						}
					}
				})
			}
			wg.Wait()
			select {
			case data := <-torn:
				t.Fatalf("read % x", data)
			default:
			}
		})
	}
}

// One goroutine SETs only the front of a small value, another the whole: the first must not bring back an old rest.
func TestStoreConcurrentFront(t *testing.T) {
	v := NewValue(8)
	var wg sync.WaitGroup
	defer wg.Wait()
	var done atomic.Bool
	defer done.Store(true)
	wg.Go(func() {
		var information uint64
		for i := 0; !done.Load(); i++ {
			v.Set([]byte{byte(i)}, &information)
		}
	})
	var information uint64
	data := make([]byte, 8)
	for i := range 200_000 {
		want := bytes.Repeat([]byte{byte(i)}, 8)
		v.Set(want, &information)
		v.Get(data, &information)
		if !bytes.Equal(data[1:], want[1:]) {
			t.Fatalf("after SET of % x the value is % x", want, data)
		}
	}
}

// A SET must not disturb the neighbours of its value.
func TestValueFillsACacheLine(t *testing.T) {
	if strconv.IntSize == 64 {
		require.EqualValues(t, 64, reflect.TypeFor[Value]().Size())
	}
}

var fresh *Value

func TestStoreAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	store := program(t, "store")
	irp, file, io := new(engine.IRP), new(engine.FileObject), new(engine.IoStatus)
	for _, size := range []uint32{4, 7, 8, 40, 256, 5000} {
		v := NewValue(size)
		data := make([]byte, size)
		get, set := store.Handler(VerbGet, v), store.Handler(VerbSet, v)
		fastGet, fastSet := store.FastHandler(VerbGet, v), store.FastHandler(VerbSet, v)
		set(irp, nil, data) // the one allocation of a large value
		for name, call := range map[string]func(){
			"get":      func() { mustSucceed(get(irp, nil, data)) },
			"set":      func() { mustSucceed(set(irp, nil, data)) },
			"fast get": func() { fastGet(file, engine.UserMode, nil, data, io); mustSucceed(io.Status) },
			"fast set": func() { fastSet(file, engine.UserMode, nil, data, io); mustSucceed(io.Status) },
			"query":    func() { get(irp, nil, nil) },
			"short":    func() { get(irp, nil, data[:1]) },
			"front":    func() { mustSucceed(set(irp, nil, data[:3])) },
		} {
			require.Zero(t, testkit.Allocs(call), "%s of %d bytes", name, size)
		}
	}
	// The control: the same measurement notices a value that gets its memory by the SET.
	data := make([]byte, 5000)
	var information uint64
	require.Positive(t, testkit.Allocs(func() {
		fresh = NewValue(5000)
		mustSucceed(fresh.Set(data, &information))
	}))
}

func mustSucceed(s ks.Status) {
	if s != ks.StatusSuccess {
		panic(fmt.Sprintf("status %v", s))
	}
}

func BenchmarkStore(b *testing.B) {
	for _, size := range []uint32{4, 8, 40} {
		for _, verb := range []Verb{VerbGet, VerbSet} {
			b.Run(fmt.Sprintf("verb=%s/size=%d", verb, size), func(b *testing.B) {
				h := store.Handler(verb, NewValue(size))
				irp, data := new(engine.IRP), make([]byte, size)
				for i := 0; i < b.N; i++ {
					if h(irp, nil, data) != ks.StatusSuccess {
						b.Fatal("failed")
					}
				}
			})
		}
	}
}
