package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// IntersectHandler proposes a format in dataRange, a KSDATARANGE of the client that matches some range of the pin:
// PFNKSINTERSECTHANDLER. It writes the format to data and its size to irp.IoStatus.Information. STATUS_NO_MATCH asks for the next
// range; for an empty data, STATUS_BUFFER_OVERFLOW with the size is the answer. It must not leave the request pending.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nc-ks-pfnksintersecthandler
type IntersectHandler func(irp *IRP, pin ks.Pin, dataRange, data []byte) ks.Status

// IntersectHandlerEx proposes a format in both dataRange, a KSDATARANGE of the client, and matching, the range of the pin that it
// matches: PFNKSINTERSECTHANDLEREX. It writes the format to data, if that is long enough, and returns its size in either case.
// STATUS_NO_MATCH asks for the next pair. It must not leave the request pending. Both ranges are only to be read.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nc-ks-pfnksintersecthandlerex
type IntersectHandlerEx func(irp *IRP, pin ks.Pin, dataRange, matching, data []byte) (size uint32, status ks.Status)

// DataIntersection answers KSPROPERTY_PIN_DATAINTERSECTION by asking handler once for each range of the client that matches a range
// of the pin: KsPinDataIntersection (PN-18 to PN-21). It is for handlers of one's own.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kspindataintersection
func (s *PinSet) DataIntersection(irp *IRP, request, data []byte, handler IntersectHandler) ks.Status {
	pin, ranges, status := s.offered(irp, request)
	if pin == nil {
		return status
	}
	q, _ := ks.DecodePin(request)
	for r, ok := ranges.next(); ok; r, ok = ranges.next() {
		for i := range pin.DataRanges {
			if !matches(&r, &pin.DataRanges[i]) {
				continue
			}
			irp.IoStatus.Information = 0
			if status, end := irp.intersected(handler(irp, q, r.Format, data)); end {
				return status
			}
			break
		}
	}
	return irp.noMatch()
}

// DataIntersectionEx is DataIntersection that asks for each pair of a range of the client and a range of the pin that match, in the
// order of the client's ranges: KsPinDataIntersectionEx. A nil handler answers for formats that are no more than a KSDATAFORMAT
// (PN-22).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kspindataintersectionex
func (s *PinSet) DataIntersectionEx(irp *IRP, request, data []byte, handler IntersectHandlerEx) ks.Status {
	pin, ranges, status := s.offered(irp, request)
	if pin == nil {
		return status
	}
	if handler == nil {
		handler = intersectPlain
	}
	q, _ := ks.DecodePin(request)
	for r, ok := ranges.next(); ok; r, ok = ranges.next() {
		for i := range pin.DataRanges {
			own := &pin.DataRanges[i]
			if !matches(&r, own) {
				continue
			}
			size, status := handler(irp, q, r.Format, own.Format, data)
			if status == ks.StatusSuccess && uint64(size) > uint64(len(data)) {
				irp.IoStatus.Information = 0
				return irp.tooShort(rulePN21, uint64(len(data)), uint64(size))
			}
			irp.IoStatus.Information = uint64(size)
			if status, end := irp.intersected(status); end {
				return status
			}
		}
	}
	return irp.noMatch()
}

// dataIntersection handles KSPROPERTY_PIN_DATAINTERSECTION.
func (s *PinSet) dataIntersection(irp *IRP, request, data []byte) ks.Status {
	pin, status := s.pin(irp, request)
	if pin == nil {
		return status
	}
	return s.DataIntersectionEx(irp, request, data, pin.Intersect)
}

// offered returns the pin that a request names, and the ranges that it offers; nil, and the status of the request, if either is
// wrong (PN-5, PN-18).
func (s *PinSet) offered(irp *IRP, request []byte) (*PinDescriptor, offeredRanges, ks.Status) {
	pin, status := s.pin(irp, request)
	if pin == nil {
		return nil, offeredRanges{}, status
	}
	ranges, ok := readRanges(request[ks.SizePin:], attributesAware(request))
	if !ok {
		return nil, offeredRanges{}, irp.decide(rulePN18, irp.compat().BadRangeList)
	}
	return pin, ranges, ks.StatusSuccess
}

// matches is PN-19, and PN-23 for attributes.
func matches(client, pin *DataRange) bool {
	if len(pin.Format) < ks.SizeDataFormat {
		return false // a pin that nobody compiled
	}
	for at := majorFormat; at <= specifier; at += 16 {
		if _, ok := common(client.Format, pin.Format, at); !ok {
			return false
		}
	}
	theirs, ours := attributesOf(client.Attributes), attributesOf(pin.Attributes)
	return theirs.met(ours) && ours.met(theirs)
}

// common is what the GUIDs at an offset of two ranges have in common, where GUID_NULL is any.
func common(a, b []byte, at int) (ks.GUID, bool) {
	x, y := guidAt(a, at), guidAt(b, at)
	switch {
	case x == ks.GUID{}:
		return y, true
	case y == ks.GUID{}:
		return x, true
	}
	return x, x == y
}

// intersectPlain is the IntersectHandlerEx of a pin without one (PN-22).
func intersectPlain(_ *IRP, _ ks.Pin, dataRange, matching, data []byte) (uint32, ks.Status) {
	format := ks.DataFormat{FormatSize: ks.SizeDataFormat, SampleSize: binary.LittleEndian.Uint32(matching[8:])}
	format.MajorFormat, _ = common(dataRange, matching, majorFormat)
	format.SubFormat, _ = common(dataRange, matching, subFormat)
	format.Specifier, _ = common(dataRange, matching, specifier)
	if format.Specifier != ks.DataFormatSpecifierNone || format.MajorFormat == (ks.GUID{}) || format.SubFormat == (ks.GUID{}) {
		return 0, ks.StatusNoMatch
	}
	if len(data) >= ks.SizeDataFormat {
		format.Put(data)
	}
	return ks.SizeDataFormat, ks.StatusSuccess
}

// intersected is PN-21: what the status of a handler makes of the request, and whether it ends it.
func (irp *IRP) intersected(status ks.Status) (_ ks.Status, end bool) {
	switch status {
	case ks.StatusNoMatch:
		return status, false
	case ks.StatusPending:
		status = ks.StatusInvalidDeviceRequest
	}
	if status.IsError() {
		irp.IoStatus.Information = 0
	}
	return irp.decide(rulePN21, status), true
}

func (irp *IRP) noMatch() ks.Status {
	irp.IoStatus.Information = 0
	return irp.decide(rulePN21, ks.StatusNoMatch)
}
