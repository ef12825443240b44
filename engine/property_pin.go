package engine

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// PinSet declares the pins of a filter. Its Property method answers the KSPROPSETID_Pin properties that follow from the
// declarations alone (PN-1 to PN-13); PropertySet declares the whole set. It must not be changed while requests are dispatched.
type PinSet struct {
	Pins []PinDescriptor // a PinId is an index here
	// Name returns the display name of the name or category GUID of a pin, the user-space counterpart of the Name value under
	// Control\MediaCategories, or the status of the failed look-up. nil answers STATUS_OBJECT_NAME_NOT_FOUND (PN-13).
	Name func(ks.GUID) (string, ks.Status)
	// Instances and GlobalInstances count the instances of a pin, which is one of Pins: those of the filter instance that the
	// request was sent to, KSPROPERTY_PIN_CINSTANCES, and those of all, KSPROPERTY_PIN_GLOBALCINSTANCES (OB-16). A property
	// whose function is nil is not declared.
	Instances, GlobalInstances func(irp *IRP, pin uint32) (ks.PinCInstances, ks.Status)
	// ModeFormat returns the format that a pin would take in a signal processing mode, KSPROPERTY_PIN_PROPOSEDATAFORMAT2 (PN-16), and
	// ModeFormats those that it has in the mode, KSPROPERTY_PIN_MODEDATAFORMATS (PN-17). Formats are whole KSDATAFORMATs, which are
	// copied before the request ends; a mode that the pin has not is STATUS_NOT_SUPPORTED. Neither may leave the request pending. A
	// property whose function is nil is not declared.
	ModeFormat  func(irp *IRP, pin uint32, mode ks.GUID) (format []byte, status ks.Status)
	ModeFormats func(irp *IRP, pin uint32, mode ks.GUID) (formats [][]byte, status ks.Status)
}

// PinDescriptor declares one pin: KSPIN_DESCRIPTOR_EX.
type PinDescriptor struct {
	Interfaces            []ks.Identifier // none: ks.InterfaceStreaming (PN-7)
	Mediums               []ks.Identifier // none: ks.MediumDevIO (PN-7)
	DataRanges            []DataRange
	ConstrainedDataRanges []DataRange // none: DataRanges (PN-10)
	DataFlow              uint32      // ks.DataFlowIn or DataFlowOut
	Communication         uint32      // a ks.Communication constant
	Category, Name        *ks.GUID    // nil: none (PN-12, PN-13)
	InstancesPossible     uint32      // of one filter instance; ks.InstanceIndeterminate is no limit
	InstancesNecessary    uint32      // for the filter to work
	PhysicalConnection    *PhysicalConnection
	// Intersect proposes a format for a range of a client that matches one of the pin (PN-20). nil answers for formats that are
	// no more than a KSDATAFORMAT (PN-22).
	Intersect IntersectHandlerEx
}

// PhysicalConnection says that a pin is wired to one of another filter, as the pins of a sound card are.
type PhysicalConnection struct {
	Pin  uint32 // of the other filter
	Link string // symbolic link name of the other filter; clients expect it to begin with \??\
}

// KSPROPERTY_PIN: the properties of KSPROPSETID_Pin.
const (
	pinCInstances = iota
	pinCTypes
	pinDataFlow
	pinDataRanges
	pinDataIntersection
	pinInterfaces
	pinMediums
	pinCommunication
	pinGlobalCInstances
	pinNecessaryInstances
	pinPhysicalConnection
	pinCategory
	pinName
	pinConstrainedDataRanges
	pinProposeDataFormat
	pinProposeDataFormat2
	pinModeDataFormats
)

// setPin is KSPROPSETID_Pin.
var setPin = ks.MustParseGUID("8c134960-51ad-11cf-878a-94f801c10000")

// PropertySet declares KSPROPSETID_Pin, answered by s: what Property answers, and the properties of instances, physical
// connection, data intersection and proposed format (PN-3). Compile refuses the set, with a reason that names pin and field, if a
// pin is misdeclared.
func (s *PinSet) PropertySet() PropertySet {
	set := PropertySet{Set: setPin, checks: []func() error{s.check}, Items: []PropertyItem{
		{ID: pinCTypes, Get: s.Property, MinData: 4},
		{ID: pinDataFlow, Get: s.Property, MinProperty: ks.SizePin, MinData: 4},
		{ID: pinDataRanges, Get: s.Property, MinProperty: ks.SizePin},
		{ID: pinDataIntersection, Get: s.dataIntersection, MinProperty: ks.SizePin + ks.SizeMultipleItem},
		{ID: pinInterfaces, Get: s.Property, MinProperty: ks.SizePin},
		{ID: pinMediums, Get: s.Property, MinProperty: ks.SizePin},
		{ID: pinCommunication, Get: s.Property, MinProperty: ks.SizePin, MinData: 4},
		{ID: pinNecessaryInstances, Get: s.necessaryInstances, MinProperty: ks.SizePin, MinData: 4},
		{ID: pinPhysicalConnection, Get: s.physicalConnection, MinProperty: ks.SizePin},
		{ID: pinCategory, Get: s.Property, MinProperty: ks.SizePin, MinData: 16},
		{ID: pinName, Get: s.Property, MinProperty: ks.SizePin},
		{ID: pinConstrainedDataRanges, Get: s.Property, MinProperty: ks.SizePin},
		{ID: pinProposeDataFormat, Set: s.proposeDataFormat, MinProperty: ks.SizePin, MinData: ks.SizeDataFormat},
	}}
	if s.Instances != nil {
		set.Items = append(set.Items, s.counted(pinCInstances, s.Instances))
	}
	if s.GlobalInstances != nil {
		set.Items = append(set.Items, s.counted(pinGlobalCInstances, s.GlobalInstances))
	}
	if s.ModeFormat != nil {
		set.Items = append(set.Items,
			PropertyItem{ID: pinProposeDataFormat2, Get: s.proposeDataFormat2, MinProperty: ks.SizePin + ks.SizeMultipleItem})
	}
	if s.ModeFormats != nil {
		set.Items = append(set.Items, PropertyItem{ID: pinModeDataFormats, Get: s.modeDataFormats, MinProperty: ks.SizePin + sizeGUID})
	}
	return set
}

// check says which field of which pin is misdeclared.
func (s *PinSet) check() error {
	for i := range s.Pins {
		if field, problem := s.Pins[i].check(); problem != "" {
			return fmt.Errorf("field Pins[%d].%s: %s", i, field, problem)
		}
	}
	return nil
}

func (d *PinDescriptor) check() (field, problem string) {
	switch {
	case d.DataFlow != ks.DataFlowIn && d.DataFlow != ks.DataFlowOut:
		return "DataFlow", fmt.Sprintf("%d is neither ks.DataFlowIn nor ks.DataFlowOut (PN-6)", d.DataFlow)
	case d.Communication > ks.CommunicationBridge:
		return "Communication", fmt.Sprintf("%d is no ks.Communication constant (PN-6)", d.Communication)
	case d.PhysicalConnection != nil && ks.SizePinPhysicalConnection+textSize(d.PhysicalConnection.Link) > math.MaxUint32:
		return "PhysicalConnection.Link", "it does not fit in an answer of 32-bit size (PN-14)"
	}
	for _, list := range []struct {
		field  string
		ranges []DataRange
	}{{"DataRanges", d.DataRanges}, {"ConstrainedDataRanges", d.ConstrainedDataRanges}} {
		if i, problem := checkRanges(list.ranges); problem != "" {
			return fmt.Sprintf("%s[%d]", list.field, i), problem
		}
	}
	return "", ""
}

// takes reports that some range of the pin fits a format.
func (d *PinDescriptor) takes(format []byte) bool {
	for i := range d.DataRanges {
		if d.DataRanges[i].Fits(format) {
			return true
		}
	}
	return false
}

// Property is a Handler: KsPinPropertyHandler. It answers GET of CTYPES, DATAFLOW, DATARANGES, INTERFACES, MEDIUMS,
// COMMUNICATION, CATEGORY, NAME and CONSTRAINEDDATARANGES, and STATUS_NOT_FOUND for any other property (PN-2).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kspinpropertyhandler
func (s *PinSet) Property(irp *IRP, request, data []byte) ks.Status {
	q, ok := ks.DecodeIdentifier(request)
	if !ok || q.Flags&^modifiers != ks.PropertyTypeGet {
		return irp.decide(rulePN2, ks.StatusInvalidDeviceRequest)
	}
	switch q.ID {
	case pinCTypes:
		return irp.number(rulePN4, data, uint32(len(s.Pins)))
	case pinDataFlow, pinDataRanges, pinInterfaces, pinMediums, pinCommunication, pinCategory, pinName, pinConstrainedDataRanges:
	default:
		return irp.decide(rulePN2, ks.StatusNotFound)
	}
	pin, status := s.pin(irp, request)
	if pin == nil {
		return status
	}
	switch q.ID {
	case pinDataFlow:
		return irp.number(rulePN6, data, pin.DataFlow)
	case pinCommunication:
		return irp.number(rulePN6, data, pin.Communication)
	case pinInterfaces:
		return irp.identifierList(data, pin.Interfaces, &ks.InterfaceStreaming)
	case pinMediums:
		return irp.identifierList(data, pin.Mediums, &ks.MediumDevIO)
	case pinCategory:
		if pin.Category == nil {
			return irp.decide(rulePN12, ks.StatusNotFound)
		}
		if len(data) < len(pin.Category) {
			return irp.tooShort(rulePN4, uint64(len(data)), uint64(len(pin.Category)))
		}
		return irp.produced(rulePN12, uint64(copy(data, pin.Category[:])))
	case pinName:
		return s.name(irp, pin, data)
	case pinConstrainedDataRanges:
		if len(pin.ConstrainedDataRanges) != 0 {
			return irp.rangeList(rulePN10, request, data, pin.ConstrainedDataRanges)
		}
	}
	return irp.rangeList(rulePN9, request, data, pin.DataRanges)
}

// pin returns the pin that a KSP_PIN names, or nil and the status of the request (PN-5).
func (s *PinSet) pin(irp *IRP, request []byte) (*PinDescriptor, ks.Status) {
	if len(request) < ks.SizePin {
		return nil, irp.decide(ruleP27, ks.StatusInvalidBufferSize)
	}
	if id := pinID(request); uint64(id) < uint64(len(s.Pins)) {
		return &s.Pins[id], ks.StatusSuccess
	}
	return nil, irp.decide(rulePN5, ks.StatusInvalidParameter)
}

// pinID reads a KSP_PIN.
func pinID(request []byte) uint32 { return binary.LittleEndian.Uint32(request[24:]) }

// identifierList is PN-7: list, or the one that stands for an empty one.
func (irp *IRP) identifierList(data []byte, list []ks.Identifier, none *ks.Identifier) ks.Status {
	if len(list) == 0 {
		return irp.sizedList(rulePN7, data, 1, ks.SizeIdentifier, func(_ uint32, b []byte) { none.Put(b) })
	}
	return irp.sizedList(rulePN7, data, uint32(len(list)), ks.SizeIdentifier, func(i uint32, b []byte) { list[i].Put(b) })
}

// name is PN-13.
func (s *PinSet) name(irp *IRP, pin *PinDescriptor, data []byte) ks.Status {
	guid := pin.Name
	if guid == nil {
		guid = pin.Category
	}
	if guid == nil {
		return irp.decide(rulePN13, ks.StatusNotFound)
	}
	if s.Name == nil {
		return irp.decide(rulePN13, ks.StatusObjectNameNotFound)
	}
	name, status := s.Name(*guid)
	if !status.IsSuccess() {
		return irp.decide(rulePN13, status)
	}
	return irp.text(rulePN13, data, name)
}

// necessaryInstances handles KSPROPERTY_PIN_NECESSARYINSTANCES (OB-16).
func (s *PinSet) necessaryInstances(irp *IRP, request, data []byte) ks.Status {
	pin, status := s.pin(irp, request)
	if pin == nil {
		return status
	}
	return irp.number(ruleOB16, data, pin.InstancesNecessary)
}

// counted declares a property that counts instances (OB-16).
func (s *PinSet) counted(id uint32, count func(*IRP, uint32) (ks.PinCInstances, ks.Status)) PropertyItem {
	get := func(irp *IRP, request, data []byte) ks.Status {
		if pin, status := s.pin(irp, request); pin == nil {
			return status
		}
		n, status := count(irp, pinID(request))
		if !status.IsSuccess() {
			return irp.decide(ruleOB16, status)
		}
		n.Put(data)
		return irp.produced(ruleOB16, ks.SizePinCInstances)
	}
	return PropertyItem{ID: id, Get: get, MinProperty: ks.SizePin, MinData: ks.SizePinCInstances}
}

// physicalConnection handles KSPROPERTY_PIN_PHYSICALCONNECTION (PN-14).
func (s *PinSet) physicalConnection(irp *IRP, request, data []byte) ks.Status {
	pin, status := s.pin(irp, request)
	if pin == nil {
		return status
	}
	to := pin.PhysicalConnection
	if to == nil {
		return irp.decide(rulePN14, irp.compat().NoConnection)
	}
	need := ks.SizePinPhysicalConnection + textSize(to.Link)
	if uint64(len(data)) < need {
		return irp.tooShort(rulePN14, uint64(len(data)), need)
	}
	ks.PinPhysicalConnection{Size: uint32(need), Pin: to.Pin}.Put(data)
	putText(data[ks.SizePinPhysicalConnection:], to.Link)
	return irp.produced(rulePN14, need)
}

// proposeDataFormat handles SET of KSPROPERTY_PIN_PROPOSEDATAFORMAT: whether a pin could stream a format (PN-15).
func (s *PinSet) proposeDataFormat(irp *IRP, request, data []byte) ks.Status {
	pin, status := s.pin(irp, request)
	if pin == nil {
		return status
	}
	format, _, ok := SplitDataFormat(data)
	switch {
	case !ok:
		return irp.decide(rulePN15, ks.StatusInvalidBufferSize)
	case !pin.takes(format):
		return irp.decide(rulePN15, ks.StatusNoMatch)
	}
	return irp.produced(rulePN15, 0)
}

var noCompat = Compat{}.withDefaults()

// compat is that of the dispatcher that called the handler; a handler that was called without one has none.
func (irp *IRP) compat() *Compat {
	if irp.owner != nil {
		return &irp.owner.compat
	}
	return &noCompat
}
