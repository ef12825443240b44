package device_test

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestS32_ManyOutcomes pends requests on two overlapped handles and completes or cancels them in random order from other goroutines, some
// of them both at once. Each has one outcome, which is that of who won, and one packet, and in the end nothing is in flight.
// KSDISPATCH_ROUNDS sets how many thousand there are.
func TestS32_ManyOutcomes(t *testing.T) {
	thousands := 3
	if n, err := strconv.Atoi(os.Getenv("KSDISPATCH_ROUNDS")); err == nil {
		thousands = n
	}
	const outstanding = 1000
	s, port := newServer(t), device.NewPort()
	handles := []*device.OverlappedHandle{openOverlapped(t, s.Device, port), openOverlapped(t, s.Device, port)}
	all, outs := make([]device.Overlapped, outstanding), make([][4]byte, outstanding)
	irps := make([]*engine.IRP, outstanding)
	random := rand.New(rand.NewPCG(3, 4))
	done := make([]*device.Overlapped, 64)
	for range thousands {
		for i := range all {
			all[i].Key = uint64(i)
			outs[i] = [4]byte{}
			_, status := handles[i%2].IoControl(&all[i], ks.IoctlProperty, request(itemQueued, ks.PropertyTypeGet), outs[i][:])
			if status != ks.StatusPending {
				t.Fatal(i, status)
			}
			irps[i] = <-s.handed
		}
		var counted [outstanding]atomic.Int32
		before := s.cancelled.Load()
		order := random.Perm(2 * outstanding) // below outstanding: complete that one, else cancel it
		var wg sync.WaitGroup
		for part := range 4 {
			wg.Go(func() {
				for _, what := range order[part*outstanding/2 : (part+1)*outstanding/2] {
					switch i := what % outstanding; {
					case what >= outstanding && i%3 != 0:
						handles[i%2].Cancel(&all[i])
					case what < outstanding && i%3 != 1:
						if complete(irps[i], ks.StatusSuccess, 4) {
							counted[i].Add(1)
						}
					}
				}
			})
		}
		packets := [outstanding]int{}
		for left := outstanding; left > 0; {
			n, err := port.Wait(t.Context(), done)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range done[:n] {
				packets[o.Key]++
			}
			left -= n
		}
		wg.Wait()
		completed := int32(0)
		for i := range all {
			n, o := counted[i].Load(), &all[i]
			completed += n
			want, text := ks.StatusCancelled, ""
			if n == 1 {
				want, text = ks.StatusSuccess, "data"
			}
			if n > 1 || packets[i] != 1 || o.Status() != want || string(outs[i][:len(text)]) != text || text == "" && outs[i] != [4]byte{} {
				t.Fatalf("request %d: completed %d times, %d packets, %v, %q", i, n, packets[i], o.Status(), outs[i])
			}
		}
		if cancelled := s.cancelled.Load() - before; completed+cancelled != outstanding {
			t.Fatalf("%d completed and %d cancelled", completed, cancelled)
		}
	}
	for _, h := range handles {
		if n := h.Cancel(nil); n != 0 || len(poll(t, port)) != 0 {
			t.Errorf("%d requests are in flight at the end", n)
		}
	}
}

// TestS37_MemoryOfManyRequests: 100,000 requests outstanding on 1,000 handles take less than 200 MB, and when they are dropped it is given
// back.
func TestS37_MemoryOfManyRequests(t *testing.T) {
	if testing.Short() || invariants.Enabled {
		t.Skip("it takes long")
	}
	const requests, handles = 100_000, 1000
	s := newServer(t)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what cleanups and pools held
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	in := request(itemQueued, ks.PropertyTypeGet)
	burst := func() (taken int64) {
		before := heap()
		port := device.NewPort()
		all, outs := make([]device.Overlapped, requests), make([][4]byte, requests)
		var open []*device.OverlappedHandle
		for range handles {
			h, err := s.OpenOverlapped(port)
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, h)
		}
		for i := range all {
			if _, status := open[i%handles].IoControl(&all[i], ks.IoctlProperty, in, outs[i][:]); status != ks.StatusPending {
				t.Fatal(i, status)
			}
		}
		taken = heap() - before
		for range requests {
			if irp := <-s.handed; !complete(irp, ks.StatusSuccess, 4) {
				t.Fatal("a completion does not count")
			}
		}
		done := make([]*device.Overlapped, requests)
		for left := requests; left > 0; {
			n, err := port.Wait(context.Background(), done)
			if err != nil {
				t.Fatal(err)
			}
			left -= n
		}
		for _, h := range open {
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		}
		return taken
	}
	if taken := burst(); taken > 200<<20 {
		t.Errorf("%d requests take %d MB", requests, taken>>20)
	} else {
		t.Logf("%d requests take %d MB", requests, taken>>20)
	}
	before := heap()
	burst()
	if kept := heap() - before; kept > 4<<20 {
		t.Errorf("%d MB are kept after a burst", kept>>20)
	}
}

// TestAS18_CountedCancelsEnd cancels one request after the other of an Overlapped, which goes from handle to handle and from thread to
// thread, as soon as it can be found, while the device stops and starts: what a cancel has counted ends. KSDISPATCH_ROUNDS sets how many.
func TestAS18_CountedCancelsEnd(t *testing.T) {
	rounds := 5000
	if n, err := strconv.Atoi(os.Getenv("KSDISPATCH_ROUNDS")); err == nil {
		rounds = n
	}
	s := newServer(t)
	handles := []*device.OverlappedHandle{openOverlapped(t, s.Device, nil), openOverlapped(t, s.Device, nil)}
	ctx, stop := context.WithCancel(t.Context())
	var phases sync.WaitGroup
	defer phases.Wait()
	defer stop()
	phases.Go(func() {
		for ctx.Err() == nil {
			if s.Stop(ended) == nil { // nothing was in flight
				runtime.Gosched()
			}
			s.Start()
			time.Sleep(time.Millisecond)
		}
	})
	random := rand.New(rand.NewPCG(5, 6))
	var o device.Overlapped
	for range rounds {
		h, thread, kind := handles[random.IntN(2)], random.Uint32N(2), random.IntN(3)
		begun, counted := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(counted)
			close(begun)
			for n, tries := 0, 0; n == 0; tries++ {
				if tries%1000 == 999 {
					runtime.Gosched()
				}
				switch kind {
				case 0:
					n = h.Cancel(&o)
				case 1:
					n = h.Cancel(nil)
				default:
					n = h.CancelThread(thread)
				}
			}
		}()
		if random.IntN(2) == 0 {
			<-begun
		}
		o.Thread = thread
		_, status := h.IoControl(&o, ks.IoctlProperty, request(itemQueued, ks.PropertyTypeGet), make([]byte, 4))
		<-counted
		if status == ks.StatusPending {
			if err := o.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			status = o.Status()
		}
		for len(s.handed) != 0 {
			<-s.handed
		}
		if status != ks.StatusCancelled {
			t.Fatal(status)
		}
	}
}
