package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// serialHead is what a blob of one property has before its data: KSPROPERTY_SERIALHDR and KSPROPERTY_SERIAL.
const serialHead = ks.SizeSerialHdr + ks.SizeSerial

// unknownSize is the SerializedSize of a property that begins with KSMULTIPLE_ITEM (P-40).
const unknownSize = 1

func align4(n uint64) uint64 { return (n + 3) &^ 3 }

// serializeSize is P-37.
func (d *Dispatcher) serializeSize(irp *IRP) ks.Status {
	data := irp.output()
	if len(data) < 4 {
		return irp.tooShort(ruleP37, uint64(len(data)), 4)
	}
	it := &d.properties.items[irp.index]
	size := it.decl.SerializedSize
	if size == unknownSize {
		if it.slot.handlers[0] == nil {
			return irp.decide(ruleP37, ks.StatusNotFound)
		}
		var status ks.Status
		if size, status = d.resolveSize(irp, irp.index); status != ks.StatusSuccess {
			return status
		}
	}
	binary.LittleEndian.PutUint32(data, size)
	return irp.produced(ruleP37, 4)
}

// serializable calls yield with the index of each item that a serialization of the set holds: all entries with the set's
// GUID, in table order, that are serialized and can be read (P-39).
func (d *Dispatcher) serializable(set uint32) func(yield func(index uint32) bool) {
	return func(yield func(index uint32) bool) {
		for s := set; s != noItem; s = d.properties.sets[s].next {
			for i := range d.properties.sets[s].count {
				index := d.properties.sets[s].first + i
				if it := &d.properties.items[index]; it.decl.SerializedSize != 0 && it.slot.handlers[0] != nil && !yield(index) {
					return
				}
			}
		}
	}
}

// serializeSet is P-39 to P-41. The first pass finds the sizes, asking the items that do not know theirs; the second reads
// each item once.
func (d *Dispatcher) serializeSet(irp *IRP, set uint32) ks.Status {
	count := uint32(0)
	for range d.serializable(set) {
		count++
	}
	sizes := irp.allocPool(count * 4) // of each item, little-endian: an arena holds bytes
	if sizes == nil {
		return irp.decide(ruleP10, ks.StatusInsufficientResources)
	}
	defer irp.releaseScratch(sizes)

	total, n := uint64(ks.SizeSerialHdr), 0
	for index := range d.serializable(set) {
		size := d.properties.items[index].decl.SerializedSize
		if size == unknownSize {
			var status ks.Status
			if size, status = d.resolveSize(irp, index); status != ks.StatusSuccess {
				return irp.fail(status)
			}
		}
		binary.LittleEndian.PutUint32(sizes[4*n:], size)
		n++
		total += ks.SizeSerial + align4(uint64(size))
	}

	data := irp.output()
	switch {
	case total > math.MaxUint32:
		return irp.decide(ruleP40, ks.StatusInvalidBufferSize)
	case len(data) != 0 && uint64(len(data)) < total:
		return irp.decide(ruleP39, d.compat.ShortSerializeBuffer)
	case len(data) == 0:
		return irp.tooShort(ruleP39, 0, total)
	}

	hdr := ks.SerialHdr{PropertySet: d.properties.sets[set].Set, Count: count}
	hdr.Put(data)
	at, n := uint64(ks.SizeSerialHdr), 0
	for index := range d.serializable(set) {
		decl := d.properties.items[index].decl
		size := binary.LittleEndian.Uint32(sizes[4*n:])
		n++
		head := ks.Serial{ID: decl.ID, PropertyLength: size}
		if v := decl.Values; v != nil {
			head.PropTypeSet = ks.Identifier{Set: v.PropTypeSet.Set, ID: v.PropTypeSet.ID}
		}
		head.Put(data[at:])
		at += ks.SizeSerial
		value := data[at : at+uint64(size)]
		clear(value)
		if _, status := d.innerRequest(irp, ks.PropertyTypeGet, index, value); !status.IsSuccess() {
			return irp.fail(status)
		}
		if decl.SerializedSize == unknownSize && binary.LittleEndian.Uint32(value) != size {
			return irp.decide(ruleP40, ks.StatusInvalidBufferSize) // it changed between the passes (S-18)
		}
		at += align4(uint64(size))
	}
	return irp.produced(ruleP39, total)
}

// fail ends standard processing with the status of an inner request, under the rule that decided that one.
func (irp *IRP) fail(status ks.Status) ks.Status {
	irp.IoStatus.Information = 0
	return status
}

// unserializeSet is P-42: the whole captured blob is validated before the first SET.
func (d *Dispatcher) unserializeSet(irp *IRP) ks.Status {
	q := &irp.ident
	blob := irp.output()
	hdr, ok := ks.DecodeSerialHdr(blob)
	if !ok {
		return irp.decide(ruleP42, ks.StatusInvalidBufferSize)
	}
	if lo, hi := hdr.PropertySet.Words(); lo != q.lo || hi != q.hi {
		return irp.decide(ruleP42, d.compat.UnserializeWrongSet)
	}
	r := blobReader{blob: blob, at: ks.SizeSerialHdr}
	for range hdr.Count {
		head, value, ok := r.next()
		if !ok {
			return irp.decide(ruleP42, d.compat.UnserializeTruncated)
		}
		e := d.properties.table.Lookup(q.lo, q.hi, head.ID)
		if e == nil || e.Tag == noItem || e.Value.handlers[1] == nil {
			return irp.decide(ruleP42, d.compat.UnserializeWrongItem)
		}
		switch size := d.properties.items[e.Tag].decl.SerializedSize; {
		case size == 0:
			return irp.decide(ruleP42, d.compat.UnserializeWrongItem)
		case uint32(len(value)) < e.Value.minData, size != unknownSize && uint32(len(value)) != size:
			return irp.decide(ruleP42, d.compat.UnserializeWrongLength)
		}
	}

	r = blobReader{blob: blob, at: ks.SizeSerialHdr}
	for range hdr.Count {
		head, value, _ := r.next()
		index := d.properties.table.Lookup(q.lo, q.hi, head.ID).Tag
		if _, status := d.innerRequest(irp, ks.PropertyTypeSet, index, value); !status.IsSuccess() {
			return irp.fail(status)
		}
	}
	return irp.produced(ruleP42, 0)
}

// blobReader walks the entries of a serialized set (P-41), which are aligned to 4 bytes from its start.
type blobReader struct {
	blob []byte
	at   uint64
}

// next returns the next entry and its value, or false if it does not fit.
func (r *blobReader) next() (head ks.Serial, value []byte, ok bool) {
	r.at = align4(r.at)
	if r.at > uint64(len(r.blob)) {
		return head, nil, false
	}
	if head, ok = ks.DecodeSerial(r.blob[r.at:]); !ok {
		return head, nil, false
	}
	r.at += ks.SizeSerial
	if uint64(head.PropertyLength) > uint64(len(r.blob))-r.at {
		return head, nil, false
	}
	value = r.blob[r.at : r.at+uint64(head.PropertyLength)]
	r.at += uint64(head.PropertyLength)
	return head, value, true
}

// resolveSize is P-40: the size of a property that begins with KSMULTIPLE_ITEM, asked for with a GET of those 8 bytes.
func (d *Dispatcher) resolveSize(irp *IRP, index uint32) (size uint32, status ks.Status) {
	var head [ks.SizeMultipleItem]byte
	value := head[:]
	n, status := d.innerRequest(irp, ks.PropertyTypeGet, index, value)
	if !status.IsSuccess() {
		return 0, status
	}
	size = binary.LittleEndian.Uint32(value)
	if n < ks.SizeMultipleItem || size < ks.SizeMultipleItem || serialHead+align4(uint64(size)) > math.MaxUint32 {
		return 0, irp.decide(ruleP40, ks.StatusInvalidBufferSize)
	}
	return size, ks.StatusSuccess
}
