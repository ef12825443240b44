package device_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestSoak sends on handles while other goroutines close them and complete what is pended, once and too often, and handlers send
// on their own handle, panic, meddle with their IRP and close. Each request is answered once: by its handler, by the one completion
// that counted, or as cancelled. KSDISPATCH_SOAK=30m makes it last; then the heap after a tenth of the time is that at the end.
func TestSoak(t *testing.T) {
	length := 2 * time.Second
	if text := os.Getenv("KSDISPATCH_SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	const senders = 4
	begin := time.Now()
	var requests, pendedAll, counted, cancelled atomic.Int64
	handed := make(chan *engine.IRP, 64)
	var completers sync.WaitGroup
	for g := range senders {
		completers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for irp := range handed {
				if r.IntN(4) == 0 {
					runtime.Gosched()
				}
				if irp.Complete(ks.StatusBufferOverflow, 4) {
					counted.Add(1)
				}
			}
		})
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var wg sync.WaitGroup
	for g := range senders {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 8))
			var h *device.Handle
			var what int
			handler := func(irp *engine.IRP, _, data []byte) ks.Status {
				binary.LittleEndian.PutUint32(data, uint32(what))
				irp.IoStatus.Information = 4
				switch what {
				case 1:
					panic("injected")
				case 2:
					if _, status := h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 4)); status != ks.StatusDeviceBusy {
						t.Errorf("inside a handler: %v", status)
					}
				case 3:
					irp.SystemBuffer, irp.Pool = nil, nil
				case 4:
					irp.Finish(ks.StatusNotFound, nil)
				case 5, 6:
					handed <- irp
					return ks.StatusPending
				case 7:
					irp.Complete(ks.StatusBufferOverflow, 4)
					invariants.Catch(func() {
						if irp.Complete(ks.StatusNotFound, 0) {
							t.Error("two completions count")
						}
					})
				case 8:
					if err := h.Close(); err != nil {
						t.Error(err)
					}
				}
				return ks.StatusSuccess
			}
			d, err := engine.Compile(engine.Config{OnPanic: func(any, []byte) {}, PropertySets: []engine.PropertySet{{Set: testSet,
				Items: []engine.PropertyItem{{ID: 1, Get: handler, Support: handler}}}}})
			if err != nil {
				t.Error(err)
				return
			}
			dev := device.New(d)
			for time.Since(begin) < length {
				if h, err = dev.Open(); err != nil {
					t.Error(err)
					return
				}
				var closers sync.WaitGroup
				for n := r.IntN(100) + 1; n > 0; n-- {
					what = r.IntN(9)
					if n == 1 {
						closers.Go(func() {
							if err := h.Close(); err != nil {
								t.Error(err)
							}
						})
					}
					flags := []uint32{ks.PropertyTypeGet, ks.PropertyTypeBasicSupport, ks.PropertyTypeGet | ks.PropertyTypeHighPriority}[r.IntN(3)]
					var out [4]byte
					got, status := h.IoControl(ks.IoctlProperty, request(1, flags), out[:])
					requests.Add(1)
					if status == ks.StatusInvalidHandle && got == 0 {
						break
					}
					switch {
					case status == ks.StatusCancelled && got == 0 && (what == 5 || what == 6):
						cancelled.Add(1)
						pendedAll.Add(1)
					case what == 5 || what == 6:
						pendedAll.Add(1)
						fallthrough
					case what == 7:
						if status != ks.StatusBufferOverflow || got != 4 || binary.LittleEndian.Uint32(out[:]) != uint32(what) {
							t.Errorf("%d: %d bytes, %v, % x", what, got, status, out)
						}
					case what == 1:
						if status != ks.StatusAccessViolation || got != 0 {
							t.Errorf("a panic: %d bytes, %v", got, status)
						}
					default:
						if status != ks.StatusSuccess || got != 4 || binary.LittleEndian.Uint32(out[:]) != uint32(what) {
							t.Errorf("%d: %d bytes, %v, % x", what, got, status, out)
						}
					}
				}
				closers.Wait()
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	time.Sleep(length / 10)
	early := heap()
	wg.Wait()
	close(handed)
	completers.Wait()
	if counted.Load()+cancelled.Load() != pendedAll.Load() {
		t.Errorf("%d requests were pended, %d completed, %d cancelled", pendedAll.Load(), counted.Load(), cancelled.Load())
	}
	if late := heap(); late > early+early/10+1<<20 {
		t.Errorf("the heap has %d bytes, after a tenth of the time %d", late, early)
	}
	t.Logf("%d requests, %d pended, %d completed, %d cancelled", requests.Load(), pendedAll.Load(), counted.Load(), cancelled.Load())
}
