package engine_test

import (
	"bytes"
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Counting must come to what the handlers themselves count, however the requests are sent and end.

// told is what a meter was told.
type told struct {
	of       engine.HandlerOf
	mu       sync.Mutex
	timed    int
	statuses map[ks.Status]int
}

func (m *told) Time(next engine.Handler, irp *engine.IRP, request, data []byte) ks.Status {
	m.mu.Lock()
	m.timed++
	m.mu.Unlock()
	status := next(irp, request, data)
	if status != ks.StatusSuccess {
		m.Returned(status)
	}
	return status
}

func (m *told) Returned(status ks.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.statuses[status]++
}

// counting has all handlers of properties and methods counted.
type counting struct {
	*engine.Counts
	meters []*told
}

func count(config *engine.Config, every uint64) *counting {
	c := new(counting)
	c.Counts = config.Count(every, func(of engine.HandlerOf) engine.Meter {
		if of.Code == ks.IoctlEnableEvent {
			return nil
		}
		m := &told{of: of, statuses: map[ks.Status]int{}}
		c.meters = append(c.meters, m)
		return m
	})
	return c
}

// requests are those of an item and verb of setA.
func (c *counting) requests(id uint32, verb string) (n uint64) {
	for i, m := range c.meters {
		if m.of.ID == id && m.of.Verb == verb {
			n += c.Requests(i)
		}
	}
	return n
}

// truth is what the handlers of a declaration did.
type truth struct {
	calls    [4]atomic.Uint64
	statuses [4]sync.Map // ks.Status to *atomic.Int64, but for success
}

// handler is number i. Every third answer is an error.
func (x *truth) handler(i int) engine.Handler {
	return func(irp *engine.IRP, _, data []byte) ks.Status {
		if n := x.calls[i].Add(1); n%3 == 0 {
			status := ks.StatusUnsuccessful
			if n%2 == 0 {
				status = ks.StatusNotFound
			}
			count, _ := x.statuses[i].LoadOrStore(status, new(atomic.Int64))
			count.(*atomic.Int64).Add(1)
			return status
		}
		irp.IoStatus.Information = uint64(min(len(data), 4))
		return ks.StatusSuccess
	}
}

func (x *truth) config() engine.Config {
	return engine.Config{
		PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 0, Get: answers(ks.StatusSuccess, 0)}, {ID: 1, Get: x.handler(0), Set: x.handler(1), Support: x.handler(2)}}}},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: x.handler(3), Flags: ks.MethodTypeRead}}}},
	}
}

// compare compares what was counted with the truth, for the handlers of config.
func (x *truth) compare(t *testing.T, c *counting) {
	t.Helper()
	for i, verb := range []string{"get", "set", "support", "method"} {
		if got, want := c.requests(1, verb), x.calls[i].Load(); got != want {
			t.Errorf("%s: %d requests are counted, there were %d", verb, got, want)
		}
		got, want := map[ks.Status]int{}, map[ks.Status]int{}
		for _, m := range c.meters {
			if m.of.ID == 1 && m.of.Verb == verb {
				got = m.statuses
			}
		}
		x.statuses[i].Range(func(status, n any) bool { want[status.(ks.Status)] = int(n.(*atomic.Int64).Load()); return true })
		if !maps.Equal(got, want) {
			t.Errorf("%s: the meter was told %v, want %v", verb, got, want)
		}
	}
}

func opened(t testing.TB, d *engine.Dispatcher) *device.Handle {
	t.Helper()
	h, err := device.New(d).Open()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func identifier(id, flags uint32, rest ...byte) []byte {
	return append(ks.Identifier{Set: setA, ID: id, Flags: flags}.Bytes(), rest...)
}

// TestCountsAreExact: whichever way a request is sent, it is counted once and its status told once, of handles that are used at once, and
// are closed and opened while somebody reads, who never sees a count fall.
func TestCountsAreExact(t *testing.T) {
	for _, every := range []uint64{0, 1, 3, 1 << 20} {
		t.Run(fmt.Sprint(every), func(t *testing.T) {
			var x truth
			config := x.config()
			c := count(&config, every)
			d := mustCompile(config)
			ref, _ := d.Resolve(setA, 1)
			use := func() {
				h := opened(t, d)
				defer h.Close()
				out := make([]byte, 4)
				for range 20 {
					for range 7 {
						h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet), out)
					}
					h.IoControl(ks.IoctlProperty, identifier(0, ks.PropertyTypeGet), out)
					h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet, make([]byte, 8)...), out)
					h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet), make([]byte, 300))
					h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet), nil)
					h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet|ks.PropertyTypeTopology, make([]byte, 8)...), out)
					h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeSet), out)
					h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeBasicSupport), out)
					h.IoControl(ks.IoctlProperty, identifier(2, ks.PropertyTypeGet), out)
					h.IoControl(ks.IoctlMethod, identifier(1, ks.MethodTypeSend), out)
					h.IoControlTo(&ref, identifier(1, ks.PropertyTypeGet), out)
					h.PropertyBatch([]engine.BatchRequest{{In: identifier(1, ks.PropertyTypeGet), Out: out},
						{In: identifier(1, ks.PropertyTypeGet), Out: make([]byte, 4)}, {In: identifier(1, ks.PropertyTypeSet), Out: out}})
					irp := &engine.IRP{InputBufferLength: 24}
					irp.Finish(d.PropertyWithBuffers(irp, identifier(1, ks.PropertyTypeGet), nil, nil), nil)
				}
			}
			done, read := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(read)
				for last := uint64(0); ; {
					n := c.requests(1, "get")
					if n < last {
						t.Errorf("%d requests are counted after %d", n, last)
					}
					last = n
					select {
					case <-done:
						return
					default:
						runtime.Gosched()
					}
				}
			}()
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for range 5 {
						use()
					}
				})
			}
			all.Wait()
			close(done)
			<-read
			x.compare(t, c)
			timed, want := 0, uint64(0)
			for i, m := range c.meters {
				timed += m.timed
				want += c.Requests(i)
			}
			if every <= 1 && timed != int(want) || every == 3 && (timed == 0 || timed > int(want)/4) || every > 3 && timed != 0 {
				t.Errorf("the times of %d of %d requests were taken", timed, want)
			}
			if all, free := c.Tallies(); all != free {
				t.Errorf("%d of %d tallies are in use", all-free, all)
			}
		})
	}
}

// TestCountsOutliveTheRequest: a handler that panics or ends the goroutine, a request that is completed elsewhere, and one whose handle is
// closed, are counted once. A panic is told as the status that it becomes (P-21), with the handler on the stack that OnPanic gets still.
func TestCountsOutliveTheRequest(t *testing.T) {
	for _, with := range []struct {
		every uint64
		size  int // of the data: values of 4 bytes have a path of their own
	}{{1, 4}, {1 << 20, 4}, {1, 16}, {1 << 20, 16}} {
		every, size := with.every, with.size
		var do func(irp *engine.IRP) ks.Status
		config := engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status { return do(irp) }}}}}, OnPanic: func(value any, stack []byte) {
			if value == "a fault" && !bytes.Contains(stack, []byte("engine_test.throws")) {
				t.Errorf("every %d: the handler is not on the stack: %s", every, stack)
			}
		}}
		c := count(&config, every)
		h := opened(t, mustCompile(config))
		send := func() (status ks.Status) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, status = h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet), make([]byte, size))
			}()
			<-done
			return status
		}
		for i, f := range []func(irp *engine.IRP) ks.Status{
			throws,
			func(*engine.IRP) ks.Status { panic(ks.StatusNoMatch) },
			func(*engine.IRP) ks.Status { runtime.Goexit(); return 0 },
			func(irp *engine.IRP) ks.Status { go irp.Complete(ks.StatusSuccess, 0); return ks.StatusPending },
			func(*engine.IRP) ks.Status { return ks.StatusSuccess },
			func(irp *engine.IRP) ks.Status { irp.Pool = nil; return ks.StatusUnsuccessful },
			func(*engine.IRP) ks.Status { go h.Close(); return ks.StatusPending },
		} {
			do = func(*engine.IRP) ks.Status { return ks.StatusSuccess }
			for range 4 { // the first of them get the handle its memory
				send()
			}
			do = f
			send()
			if n := c.Requests(0); n != 5*uint64(i)+5 {
				t.Errorf("every %d: after request %d %d are counted", every, i, n)
			}
		}
		want := map[ks.Status]int{ks.StatusAccessViolation: 1, ks.StatusNoMatch: 1, ks.StatusPending: 2, ks.StatusUnsuccessful: 1}
		if !maps.Equal(c.meters[0].statuses, want) {
			t.Errorf("every %d: the meter was told %v, want %v", every, c.meters[0].statuses, want)
		}
		if send() != ks.StatusInvalidHandle || c.Requests(0) != 35 {
			t.Errorf("every %d: a closed handle counts", every)
		}
	}
}

func throws(*engine.IRP) ks.Status { panic("a fault") }

// TestTalliesAreBounded: however many handles there are, and whoever forgets to close them.
func TestTalliesAreBounded(t *testing.T) {
	const handles, items, most = 400, 2000, 1 << 20 / (8 * 2000)
	var x truth
	config := x.config()
	for id := range uint32(items) {
		config.PropertySets[0].Items = append(config.PropertySets[0].Items, engine.PropertyItem{ID: 10 + id, Get: answers(ks.StatusSuccess, 0)})
	}
	c := count(&config, 1<<20)
	d := mustCompile(config)
	h := make([]*device.Handle, handles)
	for i := range h {
		h[i] = opened(t, d)
		for range 3 {
			h[i].IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet), make([]byte, 4))
		}
	}
	all, free := c.Tallies()
	if all == 0 && strconv.IntSize == 64 || all > most || free != 0 {
		t.Errorf("%d handles have %d tallies, %d free", handles, all, free)
	}
	for _, h := range h[:handles/2] {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	last := opened(t, d)
	defer last.Close()
	last.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet), make([]byte, 4))
	if again, _ := c.Tallies(); again != all {
		t.Errorf("there are %d tallies, and were %d", again, all)
	}
	if n := c.requests(1, "get"); n != 3*handles+1 {
		t.Errorf("%d requests are counted", n)
	}
}

// TestCountIsMiddleware: what is put around a declaration before it is counted is within the meters, what is put there later around them,
// and one that stays as it is changes nothing. Who counts second counts the same.
func TestCountIsMiddleware(t *testing.T) {
	var x truth
	config := x.config()
	vetoes := false
	veto := func(next engine.Handler) engine.Handler {
		return func(irp *engine.IRP, request, data []byte) ks.Status {
			if vetoes {
				return ks.StatusAccessDenied
			}
			return next(irp, request, data)
		}
	}
	config.Wrap(veto)
	inner := count(&config, 1<<20)
	outer := count(&config, 1<<20)
	config.Wrap(func(engine.Handler) engine.Handler { return nil })
	around := config
	around.Wrap(veto)
	plain := around
	for i, config := range []engine.Config{config, around, plain} {
		before := [...]uint64{inner.requests(1, "get"), outer.requests(1, "get")}
		h := opened(t, mustCompile(config))
		for _, vetoes = range []bool{false, true} {
			for range 10 {
				h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet), make([]byte, 4))
			}
		}
		h.Close()
		want := uint64(20)
		if i > 0 { // those with a veto do not get there
			want = 10
		}
		for j, c := range []*counting{inner, outer} {
			if n := c.requests(1, "get") - before[j]; n != want {
				t.Errorf("declaration %d, who counts %d: %d requests, want %d", i, j, n, want)
			}
		}
	}
	vetoes = false
}

// TestMergedCountsAreExact: of two declarations that are counted apart and merged.
func TestMergedCountsAreExact(t *testing.T) {
	one := engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: produces(1)})}}
	two := engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: produces(2)},
		engine.PropertyItem{ID: 2, Get: produces(2)}, engine.PropertyItem{ID: 3, Get: produces(2)})}}
	first, second := count(&one, 1<<20), count(&two, 1<<20)
	config := merge(t, one, two)
	config.PropertySets[0].Items = append(config.PropertySets[0].Items, engine.PropertyItem{ID: 4, Get: produces(4)})
	h := opened(t, mustCompile(config))
	defer h.Close()
	for id := range uint32(5) {
		for range 10 {
			out := []byte{0}
			h.IoControl(ks.IoctlProperty, identifier(id, ks.PropertyTypeGet), out)
			if want := []byte{0, 1, 2, 2, 4}[id]; out[0] != want {
				t.Fatalf("item %d answers %d, not %d", id, out[0], want)
			}
		}
	}
	for i, n := range []uint64{first.requests(1, "get"), second.requests(1, "get"), second.requests(2, "get"), second.requests(3, "get")} {
		if want := []uint64{10, 0, 10, 10}[i]; n != want {
			t.Errorf("%d: %d requests, want %d", i, n, want)
		}
	}
}

// TestCountsFollowASwap: of a device whose declaration is swapped for others, which are counted apart, together or not at all. A handle
// that is not counted any longer has no tally.
func TestCountsFollowASwap(t *testing.T) {
	var x, y, z truth
	first, second, third := x.config(), y.config(), z.config()
	c, e := count(&first, 1<<20), count(&second, 1<<20)
	tables := []*engine.Dispatcher{mustCompile(first), mustCompile(second), mustCompile(first), mustCompile(third)}
	dev := device.New(tables[0])
	h, err := dev.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{3, 5000} { // fewer than an IRP is patient, and more
		for _, d := range tables {
			dev.Swap(d)
			for range n {
				h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeGet), make([]byte, 4))
				h.IoControl(ks.IoctlProperty, identifier(1, ks.PropertyTypeSet), make([]byte, 4))
			}
			x.compare(t, c)
			y.compare(t, e)
		}
	}
	back := func(when string) {
		t.Helper()
		for i, c := range []*counting{c, e} {
			if all, free := c.Tallies(); all != strconv.IntSize/64 || free != all {
				t.Errorf("%s: who counts %d: %d tallies, %d free", when, i, all, free)
			}
		}
	}
	if !invariants.Enabled { // those have no short path, which is what a tally is in the way of
		back("swapped")
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	back("closed")
}

// TestAShortRequestHasNoMeterAroundIt: that is what it gains by its tally. One with more data, and one that is timed, have.
func TestAShortRequestHasNoMeterAroundIt(t *testing.T) {
	for verb, flags := range map[string]uint32{"get": ks.PropertyTypeGet, "set": ks.PropertyTypeSet} {
		t.Run(verb, func(t *testing.T) { testMeterAround(t, verb, flags) })
	}
}

func testMeterAround(t *testing.T, verb string, flags uint32) {
	metered := false
	looks := func(irp *engine.IRP, _, _ []byte) ks.Status {
		pcs := make([]uintptr, 32)
		frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
		metered = false
		for more := true; more; {
			var f runtime.Frame
			f, more = frames.Next()
			metered = metered || strings.Contains(f.Function, "(*meter).around")
		}
		return ks.StatusSuccess
	}
	config := engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: looks, Set: looks})}}
	c := count(&config, 4)
	h := opened(t, mustCompile(config))
	defer h.Close()
	send := func() bool {
		h.IoControl(ks.IoctlProperty, identifier(1, flags), make([]byte, 4))
		return metered
	}
	for range 4 { // the first of them get the handle its memory
		send()
	}
	var m *told
	for _, meter := range c.meters {
		if meter.of.Verb == verb {
			m = meter
		}
	}
	n, timed := 0, m.timed
	for range 8 {
		if send() {
			n++
		}
	}
	want := 2
	if invariants.Enabled || strconv.IntSize == 32 { // those have no short path, or no tallies
		want = 8
	}
	if n != want {
		t.Errorf("%d of 8 requests have a meter around their handler, want %d", n, want)
	}
	if m.timed-timed != 2 || c.requests(1, verb) != 12 {
		t.Errorf("%d requests are counted, and the times of %d of the last 8 taken", c.requests(1, verb), m.timed-timed)
	}
	if h.IoControl(ks.IoctlProperty, identifier(1, flags), make([]byte, 16)); !metered {
		t.Error("control: a request with 16 bytes of data has no meter around its handler")
	}
}

// TestCountedRequestsReachTheirHandlers: a SET that is counted without its meter is none of the GET of that item.
func TestCountedRequestsReachTheirHandlers(t *testing.T) {
	called := ""
	named := func(name string) engine.Handler {
		return func(irp *engine.IRP, _, data []byte) ks.Status {
			called, irp.IoStatus.Information = name+string(data[:1]), 4
			return ks.StatusSuccess
		}
	}
	config := engine.Config{PropertySets: []engine.PropertySet{propertySet(setA,
		engine.PropertyItem{ID: 1, Get: named("get 1"), Set: named("set 1")},
		engine.PropertyItem{ID: 2, Get: named("get 2"), Set: named("set 2")})}}
	c := count(&config, 0)
	h := opened(t, mustCompile(config))
	defer h.Close()
	for round := range 5 {
		for _, q := range []struct {
			id, flags uint32
			want      string
		}{
			{1, ks.PropertyTypeGet, "get 1\x00"},
			{2, ks.PropertyTypeSet, "set 2x"},
			{1, ks.PropertyTypeSet, "set 1x"},
			{2, ks.PropertyTypeGet, "get 2\x00"},
		} {
			if h.IoControl(ks.IoctlProperty, identifier(q.id, q.flags), []byte("xyz_")); called != q.want {
				t.Errorf("round %d: %q answered, want %q", round, called, q.want)
			}
		}
	}
	for _, verb := range []string{"get", "set"} {
		for id := range uint32(2) {
			if n := c.requests(id+1, verb); n != 5 {
				t.Errorf("%d requests to %s %d are counted, there were 5", n, verb, id+1)
			}
		}
	}
}

// panicky is a meter that panics.
type panicky struct{ engine.Meter }

func (panicky) Returned(ks.Status) { panic("a meter") }

// TestAMeterThatPanicsChangesNoAnswer: it is logged.
func TestAMeterThatPanicsChangesNoAnswer(t *testing.T) {
	config := engine.Config{PropertySets: []engine.PropertySet{propertySet(setA,
		engine.PropertyItem{ID: 1, Get: answers(ks.StatusNotFound, 0), Set: answers(ks.StatusNotFound, 0)})}}
	config.Count(1<<20, func(engine.HandlerOf) engine.Meter { return panicky{} })
	h := opened(t, mustCompile(config))
	defer h.Close()
	for _, verb := range []uint32{ks.PropertyTypeGet, ks.PropertyTypeGet, ks.PropertyTypeSet} {
		if _, status := h.IoControl(ks.IoctlProperty, identifier(1, verb), make([]byte, 4)); status != ks.StatusNotFound {
			t.Error(status)
		}
	}
}

// TestCountsOfAMerge: where two parts of a declaration are counted apart, each counts its own requests.
func TestCountsOfAMerge(t *testing.T) {
	part := func(guid ks.GUID) (engine.Config, *counting) {
		config := engine.Config{PropertySets: []engine.PropertySet{propertySet(guid, engine.PropertyItem{ID: 1, Get: accepts, Set: accepts},
			engine.PropertyItem{ID: 2, Get: accepts, Set: accepts})}}
		return config, count(&config, 4)
	}
	a, ofA := part(setA)
	b, ofB := part(setB)
	merged, err := engine.MergeSets(a, b)
	if err != nil {
		t.Fatal(err)
	}
	h := opened(t, mustCompile(merged))
	defer h.Close()
	want := func(guid ks.GUID, id, flags uint32) (n uint64) {
		n = uint64(10*id + flags)
		if guid == setB {
			n += 100
		}
		return n
	}
	each := func(do func(c *counting, guid ks.GUID, id, flags uint32, verb string)) {
		for guid, c := range map[ks.GUID]*counting{setA: ofA, setB: ofB} {
			for id := range uint32(2) {
				do(c, guid, id+1, get, "get")
				do(c, guid, id+1, set, "set")
			}
		}
	}
	each(func(_ *counting, guid ks.GUID, id, flags uint32, _ string) {
		for range want(guid, id, flags) {
			h.IoControl(ks.IoctlProperty, request{set: guid, id: id, flags: flags}.bytes(), make([]byte, 4))
		}
	})
	each(func(c *counting, guid ks.GUID, id, flags uint32, verb string) {
		if n := c.requests(id, verb); n != want(guid, id, flags) {
			t.Errorf("%v: %d requests to %s %d are counted, there were %d", guid, n, verb, id, want(guid, id, flags))
		}
	})
}
