package trace

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func TestSplit(t *testing.T) {
	for buffer, want := range map[int][2]int{
		1: {4, 4 << 10}, 16 << 10: {4, 4 << 10}, 20 << 10: {5, 4 << 10}, 64 << 10: {16, 4 << 10},
		1 << 20: {16, 64 << 10}, 1<<20 + 100: {16, 64 << 10},
	} {
		chunks, size := split(buffer)
		if got := [2]int{chunks, size}; got != want || chunks*size > max(buffer, 16<<10) || size%8 != 0 {
			t.Errorf("%d bytes: %d chunks of %d, want %d of %d", buffer, chunks, size, want[0], want[1])
		}
	}
}

// memory is how many bytes a stream has.
func memory(s *stream) (n int) {
	for i := range s.chunks {
		n += len(s.chunks[i].memory)
	}
	return n
}

func TestMemoryIsBounded(t *testing.T) {
	const long = 1 << 20
	for _, buffer := range []int{16 << 10, 64 << 10, 256 << 10} {
		w := &slow{gate: make(chan struct{})}
		r, err := NewRecorder(w, Config{Buffer: buffer, Flush: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		short, h := open(t, r, items(t), "items"), open(t, r, items(t), "items")
		talk(short, rand.New(rand.NewPCG(testkit.Seed(t), 1)), buffer/16)
		if n := memory(&short.stream); n != buffer || r.Dropped() == 0 {
			t.Errorf("a buffer of %d: %d bytes wait, %d requests were dropped", buffer, n, r.Dropped())
		}
		in := make([]byte, long)
		copy(in, identifier(setOf(1), 1, ks.PropertyTypeGet))
		before := r.Dropped()
		for range 40 {
			h.IoControl(ks.IoctlProperty, in, nil)
			talk(h, rand.New(rand.NewPCG(testkit.Seed(t), 2)), 2)
		}
		if n := memory(&h.stream); n < 2*long || n > 5*long || r.Dropped() == before {
			t.Errorf("a buffer of %d and long requests: %d bytes wait, %d requests were dropped", buffer, n, r.Dropped()-before)
		}
		close(w.gate)
		if err := errors.Join(short.Close(), h.Close(), r.Close()); err != nil {
			t.Fatal(err)
		}
		requests := uint64(0)
		for _, rec := range all(t, read(t, w.Bytes())) {
			if rec.Kind == KindRequest {
				requests++
			}
		}
		if want := uint64(buffer/16 + 40*3); requests+r.Dropped() != want {
			t.Errorf("%d requests, and %d were dropped: %d in all, want %d", requests, r.Dropped(), requests+r.Dropped(), want)
		}
	}
}

// tells is a writer that tells of each block.
type tells chan int

func (w tells) Write(p []byte) (int, error) {
	w <- len(p)
	return len(p), nil
}

// The writer is woken when half of the buffer is full, and by a long request, long before it looks by itself.
func TestTheWriterIsWoken(t *testing.T) {
	w := make(tells, 100)
	r, err := NewRecorder(w, Config{Buffer: 64 << 10, Flush: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	<-w // the start
	h := open(t, r, items(t), "items")
	var out [4]byte
	get := identifier(setOf(3), 4, ks.PropertyTypeGet)
	const each = (4<<10 - blockHeader) / plainRecord
	for range 8*each + 1 {
		h.IoControl(ks.IoctlProperty, get, out[:])
	}
	if n := <-w; n != blockHeader+recordHeader+8 {
		t.Errorf("a block of %d bytes, want the open", n)
	}
	for range 8 {
		if n := <-w; n != blockHeader+each*plainRecord {
			t.Errorf("a block of %d bytes, want a chunk of %d", n, blockHeader+each*plainRecord)
		}
	}
	h.IoControl(ks.IoctlProperty, append(get, make([]byte, 8<<10)...), nil)
	h.IoControl(ks.IoctlProperty, get, out[:])
	if n := <-w; n != blockHeader+plainRecord {
		t.Errorf("a block of %d bytes, want the request before the long one", n)
	}
	if n := <-w; n != blockHeader+plainRecord+8<<10 {
		t.Errorf("a block of %d bytes, want the long request", n)
	}
	if err := errors.Join(h.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
}

// Requests that wait for the writer, which nobody wakes but they, lose nothing and do not wait for ever.
func TestRequestsWaitForTheWriter(t *testing.T) {
	const n, handles = 20_000, 3
	for _, buffer := range []int{16 << 10, 20 << 10, 128 << 10} {
		trace := record(t, Config{Buffer: buffer, Flush: time.Hour}, func(r *Recorder) {
			var all sync.WaitGroup
			for i := range uint64(handles) {
				h := open(t, r, items(t), "items")
				all.Go(func() { talk(h, rand.New(rand.NewPCG(testkit.Seed(t), i)), n) })
			}
			all.Wait()
		})
		if res := again(t, read(t, trace), ReplayOptions{}, func() *device.Device { return items(t) }); res.Requests != n*handles ||
			res.Differences != 0 {
			t.Errorf("a buffer of %d: %+v", buffer, res)
		}
	}
}

// Nor does a long one whose turn has come before half of the buffer was full.
func TestALongRequestWakesTheWriter(t *testing.T) {
	get := identifier(setOf(3), 4, ks.PropertyTypeGet)
	const each = (4<<10 - blockHeader) / plainRecord
	for chunks := range 8 {
		trace := record(t, Config{Buffer: 64 << 10, Flush: time.Hour}, func(r *Recorder) {
			h := open(t, r, items(t), "items")
			for range chunks * each {
				h.IoControl(ks.IoctlProperty, get, nil)
			}
			h.IoControl(ks.IoctlProperty, append(get, make([]byte, 8<<10)...), nil)
		})
		if n := len(all(t, read(t, trace))); n != chunks*each+2 {
			t.Errorf("%d chunks and a long request: %d records, want %d", chunks, n, chunks*each+2)
		}
	}
}

func listed(r *Recorder) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.streams)
}

// The writer forgets closed handles, and yet writes what is sent through them afterwards.
func TestClosedHandlesAreForgotten(t *testing.T) {
	get := identifier(setOf(3), 4, ks.PropertyTypeGet)
	const handles = 20
	trace := record(t, Config{Flush: time.Millisecond}, func(r *Recorder) {
		dev := items(t)
		var all []*Handle
		for range handles {
			h := open(t, r, dev, "items")
			h.IoControl(ks.IoctlProperty, get, nil)
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			all = append(all, h)
		}
		for range 3 {
			for listed(r) != 0 {
				runtime.Gosched()
			}
			for _, h := range all {
				if _, status := h.IoControl(ks.IoctlProperty, get, nil); status != ks.StatusInvalidHandle {
					t.Fatal(status)
				}
			}
		}
	})
	statuses := map[ks.Status]int{}
	for _, rec := range all(t, read(t, trace)) {
		if rec.Kind == KindRequest {
			statuses[rec.Status]++
		}
	}
	if statuses[ks.StatusBufferOverflow] != handles || statuses[ks.StatusInvalidHandle] != 3*handles {
		t.Errorf("%v, want %d that were answered and %d that were refused", statuses, handles, 3*handles)
	}
}

// A closed handle is idle for a while before it is forgotten, for the sake of a request that has not seen it become so.
func TestIdleHandlesAreLookedAtOnceMore(t *testing.T) {
	get := identifier(setOf(3), 4, ks.PropertyTypeGet)
	trace := record(t, Config{Flush: time.Hour}, func(r *Recorder) {
		h := open(t, r, items(t), "items")
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		s := &h.stream
		look := func(what string, idle bool, streams int) {
			t.Helper()
			if r.retire(); s.idle.Load() != idle || listed(r) != streams {
				t.Errorf("%s: idle %v, %d streams; want %v, %d", what, s.idle.Load(), listed(r), idle, streams)
			}
		}
		look("at first", true, 1)
		s.idleAt = time.Hour
		look("soon", true, 1)
		h.IoControl(ks.IoctlProperty, get, nil)
		if s.idle.Load() || listed(r) != 1 {
			t.Errorf("after a request: idle %v, %d streams", s.idle.Load(), listed(r))
		}
		look("after it", true, 1)
		s.idle.Store(false)
		h.IoControl(ks.IoctlProperty, get, nil) // one that has not seen it
		s.idle.Store(true)
		s.idleAt = -time.Hour
		look("with a record", true, 1)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		look("in the end", true, 0)
	})
	if n := len(all(t, read(t, trace))); n != 4 {
		t.Errorf("%d records, want the open, the close and two requests", n)
	}
}

// Handles are closed while requests are sent through them, and the writer looks for closed ones all the time: no record is lost.
func TestClosingLosesNothing(t *testing.T) {
	const rounds = 300
	get := identifier(setOf(3), 4, ks.PropertyTypeGet)
	var sent atomic.Uint64
	trace := record(t, Config{Flush: 50 * time.Microsecond, ClockEvery: 1 << 20}, func(r *Recorder) {
		dev := items(t)
		for range rounds {
			h := open(t, r, dev, "items")
			begun, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				var out [4]byte
				for late := 0; late < 20; {
					_, status := h.IoControl(ks.IoctlProperty, get, out[:])
					if status == ks.StatusInvalidHandle {
						late++
					}
					if sent.Add(1)%8 == 1 {
						runtime.Gosched()
					}
					select {
					case begun <- struct{}{}:
					default:
					}
				}
			}()
			<-begun
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			<-done
		}
	})
	recorded := uint64(0)
	for _, rec := range all(t, read(t, trace)) {
		if rec.Kind == KindRequest {
			recorded++
		}
	}
	if recorded != sent.Load() {
		t.Errorf("%d requests were recorded, %d were sent", recorded, sent.Load())
	}
}

// What is refused because a request is in flight on the handle is not recorded, though the recorder was not asked for that one, and the
// end of its goroutine frees the handle for both.
func TestRequestsInFlightUnrecorded(t *testing.T) {
	var h *Handle
	get := identifier(setOf(1), 1, ks.PropertyTypeGet)
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setOf(1), Items: []engine.PropertyItem{
		{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSuccess }},
		{ID: 2, Get: func(*engine.IRP, []byte, []byte) ks.Status {
			for _, in := range [][]byte{get, append(get, 1)} {
				if _, status := h.IoControl(ks.IoctlProperty, in, nil); status != ks.StatusDeviceBusy {
					t.Errorf("%v; want %v", status, ks.StatusDeviceBusy)
				}
			}
			runtime.Goexit()
			return ks.StatusSuccess
		}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, every := range []int{1, 1 << 20} {
		trace := record(t, Config{ClockEvery: every}, func(r *Recorder) {
			h = open(t, r, device.New(d), "one")
			h.IoControl(ks.IoctlProperty, get, nil)
			for _, s := range []sender{h.Device(), h} {
				done := make(chan struct{})
				go func() {
					defer close(done)
					s.IoControl(ks.IoctlProperty, identifier(setOf(1), 2, ks.PropertyTypeGet), nil)
				}()
				<-done
			}
			h.IoControl(ks.IoctlProperty, get, nil)
		})
		requests := 0
		for _, rec := range all(t, read(t, trace)) {
			if rec.Kind == KindRequest {
				if requests++; rec.Status != ks.StatusSuccess {
					t.Errorf("%+v", rec)
				}
			}
		}
		if requests != 2 {
			t.Errorf("%d requests were recorded, want 2", requests)
		}
	}
}
