package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// DataRange is one of the ranges of formats that a pin declares.
type DataRange struct {
	// Format is the whole KSDATARANGE, FormatSize bytes, such as a ks.DataRangeAudio has.
	Format []byte
	// Attributes is the list of attributes behind it: a KSMULTIPLE_ITEM and its attributes, as ks.AttributeList makes it. There
	// is one if and only if the Flags of Format have ks.DataRangeAttributes (PN-11).
	Attributes []byte
}

// Fits reports whether format, a KSDATAFORMAT of at least 64 bytes, is in the range by type, subtype and specifier: GUID_NULL in
// the range matches anything, and ends the comparison (OB-6). The driver judges the bytes beyond the 64 (OB-7).
func (r *DataRange) Fits(format []byte) bool {
	if len(r.Format) < ks.SizeDataFormat || len(format) < ks.SizeDataFormat {
		return false
	}
	for at := majorFormat; at <= specifier; at += 16 {
		switch want := guidAt(r.Format, at); want {
		case ks.GUID{}:
			return true
		case guidAt(format, at):
		default:
			return false
		}
	}
	return true
}

// Offsets in a KSDATAFORMAT.
const (
	formatFlags = 4
	majorFormat = 16
	subFormat   = 32
	specifier   = 48
)

func guidAt(b []byte, at int) ks.GUID { return ks.GUID(b[at:]) }

// aligned is al8: the next multiple of 8.
func aligned(n uint64) uint64 { return (n + 7) &^ 7 }

// SplitDataFormat reads the KSDATAFORMAT at the beginning of b. format is its FormatSize bytes, and attributes the list that its
// Flags announce, which follows at the next multiple of 8 bytes, or nil. ok reports whether FormatSize is at least 64, and format
// and attributes lie within b and are well-formed. Both are slices of b.
func SplitDataFormat(b []byte) (format, attributes []byte, ok bool) {
	if len(b) < ks.SizeDataFormat {
		return nil, nil, false
	}
	size := uint64(binary.LittleEndian.Uint32(b))
	if size < ks.SizeDataFormat || size > uint64(len(b)) {
		return nil, nil, false
	}
	format = b[:size:size]
	if binary.LittleEndian.Uint32(b[formatFlags:])&ks.DataRangeAttributes == 0 {
		return format, nil, true
	}
	if aligned(size) > uint64(len(b)) {
		return nil, nil, false
	}
	attributes, ok = splitAttributes(b[aligned(size):])
	if !ok {
		return nil, nil, false
	}
	return format, attributes, true
}

// splitAttributes reads the attribute list that b begins with: a KSMULTIPLE_ITEM whose Size is at most what there is, and as many
// attributes as it counts, each at a multiple of 8 and no longer than what is left of Size.
func splitAttributes(b []byte) (list []byte, ok bool) {
	head, ok := ks.DecodeMultipleItem(b)
	if !ok || head.Size < ks.SizeMultipleItem || uint64(head.Size) > uint64(len(b)) {
		return nil, false
	}
	list = b[:head.Size:head.Size]
	left := list[ks.SizeMultipleItem:]
	for range head.Count {
		if len(left) < ks.SizeAttribute {
			return nil, false
		}
		size := uint64(binary.LittleEndian.Uint32(left))
		if size < ks.SizeAttribute || size > uint64(len(left)) {
			return nil, false
		}
		left = left[min(aligned(size), uint64(len(left))):]
	}
	return list, true
}

// attributeList walks a list of attributes.
type attributeList struct {
	rest []byte
	left uint32
}

func attributesOf(list []byte) attributeList {
	head, ok := ks.DecodeMultipleItem(list)
	if !ok {
		return attributeList{}
	}
	return attributeList{list[ks.SizeMultipleItem:], head.Count}
}

func (a *attributeList) next() (ks.Attribute, bool) {
	x, ok := ks.DecodeAttribute(a.rest)
	if !ok || a.left == 0 || x.Size < ks.SizeAttribute { // the last in pins that nobody compiled
		return x, false
	}
	a.rest = a.rest[min(aligned(uint64(x.Size)), uint64(len(a.rest))):]
	a.left--
	return x, true
}

// has reports that the list has an attribute.
func (a attributeList) has(attribute ks.GUID) bool {
	for x, ok := a.next(); ok; x, ok = a.next() {
		if x.Attribute == attribute {
			return true
		}
	}
	return false
}

// met reports that other has each attribute that a marks as required (PN-23).
func (a attributeList) met(other attributeList) bool {
	for x, ok := a.next(); ok; x, ok = a.next() {
		if x.Flags&ks.AttributeRequired != 0 && !other.has(x.Attribute) {
			return false
		}
	}
	return true
}

// packedSize is how long the list of ranges is, and how many elements it has, for a client that knows of attributes, or for one that
// does not: a KSMULTIPLE_ITEM, and each range and attribute list padded to 8 bytes (PN-9, PN-11).
func packedSize(list []DataRange, aware bool) (size uint64, count uint32) {
	size = ks.SizeMultipleItem
	for i := range list {
		r := &list[i]
		size += aligned(uint64(len(r.Format)))
		count++
		if aware && len(r.Attributes) != 0 {
			size += aligned(uint64(len(r.Attributes)))
			count++
		}
	}
	return size, count
}

// rangeList answers DATARANGES and CONSTRAINEDDATARANGES (PN-9 to PN-11).
func (irp *IRP) rangeList(r rule, request, data []byte, list []DataRange) ks.Status {
	aware := attributesAware(request)
	size, count := packedSize(list, aware)
	all, status := irp.listSize(r, data, size, count)
	if !all {
		return status
	}
	b := data[ks.SizeMultipleItem:]
	for i := range list {
		format, attributes := list[i].Format, list[i].Attributes
		head := b
		b = putPadded(b, format)
		if aware {
			b = putPadded(b, attributes)
		} else if len(format) >= ks.SizeDataFormat {
			flags := binary.LittleEndian.Uint32(format[formatFlags:]) &^ (ks.DataRangeAttributes | ks.DataRangeRequiredAttributes)
			binary.LittleEndian.PutUint32(head[formatFlags:], flags)
		}
	}
	return status
}

// attributesAware reads a KSP_PIN: whether the client knows attributes.
func attributesAware(request []byte) bool {
	return binary.LittleEndian.Uint32(request[28:])&ks.PinFlagAttributeRangeAware != 0
}

// putPadded copies src to b, zeros up to a multiple of 8 bytes behind it, and returns the rest of b.
func putPadded(b, src []byte) []byte {
	n := copy(b, src)
	end := aligned(uint64(n))
	clear(b[n:end])
	return b[end:]
}

// offeredRanges are the ranges that a client offers in a KSPROPERTY_PIN_DATAINTERSECTION request.
type offeredRanges struct {
	rest  []byte
	left  uint32
	aware bool // attribute lists stand between them
}

// readRanges reads a KSMULTIPLE_ITEM and the ranges behind it. ok says that each of them lies within Size, and that Size is not
// more than there is (PN-18).
func readRanges(b []byte, aware bool) (ranges offeredRanges, ok bool) {
	head, ok := ks.DecodeMultipleItem(b)
	if !ok || head.Size < ks.SizeMultipleItem || uint64(head.Size) > uint64(len(b)) {
		return offeredRanges{}, false
	}
	ranges = offeredRanges{rest: b[ks.SizeMultipleItem:head.Size], left: head.Count, aware: aware}
	for all := ranges; all.left != 0; {
		if _, ok := all.next(); !ok {
			return offeredRanges{}, false
		}
	}
	return ranges, true
}

// next takes the next range; false if there is none, or none that is well-formed.
func (o *offeredRanges) next() (r DataRange, ok bool) {
	if o.left == 0 || len(o.rest) < ks.SizeDataFormat {
		return r, false
	}
	size := uint64(binary.LittleEndian.Uint32(o.rest))
	if size < ks.SizeDataFormat || size > uint64(len(o.rest)) {
		return r, false
	}
	r.Format = o.rest[:size:size]
	o.skip(size)
	if o.aware && binary.LittleEndian.Uint32(r.Format[formatFlags:])&ks.DataRangeAttributes != 0 {
		if r.Attributes, ok = splitAttributes(o.rest); !ok || o.left == 0 {
			return r, false
		}
		o.skip(uint64(len(r.Attributes)))
	}
	return r, true
}

func (o *offeredRanges) skip(size uint64) {
	o.rest = o.rest[min(aligned(size), uint64(len(o.rest))):]
	o.left--
}

// checkRanges says what is wrong with the ranges of a pin, and with which of them.
func checkRanges(list []DataRange) (index int, problem string) {
	for i := range list {
		r := &list[i]
		n := uint64(len(r.Format))
		if n < ks.SizeDataFormat {
			return i, "a KSDATARANGE is at least 64 bytes (PN-9)"
		}
		if uint64(binary.LittleEndian.Uint32(r.Format)) != n {
			return i, "FormatSize is not the length of Format (PN-9)"
		}
		marked := binary.LittleEndian.Uint32(r.Format[formatFlags:])&ks.DataRangeAttributes != 0
		if marked != (len(r.Attributes) != 0) {
			return i, "Attributes and the flag KSDATARANGE_ATTRIBUTES of Format need each other (PN-11)"
		}
		if list, ok := splitAttributes(r.Attributes); marked && (!ok || len(list) != len(r.Attributes)) {
			return i, "Attributes is not a KSMULTIPLE_ITEM and the attributes that it counts (PN-11)"
		}
	}
	if size, _ := packedSize(list, true); size > math.MaxUint32 {
		return len(list) - 1, "up to here the ranges do not fit in an answer of 32-bit size (PN-9)"
	}
	return 0, ""
}
