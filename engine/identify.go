package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// setRequest notes what was read of the caller.
func (irp *IRP) setRequest(lo, hi, word uint64, in, out uint32) {
	irp.InputBufferLength, irp.OutputBufferLength = in, out
	irp.IoStatus.Information = 0 // P-1
	irp.ident.lo, irp.ident.hi, irp.ident.word = lo, hi, word
}

// write puts the identifier into the handler's copy, which has room for it.
func (q *ident) write(b []byte) {
	putWords((*[ks.SizeIdentifier]byte)(b), q.lo, q.hi, q.word)
}

// identify is the head of a request of any family: its lengths (P-4, P-5) and its identifier, read once (S-2), from the
// caller or from the copy that an earlier pass made (P-15). The bit of TOPOLOGY is the same in each family. short is the
// rule of a request that is too short. Property has a copy of this in line.
func (irp *IRP) identify(in []byte, short rule) (status ks.Status) {
	inLen := irp.InputBufferLength
	if inLen < ks.SizeIdentifier {
		return irp.decide(short, ks.StatusInvalidBufferSize)
	}
	if (uint64(irp.OutputBufferLength)+7)&^7+uint64(inLen) > math.MaxUint32 {
		return irp.decide(ruleP5, ks.StatusInvalidBufferSize)
	}
	q := &irp.ident
	if irp.SystemBuffer == nil && irp.Memory == nil && len(in) >= ks.SizeIdentifier {
		q.lo, q.hi, q.word = words((*[ks.SizeIdentifier]byte)(in))
	} else if q.lo, q.hi, q.word, status = irp.readIdentifier(in); status != ks.StatusSuccess {
		return status
	}
	if q.flags()&ks.PropertyTypeTopology != 0 {
		if inLen < ks.SizeNode {
			return irp.decide(short, ks.StatusInvalidBufferSize)
		}
		q.node, status = irp.readNode(in)
	}
	return status
}

// readIdentifier reads the identifier where it is not simply at the start of a slice: in memory that can fault, in a slice
// that ends early, or in the buffer of an earlier pass (P-15).
func (irp *IRP) readIdentifier(in []byte) (lo, hi, word uint64, status ks.Status) {
	b := irp.more().head[:ks.SizeIdentifier]
	status = irp.readAgain(b, in, 0)
	lo, hi, word = words((*[ks.SizeIdentifier]byte)(b))
	return lo, hi, word, status
}

// readNode reads the eight bytes that make a KSPROPERTY a KSP_NODE.
func (irp *IRP) readNode(in []byte) (node uint64, status ks.Status) {
	b := irp.more().head[:ks.SizeNode-ks.SizeIdentifier]
	status = irp.readAgain(b, in, ks.SizeIdentifier)
	return binary.LittleEndian.Uint64(b), status
}

// readAgain copies part of the request to dst: from the copy of an earlier pass if there is one, else from the caller. A
// buffer that no pass prepared is not taken for a request (S-15); run refuses it.
func (irp *IRP) readAgain(dst, in []byte, off int) ks.Status {
	if irp.SystemBuffer != nil && irp.wasPrepared() {
		copy(dst, irp.SystemBuffer[int(irp.layout.requestOffset())+off:])
		return ks.StatusSuccess
	}
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
