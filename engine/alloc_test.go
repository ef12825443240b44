//go:build !race

package engine_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// What the controls allocate goes here, so that the compiler cannot keep it on a stack.
var (
	sinkBytes []byte
	sinkIRP   *engine.IRP
)

func needPlainBuild(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
}

// poolAllocator serves GET and SET from the IRP's pool, as a device does.
func poolAllocator(irp *engine.IRP, size uint32, _ bool) ks.Status {
	b, err := irp.Pool.AllocUninit(int(size))
	if err != nil {
		return ks.StatusInsufficientResources
	}
	irp.SystemBuffer = b
	return ks.StatusSuccess
}

// busy is a host whose item 1 answers everything, and item 2 what needs two steps.
func busy(t *testing.T) *host {
	value := []byte{1, 2, 3, 4}
	read := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, value))
		return ks.StatusSuccess
	}
	list := join(u32(12), u32(1), u32(5))
	return newHost(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
		{ID: 1, Get: read, Set: accepts, MinData: 4, MinProperty: 24, SerializedSize: 4, Values: stepped(), Relations: make([]ks.Identifier, 3)},
		{ID: 2, Get: produces(list...), Set: accepts, SerializedSize: 1},
		{ID: 3, Support: read},
		{ID: 4, Get: answers(ks.StatusPending, 0)},
		{ID: 5, Get: answers(ks.StatusSomeNotMapped, 0)},
	}, FastIO: []engine.FastPropertyItem{{ID: 1, Get: fastAnswers(0, 4), Set: fastAnswers(0, 0)}}}}})
}

// requests that a busy host answers without an allocation, by name.
func quietRequests() map[string]request {
	serialized := blob(setA, 2, serial{id: 1, value: u32(7)}, serial{id: 2, value: []byte("abc")})
	r := map[string]request{
		"GET":                  {id: 1, flags: get, out: full(4)},
		"SET":                  {id: 1, flags: set, out: full(4)},
		"GET of 1 KiB":         {id: 1, flags: get, out: full(1024)},
		"GET, HIGHPRIORITY":    {id: 1, flags: get | highPriority, out: full(4)},
		"GET, instance":        {id: 1, flags: get, extra: make([]byte, 40), out: full(4)},
		"unknown set":          {set: stranger, id: 1, flags: get, out: full(4)},
		"unknown item":         {id: 99, flags: get, out: full(4)},
		"two verbs":            {id: 1, flags: get | set, out: full(4)},
		"no handler":           {id: 3, flags: get, out: full(4)},
		"size answer":          {id: 1, flags: get},
		"too small":            {id: 1, flags: get, out: full(3)},
		"too short":            {raw: make([]byte, 23)},
		"SOME_NOT_MAPPED":      {id: 5, flags: get, out: full(4)},
		"SETSUPPORT":           {id: 1, flags: setSupport},
		"SETSUPPORT of none":   {set: stranger, flags: setSupport},
		"SETSUPPORT of all":    {set: ks.GUID{1}, flags: setSupport, out: full(16)},
		"BASICSUPPORT":         {id: 1, flags: basicSupport, out: full(200)},
		"BASICSUPPORT, flags":  {id: 1, flags: basicSupport, out: full(4)},
		"BASICSUPPORT, size":   {id: 1, flags: basicSupport},
		"BASICSUPPORT handler": {id: 3, flags: basicSupport, out: full(200)},
		"RELATIONS":            {id: 1, flags: relations, out: full(80)},
		"DEFAULTVALUES":        {id: 1, flags: defaultValues, out: full(200)},
		"SERIALIZESIZE":        {id: 1, flags: serializeSize, out: full(4)},
		"SERIALIZESIZE of 1":   {id: 2, flags: serializeSize, out: full(4)},
		"SERIALIZESET":         {flags: serializeSet, out: full(104)},
		"SERIALIZESET, size":   {flags: serializeSet},
		"UNSERIALIZESET":       {flags: unserializeSet, out: serialized},
		"UNSERIALIZESET, bad":  {flags: unserializeSet, out: serialized[:60]},
		"SERIALIZERAW":         {id: 3, flags: serializeRaw, out: full(4)},
		"UNSERIALIZERAW":       {id: 3, flags: unserializeRaw, out: full(4)},
	}
	for name, q := range r {
		if q.set == (ks.GUID{}) {
			q.set = setA
		} else if q.set == (ks.GUID{1}) {
			q.set = ks.GUID{}
		}
		r[name] = q
	}
	return r
}

func TestNoAllocations(t *testing.T) {
	needPlainBuild(t)
	h := busy(t)
	for name, q := range quietRequests() {
		irp := h.irp(q)
		in, out := irp.Type3InputBuffer, irp.UserBuffer
		for path, f := range map[string]func(){
			"Property": func() {
				irp.Finish(h.Property(irp), irp.UserBuffer)
			},
			"PropertyWithAllocator": func() {
				irp.Finish(h.PropertyWithAllocator(irp, poolAllocator), irp.UserBuffer)
				irp.Pool.Free(irp.SystemBuffer)
				irp.SystemBuffer = nil
			},
			"IoControl": func() { h.device.IoControl(ks.IoctlProperty, in, out) },
			"FastProperty": func() {
				var io engine.IoStatus
				h.FastProperty(&h.file, engine.UserMode, in, out, &io)
			},
		} {
			if n := testkit.Allocs(f); n != 0 {
				t.Errorf("%s, %s: %v allocations", path, name, n)
			}
		}
	}
}

func TestNoAllocationsLater(t *testing.T) {
	needPlainBuild(t)
	h := busy(t)
	again := produces(1, 2)
	irp := h.irp(request{set: setA, id: 4, flags: get, out: full(4)})
	for name, f := range map[string]func(){
		"DispatchSpecificProperty": func() {
			if status := h.Property(irp); status != ks.StatusPending {
				panic(status)
			}
			irp.Finish(engine.DispatchSpecificProperty(irp, again), irp.UserBuffer)
		},
		"DispatchSpecificProperty, unprepared": func() { engine.DispatchSpecificProperty(irp, again) },
		"Complete":                             func() { irp.Complete(ks.StatusSuccess, 0) },
		"Rule":                                 func() { _ = irp.Rule() },
	} {
		if n := testkit.Allocs(f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Through a Ref and in a batch, all the requests of quietRequests.
func TestNoAllocationsOfRefsAndBatches(t *testing.T) {
	needPlainBuild(t)
	h := busy(t)
	ref, ok := h.Resolve(setA, 1)
	if !ok {
		t.Fatal("not resolved")
	}
	var requests []engine.BatchRequest
	for name, q := range quietRequests() {
		q.set = setA
		in, out := q.bytes(), q.out
		requests = append(requests, engine.BatchRequest{In: in, Out: out})
		if n := testkit.Allocs(func() { h.device.IoControlTo(&ref, in, out) }); n != 0 {
			t.Errorf("IoControlTo, %s: %v allocations", name, n)
		}
	}
	if n := testkit.Allocs(func() { h.device.PropertyBatch(requests) }); n != 0 {
		t.Errorf("PropertyBatch: %v allocations", n)
	}
	if n := testkit.Allocs(func() { h.device.MethodBatch(requests) }); n != 0 {
		t.Errorf("MethodBatch: %v allocations", n)
	}
	in, out := request{set: setA, id: 1, flags: get}.bytes(), make([]byte, 4)
	var io engine.IoStatus
	if n := testkit.Allocs(func() { ref.FastProperty(&h.file, engine.UserMode, in, out, &io) }); n != 0 {
		t.Errorf("FastProperty: %v allocations", n)
	}
}

// What does not lie simply at the start of a slice: a node, a prepared buffer, memory behind an interface.
func TestNoAllocationsElsewhere(t *testing.T) {
	needPlainBuild(t)
	h := busy(t)
	for name, q := range map[string]request{
		"GET, TOPOLOGY":      {id: 1, flags: get | topology, extra: node(3), out: full(4)},
		"SET, TOPOLOGY":      {id: 1, flags: set | topology, extra: node(3), out: full(4)},
		"SERIALIZESET, TOPO": {flags: serializeSet | topology, extra: node(1), out: full(104)},
	} {
		q.set = setA
		irp := h.irp(q)
		memory := plainMemory{irp.Type3InputBuffer, irp.UserBuffer}
		for path, f := range map[string]func(){
			"Property":  func() { irp.Finish(h.Property(irp), irp.UserBuffer) },
			"IoControl": func() { h.device.IoControl(ks.IoctlProperty, memory.in, memory.out) },
		} {
			if n := testkit.Allocs(f); n != 0 {
				t.Errorf("%s, %s: %v allocations", path, name, n)
			}
		}
		irp.Memory = memory
		if n := testkit.Allocs(func() { irp.Finish(h.Property(irp), nil) }); n != 0 {
			t.Errorf("%s through a Memory: %v allocations", name, n)
		}
	}
	// Prepared by an earlier pass (P-15).
	irp := h.irp(request{set: setA, id: 5, flags: get, out: full(4)})
	if n := testkit.Allocs(func() {
		h.Property(irp)
		irp.Finish(h.Property(irp), irp.UserBuffer)
	}); n != 0 {
		t.Errorf("prepared: %v allocations", n)
	}
}

// plainMemory is caller memory that never faults.
type plainMemory struct{ in, out []byte }

func (m plainMemory) ReadInput(dst []byte, off uint32) ks.Status { copy(dst, m.in[off:]); return 0 }
func (m plainMemory) ReadOutput(dst []byte) ks.Status            { copy(dst, m.out); return 0 }
func (m plainMemory) ProbeOutput(uint32) ks.Status               { return 0 }
func (m plainMemory) WriteOutput(src []byte) ks.Status           { copy(m.out, src); return 0 }

// The measurements above notice a handler that allocates, and buffers of a caller that escape.
func TestNoAllocationsControl(t *testing.T) {
	h := oneItemQuiet(t, func(irp *engine.IRP, _, data []byte) ks.Status {
		sinkBytes = make([]byte, 16)
		return ks.StatusSuccess
	}, func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
		sinkBytes = make([]byte, 16)
		return true
	})
	in := request{set: setA, id: 1, flags: get}.bytes()
	irp := h.irp(request{set: setA, id: 1, flags: get})
	var io engine.IoStatus
	for name, f := range map[string]func(){
		"Property":     func() { irp.Finish(h.Property(irp), nil) },
		"IoControl":    func() { h.device.IoControl(ks.IoctlProperty, in, nil) },
		"FastProperty": func() { h.FastProperty(&h.file, engine.UserMode, in, nil, &io) },
		"a new IRP": func() {
			irp := h.irp(request{set: stranger, flags: get})
			sinkIRP = irp
			h.Property(irp)
		},
		"no pool": func() {
			irp := *irp
			irp.Pool = nil
			irp.Finish(h.Property(&irp), nil)
		},
	} {
		if n := testkit.Allocs(f); n < 1 {
			t.Errorf("control %s: %v allocations; want at least 1", name, n)
		}
	}
}

func oneItemQuiet(t *testing.T, handler engine.Handler, fast engine.FastHandler) *host {
	return newHost(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: handler}},
		FastIO: []engine.FastPropertyItem{{ID: 1, Get: fast}}}}})
}

func TestDoublePassAllocatesNothing(t *testing.T) {
	needPlainBuild(t)
	first := family("A:1")
	first.Nodes = engine.NewNodeList(nil)
	h, p := passes(t, first, family("A:1,2"))
	for _, q := range []request{
		{set: setA, id: 1, flags: get | topology, extra: node(0), out: full(1)},
		{set: setA, id: 1, flags: get, out: full(1)}, {set: setA, id: 2, flags: get, out: full(1)},
		{set: setA, id: 3, flags: get, out: full(1)},
	} {
		irp := h.irp(q)
		if n := testkit.Allocs(func() { irp.Finish(p.Property(irp, nil), irp.UserBuffer) }); n != 0 {
			t.Errorf("%v: Property allocates %v times", q, n)
		}
		irp.Type3InputBuffer[20] = byte(ks.MethodTypeSend)
		if n := testkit.Allocs(func() { irp.Finish(p.Method(irp, nil), irp.UserBuffer) }); n != 0 {
			t.Errorf("%v: Method allocates %v times", q, n)
		}
	}
}

// TestDetachedAllocatesNothing: pended requests that IoControl does not wait for, in steady state.
func TestDetachedAllocatesNothing(t *testing.T) {
	needPlainBuild(t)
	var handed *engine.IRP
	later := func(irp *engine.IRP, _, _ []byte) ks.Status {
		handed = irp
		return ks.StatusPending
	}
	x := detach(t, engine.PropertyItem{ID: 1, Get: later})
	x.out = full(4)
	in := request{set: setA, id: 1, flags: get}.bytes()
	if n := testkit.Allocs(func() {
		x.d.IoControl(x.irp, ks.IoctlProperty, in, x.out)
		handed.Complete(ks.StatusSuccess, 4)
		<-x.ended
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestCancelQueueAllocatesNothing: requests that are pended in a queue and completed, cancelled alone or with all of their file, moved to
// another queue, or acquired and released.
func TestCancelQueueAllocatesNothing(t *testing.T) {
	needPlainBuild(t)
	var q, other engine.CancelQueue
	x := detach(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status { return q.Add(irp) }})
	x.out = full(4)
	in := request{set: setA, id: 1, flags: get}.bytes()
	for name, end := range map[string]func(){
		"completed": func() { q.Remove().Complete(ks.StatusSuccess, 4) },
		"cancelled": func() { x.irp.Cancel() },
		"its file":  func() { q.CancelFile(x.irp.FileObject) },
		"moved": func() {
			q.Move(&other, engine.Head, func(*engine.IRP) ks.Status { return ks.StatusSuccess })
			other.Remove().Complete(ks.StatusSuccess, 4)
		},
		"released": func() {
			q.Release(q.Take(engine.Tail, engine.AcquireOnly), nil)
			q.Remove().Complete(ks.StatusSuccess, 4)
		},
	} {
		if n := testkit.Allocs(func() {
			x.d.IoControl(x.irp, ks.IoctlProperty, in, x.out)
			end()
			<-x.ended
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
