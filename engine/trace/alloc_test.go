//go:build !race && !purego

package trace

import (
	"io"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var sinkStatus ks.Status

// ask sends a request whose buffers are arrays on the stack, and stay there.
func ask(h *Handle, flags uint32) {
	var in [ks.SizeIdentifier]byte
	var out [4]byte
	ks.Identifier{Set: setOf(3), ID: 4, Flags: flags}.Put(in[:])
	_, sinkStatus = h.IoControl(ks.IoctlProperty, in[:], out[:])
}

var sinkHeader []byte

func TestRecordingAllocatesNothing(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
	for _, wait := range []bool{true, false} { // full buffers are waited for, and dropped from
		r, err := NewRecorder(io.Discard, Config{Wait: wait, Buffer: 16 << 10, ClockEvery: 2})
		if err != nil {
			t.Fatal(err)
		}
		h := open(t, r, items(t), "items")
		for range 1000 { // each chunk is there
			ask(h, ks.PropertyTypeGet)
		}
		for name, flags := range map[string]uint32{"GET": ks.PropertyTypeGet, "SET": ks.PropertyTypeSet, "no verb": 0} {
			if n := testkit.Allocs(func() { ask(h, flags) }); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
		many := func() {
			for range 1000 {
				ask(h, ks.PropertyTypeGet)
			}
		}
		if n := testkit.Allocs(many); n != 0 {
			t.Errorf("%v allocations in chunks that are filled and written", n)
		}
		if n := testkit.Allocs(func() { ask(h, ks.PropertyTypeGet); sinkHeader = make([]byte, 8) }); n < 1 {
			t.Errorf("negative control: %v allocations", n)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRecordingOverlappedAllocatesNothing(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
	r, err := NewRecorder(io.Discard, Config{Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	w := newWaiter(t, nil)
	h, err := r.OpenOverlapped(w.device, "one", nil)
	if err != nil {
		t.Fatal(err)
	}
	var o device.Overlapped
	pend, out := identifier(setOf(1), 1, ks.PropertyTypeGet), make([]byte, 4)
	f := func() {
		if _, status := h.IoControl(&o, ks.IoctlProperty, pend, out); status != ks.StatusPending || !w.answer(1) {
			t.Fatal("a request does not pend")
		}
	}
	for range 1000 {
		f()
	}
	if n := testkit.Allocs(f); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testkit.Allocs(func() { f(); sinkHeader = make([]byte, 8) }); n < 1 {
		t.Errorf("negative control: %v allocations", n)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
