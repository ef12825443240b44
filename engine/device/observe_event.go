package device

import (
	"context"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// ObservedEvent is a request that was timed or refused.
type ObservedEvent struct {
	Time   time.Time     // when it began, or was refused
	Took   time.Duration // what its handler took; 0 of one that was refused
	Set    ks.GUID
	ID     uint32
	Verb   string // "" of one that was refused
	Status ks.Status
	Rule   string // by which the dispatcher refused it; "" of one that a handler had
}

// events are those that nobody has taken yet, in a ring that does not grow.
type events struct {
	room int

	mu      sync.Mutex
	kept    []ObservedEvent
	next    int // where the oldest is, when all is in use
	dropped uint64
}

// add keeps an event in the place of the oldest.
func (e *events) add(event ObservedEvent) {
	if e.room == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.kept) < e.room {
		e.kept = append(e.kept, event)
		return
	}
	e.kept[e.next] = event
	e.next = (e.next + 1) % e.room
	e.dropped++
}

// Events takes the events that are kept, the oldest first. dropped is how many were lost since the device was made, as the ring was full.
func (o *Observation) Events() (list []ObservedEvent, dropped uint64) {
	e := &o.ring
	e.mu.Lock()
	defer e.mu.Unlock()
	list = append(append(list, e.kept[e.next:]...), e.kept[:e.next]...)
	clear(e.kept)
	e.kept, e.next = e.kept[:0], 0
	return list, e.dropped
}

// setName is what the set of an item is called in a profile: the part of its item's name before the slash, or its GUID.
func (o *Observation) setName(set ks.GUID, id uint32) string {
	if o.config.Name != nil {
		if name, _, ok := strings.Cut(o.config.Name(set, id), "/"); ok {
			return name
		}
	}
	return set.String()
}

// labelled returns a handler that runs another under labels; nil for those of events.
func (o *Observation) labelled(of engine.HandlerOf, h engine.Handler) engine.Handler {
	if of.Code == ks.IoctlEnableEvent {
		return nil
	}
	labels := pprof.WithLabels(context.Background(), pprof.Labels("ks.set", o.setName(of.Set, of.ID), "ks.verb", of.Verb))
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		pprof.SetGoroutineLabels(labels)
		defer pprof.SetGoroutineLabels(context.Background()) // also if it panics
		return h(irp, request, data)
	}
}
