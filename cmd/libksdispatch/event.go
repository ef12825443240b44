package main

// #include "bridge.h"
import "C"

import (
	"sync"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// signals resolves what a client of C wants signalled, and has who signals it.
type signals struct {
	mu      sync.Mutex
	signal  C.ksd_signal
	context C.uintptr_t
}

//export ksd__on_signal
func ksd__on_signal(number C.ksd_handle, signal C.ksd_signal, context C.uintptr_t) C.ksd_status {
	h := handles.get(uint64(number))
	if h == nil {
		return result(ks.StatusInvalidHandle)
	}
	h.events.mu.Lock()
	defer h.events.mu.Unlock()
	h.events.signal, h.events.context = signal, context
	return result(ks.StatusSuccess)
}

//export ksd__generate
func ksd__generate(number C.ksd_object, set C.ksd__guid, id C.uint32_t, data C.ksd__in, length C.uint32_t) C.ksd_status {
	o := objects.get(uint64(number))
	if o == nil {
		return result(ks.StatusInvalidHandle)
	}
	b, ok := memory[byte](unsafe.Pointer(data), length)
	if set == nil || !ok {
		return result(ks.StatusAccessViolation)
	}
	guid := *(*ks.GUID)(unsafe.Pointer(set))
	if r := o.recording.Load(); r != nil {
		return result(r.Generate(o.device, &guid, uint32(id), b))
	}
	return result(o.device.Events().GenerateData(&guid, uint32(id), b, nil))
}

// Resolve is engine.Handles.Resolve. An object is one enabled event's.
func (s *signals) Resolve(client uint64, want engine.ObjectType, _ uint32, _ engine.Mode) (engine.Object, ks.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if client == 0 || s.signal == nil || want == engine.ObjectTypeWorkItem {
		return nil, ks.StatusInvalidHandle
	}
	t := &target{of: s, signal: s.signal, context: s.context, client: client}
	return engine.NewCallback(want, t.fire, t.end), ks.StatusSuccess
}

// A target is what one enabled event signals. It is queued while there are signals that its client has not been told.
type target struct {
	of      *signals // that resolved it
	signal  C.ksd_signal
	context C.uintptr_t
	client  uint64
	next    *target // in the queue
	owed    int64   // signals to tell; under queue.mu, as ended
	ended   bool
}

// queue has the targets that have signals to tell. One goroutine tells them, so that a client may take its time: whoever fires an
// event has locks that a client could want.
var queue struct {
	mu          sync.Mutex
	first, last *target
	running     bool
	telling     *target // whose client is being told
}

// signalled is when queue.telling has been.
var signalled = sync.NewCond(&queue.mu)

func (t *target) fire(count int32) {
	queue.mu.Lock()
	defer queue.mu.Unlock()
	if t.ended {
		return
	}
	t.owed += int64(count)
	if t.owed != int64(count) {
		return // it is in the queue
	}
	if queue.first == nil {
		queue.first = t
	} else {
		queue.last.next = t
	}
	queue.last = t
	if !queue.running {
		queue.running = true
		go tellClients()
	}
}

func (t *target) end() {
	queue.mu.Lock()
	t.ended = true
	queue.mu.Unlock()
}

// tellClients tells all that is owed.
func tellClients() {
	queue.mu.Lock()
	defer queue.mu.Unlock()
	for queue.first != nil {
		t := queue.first
		queue.first, t.next = t.next, nil
		owed := t.owed
		t.owed = 0
		queue.telling = t
		for ; owed > 0 && !t.ended; owed-- {
			queue.mu.Unlock()
			C.ksd__signal(t.signal, t.context, C.uint64_t(t.client))
			queue.mu.Lock()
		}
		queue.telling = nil
		signalled.Broadcast()
	}
	queue.running = false
}

// drain waits until a signal of the handle that is being told has been. Its events are disabled, so no other follows.
func (s *signals) drain() {
	if C.ksd__signalling() != 0 {
		return
	}
	queue.mu.Lock()
	defer queue.mu.Unlock()
	for queue.telling != nil && queue.telling.of == s {
		signalled.Wait()
	}
}
