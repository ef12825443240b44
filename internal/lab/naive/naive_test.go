package naive

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// That these handles answer as the engine's do is tested where both are at hand, in package bench.

func seven(irp *engine.IRP, _, data []byte) ks.Status {
	irp.IoStatus.Information = uint64(copy(data, []byte{7, 7, 7, 7}))
	return ks.StatusSuccess
}

var (
	first, second = ks.GUID{1}, ks.GUID{2}
	decls         = []engine.PropertySet{
		{Set: first, Items: []engine.PropertyItem{{ID: 3, Get: seven, MinData: 4}, {ID: 4}}},
		{Set: second},
		{Set: first, Items: []engine.PropertyItem{{ID: 5, Get: seven}}}, // the same GUID again, other ids (P-24)
	}
)

func TestFindFollowsTheDeclarations(t *testing.T) {
	table := NewTable(decls)
	for _, c := range []struct {
		set    ks.GUID
		id     uint32
		n      int // of the item; there is no 3
		status ks.Status
	}{
		{first, 3, 0, 0},
		{first, 4, 1, 0},
		{first, 5, 2, 0},
		{first, 6, 3, ks.StatusNotFound},
		{second, 3, 3, ks.StatusNotFound},
		{ks.GUID{3}, 3, 3, ks.StatusPropsetNotFound},
	} {
		for _, step := range []Step{ByScan, ByMap, ByNested} {
			item, known := table.find(step, &c.set, c.id)
			if want := table.Item(c.n); item != want || item != nil && item.id != c.id {
				t.Errorf("step %d, %v %d: item %p, want %p", step, c.set, c.id, item, want)
			}
			if item == nil {
				if got := table.missed(step, &c.set, known); got != c.status {
					t.Errorf("step %d, %v %d: %v, want %v", step, c.set, c.id, got, c.status)
				}
			}
		}
	}
}

func TestIoControl(t *testing.T) {
	for _, heap := range []bool{false, true} {
		h, err := Open(NewTable(decls), ByScan, heap)
		if err != nil {
			t.Fatal(err)
		}
		in, out := make([]byte, ks.SizeIdentifier), make([]byte, 6)
		ks.Identifier{Set: first, ID: 3, Flags: ks.PropertyTypeGet}.Put(in)
		if n, status := h.IoControl(ks.IoctlProperty, in, out); n != 4 || status != ks.StatusSuccess || string(out) != "\a\a\a\a\x00\x00" {
			t.Errorf("heap %v: %d, %v, %q", heap, n, status, out)
		}
		if n, status := h.IoControl(ks.IoctlProperty, in, nil); n != 4 || status != ks.StatusBufferOverflow {
			t.Errorf("heap %v: size query: %d, %v", heap, n, status)
		}
		if n, status := h.IoControl(ks.IoctlMethod, in, out); n != 0 || status != ks.StatusInvalidDeviceRequest {
			t.Errorf("heap %v: another code: %d, %v", heap, n, status)
		}
		if s := h.arena.Stats(); s.Live != 0 {
			t.Errorf("heap %v: %d buffers are left", heap, s.Live)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if _, status := h.IoControl(ks.IoctlProperty, in, out); status != ks.StatusInvalidHandle {
			t.Errorf("heap %v: after Close: %v", heap, status)
		}
	}
}
