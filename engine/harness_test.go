package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The sets of the tests. No table declares stranger.
var (
	setA     = ks.MustParseGUID("11111111-2222-3333-4455-66778899aabb")
	setB     = ks.MustParseGUID("11111111-2222-3333-4455-66778899aabc") // differs from setA in the last byte
	stranger = ks.MustParseGUID("deadbeef-0000-0000-0000-000000000000")
)

// Verbs, short enough for tables.
const (
	get              = ks.PropertyTypeGet
	set              = ks.PropertyTypeSet
	setSupport       = ks.PropertyTypeSetSupport
	basicSupport     = ks.PropertyTypeBasicSupport
	relations        = ks.PropertyTypeRelations
	serializeSet     = ks.PropertyTypeSerializeSet
	unserializeSet   = ks.PropertyTypeUnserializeSet
	serializeRaw     = ks.PropertyTypeSerializeRaw
	unserializeRaw   = ks.PropertyTypeUnserializeRaw
	serializeSize    = ks.PropertyTypeSerializeSize
	defaultValues    = ks.PropertyTypeDefaultValues
	topology         = ks.PropertyTypeTopology
	highPriority     = ks.PropertyTypeHighPriority
	fsFilterScope    = ks.PropertyTypeFSFilterScope
	copyPayload      = ks.PropertyTypeCopyPayload
	allocatorFlags   = engine.BufferedIO | engine.DeallocateBuffer | engine.InputOperation
	poison           = 0xCC
	untouched        = 0xEE // what callers have in their output buffers
	untouchedStatus  = ks.Status(0x0BADF00D)
	staleInformation = 0xDEADBEEF
)

var verbs = []uint32{get, set, setSupport, basicSupport, relations, serializeSet, unserializeSet, serializeRaw,
	unserializeRaw, serializeSize, defaultValues}

// carriesIn is P-7.
func carriesIn(flags uint32) bool { return flags&(set|unserializeSet|unserializeRaw) != 0 }

// request is one request of a test.
type request struct {
	set   ks.GUID
	id    uint32
	flags uint32
	extra []byte // what follows the KSPROPERTY
	raw   []byte // instead of all of the above, if not nil
	out   []byte // the output buffer and what is in it
	mode  engine.Mode
}

func (q request) bytes() []byte {
	if q.raw != nil {
		return slices.Clone(q.raw)
	}
	b := make([]byte, ks.SizeIdentifier, ks.SizeIdentifier+len(q.extra))
	ks.Identifier{Set: q.set, ID: q.id, Flags: q.flags}.Put(b)
	return append(b, q.extra...)
}

func (q request) String() string {
	return fmt.Sprintf("set %v id %d %s in %d out %d", q.set, q.id, ks.FormatPropertyFlags(q.flags), len(q.bytes()), len(q.out))
}

// full returns n bytes of an output buffer that nobody has written yet.
func full(n int) []byte { return bytes.Repeat([]byte{untouched}, n) }

// answer is what came of a request.
type answer struct {
	status  ks.Status
	info    uint64          // Information as the dispatcher left it; through a device, BytesReturned
	flags   engine.IRPFlags // as the dispatcher left them
	out     []byte          // the caller's output buffer after completion
	buffers int             // how many buffers the request obtained
	rule    string
}

// seen is what a handler was given. The slices are copies; system is the whole buffer, padding included.
type seen struct {
	irp                   *engine.IRP
	request, data, system []byte
	in, out               uint32
	mode                  engine.Mode
	file                  *engine.FileObject
	set                   ks.GUID
	item                  *engine.PropertyItem
	context               any
}

func (s seen) identifier() ks.Identifier { id, _ := ks.DecodeIdentifier(s.request); return id }

// spy records the calls of handlers.
type spy struct{ calls []seen }

// wrap returns a handler that records its call and answers like next.
func (s *spy) wrap(next engine.Handler) engine.Handler {
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		v := seen{irp: irp, request: slices.Clone(request), data: slices.Clone(data), system: slices.Clone(irp.SystemBuffer),
			in: irp.InputBufferLength, out: irp.OutputBufferLength, mode: irp.RequestorMode, file: irp.FileObject,
			item: irp.PropertyItem(), context: irp.ItemContext()}
		if p := irp.PropertySet(); p != nil {
			v.set = p.Set
		}
		s.calls = append(s.calls, v)
		return next(irp, request, data)
	}
}

// last returns the latest call.
func (s *spy) last(t *testing.T) seen {
	t.Helper()
	if len(s.calls) == 0 {
		t.Fatal("no handler was called")
	}
	return s.calls[len(s.calls)-1]
}

// answers returns a handler that sets Information and returns status.
func answers(status ks.Status, information uint64) engine.Handler {
	return func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.IoStatus.Information = information
		return status
	}
}

// accepts is a SET handler that takes anything.
var accepts = answers(ks.StatusSuccess, 0)

// produces returns a GET handler with a fixed value.
func produces(value ...byte) engine.Handler {
	return func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, value))
		return ks.StatusSuccess
	}
}

// path is an entry of the engine.
type path string

const (
	viaProperty  path = "Property"
	viaAllocator path = "PropertyWithAllocator"
	viaDevice    path = "IoControl"
)

var paths = []path{viaProperty, viaAllocator, viaDevice}

// allocation is one call of the test's allocator.
type allocation struct {
	size  uint32
	input bool
}

// host is a dispatcher with what a request needs.
type host struct {
	testing.TB
	*engine.Dispatcher
	spy
	device *device.Handle
	pool   *arena.Arena
	file   engine.FileObject
	allocs []allocation
}

// newHost compiles the sets that declare returns. Handlers wrapped with the host's spy are recorded.
func newHost(t testing.TB, config engine.Config) *host {
	t.Helper()
	h := &host{TB: t}
	h.recompile(config)
	return h
}

// recompile replaces the dispatcher.
func (h *host) recompile(config engine.Config) {
	h.Helper()
	if config.OnPanic == nil {
		config.OnPanic = func(any, []byte) {}
	}
	d, err := engine.Compile(config)
	if err != nil {
		h.Fatal(err)
	}
	if h.Dispatcher = d; h.pool == nil {
		h.pool = newPool(h, arena.Config{})
	}
	if h.device, err = device.New(d).Open(); err != nil {
		h.Fatal(err)
	}
	handle := h.device
	h.Cleanup(func() {
		if err := handle.Close(); err != nil {
			h.Error(err)
		}
	})
}

// oneItem is a host with one item of setA; its handlers and those of the set are as given.
func oneItem(t testing.TB, item engine.PropertyItem) *host {
	t.Helper()
	h := &host{TB: t}
	for _, f := range []*engine.Handler{&item.Get, &item.Set, &item.Support} {
		if *f != nil {
			*f = h.wrap(*f)
		}
	}
	h.recompile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{item}}}})
	return h
}

// newPool returns an arena whose free memory is poisoned.
func newPool(t testing.TB, config arena.Config) *arena.Arena {
	t.Helper()
	a, err := arena.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if config.Limit == 0 {
		b, err := a.AllocUninit(32 << 10)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] = poison
		}
		a.Free(b)
	}
	t.Cleanup(func() {
		if n := a.Stats().Live; n != 0 {
			t.Errorf("%d buffers of the pool are still live", n)
		}
		a.Close()
	})
	return a
}

// irp returns the IRP of q, with stale results in it.
func (h *host) irp(q request) *engine.IRP {
	in := q.bytes()
	return &engine.IRP{Type3InputBuffer: in, UserBuffer: slices.Clone(q.out), InputBufferLength: uint32(len(in)),
		OutputBufferLength: uint32(len(q.out)), RequestorMode: q.mode, FileObject: &h.file, Pool: h.pool,
		IoStatus: engine.IoStatus{Status: untouchedStatus, Information: staleInformation}}
}

// allocator is an engine.Allocator that hands out poisoned memory, longer than it was asked for.
func (h *host) allocator(irp *engine.IRP, size uint32, input bool) ks.Status {
	h.allocs = append(h.allocs, allocation{size, input})
	irp.SystemBuffer = bytes.Repeat([]byte{poison}, int(size)+5)
	return ks.StatusSuccess
}

// entry is how requests of a family come in.
type entry struct {
	code          uint32
	plain         func(*engine.IRP) ks.Status
	withAllocator func(*engine.IRP, engine.Allocator) ks.Status
}

// via sends a request for a property through p.
func (h *host) via(p path, q request) answer {
	h.Helper()
	a := h.exchange(p, q, entry{ks.IoctlProperty, h.Property, h.PropertyWithAllocator})
	produced := uint64(0)
	if !carriesIn(q.flags) && !a.status.IsError() {
		produced = min(a.info, uint64(len(q.out)))
	}
	if !bytes.Equal(a.out[produced:], q.out[produced:]) {
		h.Errorf("%s %v: output written beyond the %d bytes of the answer: % x", p, q, produced, a.out)
	}
	return a
}

// viaMethod sends a request for a method through p. What the output is to be depends on the method, and is the caller's to check.
func (h *host) viaMethod(p path, q request) answer {
	h.Helper()
	return h.exchange(p, q, entry{ks.IoctlMethod, h.Method, h.MethodWithAllocator})
}

// exchange sends q through p, completes it, and checks what holds for every request: the dispatcher leaves IoStatus.Status
// alone (P-1), an error has no Information (N-1), the input is not written, and every buffer is gone afterwards.
func (h *host) exchange(p path, q request, e entry) answer {
	h.Helper()
	var a answer
	irp := h.irp(q)
	if p == viaDevice {
		h.device.SetMode(q.mode)
		n, status := h.device.IoControl(e.code, irp.Type3InputBuffer, irp.UserBuffer)
		a = answer{status: status, info: uint64(n), out: irp.UserBuffer}
	} else {
		before, calls := h.pool.Stats(), len(h.allocs)
		if p == viaProperty {
			a.status = e.plain(irp)
		} else {
			a.status = e.withAllocator(irp, h.allocator)
		}
		if a.status == ks.StatusPending {
			h.Fatalf("%s %v: the harness does not wait", p, q)
		}
		if irp.IoStatus.Status != untouchedStatus {
			h.Errorf("%s %v: the dispatcher wrote IoStatus.Status (P-1)", p, q)
		}
		a.info, a.flags, a.rule = irp.IoStatus.Information, irp.Flags, irp.Rule()
		a.buffers = int(h.pool.Stats().Allocs-before.Allocs) + len(h.allocs) - calls
		if n := irp.Finish(a.status, irp.UserBuffer); a.status.IsError() && n != 0 || !a.status.IsError() && uint64(n) != a.info {
			h.Errorf("%s %v: Finish(%v) returns %d, Information %d", p, q, a.status, n, a.info)
		}
		if len(h.allocs) != calls {
			irp.SystemBuffer = nil // the owner of P-13
		}
		a.out = irp.UserBuffer
		if irp.SystemBuffer != nil || irp.Flags != 0 || h.pool.Stats().Live != before.Live {
			h.Errorf("%s %v: after completion SystemBuffer %d bytes, Flags %#x, %d buffers live, before %d (S-9)", p, q,
				len(irp.SystemBuffer), irp.Flags, h.pool.Stats().Live, before.Live)
		}
	}
	if a.status.IsError() && a.info != 0 {
		h.Errorf("%s %v: %v with Information %d (N-1)", p, q, a.status, a.info)
	}
	if !bytes.Equal(irp.Type3InputBuffer, q.bytes()) {
		h.Errorf("%s %v: the input was written", p, q)
	}
	return a
}

// want sends q through every path and checks status and Information. The answer is that of Property.
func (h *host) want(q request, status ks.Status, info uint64) answer {
	h.Helper()
	var first answer
	for i, p := range paths {
		a := h.via(p, q)
		if a.status != status || a.info != info {
			h.Errorf("%s %v: %v, Information %d; want %v, %d (decided by %s)", p, q, a.status, a.info, status, info, a.rule)
		}
		if i == 0 {
			first = a
		} else if !bytes.Equal(a.out, first.out) {
			h.Errorf("%s %v: output % x, but Property's is % x", p, q, a.out, first.out)
		}
	}
	return first
}

// memory is caller memory under the control of a test: it faults from a given byte on, counts reads, and can change
// under the reader.
type memory struct {
	in, out           []byte
	inLimit, outLimit int       // bytes that are mapped
	fault             ks.Status // of the rest
	churn             bool      // a byte that was read is another one from then on
	inReads, outReads []int     // of each byte
	probes            []uint32
	written           []byte // what WriteOutput was given, nil if it was not called
	readOnly          bool
}

func newMemory(in, out []byte) *memory {
	return &memory{in: slices.Clone(in), out: slices.Clone(out), inLimit: len(in), outLimit: len(out),
		fault: ks.StatusAccessViolation, inReads: make([]int, len(in)), outReads: make([]int, len(out))}
}

func (m *memory) read(dst, src []byte, reads []int, off, limit int) ks.Status {
	for i := range dst {
		if off+i >= limit {
			return m.fault
		}
		dst[i] = src[off+i]
		reads[off+i]++
		if m.churn {
			src[off+i] ^= 0x5A
		}
	}
	return ks.StatusSuccess
}

func (m *memory) ReadInput(dst []byte, off uint32) ks.Status {
	return m.read(dst, m.in, m.inReads, int(off), m.inLimit)
}

func (m *memory) ReadOutput(dst []byte) ks.Status {
	return m.read(dst, m.out, m.outReads, 0, m.outLimit)
}

func (m *memory) ProbeOutput(n uint32) ks.Status {
	m.probes = append(m.probes, n)
	if m.readOnly || uint64(n) > uint64(m.outLimit) {
		return m.fault
	}
	return ks.StatusSuccess
}

func (m *memory) WriteOutput(src []byte) ks.Status {
	m.written = slices.Clone(src)
	if m.readOnly || len(src) > m.outLimit {
		return m.fault
	}
	copy(m.out, src)
	return ks.StatusSuccess
}

// inMemory returns the IRP of q with its buffers in m.
func (h *host) inMemory(q request) (*engine.IRP, *memory) {
	irp := h.irp(q)
	m := newMemory(irp.Type3InputBuffer, irp.UserBuffer)
	irp.Type3InputBuffer, irp.UserBuffer, irp.Memory = nil, nil, m
	return irp, m
}

func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// node returns the bytes that make a KSPROPERTY a KSP_NODE.
func node(id uint32) []byte { return append(u32(id), 0, 0, 0, 0) }

// join concatenates.
func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// heir is a handler that is asked for STATUS_PENDING: before it returns, its IRP is finished and belongs to another request, which
// goes on changing (S-16).
type heir struct{ reused, stop, ended chan bool }

// inherited is that request.
func inherited() engine.IRP {
	return engine.IRP{InputBufferLength: 0x11111111, OutputBufferLength: 3, Flags: 0x77, SystemBuffer: []byte("not yours"),
		IoStatus: engine.IoStatus{Status: 0x12345678, Information: 0x9999}}
}

func (k *heir) handle(irp *engine.IRP, _, _ []byte) ks.Status {
	next := inherited()
	go func() {
		irp.Complete(ks.StatusSuccess, 1)
		irp.Finish(ks.StatusSuccess, irp.UserBuffer)
		*irp = next
		close(k.reused)
		for {
			select {
			case <-k.stop:
				close(k.ended)
				return
			default:
				*irp = next // another request, all the while
				runtime.Gosched()
			}
		}
	}()
	<-k.reused
	return ks.StatusPending
}

// check sends irp to the handler, and asks that the dispatcher left the other request alone. irp has no pool: an arena has one owner
// at a time.
func (k *heir) check(t *testing.T, name string, irp *engine.IRP, dispatch func() ks.Status) {
	t.Helper()
	k.reused, k.stop, k.ended = make(chan bool), make(chan bool), make(chan bool)
	status := dispatch()
	close(k.stop)
	<-k.ended
	next := inherited()
	if status != ks.StatusPending || irp.IoStatus != next.IoStatus || irp.Flags != next.Flags ||
		!bytes.Equal(irp.SystemBuffer, next.SystemBuffer) || irp.Rule() != "" || irp.PropertySet() != nil || irp.MethodSet() != nil {
		t.Errorf("%s: %v; the next request has %+v, decided by %q", name, status, irp.IoStatus, irp.Rule())
	}
}
