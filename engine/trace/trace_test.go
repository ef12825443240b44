package trace

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// record records what f does, and returns the trace.
func record(t testing.TB, config Config, f func(r *Recorder)) []byte {
	t.Helper()
	var buf bytes.Buffer
	config.Wait = true
	r, err := NewRecorder(&buf, config)
	if err != nil {
		t.Fatal(err)
	}
	f(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if n := r.Dropped(); n != 0 {
		t.Fatalf("%d records were dropped though requests wait", n)
	}
	return buf.Bytes()
}

func read(t testing.TB, trace []byte) *Reader {
	t.Helper()
	r, err := NewReader(bytes.NewReader(trace), int64(len(trace)), "test.kst")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func all(t testing.TB, r *Reader) (records []Record) {
	t.Helper()
	for rec, err := range r.Records() {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rec.clone())
	}
	return records
}

func open(t testing.TB, r *Recorder, dev *device.Device, object string) *Handle {
	t.Helper()
	h, err := r.Open(dev, object)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func identifier(set ks.GUID, id, flags uint32) []byte {
	b := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: set, ID: id, Flags: flags}.Put(b)
	return b
}

// talk sends random requests, good and bad, through a handle.
func talk(h *Handle, rng *rand.Rand, n int) {
	out := make([]byte, 64)
	for range n {
		in := identifier(setOf(rng.IntN(21)), rng.Uint32N(13), 1<<rng.UintN(12))
		in = append(in, out[:rng.IntN(9)]...)
		in = in[:len(in)-rng.IntN(8)*rng.IntN(2)]
		for i := range out {
			out[i] = byte(rng.Uint32())
		}
		h.IoControl([]uint32{ks.IoctlProperty, ks.IoctlProperty, ks.IoctlProperty, ks.IoctlMethod, 0x222003}[rng.IntN(5)], in, out[:rng.IntN(9)])
	}
}

func TestRecordsAreWhatWasSent(t *testing.T) {
	dev := items(t)
	get, set := identifier(setOf(3), 4, ks.PropertyTypeGet), identifier(setOf(3), 4, ks.PropertyTypeSet)
	trace := record(t, Config{Sources: []Source{{"a driver", "0123456789abcdef"}}, ClockEvery: 1}, func(r *Recorder) {
		h := open(t, r, dev, "an object")
		h.IoControl(ks.IoctlProperty, set, []byte{1, 2, 3, 4})
		h.SetMode(engine.KernelMode)
		h.IoControl(ks.IoctlProperty, append(slices.Clone(get), 9), make([]byte, 6))
		both := slices.Clone(get)
		h.IoControl(ks.IoctlProperty, both, both)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		if _, status := h.IoControl(ks.IoctlProperty, get, nil); status != ks.StatusInvalidHandle {
			t.Fatal(status)
		}
	})
	r := read(t, trace)
	if r.Torn() != nil || r.Dropped() != 0 || r.Header().Sources[0].Name != "a driver" || r.Header().Version != Version {
		t.Fatalf("%v, %d, %+v", r.Torn(), r.Dropped(), r.Header())
	}
	if want := (Opened{Handle: 1, Object: "an object", Device: 1, Blocks: 1}); len(r.Opened()) != 1 || r.Opened()[0] != want {
		t.Fatalf("%+v, want %+v", r.Opened(), want)
	}
	got := all(t, r)
	want := []Record{
		{Kind: KindOpen, Handle: 1, Parent: 1, In: []byte("an object")},
		{Kind: KindRequest, Handle: 1, Code: ks.IoctlProperty, Flags: FlagCarried, In: set, Out: []byte{1, 2, 3, 4}, OutBytes: 4},
		{Kind: KindRequest, Handle: 1, Code: ks.IoctlProperty, Flags: FlagKernel, In: append(slices.Clone(get), 9), OutBytes: 6, Information: 4,
			Digest: Digest([]byte{1, 2, 3, 4}, 4, 0)},
		{Kind: KindRequest, Handle: 1, Code: ks.IoctlProperty, Flags: FlagKernel | FlagAliased, In: get, OutBytes: 24, Information: 4,
			Digest: Digest([]byte{1, 2, 3, 4}, 4, 0)},
		{Kind: KindClose, Handle: 1},
		{Kind: KindRequest, Handle: 1, Code: ks.IoctlProperty, Flags: FlagKernel, In: get, Status: ks.StatusInvalidHandle},
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		order := uint64(i + 1)
		if i > 3 {
			order++ // the close has begun: a mark
		}
		if g.Order != order || g.Begin != order-1 || g.Flags&FlagExact == 0 || g.Duration < 0 || i > 0 && g.Time < got[i-1].Time {
			t.Errorf("record %d: order %d, begin %d, flags %x, time %v, duration %v", i, g.Order, g.Begin, g.Flags, g.Time, g.Duration)
		}
		g.Order, g.Begin, g.Time, g.Duration, g.Flags, g.opened = 0, 0, 0, 0, g.Flags&^FlagExact, 0
		if !bytes.Equal(g.In, w.In) || !bytes.Equal(g.Out, w.Out) {
			t.Errorf("record %d: % x and % x, want % x and % x", i, g.In, g.Out, w.In, w.Out)
		}
		g.In, g.Out, w.In, w.Out = nil, nil, nil, nil
		if !equal(g, w) {
			t.Errorf("record %d:\n%+v, want\n%+v", i, g, w)
		}
	}
}

// equal compares records without their bytes.
func equal(a, b Record) bool {
	return a.Kind == b.Kind && a.Flags == b.Flags && a.Handle == b.Handle && a.Code == b.Code && a.Parent == b.Parent &&
		a.Status == b.Status && a.Information == b.Information && a.Digest == b.Digest && a.Event == b.Event && a.OutBytes == b.OutBytes
}

// again replays a trace on devices of their own.
func again(t testing.TB, r *Reader, opt ReplayOptions, dev func() *device.Device) *Result {
	t.Helper()
	opt.Verify = true
	res, err := Replay(context.Background(), r, func(string, uint32) (*device.Device, error) { return dev(), nil }, opt)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestReplayAnswersTheSame(t *testing.T) {
	seed := testkit.Seed(t)
	const handles, n = 5, 3000
	trace := record(t, Config{Buffer: 16 << 10}, func(r *Recorder) {
		var all sync.WaitGroup
		for i := range handles {
			all.Go(func() {
				h := open(t, r, items(t), "items") // a device each: what they store is not to depend on who was first
				talk(h, rand.New(rand.NewPCG(seed, uint64(i))), n)
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
	r := read(t, trace)
	for _, goroutines := range []int{1, 3} {
		res := again(t, r, ReplayOptions{Goroutines: goroutines}, func() *device.Device { return items(t) })
		if res.Requests != handles*n || res.Differences != 0 {
			t.Fatalf("%d goroutines: %d requests, %d differences, first %+v", goroutines, res.Requests, res.Differences, res.First)
		}
	}
	// Negative control: a device that answers one item otherwise.
	res := again(t, r, ReplayOptions{Goroutines: 2, Differences: 3}, func() *device.Device {
		d, err := engine.Compile(engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return device.New(d)
	})
	if res.Differences == 0 || len(res.First) != 3 || res.First[0].Object != "items" {
		t.Fatalf("%d differences, %+v", res.Differences, res.First)
	}
	if !slices.IsSortedFunc(res.First, func(a, b Difference) int { return int(a.Record.Order) - int(b.Record.Order) }) {
		t.Error("the first differences are not in order")
	}
}

// Replays do not see each other, however they end.
func TestReplayAfterOneThatFailed(t *testing.T) {
	const n, handles = 2000, 3
	trace := record(t, Config{Buffer: 16 << 10}, func(r *Recorder) {
		for i := range uint64(handles) {
			talk(open(t, r, items(t), "items"), rand.New(rand.NewPCG(testkit.Seed(t), i)), n)
		}
	})
	r := read(t, trace)
	var last *block
	for i := range r.blocks {
		if b := &r.blocks[i]; b.kind == blockRecords && b.handle != 0 {
			last = b
		}
	}
	damaged := bytes.Clone(trace)
	damaged[last.offset+blockHeader] ^= 1
	open := func(string, uint32) (*device.Device, error) { return items(t), nil }
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				var wrong *BlockError
				if _, err := Replay(t.Context(), read(t, damaged), open, ReplayOptions{}); !errors.As(err, &wrong) {
					t.Error("a damaged block was replayed: ", err)
				}
				res, err := Replay(t.Context(), r, open, ReplayOptions{Verify: true})
				if err != nil || res.Requests != n*handles || res.Differences != 0 {
					t.Error("after one that failed: ", res, err)
				}
			}
		})
	}
	all.Wait()
}

// small is a short trace of everything.
func small(t testing.TB) []byte {
	return record(t, Config{Buffer: 16 << 10}, func(r *Recorder) {
		dev := items(t)
		a, b := open(t, r, dev, "items"), open(t, r, dev, "items")
		talk(a, rand.New(rand.NewPCG(1, 1)), 4)
		talk(b, rand.New(rand.NewPCG(1, 2)), 2)
		r.Generate(dev, nil, 3, []byte{1})
		if _, status := a.CreatePin([]byte{1, 2, 3}); status != ks.StatusObjectNameNotFound {
			t.Fatal(status)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Every byte of a trace is flipped, in each way that a bit can be, and then some. What is read from the result is an error, or says
// that the trace has no end and is what was there before.
func TestEveryFlippedByteIsFound(t *testing.T) {
	trace := small(t)
	whole := all(t, read(t, trace))
	flips := []byte{1, 2, 4, 8, 16, 32, 64, 128, 255}
	found, torn := 0, 0
	for i := range trace {
		for _, flip := range flips {
			bad := slices.Clone(trace)
			bad[i] ^= flip
			r, err := NewReader(bytes.NewReader(bad), int64(len(bad)), "bad.kst")
			var records []Record
			if err == nil {
				for rec, e := range r.Records() {
					if err = e; err != nil {
						break
					}
					records = append(records, rec.clone())
				}
			}
			switch {
			case err != nil:
				var e *BlockError
				if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "bad.kst: block ") {
					t.Fatalf("byte %d: %v does not say where", i, err)
				}
				found++
			case errors.Is(r.Torn(), ErrTorn):
				torn++
				if len(records) != len(whole) {
					t.Fatalf("byte %d: a trace without an end has %d records, want %d", i, len(records), len(whole))
				}
			default:
				t.Fatalf("byte %d flipped by %#x: nobody noticed", i, flip)
			}
		}
	}
	if torn != blockHeader*len(flips) || found == 0 { // only the end block may be missing
		t.Errorf("%d flips were found, %d are a missing end", found, torn)
	}
}

// A trace that ends anywhere is read up to there.
func TestEveryLengthIsReadable(t *testing.T) {
	trace := small(t)
	whole := len(all(t, read(t, trace)))
	last := 0
	for n := range trace {
		r, err := NewReader(bytes.NewReader(trace[:n]), int64(n), "short.kst")
		if err != nil {
			if last > 0 {
				t.Fatalf("%d bytes: %v, though fewer could be read", n, err)
			}
			continue
		}
		got := len(all(t, r))
		if !errors.Is(r.Torn(), ErrTorn) || got < last || got > whole {
			t.Fatalf("%d bytes: %v, %d records after %d", n, r.Torn(), got, last)
		}
		last = got
	}
	if last != whole {
		t.Errorf("all but the end has %d records, want %d", last, whole)
	}
}

// What is behind the end of a trace is named, and the trace read as if it were not there. A part of which too little was written to tell
// is one that was not closed.
func TestBehindTheEnd(t *testing.T) {
	trace := small(t)
	whole := read(t, trace)
	for _, c := range []struct {
		behind string
		want   error
	}{
		{"\x00", ErrBehind},
		{"\n", ErrBehind},
		{strings.Repeat("\x00", 4096), ErrBehind},
		{"PK\x03\x04", ErrBehind},
		{magic[:1], ErrTorn},
		{magic, ErrTorn},
		{magic + strings.Repeat("\x00", 100), ErrTorn},
	} {
		bad := append(slices.Clone(trace), c.behind...)
		r, err := NewReader(bytes.NewReader(bad), int64(len(bad)), "more.kst")
		if err != nil {
			t.Fatalf("%q: %v", c.behind, err)
		}
		where := "offset " + strconv.Itoa(len(trace))
		if torn := r.Torn(); !errors.Is(torn, c.want) || !strings.Contains(torn.Error(), where) {
			t.Errorf("%q: %v", c.behind, torn)
		}
		if got, want := len(all(t, r)), len(all(t, whole)); got != want {
			t.Errorf("%q: %d records, want %d", c.behind, got, want)
		}
		if errors.Is(c.want, ErrBehind) && r.Dropped() != whole.Dropped() {
			t.Errorf("%q: %d are lost, want %d", c.behind, r.Dropped(), whole.Dropped())
		}
	}
}

func TestPartsAreOneTrace(t *testing.T) {
	parts := []*bytes.Buffer{new(bytes.Buffer)}
	r, err := NewRecorder(parts[0], Config{Wait: true, Buffer: 16 << 10, PartSize: 20 << 10, Next: func(n int) (io.Writer, error) {
		if n != len(parts) {
			t.Errorf("part %d after %d", n, len(parts)-1)
		}
		parts = append(parts, new(bytes.Buffer))
		return parts[n], nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, r, items(t), "items")
	const n = 2000
	talk(h, rand.New(rand.NewPCG(1, 1)), n)
	if err := errors.Join(h.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if len(parts) < 4 {
		t.Fatalf("%d parts", len(parts))
	}
	var whole []byte
	sum := 0
	for i, p := range parts {
		part := read(t, p.Bytes())
		records := all(t, part)
		if part.Torn() != nil || part.Header().Part != i || len(part.Opened()) != 1 || records[0].Kind != KindOpen {
			t.Fatalf("part %d: %v, %+v", i, part.Torn(), part.Header())
		}
		for _, rec := range records {
			if rec.Kind == KindRequest {
				sum++
			}
		}
		whole = append(whole, p.Bytes()...)
	}
	if sum != n {
		t.Errorf("the parts have %d requests, want %d", sum, n)
	}
	if res := again(t, read(t, whole), ReplayOptions{}, func() *device.Device { return items(t) }); res.Requests != n || res.Differences != 0 {
		t.Errorf("%+v", res)
	}
	// Out of order, or with one missing, they are no trace.
	for _, bad := range [][]*bytes.Buffer{{parts[0], parts[2]}, {parts[1], parts[0]}} {
		var b []byte
		for _, p := range bad {
			b = append(b, p.Bytes()...)
		}
		if _, err := NewReader(bytes.NewReader(b), int64(len(b)), "bad.kst"); err == nil {
			t.Error("parts out of order are read")
		}
	}
}

// A part may begin anywhere between the open of a handle and its close, also before the open is written.
func TestHandlesThatComeAndGoAreOpenedOncePerPart(t *testing.T) {
	parts := []*bytes.Buffer{new(bytes.Buffer)}
	r, err := NewRecorder(parts[0], Config{Wait: true, Buffer: 16 << 10, Flush: time.Millisecond, PartSize: 8 << 10,
		Next: func(n int) (io.Writer, error) {
			parts = append(parts, new(bytes.Buffer))
			return parts[n], nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	dev, rng := items(t), testkit.Rand(t)
	const handles, each = 300, 20
	for range handles {
		h := open(t, r, dev, "items")
		talk(h, rng, each)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var whole []byte
	for _, p := range parts {
		read(t, p.Bytes()) // by itself
		whole = append(whole, p.Bytes()...)
	}
	res := again(t, read(t, whole), ReplayOptions{}, func() *device.Device { return items(t) })
	if res.Requests != handles*each || res.Differences != 0 {
		t.Errorf("%+v", res)
	}
}

// A handle that is closed is in the parts that follow as long as one that was created on it.
func TestParentsAreContinued(t *testing.T) {
	parent, child, other := &continued{handle: 1, children: 1}, &continued{handle: 2, parent: 1}, &continued{handle: 3}
	r := &Recorder{open: map[uint32]*continued{1: parent, 2: child, 3: other}}
	for _, step := range []struct {
		retired *continued
		left    int
	}{{parent, 3}, {other, 2}, {child, 0}} {
		step.retired.retired = true
		if r.discontinue(step.retired); len(r.open) != step.left {
			t.Fatalf("with %d retired %d handles are continued, want %d", step.retired.handle, len(r.open), step.left)
		}
	}
}

// slow is a writer that writes when it is told to.
type slow struct {
	bytes.Buffer
	first bool
	gate  chan struct{}
}

func (s *slow) Write(p []byte) (int, error) {
	if s.first {
		<-s.gate
	}
	s.first = true
	return s.Buffer.Write(p)
}

func TestASlowWriterDropsAndSaysSo(t *testing.T) {
	w := &slow{gate: make(chan struct{})}
	r, err := NewRecorder(w, Config{Buffer: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, r, items(t), "items")
	const n = 5000
	talk(h, rand.New(rand.NewPCG(1, 1)), n) // does not wait for anybody
	lost := r.Dropped()
	if lost == 0 || lost >= n {
		t.Fatalf("%d of %d were dropped", lost, n)
	}
	close(w.gate)
	if err := errors.Join(h.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	got := read(t, w.Bytes())
	requests := 0
	for _, rec := range all(t, got) {
		if rec.Kind == KindRequest {
			requests++
		}
	}
	if got.Dropped() != lost || uint64(requests) != n-lost {
		t.Errorf("the trace has %d requests and says that %d were dropped; want %d and %d", requests, got.Dropped(), n-lost, lost)
	}
}

// fails is a writer that has room for some bytes.
type fails struct{ left int }

var errFull = errors.New("the disk is full")

func (f *fails) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestAWriterThatFails(t *testing.T) {
	if _, err := NewRecorder(&fails{}, Config{}); !errors.Is(err, errFull) {
		t.Errorf("%v; want %v", err, errFull)
	}
	for _, wait := range []bool{false, true} {
		r, err := NewRecorder(&fails{left: 6 << 10}, Config{Wait: wait, Buffer: 16 << 10})
		if err != nil {
			t.Fatal(err)
		}
		h := open(t, r, items(t), "items")
		talk(h, rand.New(rand.NewPCG(1, 1)), 3000) // is answered all the same
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := r.Close(); !errors.Is(err, errFull) {
			t.Errorf("%v; want %v", err, errFull)
		}
		if r.Dropped() == 0 {
			t.Error("nothing was dropped")
		}
	}
}

func TestLongRequests(t *testing.T) {
	const long = 1 << 20
	trace := record(t, Config{Buffer: 16 << 10}, func(r *Recorder) {
		h := open(t, r, items(t), "items")
		in := make([]byte, long)
		copy(in, identifier(setOf(1), 1, ks.PropertyTypeSet))
		for range 3 {
			h.IoControl(ks.IoctlProperty, in, make([]byte, long))
			talk(h, rand.New(rand.NewPCG(1, 1)), 5)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
	res := again(t, read(t, trace), ReplayOptions{}, func() *device.Device { return items(t) })
	if res.Requests != 18 || res.Differences != 0 {
		t.Errorf("%+v", res)
	}
	if res := again(t, read(t, trace), ReplayOptions{MaxOut: 100}, func() *device.Device { return items(t) }); res.Differences != 3 ||
		res.First[0].Why == "" {
		t.Errorf("%+v", res)
	}
}

// A request through a handle that is in use is busy (S-15), and a handler that ends its goroutine leaves the handle usable.
func TestHandlersThatMisuseTheirHandle(t *testing.T) {
	var h *Handle
	var nested ks.Status
	id := identifier(setOf(1), 1, ks.PropertyTypeGet)
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setOf(1), Items: []engine.PropertyItem{
		{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status {
			_, nested = h.IoControl(ks.IoctlProperty, id, nil)
			return ks.StatusSuccess
		}},
		{ID: 2, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
			runtime.Goexit()
			return ks.StatusSuccess
		}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	trace := record(t, Config{}, func(r *Recorder) {
		h = open(t, r, device.New(d), "one")
		if _, status := h.IoControl(ks.IoctlProperty, id, nil); status != ks.StatusSuccess || nested != ks.StatusDeviceBusy {
			t.Errorf("%v, nested %v", status, nested)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.IoControl(ks.IoctlProperty, identifier(setOf(1), 2, ks.PropertyTypeGet), nil)
		}()
		<-done
		h.IoControl(ks.IoctlProperty, id, nil)
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	requests := 0
	for _, rec := range all(t, read(t, trace)) {
		if rec.Kind == KindRequest {
			requests++
			if !bytes.Equal(rec.In, id) || rec.Status != ks.StatusSuccess {
				t.Errorf("%+v", rec)
			}
		}
	}
	if requests != 2 {
		t.Errorf("%d requests, want 2", requests)
	}
}

// Pended requests are completed by the replay as they were in the recording, or cancelled by what cancelled them there.
func TestPendedRequestsEndAsTheyDid(t *testing.T) {
	id := identifier(setOf(1), 1, ks.PropertyTypeGet)
	type waits struct {
		irp  *engine.IRP
		data []byte
	}
	left := make(chan waits, 2)
	compiled := func(pends *Pends, keep bool) *device.Device {
		d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setOf(1), Items: []engine.PropertyItem{
			{ID: 1, MinData: 4, Get: pends.Wrap(func(irp *engine.IRP, _, data []byte) ks.Status {
				if keep {
					left <- waits{irp, data}
				}
				return ks.StatusPending
			})}}}}})
		if err != nil {
			t.Fatal(err)
		}
		return device.New(d)
	}
	pends := new(Pends)
	trace := record(t, Config{Pends: pends}, func(r *Recorder) {
		dev := compiled(pends, true)
		a, b := open(t, r, dev, "one"), open(t, r, dev, "one")
		results := [2]chan ks.Status{make(chan ks.Status, 1), make(chan ks.Status, 1)}
		var last waits
		for i, h := range []*Handle{a, b} {
			c := results[i]
			go func() {
				_, status := h.IoControl(ks.IoctlProperty, id, new([8]byte)[:])
				c <- status
			}()
			w := <-left
			last = w
			if i == 0 { // completed while the other is not there yet
				binary.LittleEndian.PutUint32(w.data, 0xCAFE)
				w.irp.Complete(ks.StatusSuccess, 4)
				if status := <-c; status != ks.StatusSuccess {
					t.Error(status)
				}
			}
		}
		if n := b.Cancel(); n != 1 {
			t.Errorf("%d requests were cancelled, want 1", n)
		}
		last.irp.Complete(ks.StatusCancelled, 0) // its owner found out
		if status := <-results[1]; status != ks.StatusCancelled {
			t.Error(status)
		}
		go func() {
			_, status := b.IoControl(ks.IoctlProperty, id, new([8]byte)[:])
			results[1] <- status
		}()
		<-left
		if err := b.Close(); err != nil { // cancels, too
			t.Error(err)
		}
		if status := <-results[1]; status != ks.StatusCancelled {
			t.Error(status)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	r := read(t, trace)
	statuses := []ks.Status{}
	for _, rec := range all(t, r) {
		if rec.Kind == KindRequest {
			statuses = append(statuses, rec.Status)
			if rec.Flags&FlagPended == 0 {
				t.Errorf("%+v is not marked", rec)
			}
		}
	}
	if !slices.Equal(statuses, []ks.Status{ks.StatusSuccess, ks.StatusCancelled, ks.StatusCancelled}) {
		t.Fatal(statuses)
	}
	for _, goroutines := range []int{1, 2} {
		pends := new(Pends)
		res := again(t, r, ReplayOptions{Pends: pends, Goroutines: goroutines}, func() *device.Device { return compiled(pends, false) })
		if res.Requests != 3 || res.Differences != 0 {
			t.Errorf("%d goroutines: %+v", goroutines, res)
		}
	}
}

func TestAReplayThatIsStoppedCloses(t *testing.T) {
	id := identifier(setOf(1), 1, ks.PropertyTypeGet)
	config := engine.Config{PropertySets: []engine.PropertySet{{Set: setOf(1), Items: []engine.PropertyItem{
		{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSuccess }}}}}}
	compiled := func() *device.Device {
		d, err := engine.Compile(config)
		if err != nil {
			t.Fatal(err)
		}
		return device.New(d)
	}
	trace := record(t, Config{}, func(r *Recorder) {
		h := open(t, r, compiled(), "one")
		h.IoControl(ks.IoctlProperty, id, nil)
	})
	ctx, cancel := context.WithCancel(context.Background())
	config.PropertySets[0].Items[0].Get = func(*engine.IRP, []byte, []byte) ks.Status {
		cancel()
		return ks.StatusPending // for ever
	}
	_, err := Replay(ctx, read(t, trace), func(string, uint32) (*device.Device, error) { return compiled(), nil }, ReplayOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	broken := errors.New("no such object")
	_, err = Replay(context.Background(), read(t, trace), func(string, uint32) (*device.Device, error) { return nil, broken }, ReplayOptions{})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestEventsAreEnabledAgain(t *testing.T) {
	set := setOf(1)
	compiled := func() *device.Device {
		d, err := engine.Compile(engine.Config{EventSets: []engine.EventSet{{Set: set, Items: []engine.EventItem{{ID: 5, DataInput: 32}}}}})
		if err != nil {
			t.Fatal(err)
		}
		return device.New(d)
	}
	trace := record(t, Config{}, func(r *Recorder) {
		dev := compiled()
		h := open(t, r, dev, "one")
		dev.Handles().Open(engine.NewSyncEvent(), engine.ModifyState, engine.UserMode) // so that the next is unlike that of the replay
		number := dev.Handles().Open(engine.NewSyncEvent(), engine.ModifyState, engine.UserMode)
		data := device.NewEventData(ks.EventData{NotificationType: ks.NotificationEventHandle, Object: number}, 8)
		if _, status := h.IoControl(ks.IoctlEnableEvent, identifier(set, 5, ks.EventTypeEnable), data); status != ks.StatusSuccess {
			t.Fatal(status)
		}
		r.Generate(dev, &set, 5, nil)
		if _, status := h.IoControl(ks.IoctlDisableEvent, data[:32], nil); status != ks.StatusSuccess {
			t.Fatal(status)
		}
		r.Generate(dev, &set, 5, nil)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
	r := read(t, trace)
	var signalled []uint64
	for _, rec := range all(t, r) {
		if rec.Kind == KindGenerate {
			signalled = append(signalled, rec.Information)
		}
	}
	if !slices.Equal(signalled, []uint64{1, 0}) {
		t.Errorf("events that were signalled: %v, want 1 and 0", signalled)
	}
	if res := again(t, r, ReplayOptions{}, compiled); res.Requests != 2 || res.Differences != 0 {
		t.Errorf("%+v", res)
	}
}

// The digest of 4 bytes is that of the library.
func TestDigest(t *testing.T) {
	rng := testkit.Rand(t)
	for n := range uint32(20) {
		for range 100 {
			out := make([]byte, n)
			for i := range out {
				out[i] = byte(rng.Uint32())
			}
			want := xxhash.Sum64(out)
			if n == 0 {
				want = 0
				out = nil
			}
			if got := Digest(append(out, 1), n, ks.StatusSuccess); got != want {
				t.Fatalf("the digest of % x is %x, want %x", out, got, want)
			}
			if Digest(out, n, ks.StatusNotFound) != 0 {
				t.Fatal("an error has a digest")
			}
		}
	}
	if got := Digest([]byte{1, 2}, 9, ks.StatusBufferOverflow); got != xxhash.Sum64([]byte{1, 2}) {
		t.Errorf("a size answer has digest %x", got)
	}
	if got := Digest(nil, 9, ks.StatusBufferOverflow); got != 0 {
		t.Errorf("a size answer without a buffer has digest %x", got)
	}
}

// A trace that another machine recorded is read and replayed here, whatever this one's byte order and size of int. KSDISPATCH_REWRITE=1
// records it anew.
func TestATraceOfAnotherMachine(t *testing.T) {
	const file = "testdata/amd64.kst.hex"
	if os.Getenv("KSDISPATCH_REWRITE") != "" {
		if err := os.WriteFile(file, []byte(hex.Dump(small(t))), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := read(t, undump(t, string(text)))
	if r.Header().Arch != "amd64" || r.Torn() != nil || r.Dropped() != 0 {
		t.Fatalf("%+v, %v", r.Header(), r.Torn())
	}
	if res := again(t, r, ReplayOptions{}, func() *device.Device { return items(t) }); res.Requests != 6 || res.Differences != 0 {
		t.Errorf("%+v", res)
	}
}

// undump reads what hex.Dump wrote.
func undump(t *testing.T, text string) (b []byte) {
	t.Helper()
	for line := range strings.Lines(text) {
		digits, _, _ := strings.Cut(line[min(10, len(line)):], "|")
		piece, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, piece...)
	}
	return b
}

// What a reader has is written as it was, but for what was cut out.
func TestAWriterWritesWhatAReaderHas(t *testing.T) {
	trace := record(t, Config{Buffer: 16 << 10}, func(r *Recorder) {
		for i := range 3 {
			h := open(t, r, items(t), "items")
			talk(h, rand.New(rand.NewPCG(1, uint64(i))), 2000)
		}
	})
	r := read(t, trace)
	var buf bytes.Buffer
	w, err := NewWriter(&buf, r.Header(), 7)
	if err != nil {
		t.Fatal(err)
	}
	var kept []Record
	for rec, err := range r.Records() {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Handle == 2 {
			continue
		}
		kept = append(kept, rec.clone())
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again := read(t, buf.Bytes())
	got := all(t, again)
	if len(got) != len(kept) || again.Dropped() != 7 || again.Torn() != nil || len(again.Opened()) != 2 {
		t.Fatalf("%d records, want %d; %d dropped", len(got), len(kept), again.Dropped())
	}
	for i := range got {
		if !equal(got[i], kept[i]) || got[i].Begin != kept[i].Begin || got[i].Time != kept[i].Time || !bytes.Equal(got[i].In, kept[i].In) {
			t.Fatalf("%+v, want %+v", got[i], kept[i])
		}
	}
	if err := w.Write(&kept[3]); err == nil {
		t.Error("a record that comes too late is written")
	}
	if _, err := NewWriter(&fails{}, r.Header(), 0); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
