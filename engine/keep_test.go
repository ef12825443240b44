package engine_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// keptBuffer is how long the buffer is that KeepBuffer keeps.
const keptBuffer = 128

// TestKeepBuffer: whatever a handler does to its request and to the pool, the next one has a buffer of its own, as long as the request and
// zero, with the request behind the data; and in the end no buffer is left but the one that is kept. So it is in a batch.
func TestKeepBuffer(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checked builds keep none, and name half of this as misuse")
	}
	foreign := full(256)
	another, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var taken []byte
	pass := func(irp *engine.IRP, _, _ []byte) ks.Status { return ks.StatusSuccess }
	inner, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA,
		Items: []engine.PropertyItem{{ID: 1, Get: pass, Set: pass}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		lost int // buffers that the handler leaves in the pool for good
		do   func(irp *engine.IRP)
	}{
		{"nothing", 0, func(*engine.IRP) {}},
		{"forgets its buffer", 0, func(irp *engine.IRP) { irp.SystemBuffer = nil }},
		{"shortens its buffer", 0, func(irp *engine.IRP) { irp.SystemBuffer = irp.SystemBuffer[:1] }},
		{"cuts its buffer off", 0, func(irp *engine.IRP) { irp.SystemBuffer = irp.SystemBuffer[:1:1] }},
		{"sets another buffer", 0, func(irp *engine.IRP) { irp.SystemBuffer = foreign }},
		{"frees its buffer", 0, func(irp *engine.IRP) { irp.Pool.Free(irp.SystemBuffer); irp.SystemBuffer = nil }},
		{"resets the pool", 0, func(irp *engine.IRP) { irp.Pool.Reset() }},
		{"resets the pool and takes from it", 1, func(irp *engine.IRP) {
			irp.Pool.Reset()
			taken, _ = irp.Pool.Alloc(keptBuffer)
		}},
		{"takes from the pool", 1, func(irp *engine.IRP) { taken, _ = irp.Pool.Alloc(8) }},
		{"takes the pool away", 0, func(irp *engine.IRP) { irp.Pool = nil }},
		{"sets another pool", 0, func(irp *engine.IRP) { irp.Pool = another }},
		{"asks for the buffer to be freed", 0, func(irp *engine.IRP) { irp.Flags |= engine.DeallocateBuffer }},
		{"passes the request on", 0, func(irp *engine.IRP) { inner.Property(irp) }},
		{"passes the request on without its buffer", 1, func(irp *engine.IRP) {
			irp.Type3InputBuffer, irp.UserBuffer = getRequest(setA, 1), make([]byte, 4)
			irp.SystemBuffer = nil
			inner.Property(irp)
		}},
		{"panics", 0, func(*engine.IRP) { panic("so it does") }},
	} {
		for _, batch := range []bool{false, true} {
			if batch && c.name == "resets the pool and takes from it" {
				continue // what it takes lies where the buffer of its request was, whose end the requests behind it cannot see
			}
			name := c.name
			if batch {
				name += " in a batch"
			}
			t.Run(name, func(t *testing.T) {
				pool, err := arena.New(arena.Config{})
				if err != nil {
					t.Fatal(err)
				}
				calls, mischief := 0, 0 // the number of the call that does it
				var irp *engine.IRP
				handler := func(irp *engine.IRP, request, data []byte) ks.Status {
					n := len(irp.SystemBuffer)
					if n != (len(data)+7)&^7+len(request) || cap(irp.SystemBuffer) != n && cap(irp.SystemBuffer) != keptBuffer ||
						cap(data) != len(data) || cap(request) != len(request) {
						t.Errorf("SystemBuffer of %d bytes, %d at most, for %d of data and %d of request", n, cap(irp.SystemBuffer), len(data), len(request))
					}
					if irp.Pool != pool || irp.Flags != 0 || &irp.SystemBuffer[n-len(request)] != &request[0] {
						t.Errorf("pool %p, flags %#x, or the request is elsewhere", irp.Pool, irp.Flags)
					}
					if id, ok := ks.DecodeIdentifier(request); !ok || id.Set != setA || id.ID != 1 {
						t.Errorf("the request is %x", request)
					}
					if binary.LittleEndian.Uint32(request[20:]) == get && !bytes.Equal(data, make([]byte, len(data))) {
						t.Errorf("the data of a GET are %x", data)
					}
					copy(data, full(len(data)))
					irp.IoStatus.Information = uint64(len(data))
					if calls++; calls == mischief {
						c.do(irp)
					}
					return ks.StatusSuccess
				}
				d, err := engine.Compile(engine.Config{OnPanic: func(any, []byte) {}, PropertySets: []engine.PropertySet{{Set: setA,
					Items: []engine.PropertyItem{{ID: 1, Get: handler, Set: handler, MinData: 1}}}}})
				if err != nil {
					t.Fatal(err)
				}
				irp = &engine.IRP{Pool: pool, UserEvent: make(chan struct{}, 1)}
				irp.KeepBuffer()
				send := func(flags uint32, more, out int) {
					in := append(ks.Identifier{Set: setA, ID: 1, Flags: flags}.Bytes(), make([]byte, more)...)
					requests := make([]engine.BatchRequest, 1, 5)
					if batch {
						requests = requests[:5]
					}
					for i := range requests {
						requests[i] = engine.BatchRequest{In: in, Out: make([]byte, out)}
					}
					if calls = 0; batch {
						d.PropertyBatch(irp, requests)
					} else {
						r := &requests[0]
						r.BytesReturned, r.Status = d.IoControl(irp, ks.IoctlProperty, r.In, r.Out)
					}
					for i, r := range requests {
						whole := r.Status == ks.StatusSuccess && r.BytesReturned == uint32(out) && (flags != get || bytes.Equal(r.Out, full(out)))
						if i+1 != mischief && !whole {
							t.Errorf("flags %#x, %d bytes more, out %d: request %d: %d bytes, %v, %x",
								flags, more, out, i, r.BytesReturned, r.Status, r.Out)
						}
					}
				}
				all := func() {
					for _, flags := range []uint32{get, set, get | ks.PropertyTypeHighPriority} {
						for _, more := range []int{0, 8, 5, 96, 200} {
							for _, out := range []int{4, 8, 1, 16, 104, 105, 1000} {
								send(flags, more, out)
							}
						}
					}
				}
				all()
				lost := 0
				for _, shape := range [][2]int{{0, 4}, {8, 8}, {0, 64}, {0, 500}} {
					for _, flags := range []uint32{get, set, get | ks.PropertyTypeHighPriority} {
						send(flags, shape[0], shape[1]) // a buffer is kept, if it is short
						if mischief, taken = 1, nil; batch {
							mischief = 3
						}
						send(flags, shape[0], shape[1])
						mischief = 0
						lost += c.lost
						before := bytes.Clone(taken)
						all()
						if !bytes.Equal(taken, before) {
							t.Fatalf("what the handler has taken is %x, was %x", taken, before)
						}
					}
				}
				if st := pool.Stats(); st.Live > lost+1 {
					t.Errorf("%d buffers are live, %d of them may be", st.Live, lost+1)
				}
			})
		}
	}
}

// TestKeepBufferNot: an IRP without KeepBuffer leaves nothing behind, and one with keeps one buffer.
func TestKeepBufferNot(t *testing.T) {
	s := serve(t, nines, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status { return ks.StatusSuccess }})
	for _, want := range []int{0, 1} {
		for range 3 {
			if _, status := s.send(1, get, full(4)); status != ks.StatusSuccess {
				t.Fatal(status)
			}
		}
		if invariants.Enabled {
			want = 0
		}
		if st := s.irp.Pool.Stats(); st.Live != want || st.Bytes != want*keptBuffer {
			t.Errorf("%d buffers of %d bytes are live, want %d", st.Live, st.Bytes, want)
		}
		s.irp.KeepBuffer()
	}
}

// TestKeepBufferEnded: a buffer that Reset has ended is not the next request's, whose handler may be given that memory.
func TestKeepBufferEnded(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checked builds keep none, and name this as misuse")
	}
	requests := 0
	var taken []byte
	s := serve(t, nines, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
		switch requests++; requests {
		case 1, 2: // the second is the first to be kept
			return ks.StatusSuccess
		case 3:
			irp.Pool.Reset()
			return ks.StatusSuccess
		}
		taken, _ = irp.Pool.Alloc(keptBuffer)
		copy(taken, full(keptBuffer))
		if id, ok := ks.DecodeIdentifier(request); !ok || id.ID != 1 || !bytes.Equal(data, make([]byte, len(data))) {
			t.Errorf("a request has the memory of another: %x, %x", request, data)
		}
		return ks.StatusSuccess
	}})
	s.irp.KeepBuffer()
	for range 4 {
		s.send(1, get, full(4))
	}
	if taken == nil || !bytes.Equal(taken, full(keptBuffer)) {
		t.Errorf("the handler has taken %x", taken)
	}
}

// TestKeepBufferIsFreed: an owner who takes SystemBuffer away between two requests takes no buffer from the pool with it.
func TestKeepBufferIsFreed(t *testing.T) {
	s := serve(t, nines, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status { return ks.StatusSuccess }})
	s.irp.KeepBuffer()
	for range 10 {
		s.send(1, get, full(4))
		s.irp.SystemBuffer = nil
	}
	if st := s.irp.Pool.Stats(); st.Live > 1 {
		t.Errorf("%d buffers are live", st.Live)
	}
}

// TestPoolOfAnother: a handler that sets another pool and then pends or ends its goroutine leaves no buffer behind in either. Without
// KeepBuffer nobody knows whose pool it was: the control, a buffer is lost.
func TestPoolOfAnother(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checked builds panic on what is freed elsewhere")
	}
	another, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	items := []engine.PropertyItem{{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.Pool = another
		return ks.StatusPending
	}}, {ID: 2, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.Pool = another
		runtime.Goexit()
		return 0
	}}, {ID: 3, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.Pool = another
		return ks.StatusSuccess
	}}}
	in := func(id uint32) []byte { return request{set: setA, id: id, flags: get}.bytes() }
	for _, out := range []int{4, 1000} {
		x := detach(t, items...)
		x.irp.KeepBuffer()
		x.out = full(out)
		if _, status := x.d.IoControl(x.irp, ks.IoctlProperty, in(1), x.out); status != ks.StatusPending || !x.irp.Complete(ks.StatusSuccess, 4) {
			t.Error(status)
		}
		if status := <-x.ended; status != ks.StatusSuccess || x.n != 4 {
			t.Error(status, x.n)
		}
		unwound(func() { x.d.IoControl(x.irp, ks.IoctlProperty, in(2), x.out) })
		<-x.ended
		if st := x.pool.Stats(); x.irp.Pool != x.pool || st.Live != 0 {
			t.Errorf("%d bytes: %+v", out, st)
		}
	}
	s := serve(t, items...)
	s.send(3, get, full(4))
	if st := s.pool.Stats(); st.Live != 1 {
		t.Errorf("without KeepBuffer %+v", st)
	}
	if st := another.Stats(); st.Live != 0 || st.Strays != 1 {
		t.Errorf("the other pool %+v", st)
	}
}

// TestKeepBufferDirections: in a kept buffer, too, a handler gets the caller's data or zeros, and the caller what it is to get or nothing,
// whoever sends the request.
func TestKeepBufferDirections(t *testing.T) {
	var got []byte
	handler := func(irp *engine.IRP, _, data []byte) ks.Status {
		got = bytes.Clone(data)
		copy(data, bytes.Repeat([]byte{poison}, len(data)))
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}
	config := engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: handler, Set: handler})},
		MethodSets: []engine.MethodSet{{Set: setA}}}
	for flags := range ks.MethodTypeModify + 1 {
		config.MethodSets[0].Items = append(config.MethodSets[0].Items, engine.MethodItem{ID: flags, Handler: handler, Flags: flags})
	}
	node := mustCompile(config)
	config.Nodes = engine.NewNodeList(node)
	d := mustCompile(config)
	ref, ok := d.Resolve(setA, 1)
	if !ok {
		t.Fatal("not resolved")
	}
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	irp := &engine.IRP{Pool: pool, UserEvent: make(chan struct{}, 1)}
	irp.KeepBuffer()
	control := func(code uint32) func(in, out []byte) (uint32, ks.Status) {
		return func(in, out []byte) (uint32, ks.Status) { return d.IoControl(irp, code, in, out) }
	}
	reference := func(in, out []byte) (uint32, ks.Status) { return ref.IoControl(irp, in, out) }
	for _, c := range []struct {
		name             string
		send             func(in, out []byte) (uint32, ks.Status)
		id, flags        uint32
		dataIn, produced bool
	}{
		{"get", control(ks.IoctlProperty), 1, get, false, true},
		{"set", control(ks.IoctlProperty), 1, set, true, false},
		{"get by reference", reference, 1, get, false, true},
		{"set by reference", reference, 1, set, true, false},
		{"get of a node", control(ks.IoctlProperty), 1, get | topology, false, true},
		{"set of a node", control(ks.IoctlProperty), 1, set | topology, true, false},
		{"method", control(ks.IoctlMethod), ks.MethodTypeNone, 0, false, false},
		{"method that reads", control(ks.IoctlMethod), ks.MethodTypeRead, 0, true, false},
		{"method that writes", control(ks.IoctlMethod), ks.MethodTypeWrite, 0, false, true},
		{"method that modifies", control(ks.IoctlMethod), ks.MethodTypeModify, 0, true, true},
	} {
		for _, n := range []int{4, 8, 3, 16} {
			in := request{set: setA, id: c.id, flags: c.flags, extra: make([]byte, 8)}.bytes()
			for range 2 { // the first takes the buffer
				out, wantData, wantOut := full(n), make([]byte, n), full(n)
				if c.dataIn {
					wantData = full(n)
				}
				if c.produced {
					wantOut = bytes.Repeat([]byte{poison}, n)
				}
				got = nil
				if _, status := c.send(in, out); status != ks.StatusSuccess || !bytes.Equal(got, wantData) || !bytes.Equal(out, wantOut) {
					t.Errorf("%s: %v, the handler has %x, the caller %x; want %x and %x", c.name, status, got, out, wantData, wantOut)
				}
			}
		}
	}
}

// TestP15_PassedOnTheOtherWay: data go the way for which they were laid out, though a handler turns the verb round in its copy and passes
// the request on. The first requests have no kept buffer yet, the last one has.
func TestP15_PassedOnTheOtherWay(t *testing.T) {
	var information uint64
	writes := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "wxyz")
		irp.IoStatus.Information = information
		return ks.StatusSuccess
	}
	inner := mustCompile(engine.Config{PropertySets: []engine.PropertySet{
		propertySet(setA, engine.PropertyItem{ID: 1, Get: writes, Set: writes})}})
	turned := func(flags uint32) engine.Handler {
		return func(irp *engine.IRP, request, _ []byte) ks.Status {
			binary.LittleEndian.PutUint32(request[20:], flags)
			return inner.Property(irp)
		}
	}
	h := opened(t, mustCompile(engine.Config{PropertySets: []engine.PropertySet{
		propertySet(setA, engine.PropertyItem{ID: 1, Get: turned(set), Set: turned(get)})}}))
	defer h.Close()
	for _, c := range []struct {
		flags       uint32
		information uint64
		status      ks.Status
		n           uint32
		out         string
	}{
		{get, 4, ks.StatusSuccess, 4, "wxyzefgh"},
		{get, 16, ks.StatusBufferTooSmall, 0, "abcdefgh"},
		{set, 4, ks.StatusSuccess, 4, "abcdefgh"},
		{set, 16, ks.StatusSuccess, 16, "abcdefgh"},
	} {
		for range 3 {
			information = c.information
			out := []byte("abcdefgh")
			n, status := h.IoControl(ks.IoctlProperty, identifier(1, c.flags), out)
			if n != c.n || status != c.status || string(out) != c.out {
				t.Errorf("flags %d, information %d: %d bytes, %v, %q", c.flags, c.information, n, status, out)
			}
		}
	}
}
