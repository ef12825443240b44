package device

import (
	"errors"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Device is one object that applications open. It is safe for concurrent use.
type Device struct {
	table   table                  // of a device without pins and nodes; nil in one with
	filter  atomic.Pointer[filter] // of one with: all that answers requests, whatever they come through
	pins    census
	events  *engine.EventList
	handles engine.HandleTable
	arenas  arena.Config
	life    life
	swap    swap
}

// table is where handles find what answers their requests.
type table = atomic.Pointer[engine.Dispatcher]

// New returns a device whose requests d answers.
func New(d *engine.Dispatcher) *Device {
	dev := newDevice()
	dev.table.Store(d)
	return dev
}

func newDevice() *Device { return &Device{events: newEvents(), life: life{maxHeld: DefaultHeld}} }

// SetArena sets the memory of the device's handles: arena.Config.Limit bounds it, and OffHeap keeps it where other languages may
// hold on to it while a request is pended. The zero value is the default. Call SetArena before the first Open.
func (dev *Device) SetArena(config arena.Config) { dev.arenas = config }

// Open returns a new handle. Close it to release its memory.
func (dev *Device) Open() (*Handle, error) {
	if f := dev.filter.Load(); f != nil {
		return f.open(dev)
	}
	return dev.newHandle(nil)
}

// newHandle returns a handle that is open on o, which is nil on a device without pins and nodes.
func (dev *Device) newHandle(o *object) (*Handle, error) {
	a, err := arena.New(dev.arenas)
	if err != nil {
		return nil, err
	}
	h := &Handle{object: o, device: dev, arena: a}
	if o != nil {
		o.handle, h.file.Object = h, h
		h.irp.SetRoute(o.dispatcher)
		if o.pin != nil {
			o.pin.handle = h
		}
	}
	h.irp.Pool = a
	h.irp.KeepBuffer()
	h.file.Events, h.file.Handles = dev.events, &dev.handles
	h.irp.FileObject = &h.file
	h.irp.UserEvent = make(chan struct{}, 1)
	if err := dev.life.add(h); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	dev.settle(h) // a filter may have been swapped since o was made
	return h, nil
}

// Handle is one open of a device. It belongs to one goroutine at a time, but for Cancel and Close. A request that is sent while another
// is in flight on the handle, by its handler or while it is pended, is STATUS_DEVICE_BUSY (S-15).
type Handle struct {
	// What a request goes through comes first: with the IRP's first fields it lies on three cache lines (TestHandleLiesOnCacheLines).
	object *object // that it is open on; nil for a device without pins and nodes
	device *Device
	irp    engine.IRP
	file   engine.FileObject
	arena  *arena.Arena

	overlapped atomic.Pointer[OverlappedHandle] // that shares the file object
	holding    atomic.Pointer[holding]          // of the request that waits for its device to be started
	closing    atomic.Bool
	gone       bool // what it is open on; under life.mu
}

// Dispatcher returns the dispatcher that answers the requests of the handle, for those who send IRPs of their own. They need the
// handle's File.
func (h *Handle) Dispatcher() *engine.Dispatcher {
	if h.object != nil {
		return h.object.dispatcher()
	}
	return h.device.table.Load()
}

// File returns the file object that handlers see in IRP.FileObject.
func (h *Handle) File() *engine.FileObject { return &h.file }

// Rule names the rule that decided the last request, such as "P-28": engine.IRP.Rule. It means nothing for a request that reached no
// dispatcher, such as one with an unknown code or on a closed handle.
func (h *Handle) Rule() string { return h.irp.Rule() }

// Busy reports that a request is in flight on the handle: another would be STATUS_DEVICE_BUSY.
func (h *Handle) Busy() bool { return h.irp.Busy() }

// SetMode sets the requestor mode of later requests; a handle starts in engine.UserMode.
func (h *Handle) SetMode(mode engine.Mode) { h.irp.RequestorMode = mode }

// IoControl sends one request: DeviceIoControl. in is the input buffer, for ks.IoctlProperty a KSPROPERTY and what follows
// it, for ks.IoctlMethod a KSMETHOD, for ks.IoctlEnableEvent a KSEVENT, for ks.IoctlDisableEvent a KSEVENTDATA; out is the
// output buffer, which carries the data of a SET in. Both may be nil, and they may be the same memory (P-11); neither is kept,
// so that the handler of a SOURCE method works on a copy of out, which is written back (M-4).
//
// n is BytesReturned and status what the request was completed with; status.Win32() is the error code that an application
// would get. A size answer is ks.StatusBufferOverflow with n bytes needed. IoControl never returns ks.StatusPending: it
// waits. An unknown code is ks.StatusInvalidDeviceRequest, a closed handle ks.StatusInvalidHandle, and one whose last request is
// in flight ks.StatusDeviceBusy.
//
// https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol
func (h *Handle) IoControl(code uint32, in, out []byte) (n uint32, status ks.Status) {
	return lateSend(h.device.table.Load(), &h.irp, code, in, out, (*engine.Dispatcher).IoControl)
}

// lateSend calls send. With it the compiler inlines IoControl, as arena.lateAlloc explains: as a call of its own, IoControl takes 31 of 366
// instructions.
func lateSend(d *engine.Dispatcher, irp *engine.IRP, code uint32, in, out []byte,
	send func(*engine.Dispatcher, *engine.IRP, uint32, []byte, []byte) (uint32, ks.Status)) (n uint32, status ks.Status) {
	return send(d, irp, code, in, out)
}

// IoControlTo is IoControl with ks.IoctlProperty for a request to a property that was resolved: the dispatcher's Ref skips
// the lookup.
func (h *Handle) IoControlTo(ref *engine.Ref, in, out []byte) (n uint32, status ks.Status) {
	return ref.IoControl(&h.irp, in, out)
}

// PropertyBatch is IoControl with ks.IoctlProperty for many requests, in order; see engine.Dispatcher.PropertyBatch. It
// waits for those that pend, and returns how many it answered, which is all of them.
func (h *Handle) PropertyBatch(requests []engine.BatchRequest) int {
	return h.Dispatcher().PropertyBatch(&h.irp, requests)
}

// MethodBatch is PropertyBatch with ks.IoctlMethod; see engine.Dispatcher.MethodBatch.
func (h *Handle) MethodBatch(requests []engine.BatchRequest) int {
	return h.Dispatcher().MethodBatch(&h.irp, requests)
}

// Close ends pended requests of the handle with STATUS_CANCELLED, waits for a running handler, disables the events that were
// enabled through the handle and releases its memory: CloseHandle. Later requests get STATUS_INVALID_HANDLE. Close may be called
// from any goroutine, and twice. Inside a handler of a request, on this or any other handle, Close does not wait: the handle closes
// when the request in flight on it has ended.
func (h *Handle) Close() (err error) {
	if h.object != nil {
		h.object.closing()
	}
	h.closing.Store(true)
	all( // also if a cancel routine ends the goroutine
		func() { h.cancelHeld() },
		func() {
			h.overlapped.CompareAndSwap(nil, neverOverlapped)
			switch a := h.overlapped.Load(); {
			case a == neverOverlapped:
				err = h.close()
			case engine.InsideHandler():
				a.shut(gateClosed)
				go func() {
					all(a.drain, func() { _ = h.close() })
				}()
			default:
				a.shut(gateClosed)
				all(a.drain, func() { err = h.close() })
			}
		})
	return err
}

// close is Close for requests that are waited for.
func (h *Handle) close() error {
	closed := make(chan error, 1)
	if h.irp.Close(func() {
		h.device.life.drop(h)
		h.file.Events.Free(&h.file)
		err := h.arena.Close()
		if h.object != nil {
			h.object.release()
		}
		closed <- err
	}) {
		return <-closed
	}
	return nil
}
