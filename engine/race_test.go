package engine_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// One dispatcher, an IRP, an arena and a file object for each goroutine, mixed verbs on every path. Package device has the
// same for handles. It means most under the race detector.
func TestManyIRPs(t *testing.T) {
	echo := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, irp.FileObject.Context.([]byte)))
		return ks.StatusSuccess
	}
	panics := func(*engine.IRP, []byte, []byte) ks.Status { panic("on many goroutines") }
	var mu sync.Mutex
	told := 0
	d, err := engine.Compile(engine.Config{PropertyItemSize: 80,
		OnPanic: func(any, []byte) { mu.Lock(); told++; mu.Unlock() },
		PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 1, Get: echo, Set: accepts, SerializedSize: 4, Values: stepped(), Relations: make([]ks.Identifier, 2)},
			{ID: 2, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
				irp.IoStatus.Information = uint64(len(irp.ItemStorage())) // made when first asked for
				return ks.StatusSuccess
			}},
			{ID: 3, Get: panics, Support: answers(ks.StatusSomeNotMapped, 0)},
		}, FastIO: []engine.FastPropertyItem{{ID: 1, Get: func(file *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
			io.Information = uint64(copy(data, file.Context.([]byte)))
			return true
		}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	const goroutines, rounds = 8, 100
	var wg sync.WaitGroup
	for g := range goroutines {
		pool, err := arena.New(arena.Config{})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer pool.Close()
			mine := bytes.Repeat([]byte{byte(g + 1)}, 4)
			file := engine.FileObject{Context: mine}
			irp := engine.IRP{Pool: pool, FileObject: &file}
			send := func(id, flags uint32, n int, status ks.Status, info uint64) []byte {
				irp.Type3InputBuffer = request{set: setA, id: id, flags: flags}.bytes()
				irp.UserBuffer = make([]byte, n)
				irp.InputBufferLength, irp.OutputBufferLength = ks.SizeIdentifier, uint32(n)
				if got := d.Property(&irp); got != status || irp.IoStatus.Information != info {
					t.Errorf("item %d %s: %v, Information %d; want %v, %d", id, ks.FormatPropertyFlags(flags), got, irp.IoStatus.Information, status, info)
				}
				irp.Finish(status, irp.UserBuffer)
				return irp.UserBuffer
			}
			for range rounds {
				if out := send(1, get, 4, 0, 4); !bytes.Equal(out, mine) {
					t.Errorf("goroutine %d: % x", g, out)
				}
				send(1, set, 4, 0, 0)
				send(1, basicSupport, 107, 0, 107)
				send(1, relations, 8, 0, 8)
				if out := send(1, serializeSet, 56, 0, 56); !bytes.Equal(out[52:], mine) {
					t.Errorf("goroutine %d: % x", g, out)
				}
				send(2, get, 8, 0, 8)
				send(3, get, 4, ks.StatusAccessViolation, 0)
				send(3, basicSupport, 4, 0, 4)
				out, io := make([]byte, 4), engine.IoStatus{}
				if !d.FastProperty(&file, engine.UserMode, request{set: setA, id: 1, flags: get}.bytes(), out, &io) || !bytes.Equal(out, mine) {
					t.Errorf("goroutine %d, fast: % x, %v", g, out, io)
				}
			}
			if n := pool.Stats().Live; n != 0 {
				t.Errorf("goroutine %d: %d buffers live", g, n)
			}
		})
	}
	if wg.Wait(); told != goroutines*rounds {
		t.Errorf("OnPanic was told of %d panics, want %d", told, goroutines*rounds)
	}
}
