package rival

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Step is how a dispatcher finds an item.
type Step uint8

const (
	ByLinear Step = iota
	ByMap
	ByOpen
	ByDense
)

// Handle is one open of an object: what device.Handle is to the engine. It belongs to one goroutine.
type Handle struct {
	step  Step
	heap  bool         // a buffer of the Go heap per request, instead of the arena's
	arena *arena.Arena // nil when closed
	kept  []byte       // of the arena, for short requests; nil with heap
	taken bool         // kept, by a request whose handler runs
	dense Dense        // copies of the table's, so that a request follows one pointer less
	open  Open
	table *Table
	irp   engine.IRP
	file  engine.FileObject
	small [64]byte // of the fast path: the captured request
	large []byte
	io    engine.IoStatus
}

// NewHandle returns a handle that finds items by step.
func NewHandle(t *Table, step Step, heap bool) (*Handle, error) {
	a, err := arena.New(arena.Config{})
	if err != nil {
		return nil, err
	}
	h := &Handle{table: t, dense: t.Dense, open: t.Open, step: step, heap: heap, arena: a}
	if !heap {
		if h.kept, err = a.AllocUninit(keptSize); err != nil {
			return nil, err
		}
	}
	h.irp.FileObject = &h.file
	return h, nil
}

// Close releases the handle's memory.
func (h *Handle) Close() error {
	a := h.arena
	h.arena = nil
	return a.Close()
}

// keptSize is how long the buffer of a handle is in bytes, as that of the engine's.
const keptSize = 128

// modifiers are flags beside a verb that change nothing here.
const modifiers = uint64(ks.PropertyTypeTopology|ks.PropertyTypeHighPriority|ks.PropertyTypeFSFilterScope|ks.PropertyTypeCopyPayload) << 32

// IoControl is device.Handle.IoControl for GET and SET.
func (h *Handle) IoControl(code uint32, in, out []byte) (n uint32, status ks.Status) {
	if len(in) < ks.SizeIdentifier || h.arena == nil || code != ks.IoctlProperty || uint64(len(in))+uint64(len(out))+7 > math.MaxUint32 {
		return 0, h.refused(code, in, out)
	}
	lo, hi, word := words((*identifier)(in)) // the one read
	verb := uint32(word>>32) - 1
	if verb > 1 {
		if word&(uint64(ks.PropertyTypeTopology)<<32) != 0 && len(in) < ks.SizeNode {
			return 0, ks.StatusInvalidBufferSize // P-4
		}
		if verb = uint32(word&^modifiers>>32) - 1; verb > 1 {
			return 0, ks.StatusInvalidParameter // P-25
		}
	}
	var item *Item
	switch h.step {
	case ByDense:
		item = h.dense.Find(lo, hi, uint32(word))
	case ByOpen:
		item = h.open.Find(lo, hi, uint32(word))
	case ByMap:
		item = h.table.Map.Find((*prefix)(in))
	default:
		item = h.table.Linear.Find(lo, hi, uint32(word))
	}
	if item == nil {
		return 0, h.missed(lo, hi)
	}
	handler := item.handlers[verb]
	if handler == nil || uint32(len(in)) < item.minProperty() || uint32(len(out)) < item.minData {
		return short(item, handler, in, out)
	}

	at := (len(out) + 7) &^ 7
	buffer, kept := h.kept, at+len(in) <= len(h.kept) && !h.taken
	if kept {
		buffer, h.taken = buffer[:at+len(in)], true
	} else if buffer = h.allocate(at + len(in)); buffer == nil {
		return 0, ks.StatusInsufficientResources
	}
	irp := &h.irp
	irp.InputBufferLength, irp.OutputBufferLength = uint32(len(in)), uint32(len(out))
	irp.IoStatus.Information = 0 // P-1
	var request, data []byte
	if (len(out)-4)&^4 == 0 && len(in) == ks.SizeIdentifier { // most requests: one value, without a branch on which way it goes
		p := (*[8 + ks.SizeIdentifier]byte)(buffer)
		var value uint64
		if len(out) == 4 {
			value = uint64(binary.LittleEndian.Uint32(out))
		} else {
			value = binary.LittleEndian.Uint64(out)
		}
		binary.LittleEndian.PutUint64(p[0:], value&-uint64(verb)) // 0 for GET, 1 for SET
		putWords((*identifier)(p[8:]), lo, hi, word)
		request, data = p[8:], p[:len(out):len(out)]
	} else {
		request, data = capture(buffer, in, out, verb == 0, lo, hi, word)
	}
	status = call(irp, request, data, handler)
	information := irp.IoStatus.Information
	if status != ks.StatusSuccess || information > uint64(len(out)) {
		if information, status = check(status, information, len(out), verb == 0); status.IsError() {
			verb = 1 // nothing is copied back (N-1)
		}
	}
	if information == 4 && len(out) >= 4 {
		answerValue(out, buffer, verb)
	} else if verb == 0 {
		copy(out, buffer[:min(information, uint64(len(out)))])
	}
	if kept {
		h.taken = false
	} else if !h.heap {
		h.arena.Free(buffer)
	}
	return uint32(information), status
}

// capture fills the buffer of any request, and returns its parts.
//
//go:noinline
func capture(buffer, in, out []byte, produces bool, lo, hi, word uint64) (request, data []byte) {
	at := (len(out) + 7) &^ 7
	switch { // P-8; a call to clear or copy takes longer than a few stores
	case !produces && len(out) == 4: // most values
		binary.LittleEndian.PutUint64(buffer, uint64(binary.LittleEndian.Uint32(out)))
	case !produces:
		clear(buffer[copy(buffer, out):at])
	case at <= 64:
		for b := buffer[:at]; len(b) >= 8; b = b[8:] {
			binary.LittleEndian.PutUint64(b, 0)
		}
	default:
		clear(buffer[:at])
	}
	request = buffer[at : at+len(in) : at+len(in)] // P-6
	putWords((*identifier)(request), lo, hi, word)
	to, from := request[ks.SizeIdentifier:], in[ks.SizeIdentifier:]
	for ; len(to) >= 8 && len(to) <= 64 && len(from) >= 8; to, from = to[8:], from[8:] {
		binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(from))
	}
	copy(to, from)
	if len(out) != 0 {
		data = buffer[:len(out):len(out)]
	}
	return request, data
}

// call calls the handler under a guard (P-21). The status of a handler that has not returned is one that never leaves the dispatcher.
func call(irp *engine.IRP, request, data []byte, handler engine.Handler) (status ks.Status) {
	status = ks.StatusSomeNotMapped
	defer func() {
		if status == ks.StatusSomeNotMapped {
			status = unwound(irp, recover())
		}
	}()
	status = handler(irp, request, data)
	if status == ks.StatusSomeNotMapped { // P-18
		irp.IoStatus.Information = 0
		status = ks.StatusNotFound
	}
	return status
}

func unwound(irp *engine.IRP, value any) ks.Status {
	irp.IoStatus.Information = 0
	return thrown(value)
}

func thrown(value any) ks.Status {
	if status, ok := value.(ks.Status); ok {
		return status
	}
	return ks.StatusAccessViolation
}

// check is P-17 and P-20.
func check(status ks.Status, information uint64, out int, produces bool) (uint64, ks.Status) {
	switch {
	case status.IsError():
		return 0, status
	case produces && out != 0 && information > uint64(out):
		return 0, ks.StatusBufferTooSmall
	}
	return information, status
}

// allocate takes a buffer of its own for a request.
//
//go:noinline
func (h *Handle) allocate(n int) []byte {
	if h.heap {
		return make([]byte, n)
	}
	b, err := h.arena.AllocUninit(n)
	if err != nil {
		return nil
	}
	return b
}

// refused says why a request is not looked at (P-4, P-5).
func (h *Handle) refused(code uint32, in, out []byte) ks.Status {
	switch {
	case h.arena == nil:
		return ks.StatusInvalidHandle
	case code != ks.IoctlProperty:
		return ks.StatusInvalidDeviceRequest
	case uint64(len(in)) > math.MaxUint32 || uint64(len(out)) > math.MaxUint32:
		return ks.StatusInvalidParameter
	}
	return ks.StatusInvalidBufferSize
}

// missed says which of set and item is unknown (P-24).
func (h *Handle) missed(lo, hi uint64) ks.Status {
	if h.table.Linear.knows(lo, hi) {
		return ks.StatusNotFound
	}
	return ks.StatusPropsetNotFound
}

// short says what a request lacks (P-26 to P-28).
func short(item *Item, handler engine.Handler, in, out []byte) (n uint32, status ks.Status) {
	switch {
	case handler == nil:
		return 0, ks.StatusNotFound
	case uint32(len(in)) < item.minProperty():
		return 0, ks.StatusInvalidBufferSize
	case len(out) == 0:
		return item.minData, ks.StatusBufferOverflow
	}
	return 0, ks.StatusBufferTooSmall
}
