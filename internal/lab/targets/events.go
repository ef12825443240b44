package targets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// enabledEvents is how many events are enabled, of one client on one list, while one more comes and goes or all are signalled.
const enabledEvents = 10_000

var eventSet = ks.MustParseGUID("ed0a5b4f-3d9c-4d2f-9c4c-6b8e3f0a7c11")

// eventBed is a list with enabled events, and the IRPs to enable and disable one more.
type eventBed struct {
	d       *engine.Dispatcher
	list    *engine.EventList
	handles engine.HandleTable
	file    engine.FileObject
	pool    *arena.Arena
	events  []*engine.SyncEvent
	on, off engine.IRP
}

func newEventBed() (b *eventBed, err error) {
	b = &eventBed{}
	b.d, err = engine.Compile(engine.Config{EventSets: []engine.EventSet{{Set: eventSet, Items: []engine.EventItem{{ID: 1}}}}})
	if err != nil {
		return nil, err
	}
	if b.list, err = engine.NewEventList(engine.EventListConfig{LockType: engine.EventLockSpin, Lock: new(sync.Mutex)}); err != nil {
		return nil, err
	}
	if b.pool, err = arena.New(arena.Config{}); err != nil {
		return nil, err
	}
	b.file.Handles = &b.handles
	request := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: eventSet, ID: 1, Flags: ks.EventTypeEnable}.Put(request)
	b.on = engine.IRP{Type3InputBuffer: request, InputBufferLength: ks.SizeIdentifier, OutputBufferLength: ks.SizeEventData,
		FileObject: &b.file, Pool: b.pool}
	b.off = engine.IRP{InputBufferLength: ks.SizeEventData, FileObject: &b.file}
	for range enabledEvents {
		e := engine.NewSyncEvent()
		b.events = append(b.events, e)
		b.on.UserBuffer = make([]byte, ks.SizeEventData)
		ks.EventData{NotificationType: ks.NotificationEventHandle,
			Object: b.handles.Open(e, engine.ModifyState, engine.UserMode)}.Put(b.on.UserBuffer)
		b.on.EventData++
		if status := b.enable(); status != ks.StatusSuccess {
			return nil, errors.Join(fmt.Errorf("an event is not enabled: %v", status), b.pool.Close())
		}
	}
	b.on.EventData++
	b.off.EventData = b.on.EventData
	if n := b.generate() + b.enableDisable(); n != 0 || b.list.Len() != enabledEvents {
		return nil, errors.Join(fmt.Errorf("%d wrong answers, %d events", n, b.list.Len()), b.pool.Close())
	}
	return b, nil
}

func (b *eventBed) enable() ks.Status {
	status := b.d.EnableEvent(&b.on, b.list)
	b.on.Finish(status, nil)
	return status
}

// enableDisable has one client more for a moment. It returns the number of wrong answers.
func (b *eventBed) enableDisable() (wrong int) {
	if b.enable() != ks.StatusSuccess {
		wrong++
	}
	if b.d.DisableEvent(&b.off, b.list) != ks.StatusSuccess {
		wrong++
	}
	return wrong
}

// generate signals all events, and their clients take every signal. It returns the number of wrong answers.
func (b *eventBed) generate() (wrong int) {
	if b.list.Generate(&eventSet, 1) != ks.StatusSuccess {
		wrong++
	}
	for _, e := range b.events {
		if !e.TryWait() {
			wrong++
		}
	}
	return wrong
}

// events are one more event coming and going, and all being signalled and the signals taken.
func events(c *config) (*subjects, error) {
	call, done, err := bare(c, 1)
	if err != nil {
		return nil, err
	}
	b, err := newEventBed()
	if err != nil {
		return nil, errors.Join(err, done())
	}
	wrong := 0
	const comings = 1000
	return &subjects{
		close: func() error {
			if wrong != 0 {
				err = fmt.Errorf("%d wrong answers of events", wrong)
			}
			return errors.Join(err, b.pool.Close(), done())
		},
		run: map[string]subject{
			"bare": call,
			"generate": {Per: enabledEvents, Run: func(units int) {
				for range units {
					wrong += b.generate()
				}
			}},
			"enable and disable": {Per: comings, Run: func(units int) {
				for range units * comings {
					wrong += b.enableDisable()
				}
			}},
		},
	}, nil
}

// eventAllocations counts the heap allocations of a round of each.
func eventAllocations(context.Context, *config) (map[string]float64, error) {
	b, err := newEventBed()
	if err != nil {
		return nil, err
	}
	n := testing.AllocsPerRun(100, func() {
		b.generate()
		b.enableDisable()
	})
	return map[string]float64{"events/10000/allocations": n}, b.pool.Close()
}
