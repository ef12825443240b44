package lab

import (
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// What other packages time is checked as in Run, and there is no loop that nobody listed.
func TestStand(t *testing.T) {
	seed := testkit.Seed(t)
	s, err := Synthetic(20, 12).Stand(seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	before := sink.Load()
	s.Loop("lookup", "engine")(Requests)
	if got := sink.Load() - before; got != Requests {
		t.Errorf("%d of %d found", got, Requests)
	}
	if s.Loop("lookup", "nobody") != nil {
		t.Error("a loop of nobody")
	}

	// Through references comes what comes through the dispatcher.
	send, err := s.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	before = sink.Load()
	send(Requests)
	if got, want := sink.Load()-before, s.bed.fastEngine(Requests); got != want {
		t.Errorf("checksum %d through references, %d without", got, want)
	}
	if !raceEnabled {
		if n := testkit.Allocs(func() { send(100) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}

	// Under a guard every handler succeeds, and one that does not is counted.
	before = sink.Load()
	s.Loop("irp", "guarded")(Requests)
	if got := sink.Load() - before; got != 0 {
		t.Errorf("%d failed under the guard", got)
	}
	for i := range s.bed.calls {
		s.bed.calls[i] = func(*engine.IRP, []byte, []byte) ks.Status { panic("planted") }
	}
	s.Loop("irp", "guarded")(100)
	if got := sink.Load() - before; got != 100 {
		t.Errorf("%d of 100 panics counted", got)
	}

	s.bed.requests[77].in[17] ^= 1
	if _, err := s.Resolved(); err == nil || !strings.Contains(err.Error(), "no answer through a reference") {
		t.Errorf("an item that is not there: %v", err)
	}
}

// A lookup stand has tables alone, which are compared before.
func TestLookupStand(t *testing.T) {
	s, err := Synthetic(20, 12).LookupStand(testkit.Seed(t))
	if err != nil {
		t.Fatal(err)
	}
	before := sink.Load()
	s.Loop("lookup", "dense")(Requests)
	if got := sink.Load() - before; got != Requests || len(s.bed.dispatchers) != 0 {
		t.Errorf("%d of %d found, %d dispatchers", got, Requests, len(s.bed.dispatchers))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What is routed to a node is answered as the filter answers, and a workload that is none for it is refused.
func TestRouted(t *testing.T) {
	seed := testkit.Seed(t)
	filter, node, release, err := Synthetic(20, 12).Routed(seed)
	if err != nil {
		t.Fatal(err)
	}
	before := sink.Load()
	filter(Requests)
	first := sink.Load() - before
	node(Requests)
	if second := sink.Load() - before - first; first != second || first == 0 {
		t.Errorf("checksum %d of the filter, %d of its node", first, second)
	}
	if !raceEnabled {
		if n := testkit.Allocs(func() { node(100) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	workloads, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads {
		if w.Name == "wds-sysvad" {
			if _, _, _, err := w.Routed(seed); err == nil || !strings.Contains(err.Error(), "a filter is one") {
				t.Errorf("52 objects: %v", err)
			}
		}
	}
}

// Overlapped requests are answered as plain ones, in whatever way they end, and a workload of many objects is refused.
func TestOverlappedStand(t *testing.T) {
	seed := testkit.Seed(t)
	loops, release, err := Synthetic(20, 12).OverlappedStand(seed)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[uint64]bool{}
	for name, loop := range loops {
		for _, n := range []int{1, 100, 3000} { // fewer and more than are in flight
			before := sink.Load()
			loop(n)
			if n == 3000 {
				sums[sink.Load()-before] = true
			}
		}
		if !raceEnabled {
			if n := testkit.Allocs(func() { loop(100) }); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	}
	if len(loops) != 4 || len(sums) != 1 || sums[0] {
		t.Errorf("%d loops with the checksums %v", len(loops), sums)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if _, _, err := Devices(2, 1, 8).OverlappedStand(seed); err == nil || !strings.Contains(err.Error(), "a handle is of one") {
		t.Errorf("2 objects: %v", err)
	}
}

// Observed, recorded and replayed requests are answered as plain ones, and a workload of many objects is refused.
func TestObservedStand(t *testing.T) {
	sameSums(t, Workload.ObservedStand, "irp", "observed", "unobserved")
}
func TestTracedStand(t *testing.T) { sameSums(t, Workload.TracedStand, "irp", "recorded") }

// sameSums runs the loops of a stand, of which those that are named come to the same end and allocate nothing.
func sameSums(t *testing.T, stand func(w Workload, seed uint64) (map[string]func(n int), func() error, error), names ...string) {
	t.Helper()
	seed := testkit.Seed(t)
	loops, release, err := stand(Synthetic(20, 12), seed)
	if err != nil {
		t.Fatal(err)
	}
	for _, loop := range loops {
		loop(Requests)
	}
	sums := map[uint64]bool{}
	for _, name := range names {
		before := sink.Load()
		loops[name](3000)
		sums[sink.Load()-before] = true
		if !raceEnabled {
			if n := testkit.Allocs(func() { loops[name](100) }); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	}
	if len(sums) != 1 || sums[0] {
		t.Errorf("the checksums are %v", sums)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if _, _, err := stand(Devices(2, 1, 8), seed); err == nil || !strings.Contains(err.Error(), "a device is one") {
		t.Errorf("2 objects: %v", err)
	}
}
