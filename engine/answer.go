package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// output is the data part of the buffer.
func (irp *IRP) output() []byte { return irp.SystemBuffer[:irp.layout.out:irp.layout.out] }

// done ends standard processing that produced n bytes.
func (irp *IRP) done(r rule, n uint64) ks.Status {
	irp.IoStatus.Information = n
	return irp.decide(r, ks.StatusSuccess)
}

// setSupport is P-31 for a set, and P-32, the list of all n sets of a family in table order, for GUID_NULL.
func (irp *IRP) setSupport(one, all rule, n int, set func(int) *ks.GUID) ks.Status {
	if irp.ident.lo|irp.ident.hi != 0 {
		return irp.done(one, 0)
	}
	data, need := irp.output(), 16*uint64(n)
	if uint64(len(data)) < need {
		return irp.tooShort(all, uint64(len(data)), need)
	}
	for i := range n {
		copy(data[16*i:], set(i)[:])
	}
	return irp.done(all, need)
}

// sizedList is the ladder of KsHandleSizedListQuery: a list of n elements behind a KSMULTIPLE_ITEM, of which a caller may
// ask for all, for the header with 8 bytes, or for the size with 4 (P-35, P-60).
func (irp *IRP) sizedList(r rule, data []byte, n, size uint32, put func(i uint32, b []byte)) ks.Status {
	full := ks.SizeMultipleItem + uint64(n)*uint64(size)
	if full > math.MaxUint32 {
		return irp.decide(r, ks.StatusInvalidBufferSize) // S-5
	}
	switch out := uint64(len(data)); {
	case out >= full:
		ks.MultipleItem{Size: uint32(full), Count: n}.Put(data)
		for i := range n {
			put(i, data[ks.SizeMultipleItem+uint64(i)*uint64(size):])
		}
		return irp.done(r, full)
	case out == 4:
		binary.LittleEndian.PutUint32(data, uint32(full))
		return irp.done(r, 4)
	case out == ks.SizeMultipleItem:
		ks.MultipleItem{Size: uint32(full), Count: n}.Put(data)
		return irp.done(r, ks.SizeMultipleItem)
	}
	return irp.tooShort(r, uint64(len(data)), full)
}

func (irp *IRP) guidList(data []byte, list []ks.GUID) ks.Status {
	return irp.sizedList(ruleP17, data, uint32(len(list)), 16, func(i uint32, b []byte) { copy(b, list[i][:]) })
}
