package device

import (
	"math"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Device is one object that applications open. It is safe for concurrent use.
type Device struct {
	dispatcher *engine.Dispatcher
}

// New returns a device whose requests d answers.
func New(d *engine.Dispatcher) *Device { return &Device{dispatcher: d} }

// Open returns a new handle. Close it to release its memory.
func (dev *Device) Open() (*Handle, error) {
	a, err := arena.New(arena.Config{})
	if err != nil {
		return nil, err
	}
	h := &Handle{dispatcher: dev.dispatcher, completed: make(chan struct{}, 1)}
	h.irp.Pool = a
	h.irp.FileObject = &h.file
	h.irp.Completion = func(*engine.IRP) { h.completed <- struct{}{} }
	return h, nil
}

// Handle is one open of a device. It belongs to one goroutine at a time.
type Handle struct {
	dispatcher *engine.Dispatcher
	completed  chan struct{} // one signal per pended request
	irp        engine.IRP
	file       engine.FileObject
}

// File returns the file object that handlers see in IRP.FileObject.
func (h *Handle) File() *engine.FileObject { return &h.file }

// SetMode sets the requestor mode of later requests; a handle starts in engine.UserMode.
func (h *Handle) SetMode(mode engine.Mode) { h.irp.RequestorMode = mode }

// IoControl sends one request: DeviceIoControl. in is the input buffer, for ks.IoctlProperty a KSPROPERTY and what follows
// it; out is the output buffer, which carries the data of a SET in. Both may be nil, and they may be the same memory
// (P-11); neither is kept.
//
// n is BytesReturned and status what the request was completed with; status.Win32() is the error code that an application
// would get. A size answer is ks.StatusBufferOverflow with n bytes needed. IoControl never returns ks.StatusPending: it
// waits. An unknown code is ks.StatusInvalidDeviceRequest, a closed handle ks.StatusInvalidHandle.
//
// https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol
func (h *Handle) IoControl(code uint32, in, out []byte) (n uint32, status ks.Status) {
	irp := &h.irp
	if code != ks.IoctlProperty || (uint64(len(in))|uint64(len(out)))>>32 != 0 || irp.Pool == nil {
		return 0, h.refuse(code)
	}
	if irp.SystemBuffer != nil {
		h.release() // a handler ended its goroutine and left the buffer behind (P-21)
	}
	irp.InputBufferLength, irp.OutputBufferLength = uint32(len(in)), uint32(len(out))
	status = h.dispatcher.PropertyWithBuffers(irp, in, out, allocate)
	if status == ks.StatusPending {
		<-h.completed
		status = irp.IoStatus.Status
	}
	n = irp.Finish(status, out)
	if irp.SystemBuffer != nil {
		h.release()
	}
	return n, status
}

// refuse says why a request does not get as far as an IRP.
func (h *Handle) refuse(code uint32) ks.Status {
	switch {
	case h.irp.Pool == nil:
		return ks.StatusInvalidHandle
	case code != ks.IoctlProperty:
		return ks.StatusInvalidDeviceRequest
	}
	return ks.StatusInvalidParameter // DeviceIoControl takes 32-bit lengths
}

// allocate is the handle's engine.Allocator. It asks for the fast way first, which is inlined.
func allocate(irp *engine.IRP, size uint32, _ bool) ks.Status {
	if uint64(size) > math.MaxInt {
		return ks.StatusInsufficientResources
	}
	b := irp.Pool.TryAlloc(int(size))
	if b == nil {
		var err error
		if b, err = irp.Pool.AllocUninit(int(size)); err != nil {
			return ks.StatusInsufficientResources
		}
	}
	irp.SystemBuffer = b
	return ks.StatusSuccess
}

// release frees the buffer that allocate gave to the request.
func (h *Handle) release() {
	b := h.irp.SystemBuffer
	h.irp.SystemBuffer = nil
	if !h.irp.Pool.TryFree(b) {
		h.irp.Pool.Free(b)
	}
}

// Close releases the handle's memory: CloseHandle. Closing twice is harmless.
func (h *Handle) Close() error {
	a := h.irp.Pool
	if a == nil {
		return nil
	}
	h.irp.Pool, h.irp.SystemBuffer = nil, nil
	return a.Close()
}
