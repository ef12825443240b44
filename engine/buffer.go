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
	word    uint64 // id, and flags above it
	node    uint64 // the second half of a KSP_NODE, when flags has TOPOLOGY
	index   uint32 // of the item
	outVerb bool   // the verb carries data out (P-7)
}

func (q *request) id() uint32    { return uint32(q.word) }
func (q *request) flags() uint32 { return uint32(q.word >> 32) }

// write puts the identifier into the handler's copy, which has room for it.
func (q *request) write(b []byte) {
	p := (*[ks.SizeIdentifier]byte)(b)
	binary.LittleEndian.PutUint64(p[0:], q.lo)
	binary.LittleEndian.PutUint64(p[8:], q.hi)
	binary.LittleEndian.PutUint64(p[16:], q.word)
}

// writeRest puts what follows the identifier into the handler's copy: the node from the values already read.
func (q *request) writeRest(irp *IRP, b, in []byte) ks.Status {
	known := ks.SizeIdentifier
	if q.flags()&ks.PropertyTypeTopology != 0 {
		binary.LittleEndian.PutUint64(b[known:], q.node)
		known = ks.SizeNode
	}
	return irp.readInput(b[known:], in, known)
}

// readIdentifier reads the identifier where it is not simply at the start of a slice: in memory that can fault, in a slice
// that ends early, or in the buffer of an earlier pass (P-15).
func (irp *IRP) readIdentifier(in []byte) (lo, hi, word uint64, status ks.Status) {
	var b [ks.SizeIdentifier]byte
	status = irp.readAgain(b[:], in, 0)
	return binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:]), status
}

// readNode reads the eight bytes that make a KSPROPERTY a KSP_NODE.
func (irp *IRP) readNode(in []byte) (node uint64, status ks.Status) {
	var b [ks.SizeNode - ks.SizeIdentifier]byte
	status = irp.readAgain(b[:], in, ks.SizeIdentifier)
	return binary.LittleEndian.Uint64(b[:]), status
}

// wasPrepared reports that SystemBuffer was laid out by an earlier pass over this request, with these lengths (P-15).
func (irp *IRP) wasPrepared() bool {
	l := &irp.layout
	return l.prepared && l.in == irp.InputBufferLength && l.out == irp.OutputBufferLength &&
		uint64(len(irp.SystemBuffer)) >= uint64(l.requestOffset())+uint64(l.in)
}

// requestOffset is where the request lies in SystemBuffer, al8(Out) (P-6).
func (l *layout) requestOffset() uint32 { return uint32((uint64(l.out) + 7) &^ 7) }

// readAgain copies part of the request to dst: from the copy of an earlier pass if there is one, else from the caller. A
// buffer that no pass prepared is refused before anything in it is taken for a request (S-15).
func (irp *IRP) readAgain(dst, in []byte, off int) ks.Status {
	if irp.SystemBuffer != nil {
		if !irp.wasPrepared() {
			return irp.decide(ruleP15, ks.StatusInvalidParameter)
		}
		copy(dst, irp.SystemBuffer[int(irp.layout.requestOffset())+off:])
		return ks.StatusSuccess
	}
	irp.layout.prepared = false
	irp.rule = ruleP9
	return irp.readInput(dst, in, off)
}

// readInput copies part of the caller's input to dst. What lies beyond a slice is not mapped.
func (irp *IRP) readInput(dst, in []byte, off int) ks.Status {
	if len(dst) == 0 {
		return ks.StatusSuccess
	}
	if irp.Memory != nil {
		return irp.Memory.ReadInput(dst, uint32(off))
	}
	if len(in) < off+len(dst) {
		return ks.StatusAccessViolation
	}
	copy(dst, in[off:])
	return ks.StatusSuccess
}

// prepare gives the request its one buffer and fills it: P-10 or P-12 to P-16, then P-6 and P-8. A buffer that an earlier
// pass prepared is taken as it is (P-15).
//
// It is one function because it is on the hot path: as five, a request took 9 ns longer.
func (irp *IRP) prepare(q *request, allocator Allocator, in, out []byte) ks.Status {
	if irp.SystemBuffer != nil {
		return ks.StatusSuccess // prepared, or the identifier would not have been read
	}
	inLen, outLen := irp.InputBufferLength, irp.OutputBufferLength
	at := (uint64(outLen) + 7) &^ 7
	size := at + uint64(inLen)
	irp.layout = layout{in: inLen, out: outLen, outVerb: q.outVerb}
	irp.Flags = 0
	if allocator != nil {
		irp.rule = ruleP16
		status := allocator(irp, uint32(size), q.outVerb)
		irp.IoStatus.Information = 0
		if !status.IsSuccess() {
			irp.SystemBuffer = nil
			return status
		}
		if uint64(len(irp.SystemBuffer)) < size { // P-16, also for a buffer that is shorter than asked for
			return ks.StatusInsufficientResources
		}
	} else if !irp.takePool(uint32(size)) {
		return irp.decide(ruleP10, ks.StatusInsufficientResources)
	}
	irp.layout.prepared = true

	irp.rule = ruleP9
	data := irp.SystemBuffer[:at:at]
	request := irp.SystemBuffer[at:size]
	if irp.Memory != nil || uint64(len(in)) < uint64(inLen) || uint64(len(out)) < uint64(outLen) {
		return irp.captureMemory(q, data, request, in, out)
	}
	switch {
	case !q.outVerb:
		clear(data[copy(data, out[:outLen]):])
	case at == 8:
		binary.LittleEndian.PutUint64(data, 0) // most values are that short: 2 ns less than a call to clear them
	default:
		clear(data) // S-11
	}
	q.write(request)
	if inLen != ks.SizeIdentifier {
		return q.writeRest(irp, request, in)
	}
	return ks.StatusSuccess
}

// captureMemory is the capture from memory that can fault. The buffer of a request that faults is freed (P-9).
func (irp *IRP) captureMemory(q *request, data, request, in, out []byte) ks.Status {
	status := irp.captureData(q, data, out)
	if status == ks.StatusSuccess {
		q.write(request)
		status = q.writeRest(irp, request, in)
	}
	if status != ks.StatusSuccess {
		irp.abandon()
	}
	return status
}

// captureData is P-8 for memory that can fault: a user's buffer is probed, and read only for an in-verb.
func (irp *IRP) captureData(q *request, data, out []byte) ks.Status {
	n := irp.layout.out
	clear(data)
	switch {
	case n == 0:
		return ks.StatusSuccess
	case irp.Memory != nil && !q.outVerb:
		return irp.Memory.ReadOutput(data[:n])
	case irp.Memory != nil && irp.RequestorMode == UserMode:
		return irp.Memory.ProbeOutput(n)
	case irp.Memory != nil || uint64(len(out)) < uint64(n) && q.outVerb && irp.RequestorMode == KernelMode:
		return ks.StatusSuccess // nothing is probed for the kernel
	case uint64(len(out)) < uint64(n):
		return ks.StatusAccessViolation
	}
	if !q.outVerb {
		copy(data, out[:n])
	}
	return ks.StatusSuccess
}

// takePool gives the request a pool buffer and tells completion to free it (P-10).
func (irp *IRP) takePool(size uint32) bool {
	b := irp.allocPool(size)
	if b == nil {
		return false
	}
	irp.SystemBuffer = b
	irp.Flags = BufferedIO | DeallocateBuffer
	if irp.layout.outVerb && irp.layout.out != 0 {
		irp.Flags |= InputOperation // not for Out = 0, or a size answer would be copied to nowhere (S-12)
	}
	return true
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
	irp.Flags = 0
	irp.layout.prepared = false
}

// largestBuffer is the longest buffer in bytes that a host is asked for: 32 bits, or where an int has no more than that, a
// quarter of it, since asking Go's heap for more than there is ends the process (P-5).
const largestBuffer = uint64(min(math.MaxUint32, math.MaxInt/4))
