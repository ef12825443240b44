package bench

import (
	"flag"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var userSet = ks.MustParseGUID("11111111-2222-3333-4455-66778899aabb")

// answer touches the data and says how much there is, as fastAnswer does without an IRP.
func answer(irp *engine.IRP, request, data []byte) ks.Status {
	data[0] = request[16]
	irp.IoStatus.Information = uint64(len(data))
	return ks.StatusSuccess
}

func fastAnswer(_ *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
	data[0] = request[16]
	io.Information = uint64(len(data))
	return true
}

// user is a user's driver: two properties, of which the first has fast handlers too.
func user(get engine.Handler) []engine.PropertySet {
	return []engine.PropertySet{{
		Set: userSet,
		Items: []engine.PropertyItem{
			{ID: 1, Get: answer, Set: answer, MinData: 4},
			{ID: 2, Get: get, MinProperty: ks.SizeNode, MinData: 100},
		},
		FastIO: []engine.FastPropertyItem{{ID: 1, Get: fastAnswer, Set: fastAnswer}},
	}}
}

func compileUser(t testing.TB, sets []engine.PropertySet) *engine.Dispatcher {
	t.Helper()
	d, err := engine.Compile(engine.Config{PropertySets: sets})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// measured runs a benchmark for n turns and returns whether it passed.
func measured(t *testing.T, n string, f func(b *testing.B)) bool {
	t.Helper()
	benchtime := flag.Lookup("test.benchtime").Value
	old := benchtime.String()
	defer func() {
		if err := benchtime.Set(old); err != nil {
			t.Fatal(err)
		}
	}()
	if err := benchtime.Set(n); err != nil {
		t.Fatal(err)
	}
	passed := false
	testing.Benchmark(func(b *testing.B) {
		f(b)
		passed = !b.Failed()
	})
	return passed
}

func TestHitsAreAnswered(t *testing.T) {
	seed := testkit.Seed(t)
	sets := user(answer)
	d := compileUser(t, sets)
	requests := Hits(sets, seed)
	if len(requests) != lab.Requests {
		t.Fatalf("%d requests, want %d", len(requests), lab.Requests)
	}
	if !measured(t, "300x", func(b *testing.B) { Dispatch(b, d, requests) }) {
		t.Error("a driver that answers everything does not pass")
	}
	h := openUser(t, d)
	key := table.KeyOf(userSet, 1)
	tab, err := table.Build([]table.Entry[int]{{Lo: key.Lo, Hi: key.Hi, ID: key.ID}}, table.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(b *testing.B){
		"IoControl": func(b *testing.B) { IoControl(b, h, requests) },
		"FastProperty": func(b *testing.B) {
			FastProperty(b, d, []Request{{In: property(1, ks.PropertyTypeSet, 24), Out: make([]byte, 4)}})
		},
		"Lookup": func(b *testing.B) { Lookup(b, tab, []table.Key{key}) },
	} {
		if !measured(t, "100000x", f) {
			t.Errorf("%s: does not pass", name)
		}
	}
	if got := Hits([]engine.PropertySet{{Set: userSet}}, seed); got != nil {
		t.Errorf("%d hits of a set without items", len(got))
	}
}

func openUser(t *testing.T, d *engine.Dispatcher) *device.Handle {
	t.Helper()
	h, err := device.New(d).Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func property(id, flags uint32, size int) []byte {
	in := make([]byte, size)
	ks.Identifier{Set: userSet, ID: id, Flags: flags}.Put(in)
	return in
}

// Each of these must fail, and the benchmark itself with it. What is said of a request names it.
func TestABenchmarkFailsFor(t *testing.T) {
	if !countsAllocations {
		t.Skip("this build allocates itself")
	}
	var heap []byte
	calls := 0
	allocates := func(_ *engine.IRP, _, data []byte) ks.Status {
		heap = make([]byte, len(data))
		return ks.StatusSuccess
	}
	seldom := func(*engine.IRP, []byte, []byte) ks.Status {
		if calls++; calls%5000 == 0 {
			heap = make([]byte, calls)
		}
		return ks.StatusSuccess
	}
	once := func(*engine.IRP, []byte, []byte) ks.Status {
		if calls++; calls > 100 {
			return ks.StatusDeviceNotReady
		}
		return ks.StatusSuccess
	}
	first := Request{In: property(1, ks.PropertyTypeGet, 24), Out: make([]byte, 4)}
	second := Request{In: property(2, ks.PropertyTypeGet, 32), Out: make([]byte, 100)}
	const ofSecond = "GET of property 11111111-2222-3333-4455-66778899aabb 2, 32 bytes in, "
	for _, c := range []struct {
		name     string
		get      engine.Handler
		requests []Request
		want     string
	}{
		{"no requests", answer, nil, "no requests"},
		{"an allocation", allocates, []Request{first, first, second}, "request 2: " + ofSecond + "100 out: heap allocations: 1"},
		{"a seldom allocation", seldom, []Request{second}, "heap allocations: "},
		{"a short buffer", answer, []Request{first, {In: second.In, Out: make([]byte, 99)}}, ofSecond + "99 out: STATUS_BUFFER_TOO_SMALL"},
		{"a success", answer, []Request{{In: first.In, Out: first.Out, Want: ks.StatusNotFound}}, "STATUS_SUCCESS, want STATUS_NOT_FOUND"},
		{"many failures", answer, make([]Request, 10), "and 7 more of 10"},
		{"an unknown code", answer, []Request{{In: first.In, Code: 42}}, "control code 0x2a"},
		{"a handler that gives up", once, []Request{second}, "do handlers keep a state?"},
	} {
		h := openUser(t, compileUser(t, user(c.get)))
		calls = 0
		if measured(t, "20000x", func(b *testing.B) { IoControl(b, h, c.requests) }) {
			t.Errorf("%s: the benchmark passes", c.name)
		}
		calls = 0
		s := ioControl(h, c.requests)
		err := s.check()
		if err == nil {
			n, allocs := 20000, mallocs()
			wrong := s.send(0, n)
			err = s.judge(n, wrong, mallocs()-allocs)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	_ = heap
}

func TestEveryBenchmarkOfUsersFails(t *testing.T) {
	var heap []byte
	d := compileUser(t, user(func(*engine.IRP, []byte, []byte) ks.Status {
		heap = make([]byte, 100)
		return ks.StatusSuccess
	}))
	slow := Request{In: property(2, ks.PropertyTypeGet, 32), Out: make([]byte, 100)}
	tab, err := table.Build([]table.Entry[int]{{Lo: 1}}, table.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if countsAllocations && measured(t, "10x", func(b *testing.B) { Dispatch(b, d, []Request{slow}) }) {
		t.Error("Dispatch passes with a handler that allocates")
	}
	if measured(t, "10x", func(b *testing.B) { FastProperty(b, d, []Request{slow}) }) {
		t.Error("FastProperty passes with an item that has no fast handler")
	}
	if measured(t, "10x", func(b *testing.B) { Lookup(b, tab, []table.Key{{Lo: 2}}) }) {
		t.Error("Lookup passes with a stranger")
	}
	_ = heap
}
