package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

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
		b := (*[ks.SizeIdentifier]byte)(in)
		q.lo, q.hi, q.word = binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
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
