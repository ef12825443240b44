package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/internal/utf16le"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// output is the data part of the buffer.
func (irp *IRP) output() []byte { return irp.SystemBuffer[:irp.layout.out:irp.layout.out] }

// Data returns the data of a request that its handler has left pending: what the handler was called with, for whoever completes the
// request. The memory is dead when it is completed.
func (irp *IRP) Data() []byte {
	n := irp.layout.out
	switch {
	case irp.layout.source:
		return irp.view()
	case n == 0 || uint64(len(irp.SystemBuffer)) < uint64(n) || !irp.base.of(irp.SystemBuffer):
		return nil
	}
	return irp.output()
}

// produced is the success of standard processing that produced n bytes.
func (irp *IRP) produced(r rule, n uint64) ks.Status {
	irp.IoStatus.Information = n
	return irp.decide(r, ks.StatusSuccess)
}

// setSupport is P-31 for a set, and P-32, the list of all n sets of a family in table order, for GUID_NULL.
func (irp *IRP) setSupport(one, all rule, n int, set func(int) *ks.GUID) ks.Status {
	if irp.ident.lo|irp.ident.hi != 0 {
		return irp.produced(one, 0)
	}
	data, need := irp.output(), 16*uint64(n)
	if uint64(len(data)) < need {
		return irp.tooShort(all, uint64(len(data)), need)
	}
	for i := range n {
		copy(data[16*i:], set(i)[:])
	}
	return irp.produced(all, need)
}

// sizedList is the ladder of KsHandleSizedListQuery: a list of n elements behind a KSMULTIPLE_ITEM, of which a caller may
// ask for all, for the header with 8 bytes, or for the size with 4 (P-35, P-60).
func (irp *IRP) sizedList(r rule, data []byte, n, size uint32, put func(i uint32, b []byte)) ks.Status {
	all, status := irp.listSize(r, data, ks.SizeMultipleItem+uint64(n)*uint64(size), n)
	if all {
		for i := range n {
			put(i, data[ks.SizeMultipleItem+uint64(i)*uint64(size):])
		}
	}
	return status
}

// listSize is the ladder itself, for a list of full bytes and n elements. all says that there is room for them: the header is
// written, and the caller writes what follows.
func (irp *IRP) listSize(r rule, data []byte, full uint64, n uint32) (all bool, status ks.Status) {
	if full > math.MaxUint32 {
		return false, irp.decide(r, ks.StatusInvalidBufferSize) // S-5
	}
	switch out := uint64(len(data)); {
	case out >= full:
		ks.MultipleItem{Size: uint32(full), Count: n}.Put(data)
		return true, irp.produced(r, full)
	case out == 4:
		binary.LittleEndian.PutUint32(data, uint32(full))
		return false, irp.produced(r, 4)
	case out == ks.SizeMultipleItem:
		ks.MultipleItem{Size: uint32(full), Count: n}.Put(data)
		return false, irp.produced(r, ks.SizeMultipleItem)
	}
	return false, irp.tooShort(r, uint64(len(data)), full)
}

// HandleSizedListQuery answers a handler's request with a list of count elements of size bytes each, behind a KSMULTIPLE_ITEM:
// KsHandleSizedListQuery (PN-8). put writes element i to the size bytes at element. A client may ask for the whole list, for the 8
// bytes of the header, or for the size of the list with 4 bytes. An empty data gets STATUS_BUFFER_OVERFLOW with the size in
// Information, any other length below the size of the list STATUS_BUFFER_TOO_SMALL. A list whose size exceeds 32 bits gets
// STATUS_INVALID_BUFFER_SIZE.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kshandlesizedlistquery
func HandleSizedListQuery(irp *IRP, data []byte, count, size uint32, put func(i uint32, element []byte)) ks.Status {
	required(put != nil, "HandleSizedListQuery: put")
	irp.IoStatus.Information = 0
	return irp.sizedList(rulePN8, data, count, size, func(i uint32, b []byte) { put(i, b[:size:size]) })
}

func (irp *IRP) guidList(data []byte, list []ks.GUID) ks.Status {
	return irp.sizedList(ruleP17, data, uint32(len(list)), 16, func(i uint32, b []byte) { copy(b, list[i][:]) })
}

// number answers a ULONG (PN-4).
func (irp *IRP) number(r rule, data []byte, n uint32) ks.Status {
	if len(data) < 4 {
		return irp.tooShort(r, uint64(len(data)), 4)
	}
	binary.LittleEndian.PutUint32(data, n)
	return irp.produced(r, 4)
}

// text answers a text in UTF-16 with its terminator (P-62, PN-13).
func (irp *IRP) text(r rule, data []byte, s string) ks.Status {
	need := textSize(s)
	if uint64(len(data)) < need {
		return irp.tooShort(r, uint64(len(data)), need)
	}
	putText(data, s)
	return irp.produced(r, need)
}

// textSize is what putText writes, in bytes.
func textSize(s string) uint64 { return utf16le.Len(s) + 2 }

func putText(b []byte, s string) { binary.LittleEndian.PutUint16(utf16le.Encode(b, s), 0) }
