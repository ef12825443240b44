package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// attributeMode is KSATTRIBUTEID_AUDIOSIGNALPROCESSING_MODE, the attribute that a mode stands in: a KSATTRIBUTE and the GUID of the mode.
var attributeMode = ks.MustParseGUID("e1f89eb5-5f46-419b-967b-ff6770b98401")

const (
	sizeGUID          = 16
	sizeAttributeMode = ks.SizeAttribute + sizeGUID
	sizeOffset        = 8 // a ULONGLONG of MODEDATAFORMATS
)

// proposeDataFormat2 handles KSPROPERTY_PIN_PROPOSEDATAFORMAT2 (PN-16).
func (s *PinSet) proposeDataFormat2(irp *IRP, request, data []byte) ks.Status {
	if pin, status := s.pin(irp, request); pin == nil {
		return status
	}
	attributes, mode, status := modeOf(request[ks.SizePin:])
	if status != ks.StatusSuccess {
		return irp.decide(rulePN16, status)
	}
	format, status := s.ModeFormat(irp, pinID(request), mode)
	if status = modeStatus(status, format); status != ks.StatusSuccess {
		return irp.decide(rulePN16, status)
	}
	need := aligned(uint64(len(format))) + uint64(len(attributes))
	if uint64(len(data)) < need {
		return irp.tooShort(rulePN16, uint64(len(data)), need)
	}
	copy(putPadded(data, format), attributes)
	flags := binary.LittleEndian.Uint32(data[formatFlags:])
	binary.LittleEndian.PutUint32(data[formatFlags:], flags|ks.DataRangeAttributes)
	return irp.produced(rulePN16, need)
}

// modeOf reads the attributes that a client sends, of which only the mode is defined; without one it is GUID_NULL.
func modeOf(b []byte) (list []byte, mode ks.GUID, status ks.Status) {
	list, ok := splitAttributes(b)
	if !ok {
		return nil, mode, ks.StatusInvalidParameter
	}
	for attributes := attributesOf(list); ; {
		at := attributes.rest
		a, more := attributes.next()
		switch {
		case !more:
			return list, mode, ks.StatusSuccess
		case a.Attribute != attributeMode:
			return nil, mode, ks.StatusNotSupported
		case a.Size < sizeAttributeMode:
			return nil, mode, ks.StatusInvalidParameter
		}
		mode = guidAt(at, ks.SizeAttribute)
	}
}

// modeDataFormats handles KSPROPERTY_PIN_MODEDATAFORMATS (PN-17): a KSMULTIPLE_ITEM, where each format is from its start, and the formats.
func (s *PinSet) modeDataFormats(irp *IRP, request, data []byte) ks.Status {
	if pin, status := s.pin(irp, request); pin == nil {
		return status
	}
	if len(request) < ks.SizePin+sizeGUID {
		return irp.decide(ruleP27, ks.StatusInvalidBufferSize)
	}
	formats, status := s.ModeFormats(irp, pinID(request), guidAt(request, ks.SizePin))
	if status = modeStatus(status, formats...); status != ks.StatusSuccess {
		return irp.decide(rulePN17, status)
	}
	at := ks.SizeMultipleItem + sizeOffset*uint64(len(formats))
	size := at
	for _, f := range formats {
		size += aligned(uint64(len(f)))
	}
	all, status := irp.listSize(rulePN17, data, size, uint32(len(formats)))
	if !all {
		return status
	}
	b := data[at:]
	for i, f := range formats {
		binary.LittleEndian.PutUint64(data[ks.SizeMultipleItem+sizeOffset*i:], at)
		b, at = putPadded(b, f), at+aligned(uint64(len(f)))
	}
	return status
}

// modeStatus is the status of a function of a driver that returned formats, which are its own to make well (S-18).
func modeStatus(status ks.Status, formats ...[]byte) ks.Status {
	switch {
	case status == ks.StatusPending:
		return ks.StatusInvalidDeviceRequest
	case status != ks.StatusSuccess:
		return status
	}
	for _, f := range formats {
		if format, ok := ks.DecodeDataFormat(f); !ok || uint64(format.FormatSize) != uint64(len(f)) {
			return ks.StatusInvalidBufferSize
		}
	}
	return status
}
