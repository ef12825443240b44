package main

// #include "bridge.h"
import "C"

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"time"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// A watch is who looks at the requests of an object: an observer of C, and a trace. Its zero value is nobody.
type watch struct {
	observer *observer
	pends    *trace.Pends // of an object that is, or was, recorded
	observed []observed   // what was counted, of the declaration that is in use
}

// An observer is a ksd_observer.
type observer struct {
	sampleEvery                  int
	before, after, miss, context C.uintptr_t
}

// observed is what was counted of an object, a pin or a node.
type observed struct {
	at, index uint32
	*device.Observation
}

// around returns a declaration with what looks at its requests. The declaration stays as it is.
func (w *watch) around(d *declaration) device.Filter {
	f := d.filter
	w.observed = nil
	w.config(&f.Config, C.KSD_AT_OBJECT, 0)
	f.Pins = slices.Clone(f.Pins)
	for i := range f.Pins {
		w.config(&f.Pins[i].Config, C.KSD_AT_PIN, i)
	}
	f.Nodes = slices.Clone(f.Nodes)
	for i := range f.Nodes {
		w.config(&f.Nodes[i], C.KSD_AT_NODE, i)
	}
	return f
}

func (w *watch) config(c *engine.Config, at, index int) {
	if o := w.observer; o != nil {
		o.hook(c)
		w.observed = append(w.observed, observed{uint32(at), uint32(index), device.Observe(c, device.ObserveConfig{SampleEvery: o.sampleEvery})})
	}
	if w.pends != nil {
		c.Wrap(w.pends.Wrap)
	}
}

// hook puts the hooks around the handlers of a declaration.
func (o *observer) hook(c *engine.Config) {
	if o.before != 0 || o.after != 0 {
		c.WrapEach(o.around)
	}
	if o.miss != 0 {
		c.OnRefuse = o.refused
	}
	if control := c.Control; control != nil {
		c.Control = func(irp *engine.IRP, code uint32, in, out []byte) ks.Status {
			return o.control(control, irp, code, in, out)
		}
	}
}

// around is a handler with the hooks around it.
func (o *observer) around(of engine.HandlerOf, next engine.Handler) engine.Handler {
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		verb := verbOf(request)
		if status := o.vetoes(irp, of.Code, verb, request, data); status.IsError() {
			return status
		}
		status := next(irp, request, data)
		o.answered(irp, of.Code, verb, request, data, status)
		return status
	}
}

// control is around for control codes beyond the four of KS.
func (o *observer) control(next engine.ControlHandler, irp *engine.IRP, code uint32, in, out []byte) ks.Status {
	h := irp.FileObject.Context.(*handle)
	if !h.object.declared.Load().controls.has(code) {
		if o.miss != 0 {
			s := asSeen(code, code, nil, nil)
			s.status = result(ks.StatusInvalidDeviceRequest)
			o.look(o.miss, h, s)
		}
		return ks.StatusInvalidDeviceRequest
	}
	if status := o.vetoes(irp, code, code, in, out); status.IsError() {
		return status
	}
	status := next(irp, code, in, out)
	o.answered(irp, code, code, in, out, status)
	return status
}

// vetoes asks the hook that is before a handler.
func (o *observer) vetoes(irp *engine.IRP, code, verb uint32, request, data []byte) ks.Status {
	if o.before == 0 {
		return ks.StatusSuccess
	}
	return o.look(o.before, irp.FileObject.Context.(*handle), asSeen(code, verb, request, data))
}

// answered tells the hook that is after a handler. Of a request that goes on, what was its handler's may be another's already.
func (o *observer) answered(irp *engine.IRP, code, verb uint32, request, data []byte, status ks.Status) {
	if o.after == 0 || status == ks.StatusPending {
		return
	}
	s := asSeen(code, verb, request, data)
	s.status, s.information = result(status), C.uint64_t(irp.IoStatus.Information)
	o.look(o.after, irp.FileObject.Context.(*handle), s)
}

// asSeen is a request as its handler sees it.
func asSeen(code, verb uint32, request, data []byte) C.ksd__seen {
	return C.ksd__seen{code: C.uint32_t(code), verb: C.uint32_t(verb), request: address(request), request_len: C.uint32_t(len(request)),
		data: address(data), data_len: C.uint32_t(len(data))}
}

// refused tells the hook of a request that no handler had.
func (o *observer) refused(r engine.Refusal) {
	s := asSeen(r.Code, r.Flags&^ks.PropertyTypeTopology, nil, nil)
	s.status = result(r.Status)
	ks.Identifier{Set: r.Set, ID: r.ID, Flags: r.Flags}.Put(unsafe.Slice((*byte)(unsafe.Pointer(&s.identifier)), ks.SizeIdentifier))
	putRule(&s.rule, r.Rule)
	o.look(o.miss, r.FileObject.Context.(*handle), s)
}

func (o *observer) look(hook C.uintptr_t, h *handle, s C.ksd__seen) ks.Status {
	s.context, s.file, s.handle = o.context, h.file, C.ksd_handle(h.number)
	return ks.Status(C.ksd__look(hook, s))
}

// verbOf is the verb of a request that begins with an identifier.
func verbOf(request []byte) uint32 {
	return binary.LittleEndian.Uint32(request[20:]) &^ ks.PropertyTypeTopology
}

func putRule(to *[8]C.char, rule string) {
	for i := range min(len(rule), len(to)-1) {
		to[i] = C.char(rule[i])
	}
}

//export ksd_object_observe
func ksd_object_observe(number C.ksd_object, c C.ksd__observer) C.ksd_status {
	var w *observer
	if c != nil {
		if uintptr(c.size) < unsafe.Sizeof(*c) {
			return result(ks.StatusInvalidParameter)
		}
		w = &observer{sampleEvery: int(c.sample_every), before: functionOf(c.before), after: functionOf(c.after), miss: functionOf(c.miss),
			context: *(*C.uintptr_t)(unsafe.Pointer(&c.context))}
	}
	o := objects.get(uint64(number))
	if o == nil {
		return result(ks.StatusInvalidHandle)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	next := o.watch
	next.observer = w
	if err := o.answer(o.declared.Load(), next); err != nil {
		return result(ks.StatusUnsuccessful)
	}
	return result(ks.StatusSuccess)
}

func functionOf(hook C.ksd_hook) C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(hook))) }

//export ksd_object_counters
func ksd_object_counters(number C.ksd_object, set C.ksd__guid, id C.ksd__id, counters *C.ksd_counter, count *C.uint32_t) C.ksd_status {
	o := objects.get(uint64(number))
	switch {
	case o == nil:
		return result(ks.StatusInvalidHandle)
	case count == nil || counters == nil && *count != 0:
		return result(ks.StatusAccessViolation)
	}
	o.mu.Lock()
	w := o.watch
	o.mu.Unlock()
	if w.observer == nil {
		return result(ks.StatusInvalidDeviceState)
	}
	room, size := uintptr(*count), uintptr(0)
	if room != 0 {
		size = uintptr(counters.size)
		if size < unsafe.Sizeof(*counters) || size%8 != 0 {
			return result(ks.StatusInvalidParameter)
		}
	}
	n := uintptr(0)
	for _, c := range w.counters() {
		if set != nil && *(*ks.GUID)(unsafe.Pointer(set)) != *(*ks.GUID)(unsafe.Pointer(&c.set)) || id != nil && *id != c.id {
			continue
		}
		if n < room {
			to := (*C.ksd_counter)(unsafe.Add(unsafe.Pointer(counters), n*size))
			c.size = C.uint32_t(size)
			*to = c
			clear(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(to), unsafe.Sizeof(c))), size-unsafe.Sizeof(c)))
		}
		n++
	}
	*count = C.uint32_t(n)
	if n > room {
		return result(ks.StatusBufferOverflow)
	}
	return result(ks.StatusSuccess)
}

// verbs are what package device calls handlers.
var verbs = map[string]C.uint32_t{"get": C.KSD_GET, "set": C.KSD_SET, "support": C.KSD_BASIC_SUPPORT, "method": 0}

// counters are those of all that is observed.
func (w *watch) counters() (all []C.ksd_counter) {
	for _, o := range w.observed {
		at := C.ksd_counter{at: C.uint32_t(o.at), index: C.uint32_t(o.index)}
		for _, it := range o.Items() {
			c := at
			c.set, c.id, c.verb = *(*[16]C.uint8_t)(unsafe.Pointer(&it.Set)), C.uint32_t(it.ID), verbs[it.Verb]
			c.requests, c.samples = C.uint64_t(it.Requests), C.uint64_t(it.Latency.Samples)
			for to, share := range map[*C.uint64_t]float64{&c.p50: 0.5, &c.p90: 0.9, &c.p99: 0.99, &c.p999: 0.999} {
				*to = nanoseconds(it.Latency.Quantile(share))
			}
			c.longest, c.total = nanoseconds(it.Latency.Max), nanoseconds(it.Latency.Sum)
			statuses := slices.SortedFunc(maps.Keys(it.Statuses), func(a, b ks.Status) int {
				return cmp.Or(cmp.Compare(it.Statuses[b], it.Statuses[a]), cmp.Compare(a, b))
			})
			for i, s := range statuses[:min(len(statuses), len(c.by_status))] {
				c.statuses++
				c.by_status[i].status, c.by_status[i].requests = result(s), C.uint64_t(it.Statuses[s])
			}
			all = append(all, c)
		}
		for _, r := range o.Refusals() {
			c := at
			c.set, c.id, c.requests = *(*[16]C.uint8_t)(unsafe.Pointer(&r.Set)), C.uint32_t(r.ID), C.uint64_t(r.Requests)
			putRule(&c.rule, cmp.Or(r.Rule, "?"))
			c.statuses = 1
			c.by_status[0].status, c.by_status[0].requests = result(r.Status), c.requests
			all = append(all, c)
		}
	}
	return all
}

func nanoseconds(d time.Duration) C.uint64_t { return C.uint64_t(d) }
