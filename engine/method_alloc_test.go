//go:build !race

package engine_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// busyMethods is a host with a method of each kind, 1 to 8, and some that answer otherwise.
func busyMethods(t *testing.T, handler engine.Handler, fast engine.FastHandler) *host {
	set := engine.MethodSet{Set: setA, FastIO: []engine.FastMethodItem{{ID: 1, Handler: fast}}}
	for i, flags := range methodKinds {
		set.Items = append(set.Items, engine.MethodItem{ID: uint32(i + 1), Handler: handler, Flags: flags, MinData: 4})
	}
	set.Items = append(set.Items, engine.MethodItem{ID: 9, Support: handler},
		engine.MethodItem{ID: 10, Handler: answers(ks.StatusSomeNotMapped, 0)},
		engine.MethodItem{ID: 11, Handler: answers(ks.StatusPending, 0), Flags: modifies},
		engine.MethodItem{ID: 12, Handler: answers(ks.StatusPending, 0), Flags: modifies | source})
	return newHost(t, engine.Config{MethodSets: []engine.MethodSet{set}})
}

func TestNoAllocationsOfMethods(t *testing.T) {
	needPlainBuild(t)
	h := busyMethods(t, fills(1, 4), fastAnswers(0, 4))
	requests := map[string]request{
		"instance":           {set: setA, id: 3, flags: send, extra: make([]byte, 40), out: full(4)},
		"node":               {set: setA, id: 7, flags: send | topology, extra: node(1), out: full(4)},
		"1 KiB":              {set: setA, id: 4, flags: send, out: full(1024)},
		"size answer":        {set: setA, id: 3, flags: send},
		"too small":          {set: setA, id: 3, flags: send, out: full(3)},
		"short":              {raw: make([]byte, 23)},
		"bad flags":          {set: setA, id: 1, flags: 8},
		"unknown set":        {set: stranger, flags: send},
		"unknown id":         {set: setA, id: 99, flags: send},
		"no handler":         {set: setA, id: 9, flags: send},
		"not mapped":         {set: setA, id: 10, flags: send},
		"SETSUPPORT":         {set: setA, flags: methodSets},
		"SETSUPPORT of all":  {flags: methodSets, out: full(16)},
		"SETSUPPORT of none": {set: stranger, flags: methodSets},
		"BASICSUPPORT":       {set: setA, id: 8, flags: methodSupport, out: full(4)},
		"support handler":    {set: setA, id: 9, flags: methodSupport, out: full(4)},
	}
	for id := uint32(1); id <= 8; id++ {
		requests[ks.FormatMethodFlags(methodKinds[id-1])] = request{set: setA, id: id, flags: send, out: full(4)}
	}
	for name, q := range requests {
		irp := h.irp(q)
		in, out := irp.Type3InputBuffer, irp.UserBuffer
		lent, copied := h.irp(q), h.irp(q)
		lent.Memory, copied.Memory = lender{plainMemory{in, out}}, plainMemory{in, out}
		for path, f := range map[string]func(){
			"Method":      func() { irp.Finish(h.Method(irp), irp.UserBuffer) },
			"of a Memory": func() { copied.Finish(h.Method(copied), nil) },
			"lent memory": func() { lent.Finish(h.Method(lent), nil) },
			"IoControl":   func() { h.device.IoControl(ks.IoctlMethod, in, out) },
			"FastMethod":  func() { var io engine.IoStatus; h.FastMethod(&h.file, engine.UserMode, in, out, &io) },
			"with buffers": func() {
				irp.UserBuffer = nil
				irp.Finish(h.MethodWithBuffers(irp, in, out, nil), out)
				irp.UserBuffer = out
			},
			"MethodWithAllocator": func() {
				irp.Finish(h.MethodWithAllocator(irp, poolAllocator), irp.UserBuffer)
				if irp.SystemBuffer != nil {
					irp.Pool.Free(irp.SystemBuffer)
					irp.SystemBuffer = nil
				}
			},
		} {
			if n := testkit.Allocs(f); n != 0 {
				t.Errorf("%s, %s: %v allocations", path, name, n)
			}
		}
	}
	for _, id := range []uint32{11, 12} {
		irp := h.irp(request{set: setA, id: id, flags: send, out: full(4)})
		later := fills(2, 2)
		if n := testkit.Allocs(func() {
			h.Method(irp)
			irp.Finish(engine.DispatchSpecificMethod(irp, later), irp.UserBuffer)
		}); n != 0 {
			t.Errorf("DispatchSpecificMethod of method %d: %v allocations", id, n)
		}
	}
}

// lender is caller memory that never faults and lends its output.
type lender struct{ plainMemory }

func (m lender) LockOutput(n uint32, _ engine.LockOperation, _ engine.Mode) ([]byte, ks.Status) {
	return m.out[:n], 0
}
func (m lender) UnlockOutput() {}

// The measurements above notice a handler that allocates, and a pool that is the heap.
func TestNoAllocationsOfMethodsControl(t *testing.T) {
	needPlainBuild(t)
	h := busyMethods(t, func(*engine.IRP, []byte, []byte) ks.Status {
		sinkBytes = make([]byte, 16)
		return 0
	}, func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
		sinkBytes = make([]byte, 16)
		return true
	})
	q := request{set: setA, id: 1, flags: send, out: full(4)}
	in, out, irp := q.bytes(), full(4), h.irp(q)
	var io engine.IoStatus
	for name, f := range map[string]func(){
		"Method":     func() { irp.Finish(h.Method(irp), nil) },
		"IoControl":  func() { h.device.IoControl(ks.IoctlMethod, in, out) },
		"FastMethod": func() { h.FastMethod(&h.file, engine.UserMode, in, out, &io) },
		"no pool": func() {
			irp := *irp
			irp.Pool = nil
			irp.Finish(h.Method(&irp), nil)
		},
	} {
		if n := testkit.Allocs(f); n < 1 {
			t.Errorf("control %s: %v allocations; want at least 1", name, n)
		}
	}
}
