package engine

import (
	"cmp"
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// run gives the request its one buffer, fills it, and calls the handler on it: P-10 or P-12 to P-16, P-6 and P-8, P-22. A
// buffer that an earlier pass prepared is taken as it is (P-15). Without a handler the buffer is left to the standard
// processing.
//
// If the handler returns STATUS_PENDING, nothing of the IRP may be touched any more: it may have been completed and reused
// by then (S-16).
//
// It is one function because it is on the hot path: as six, with the slices made in each, a request took 130 instructions
// more.
func (d *Dispatcher) run(irp *IRP, handler Handler, allocator Allocator, in, out []byte) ks.Status {
	inLen, outLen := irp.InputBufferLength, irp.OutputBufferLength
	at := (uint64(outLen) + 7) &^ 7
	size := at + uint64(inLen)
	prepared := irp.hasBuffer()
	if prepared {
		if !irp.wasPrepared() || irp.layout.source {
			return irp.decide(ruleP15, ks.StatusInvalidParameter) // S-15
		}
	} else {
		irp.layout.in, irp.layout.out = inLen, outLen
		irp.Flags = 0
		if allocator != nil {
			irp.rule = ruleP16
			status := allocator(irp, uint32(size), irp.layout.dir&dataOut != 0)
			irp.IoStatus.Information = 0
			if !status.IsSuccess() {
				irp.SystemBuffer = nil
				return status
			}
		} else if !irp.takePool(uint32(size)) {
			return irp.decide(ruleP10, ks.StatusInsufficientResources)
		}
	}
	buffer := irp.SystemBuffer
	if uint64(len(buffer)) < size { // P-16, also for a buffer that is shorter than asked for
		return ks.StatusInsufficientResources
	}
	request := buffer[at:size:size]
	if !prepared {
		irp.anchored(buffer)
		irp.mark(irp.loadState()&(stateEntered|stateServed|stateLong), stateLaid)
		irp.rule = ruleP9
		if irp.Memory == nil && uint64(len(in)) >= uint64(inLen) && uint64(len(out)) >= uint64(outLen) {
			switch data := buffer[:at]; {
			case irp.layout.dir&dataIn != 0:
				clear(data[copy(data, out[:outLen]):])
			case at == 8:
				binary.LittleEndian.PutUint64(data, 0) // most values are that short: 2 ns less than a call to clear them
			default:
				clear(data) // S-11
			}
			irp.ident.write(request)
			if inLen != ks.SizeIdentifier {
				irp.writeRest(request, in)
			}
		} else if status := irp.captureMemory(in, out); status != ks.StatusSuccess {
			return status
		}
	}
	if handler == nil {
		return ks.StatusSuccess
	}
	irp.own(d)
	irp.rule = ruleP17
	irp.open()
	var data []byte
	if outLen != 0 {
		data = buffer[:outLen:outLen]
	}
	return handler(irp, request, data)
}

// captureMemory is the capture from memory that can fault. The buffer of a request that faults is freed (P-9).
func (irp *IRP) captureMemory(in, out []byte) ks.Status {
	at := irp.layout.requestOffset()
	status := irp.captureData(irp.SystemBuffer[:at], out)
	if status == ks.StatusSuccess {
		request := irp.SystemBuffer[at : at+irp.layout.in]
		irp.ident.write(request)
		status = irp.writeRest(request, in)
	}
	if status != ks.StatusSuccess {
		irp.releaseBuffer()
	}
	return status
}

// captureData is P-8 for memory that can fault: a user's buffer is probed if data is to go out, and read if data comes in.
func (irp *IRP) captureData(data, out []byte) ks.Status {
	n, dir := irp.layout.out, irp.layout.dir
	clear(data)
	if n == 0 {
		return ks.StatusSuccess
	}
	probe := dir&dataOut != 0 && irp.RequestorMode == UserMode // nothing is probed for the kernel
	if m := irp.Memory; m != nil {
		status := ks.StatusSuccess
		if probe {
			status = m.ProbeOutput(n)
		}
		if status == ks.StatusSuccess && dir&dataIn != 0 {
			status = m.ReadOutput(data[:n])
		}
		return status
	}
	mapped := uint64(len(out)) >= uint64(n)
	switch {
	case !mapped && (probe || dir&dataIn != 0):
		return ks.StatusAccessViolation
	case dir&dataIn != 0:
		copy(data, out[:n])
	}
	return ks.StatusSuccess
}

// writeRest puts what follows the identifier into the handler's copy: the node from the values already read.
func (irp *IRP) writeRest(b, in []byte) ks.Status {
	known := ks.SizeIdentifier
	if irp.ident.flags()&ks.PropertyTypeTopology != 0 {
		binary.LittleEndian.PutUint64(b[known:], irp.ident.node)
		known = ks.SizeNode
	}
	return irp.readInput(b[known:], in, known)
}

// takePool gives the request a pool buffer and tells completion to free it (P-10).
func (irp *IRP) takePool(size uint32) bool {
	b := irp.allocPool(size)
	if b == nil {
		return false
	}
	irp.SystemBuffer = b
	irp.Flags = BufferedIO | DeallocateBuffer
	if irp.layout.dir&dataOut != 0 && irp.layout.out != 0 {
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

// releasePool frees a pool buffer and forgets it: pointer, flags and layout go together (S-9).
func (irp *IRP) releasePool() (misuse invariants.Violation) {
	if irp.Pool != nil {
		if irp.kept {
			misuse = irp.freeBuffer()
		} else { // freeBuffer, written out: the call takes 14 of 760 instructions
			misuse = free(irp.Pool, irp.SystemBuffer)
		}
	}
	irp.SystemBuffer = nil
	irp.unanchored()
	irp.Flags = 0
	return misuse
}

// free frees a buffer. The request goes on to its end whatever a checked build finds there: the misuse is raised when nobody waits for
// it any more.
func free(pool *arena.Arena, b []byte) (misuse invariants.Violation) {
	if invariants.Enabled {
		return invariants.Catch(func() { pool.Free(b) })
	}
	pool.Free(b)
	return ""
}

// releaseBuffer frees the buffer of a request whose capture failed, or whose goroutine ends. An allocator's buffer is its owner's to free.
func (irp *IRP) releaseBuffer() {
	misuse := invariants.Violation("")
	if irp.Flags&DeallocateBuffer != 0 {
		if irp.layout.source {
			misuse = irp.unlock(nil)
		}
		misuse = cmp.Or(misuse, irp.releasePool())
	}
	irp.change(0, stateLaid|stateOpen)
	irp.unanchored()
	irp.IoStatus.Information = 0
	misuse.Raise()
}

// releaseScratch frees bytes of allocPool.
func (irp *IRP) releaseScratch(b []byte) {
	if irp.Pool != nil {
		irp.Pool.Free(b)
	}
}

// largestBuffer is the longest buffer in bytes that a host is asked for: 32 bits, or where an int has no more than that, a
// quarter of it, since asking Go's heap for more than there is ends the process (P-5).
const largestBuffer = uint64(min(math.MaxUint32, math.MaxInt/4))
