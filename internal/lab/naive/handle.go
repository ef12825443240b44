package naive

import (
	"math"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Handle is one open of an object: what device.Handle is to the engine. It belongs to one goroutine.
type Handle struct {
	table  *Table
	step   Step
	heap   bool         // a buffer of the Go heap per request, instead of the arena's
	arena  *arena.Arena // nil when closed
	irp    engine.IRP
	file   engine.FileObject
	buffer []byte   // of the current request: data, padding, request
	small  [64]byte // of the fast path: the captured request
	large  []byte
	io     engine.IoStatus
}

// Open returns a handle that finds items by step.
func Open(t *Table, step Step, heap bool) (*Handle, error) {
	a, err := arena.New(arena.Config{})
	if err != nil {
		return nil, err
	}
	h := &Handle{table: t, step: step, heap: heap, arena: a}
	h.irp.FileObject = &h.file
	return h, nil
}

// Close releases the handle's memory.
func (h *Handle) Close() error {
	a := h.arena
	h.arena = nil
	return a.Close()
}

const modifiers = ks.PropertyTypeTopology | ks.PropertyTypeHighPriority | ks.PropertyTypeFSFilterScope | ks.PropertyTypeCopyPayload

// IoControl is device.Handle.IoControl for GET and SET.
func (h *Handle) IoControl(code uint32, in, out []byte) (n uint32, status ks.Status) {
	if h.arena == nil {
		return 0, ks.StatusInvalidHandle
	}
	if code != ks.IoctlProperty {
		return 0, ks.StatusInvalidDeviceRequest
	}
	if uint64(len(in)) > math.MaxUint32 || uint64(len(out)) > math.MaxUint32 {
		return 0, ks.StatusInvalidParameter
	}
	irp := &h.irp
	irp.InputBufferLength, irp.OutputBufferLength = uint32(len(in)), uint32(len(out))
	irp.IoStatus.Information = 0 // P-1
	status, produces := h.property(in, out)
	irp.IoStatus.Status = status
	if !status.IsError() {
		n = uint32(irp.IoStatus.Information)
		if produces && h.buffer != nil {
			copy(out, h.buffer[:min(irp.IoStatus.Information, uint64(len(out)))]) // N-1
		}
	}
	if h.buffer != nil {
		if !h.heap {
			h.arena.Free(h.buffer)
		}
		h.buffer, irp.SystemBuffer = nil, nil
	}
	return n, status
}

// property checks a request in the order of P-23 and runs its handler. produces says that the verb carries data out.
func (h *Handle) property(in, out []byte) (status ks.Status, produces bool) {
	if len(in) < ks.SizeIdentifier {
		return ks.StatusInvalidBufferSize, false // P-4
	}
	if (uint64(len(out))+7)&^7+uint64(len(in)) > math.MaxUint32 {
		return ks.StatusInvalidBufferSize, false // P-5
	}
	id, _ := ks.DecodeIdentifier(in) // the one read
	if id.Flags&ks.PropertyTypeTopology != 0 && len(in) < ks.SizeNode {
		return ks.StatusInvalidBufferSize, false // P-4
	}
	verb := id.Flags &^ modifiers
	if verb != ks.PropertyTypeGet && verb != ks.PropertyTypeSet {
		return ks.StatusInvalidParameter, false // P-25
	}
	item, known := h.table.find(h.step, &id.Set, id.ID)
	if item == nil {
		return h.table.missed(h.step, &id.Set, known), false
	}
	handler := item.get
	if verb == ks.PropertyTypeSet {
		handler = item.set
	}
	switch {
	case handler == nil:
		return ks.StatusNotFound, false // P-26
	case uint32(len(in)) < item.minProperty:
		return ks.StatusInvalidBufferSize, false // P-27
	case uint32(len(out)) < item.minData: // P-28
		if len(out) == 0 {
			h.irp.IoStatus.Information = uint64(item.minData)
			return ks.StatusBufferOverflow, false
		}
		return ks.StatusBufferTooSmall, false
	}
	produces = verb == ks.PropertyTypeGet
	return h.call(handler, &id, in, out, produces), produces
}

// call lays out the buffer (P-6, P-8), calls the handler and judges its result (P-17 to P-21).
func (h *Handle) call(handler engine.Handler, id *ks.Identifier, in, out []byte, produces bool) (status ks.Status) {
	returned := false
	defer func() {
		if !returned {
			status = h.unwound(recover())
		}
	}()
	irp := &h.irp
	at := (len(out) + 7) &^ 7
	if h.heap {
		h.buffer = make([]byte, at+len(in))
	} else {
		b, err := h.arena.AllocUninit(at + len(in))
		if err != nil {
			returned = true
			return ks.StatusInsufficientResources
		}
		h.buffer = b
	}
	irp.SystemBuffer = h.buffer
	if produces {
		if !h.heap { // a new heap buffer is zero
			clear(h.buffer[:at])
		}
	} else {
		copy(h.buffer, out)
		clear(h.buffer[len(out):at])
	}
	request := h.buffer[at : at+len(in) : at+len(in)]
	id.Put(request)
	if len(in) > ks.SizeIdentifier {
		copy(request[ks.SizeIdentifier:], in[ks.SizeIdentifier:])
	}
	var data []byte
	if len(out) != 0 {
		data = h.buffer[:len(out):len(out)]
	}
	status = handler(irp, request, data)
	switch {
	case status == ks.StatusSomeNotMapped: // P-18
		irp.IoStatus.Information = 0
		status = ks.StatusNotFound
	case status.IsError(): // P-17
		irp.IoStatus.Information = 0
	case produces && len(out) != 0 && irp.IoStatus.Information > uint64(len(out)): // P-20
		irp.IoStatus.Information = 0
		status = ks.StatusBufferTooSmall
	}
	returned = true
	return status
}

// unwound is P-21.
func (h *Handle) unwound(value any) ks.Status {
	h.irp.IoStatus.Information = 0
	return thrown(value)
}

func thrown(value any) ks.Status {
	if status, ok := value.(ks.Status); ok {
		return status
	}
	return ks.StatusAccessViolation
}
