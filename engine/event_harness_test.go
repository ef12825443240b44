package engine_test

import (
	"encoding/binary"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

const (
	enable      = ks.EventTypeEnable
	oneShot     = ks.EventTypeOneShot
	buffered    = ks.EventTypeEnableBuffered
	queryBuffer = ks.EventTypeQueryBuffer
)

// eventHost is a dispatcher of events with a list, a table of handles and one client.
type eventHost struct {
	testing.TB
	*engine.Dispatcher
	list    *engine.EventList
	handles engine.HandleTable
	file    engine.FileObject
	pool    *arena.Arena
	panics  int // that OnPanic was told of
	mu      sync.Mutex
}

// newEventHost compiles items as the events of setA, with a list guarded by a mutex.
func newEventHost(t testing.TB, items ...engine.EventItem) *eventHost {
	t.Helper()
	return newEventHostWith(t, engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: items}}},
		engine.EventListConfig{LockType: engine.EventLockSpin, Lock: new(sync.Mutex)})
}

func newEventHostWith(t testing.TB, config engine.Config, list engine.EventListConfig) *eventHost {
	t.Helper()
	h := &eventHost{TB: t}
	config.OnPanic = func(any, []byte) {
		h.mu.Lock()
		h.panics++
		h.mu.Unlock()
	}
	var err error
	if h.Dispatcher, err = engine.Compile(config); err != nil {
		t.Fatal(err)
	}
	if h.list, err = engine.NewEventList(list); err != nil {
		t.Fatal(err)
	}
	h.pool = newPool(t, arena.Config{})
	h.file.Handles = &h.handles
	t.Cleanup(func() {
		if !t.Failed() {
			h.balanced()
		}
	})
	return h
}

// eventData returns a KSEVENTDATA and what follows it.
func eventData(kind uint32, object uint64, rest ...byte) []byte {
	b := make([]byte, ks.SizeEventData, ks.SizeEventData+len(rest))
	ks.EventData{NotificationType: kind, Object: object}.Put(b)
	return append(b, rest...)
}

// semaphoreData is that of a semaphore that is released by n.
func semaphoreData(object uint64, n int32) []byte {
	b := make([]byte, ks.SizeEventData)
	ks.EventData{NotificationType: ks.NotificationSemaphoreHandle, Object: object, Adjustment: n}.Put(b)
	return b
}

// open returns a handle that may be signalled through, for users.
func (h *eventHost) open(o engine.Object) uint64 {
	return h.handles.Open(o, engine.ModifyState, engine.UserMode)
}

// event returns a new event and the KSEVENTDATA that names it.
func (h *eventHost) event() (*engine.SyncEvent, []byte) {
	e := engine.NewSyncEvent()
	return e, eventData(ks.NotificationEventHandle, h.open(e))
}

// irp returns the IRP of an enable of event id, whose KSEVENTDATA is called address by its client.
func (h *eventHost) irp(id, flags uint32, address uint64, out []byte) *engine.IRP {
	in := request{set: setA, id: id, flags: flags}.bytes()
	return &engine.IRP{Type3InputBuffer: in, UserBuffer: out, InputBufferLength: uint32(len(in)), OutputBufferLength: uint32(len(out)),
		FileObject: &h.file, Pool: h.pool, EventData: address,
		IoStatus: engine.IoStatus{Status: untouchedStatus, Information: staleInformation}}
}

// send sends irp, checks what holds for every request, and completes it.
func (h *eventHost) send(irp *engine.IRP, list *engine.EventList, want ks.Status, information uint64) *engine.IRP {
	h.Helper()
	status := h.EnableEvent(irp, list)
	if status != want || irp.IoStatus.Information != information {
		h.Errorf("%s of event: %v, Information %d; want %v, %d (decided by %s)",
			ks.FormatEventFlags(binary.LittleEndian.Uint32(append(irp.Type3InputBuffer, make([]byte, 24)...)[20:])),
			status, irp.IoStatus.Information, want, information, irp.Rule())
	}
	if irp.IoStatus.Status != untouchedStatus {
		h.Errorf("the dispatcher wrote IoStatus.Status (E-1)")
	}
	if status != ks.StatusPending {
		h.finish(irp, status)
	}
	return irp
}

func (h *eventHost) finish(irp *engine.IRP, status ks.Status) {
	h.Helper()
	irp.Finish(status, irp.UserBuffer)
	if irp.SystemBuffer != nil || irp.Flags != 0 {
		h.Errorf("after completion SystemBuffer has %d bytes, Flags %#x (S-9)", len(irp.SystemBuffer), irp.Flags)
	}
	irp.IoStatus.Status = untouchedStatus
}

// enable enables an event for h.file and checks the status.
func (h *eventHost) enable(id, flags uint32, address uint64, out []byte, want ks.Status) *engine.IRP {
	h.Helper()
	return h.send(h.irp(id, flags, address, out), h.list, want, 0)
}

// disable disables the event whose KSEVENTDATA is called address.
func (h *eventHost) disable(address uint64, want ks.Status) {
	h.Helper()
	irp := engine.IRP{InputBufferLength: ks.SizeEventData, FileObject: &h.file, EventData: address}
	if status := h.DisableEvent(&irp, h.list); status != want || irp.IoStatus.Information != 0 {
		h.Errorf("disable of %#x: %v, Information %d; want %v, 0", address, status, irp.IoStatus.Information, want)
	}
}

// generate signals every entry of event id of setA.
func (h *eventHost) generate(id uint32, want ks.Status) {
	h.Helper()
	if status := h.list.Generate(&setA, id); status != want {
		h.Errorf("generate of event %d: %v, want %v", id, status, want)
	}
}

// signalled takes the signal of e and checks that there was one.
func (h *eventHost) signalled(e *engine.SyncEvent, want bool) {
	h.Helper()
	if got := e.TryWait(); got != want {
		h.Errorf("signalled: %v, want %v", got, want)
	}
}

// count checks how many entries the list has.
func (h *eventHost) count(want int) {
	h.Helper()
	if n := h.list.Len(); n != want {
		h.Errorf("the list has %d entries, want %d", n, want)
	}
}

// balanced disables everything and checks that nothing of it is left: entries, buffers, counts (S-9).
func (h *eventHost) balanced() {
	h.Helper()
	h.list.Free(&h.file)
	h.list.Free(nil)
	entries, buffers := h.list.LivePool()
	made, more := h.Dispatcher.LivePool()
	if h.list.Len()+entries+buffers+made+more+int(engine.EventsOf(&h.file)) != 0 {
		h.Errorf("left over: %d entries on the list, %d and %d live, %d and %d buffers, %d of the file object", h.list.Len(), entries, made,
			buffers, more, engine.EventsOf(&h.file))
	}
}

// references checks who keeps an object.
func (h *eventHost) references(o engine.Object, want int32) {
	h.Helper()
	if n := engine.ReferencesOf(o); n != want {
		h.Errorf("%T has %d references, want %d", o, n, want)
	}
}
