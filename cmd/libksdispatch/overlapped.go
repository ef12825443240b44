package main

// #include "bridge.h"
import "C"

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// many is what a handle with KSD_CONCURRENT has beside the others: requests at once.
type many struct {
	handle *handle

	once       sync.Once
	overlapped atomic.Pointer[overlapped] // made with the first request, or when the handle gets a port
	port       *port

	inFlight atomic.Int64 // calls of IoControl, and pended requests
	mu       sync.Mutex
	sends    []*send // all that were made
	free     []*send
}

// A send is one request of ksd_ioctl_async from its call to the end of done, or until it is taken out of its port.
type send struct {
	overlapped device.Overlapped // the first member: sendOf
	many       *many
	done       C.ksd_done
	context    C.uintptr_t
	pended     bool // its end is told by done; else ksd_ioctl_async has returned it
	users      int  // who has it, and those who cancel it; under many.mu
}

func sendOf(o *device.Overlapped) *send { return (*send)(unsafe.Pointer(o)) }

// start makes the overlapped handle, with the port that the handle has by then.
func (m *many) start(p *port) (ours bool) {
	m.once.Do(func() {
		ours = true
		var queue *device.Port
		if m.port = p; p != nil {
			queue = p.queue
		}
		overlapped, err := m.handle.device.Overlapped(queue)
		if err != nil {
			return // it is closed
		}
		overlapped.OnComplete(func(o *device.Overlapped, _ uint32, _ ks.Status, pended bool) {
			if sendOf(o).pended = pended; pended {
				m.leave(1)
			}
		})
		m.overlapped.Store(overlapped)
	})
	return ours
}

// leave ends n of what is in flight. The last ends the calls of a handle that is closed.
func (m *many) leave(n int64) {
	if m.inFlight.Add(-n) == 0 {
		m.handle.ended()
	}
}

func (m *many) take(done C.ksd_done, context C.uintptr_t) *send {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s *send
	if k := len(m.free); k != 0 {
		s, m.free = m.free[k-1], m.free[:k-1]
	} else {
		s = &send{many: m}
		m.sends = append(m.sends, s)
	}
	s.done, s.context, s.users = done, context, 1
	return s
}

func (m *many) give(s *send) {
	m.mu.Lock()
	if s.users--; s.users == 0 {
		m.free = append(m.free, s)
	}
	m.mu.Unlock()
}

// submit sends a request, which is in flight afterwards if the status is STATUS_PENDING: then s is another's.
func (m *many) submit(s *send, code uint32, in, out []byte) (n uint32, status ks.Status) {
	m.inFlight.Add(2)
	n, status = m.overlapped.Load().IoControl(&s.overlapped, code, in, out)
	if status == ks.StatusPending {
		m.leave(1) // the other is left when it ends
	} else {
		m.leave(2)
	}
	return n, status
}

// ioControl is IoControl that waits.
func (m *many) ioControl(code uint32, in, out []byte) (n uint32, status ks.Status) {
	if m.start(nil); m.overlapped.Load() == nil {
		return 0, ks.StatusInvalidHandle
	}
	s := m.take(nil, 0)
	s.overlapped.NoPacket, s.overlapped.Callback = true, nil
	if n, status = m.submit(s, code, in, out); status == ks.StatusPending {
		_ = s.overlapped.Wait(context.Background())
		n, status = s.overlapped.BytesReturned(), s.overlapped.Status()
	}
	m.give(s)
	return n, status
}

// told calls done for a request whose handler left it pending.
func told(o *device.Overlapped) {
	s := sendOf(o)
	if s.pended {
		C.ksd__done(s.done, s.context, result(o.Status()), C.uint32_t(o.BytesReturned()))
		s.many.give(s)
	}
}

//export ksd__send_async
func ksd__send_async(number C.ksd_handle, r *C.ksd_request, done C.ksd_done, context C.uintptr_t) {
	h := handles.get(uint64(number))
	if h == nil || h.many == nil {
		ksd__send(number, r, 1)
		return
	}
	n, status := h.many.async(r, done, context)
	r.returned, r.status = C.uint32_t(n), result(status)
}

func (m *many) async(r *C.ksd_request, done C.ksd_done, context C.uintptr_t) (n uint32, status ks.Status) {
	in, out, ok := buffers(r)
	if !ok {
		return 0, ks.StatusAccessViolation
	}
	switch m.start(nil); {
	case m.overlapped.Load() == nil:
		return 0, ks.StatusInvalidHandle
	case done == nil && m.port == nil:
		return 0, ks.StatusInvalidParameter // nobody would learn of its end
	}
	s := m.take(done, context)
	s.overlapped.NoPacket, s.overlapped.Callback = done != nil, nil
	if done != nil {
		s.overlapped.Callback = told
	}
	n, status = m.submit(s, uint32(r.code), in, out)
	if status != ks.StatusPending && (done != nil || status.IsError()) {
		m.give(s) // else it is in the port
	}
	return n, status
}

//export ksd__cancel
func ksd__cancel(number C.ksd_handle, context C.uintptr_t) C.ksd_status {
	h := handles.get(uint64(number))
	if h == nil {
		return result(ks.StatusInvalidHandle)
	}
	found := 0
	switch m := h.many; {
	case m == nil && context == 0:
		found = h.device.Cancel()
	case m != nil && m.overlapped.Load() != nil:
		for _, s := range m.sent(context) {
			found += m.overlapped.Load().Cancel(&s.overlapped)
			m.give(s)
		}
	}
	if found == 0 {
		return result(ks.StatusNotFound)
	}
	return result(ks.StatusSuccess)
}

// sent returns the requests with a context, or all for 0. They are given back by the caller, and serve no others before.
func (m *many) sent(context C.uintptr_t) (list []*send) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sends {
		if s.users > 0 && (context == 0 || s.context == context) {
			s.users++
			list = append(list, s)
		}
	}
	return list
}

// A port is what ksd_port names.
type port struct{ queue *device.Port }

var ports = numbers[port]{kind: 0}

//export ksd_port_new
func ksd_port_new() C.ksd_port { return C.ksd_port(ports.add(&port{queue: device.NewPort()})) }

//export ksd_port_attach
func ksd_port_attach(number C.ksd_port, to C.ksd_handle) C.ksd_status {
	p, h := ports.get(uint64(number)), handles.get(uint64(to))
	switch {
	case p == nil || h == nil:
		return result(ks.StatusInvalidHandle)
	case h.many == nil || !h.many.start(p):
		return result(ks.StatusInvalidParameter)
	}
	return result(ks.StatusSuccess)
}

//export ksd__port_wait
func ksd__port_wait(number C.ksd_port, packets *C.ksd__packet, count C.uint32_t, milliseconds C.uint32_t) C.uint32_t {
	p := ports.get(uint64(number))
	if p == nil {
		return 0
	}
	ctx := context.Background()
	if milliseconds != C.KSD_FOREVER {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(milliseconds)*time.Millisecond)
		defer cancel()
	}
	var done [64]*device.Overlapped
	n, err := p.queue.Wait(ctx, done[:min(int(count), len(done))])
	if err != nil {
		return 0
	}
	to := unsafe.Slice(packets, n)
	for i, o := range done[:n] {
		s := sendOf(o)
		to[i] = C.ksd__packet{context: s.context, handle: C.ksd_handle(s.many.handle.number), returned: C.uint32_t(o.BytesReturned()),
			status: result(o.Status())}
		s.many.give(s)
	}
	return C.uint32_t(n)
}

//export ksd_port_close
func ksd_port_close(number C.ksd_port) {
	if p := ports.remove(uint64(number)); p != nil {
		p.queue.Close()
	}
}
