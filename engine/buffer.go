package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// request is the identifier of a request, read once, and what the lookup found. Nothing reads the caller's copy of it
// again: the copy that the handler sees is written from here (S-2, P-23).
type request struct {
	lo, hi  uint64 // the set
	id      uint32
	flags   uint32
	node    uint64 // the second half of a KSP_NODE, when flags has TOPOLOGY
	index   uint32 // of the item
	outVerb bool   // the verb carries data out (P-7)
}

// read fills q where the identifier is not simply at the start of a slice: in memory that can fault, in a slice that ends
// early, or in the buffer of an earlier pass (P-15).
func (q *request) read(irp *IRP, in []byte) ks.Status {
	var b [ks.SizeIdentifier]byte
	if status := irp.readAgain(b[:], in, 0); status != ks.StatusSuccess {
		return irp.decide(ruleP9, status)
	}
	q.lo = binary.LittleEndian.Uint64(b[0:])
	q.hi = binary.LittleEndian.Uint64(b[8:])
	q.id = binary.LittleEndian.Uint32(b[16:])
	q.flags = binary.LittleEndian.Uint32(b[20:])
	return ks.StatusSuccess
}

// readNode reads the eight bytes that make a KSPROPERTY a KSP_NODE.
func (q *request) readNode(irp *IRP, in []byte) ks.Status {
	var b [ks.SizeNode - ks.SizeIdentifier]byte
	if status := irp.readAgain(b[:], in, ks.SizeIdentifier); status != ks.StatusSuccess {
		return irp.decide(ruleP9, status)
	}
	q.node = binary.LittleEndian.Uint64(b[:])
	return ks.StatusSuccess
}

// write puts the identifier into the handler's copy and returns how many bytes that were.
func (q *request) write(b []byte) int {
	binary.LittleEndian.PutUint64(b, q.lo)
	binary.LittleEndian.PutUint64(b[8:], q.hi)
	binary.LittleEndian.PutUint32(b[16:], q.id)
	binary.LittleEndian.PutUint32(b[20:], q.flags)
	if q.flags&ks.PropertyTypeTopology != 0 {
		binary.LittleEndian.PutUint64(b[24:], q.node)
		return ks.SizeNode
	}
	return ks.SizeIdentifier
}

// wasPrepared reports that SystemBuffer was laid out by an earlier pass over this request, with these lengths (P-15).
func (irp *IRP) wasPrepared() bool {
	l := &irp.layout
	return l.prepared && l.in == irp.InputBufferLength && l.out == irp.OutputBufferLength &&
		uint64(len(irp.SystemBuffer)) >= uint64(l.requestOffset())+uint64(l.in)
}

// requestOffset is where the request lies in SystemBuffer, al8(Out) (P-6).
func (l *layout) requestOffset() uint32 { return uint32((uint64(l.out) + 7) &^ 7) }

// readAgain copies part of the request to dst: from the copy of an earlier pass if there is one, else from the caller.
func (irp *IRP) readAgain(dst, in []byte, off int) ks.Status {
	if irp.SystemBuffer == nil {
		irp.layout.prepared = false
	} else if irp.wasPrepared() {
		copy(dst, irp.SystemBuffer[int(irp.layout.requestOffset())+off:])
		return ks.StatusSuccess
	}
	return irp.readInput(dst, in, off)
}

// readInput copies part of the caller's input to dst. What lies beyond a slice is not mapped.
func (irp *IRP) readInput(dst, in []byte, off int) ks.Status {
	if irp.Memory != nil {
		return irp.Memory.ReadInput(dst, uint32(off))
	}
	if len(in) < off+len(dst) {
		return ks.StatusAccessViolation
	}
	copy(dst, in[off:])
	return ks.StatusSuccess
}

// prepare gives the request its buffer and fills it, or accepts the one of an earlier pass (P-15).
func (irp *IRP) prepare(q *request, allocator Allocator, in, out []byte) ks.Status {
	if irp.SystemBuffer != nil {
		if !irp.wasPrepared() {
			return irp.decide(ruleP15, ks.StatusInvalidParameter) // S-15
		}
		return ks.StatusSuccess
	}
	status := irp.obtain(q, allocator)
	if status == ks.StatusSuccess {
		if status = irp.capture(q, in, out); status != ks.StatusSuccess {
			irp.abandon()
		}
	}
	return status
}

// obtain gives the request its one buffer: a pool buffer, or the allocator's (P-10, P-12 to P-16).
func (irp *IRP) obtain(q *request, allocator Allocator) ks.Status {
	l := &irp.layout
	l.in, l.out, l.outVerb = irp.InputBufferLength, irp.OutputBufferLength, q.outVerb
	size := l.requestOffset() + l.in
	irp.Flags &^= BufferedIO | DeallocateBuffer | InputOperation
	if allocator != nil {
		irp.rule = ruleP16
		if status := allocator(irp, size, q.outVerb); !status.IsSuccess() {
			irp.SystemBuffer = nil
			return status
		}
		if uint64(len(irp.SystemBuffer)) < uint64(size) {
			return ks.StatusInsufficientResources // P-16, also for a buffer that is shorter than asked for
		}
	} else {
		irp.rule = ruleP10
		if irp.SystemBuffer = irp.allocPool(size); irp.SystemBuffer == nil {
			return ks.StatusInsufficientResources
		}
		irp.Flags |= BufferedIO | DeallocateBuffer
		if q.outVerb && l.out != 0 {
			irp.Flags |= InputOperation // not for Out = 0, or a size answer would be copied to nowhere (S-12)
		}
	}
	l.prepared = true
	return ks.StatusSuccess
}

// capture fills the buffer: the caller's data for an in-verb, zeros for the others, and the request (P-6, P-8).
func (irp *IRP) capture(q *request, in, out []byte) ks.Status {
	at := uint64(irp.layout.requestOffset())
	n := uint64(irp.layout.out)
	data, request := irp.SystemBuffer[:at:at], irp.SystemBuffer[at:at+uint64(irp.layout.in)]
	irp.rule = ruleP9
	if q.outVerb {
		if irp.Memory != nil && irp.RequestorMode == UserMode && n != 0 {
			if status := irp.Memory.ProbeOutput(uint32(n)); status != ks.StatusSuccess {
				return status
			}
		} else if irp.Memory == nil && irp.RequestorMode == UserMode && uint64(len(out)) < n {
			return ks.StatusAccessViolation
		}
		clear(data) // S-11
	} else if n != 0 {
		if irp.Memory != nil {
			if status := irp.Memory.ReadOutput(data[:n]); status != ks.StatusSuccess {
				return status
			}
		} else if uint64(len(out)) < n {
			return ks.StatusAccessViolation
		} else {
			copy(data, out[:n])
		}
		clear(data[n:])
	}
	known := q.write(request)
	if rest := request[known:]; len(rest) != 0 {
		return irp.readInput(rest, in, known)
	}
	return ks.StatusSuccess
}

// allocPool returns size bytes of irp.Pool, or of the heap without one; nil when there are none. The contents are
// undefined.
func (irp *IRP) allocPool(size uint32) []byte {
	if uint64(size) > largestBuffer {
		return nil
	}
	if irp.Pool != nil {
		b, err := irp.Pool.AllocUninit(int(size))
		if err != nil {
			return nil
		}
		return b
	}
	return make([]byte, size)
}

// freePool frees a pool buffer and forgets it: pointer, flags and layout go together (S-9).
func (irp *IRP) freePool() {
	if irp.Pool != nil {
		irp.Pool.Free(irp.SystemBuffer)
	}
	irp.SystemBuffer = nil
	irp.Flags &^= BufferedIO | DeallocateBuffer | InputOperation
	irp.layout.prepared = false
}

// largestBuffer is the longest buffer in bytes that a host is asked for: 32 bits, or where an int has no more than that, a
// quarter of it, since asking Go's heap for more than there is ends the process (P-5).
const largestBuffer = uint64(min(math.MaxUint32, math.MaxInt/4))
