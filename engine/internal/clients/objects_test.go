package clients

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// give answers a GET with a value of any length, as a driver's handler of a list does whose item has no MinData: an empty
// output is told the size, a short one is refused.
func give(irp *engine.IRP, data, value []byte) ks.Status {
	irp.IoStatus.Information = uint64(len(value))
	switch {
	case len(data) == 0:
		return ks.StatusBufferOverflow
	case len(data) < len(value):
		return ks.StatusBufferTooSmall
	}
	copy(data, value)
	return ks.StatusSuccess
}

// fixed is a readable item with one value, whose sizes the dispatcher checks.
func fixed(id, minProperty uint32, value []byte) engine.PropertyItem {
	return engine.PropertyItem{ID: id, MinProperty: minProperty, MinData: uint32(len(value)),
		Get: func(irp *engine.IRP, _, data []byte) ks.Status { return give(irp, data, value) }}
}

// accept is a handler that is content.
func accept(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSuccess }

// list is items behind a KSMULTIPLE_ITEM.
func list(items ...[]byte) []byte {
	body := bytes.Join(items, nil)
	return append(words(uint32(8+len(body)), uint32(len(items))), body...)
}

// utf16z is text as a NUL-terminated WCHAR string.
func utf16z(text string) (b []byte) {
	for _, u := range append(utf16.Encode([]rune(text)), 0) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// KSPIN_COMMUNICATION and KSPIN_DATAFLOW.
const (
	sink, both, bridge = 1, 3, 4
	flowIn, flowOut    = 1, 2
)

// pin is a pin factory of a filter. A property that is nil is one that this pin does not have.
type pin struct {
	communication, flow uint32
	category            []byte
	name                []byte
	connection          []byte // KSPIN_PHYSICALCONNECTION
}

var (
	streaming  = list(append(kssets.KSINTERFACESETID_Standard[:], words(0, 0)...)) // one KSPIN_INTERFACE
	medium     = list(append(kssets.KSMEDIUMSETID_Standard[:], words(0, 0)...))    // one KSPIN_MEDIUM
	audioRange = append(words(88), make([]byte, 84)...)                            // a KSDATARANGE_AUDIO with its padding
	ranges     = list(audioRange, audioRange)
	category   = bytes.Repeat([]byte{0x5E}, 16)
	connection = append(words(8+2*9, 1), utf16z(`\\?\topo`)...) // size, pin, name of the filter
)

// ofPin is a readable item of KSPROPSETID_Pin with a value for each pin.
func ofPin(pins []pin, id, minData uint32, value func(p *pin) []byte) engine.PropertyItem {
	return engine.PropertyItem{ID: id, MinProperty: 32, MinData: minData, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
		n := binary.LittleEndian.Uint32(request[ks.SizeIdentifier:])
		if uint64(n) >= uint64(len(pins)) {
			return ks.StatusInvalidParameter
		}
		v := value(&pins[n])
		if v == nil {
			return ks.StatusNotFound
		}
		return give(irp, data, v)
	}}
}

// pinSet is KSPROPSETID_Pin of a filter.
func pinSet(pins ...pin) engine.PropertySet {
	same := func(v []byte) func(*pin) []byte { return func(*pin) []byte { return v } }
	return engine.PropertySet{Set: kssets.KSPROPSETID_Pin, Items: []engine.PropertyItem{
		ofPin(pins, kssets.KSPROPERTY_PIN_CINSTANCES, 8, same(words(1, 0))),
		fixed(kssets.KSPROPERTY_PIN_CTYPES, 24, words(uint32(len(pins)))),
		ofPin(pins, kssets.KSPROPERTY_PIN_DATAFLOW, 4, func(p *pin) []byte { return words(p.flow) }),
		ofPin(pins, kssets.KSPROPERTY_PIN_DATARANGES, 0, same(ranges)),
		ofPin(pins, kssets.KSPROPERTY_PIN_INTERFACES, 0, same(streaming)),
		ofPin(pins, kssets.KSPROPERTY_PIN_MEDIUMS, 0, same(medium)),
		ofPin(pins, kssets.KSPROPERTY_PIN_COMMUNICATION, 4, func(p *pin) []byte { return words(p.communication) }),
		ofPin(pins, kssets.KSPROPERTY_PIN_PHYSICALCONNECTION, 0, func(p *pin) []byte { return p.connection }),
		ofPin(pins, kssets.KSPROPERTY_PIN_CATEGORY, 16, func(p *pin) []byte { return p.category }),
		ofPin(pins, kssets.KSPROPERTY_PIN_NAME, 0, func(p *pin) []byte { return p.name }),
	}}
}

// topology is two nodes in a row, answered by KsTopologyPropertyHandler's counterpart.
var topology = &engine.Topology{
	Nodes:       []ks.GUID{{1}, {2}},
	Connections: []ks.TopologyConnection{{FromNode: 0xFFFFFFFF}, {ToNode: 1}, {FromNode: 1, ToNode: 0xFFFFFFFF, ToNodePin: 1}},
}

// filter is an audio filter: pins, topology, component, and what else is named.
func filter(pins engine.PropertySet, more ...engine.PropertySet) engine.Config {
	return engine.Config{PropertySets: append([]engine.PropertySet{pins, topology.PropertySet(kssets.KSPROPSETID_Topology),
		{Set: kssets.KSPROPSETID_General, Items: []engine.PropertyItem{fixed(kssets.KSPROPERTY_GENERAL_COMPONENTID, 24, make([]byte, 72))}},
	}, more...)}
}

// item returns an item of a declaration, to be changed.
func item(c engine.Config, set ks.GUID, id uint32) *engine.PropertyItem {
	for i := range c.PropertySets {
		for j := range c.PropertySets[i].Items {
			if it := &c.PropertySets[i].Items[j]; c.PropertySets[i].Set == set && it.ID == id {
				return it
			}
		}
	}
	panic("no such item")
}

// remove takes an item out of a declaration.
func remove(c engine.Config, set ks.GUID, id uint32) {
	item(c, set, id).ID = ^id // nobody asks for that
}
