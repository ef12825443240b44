package engine_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The rules of the pin set: PN-1 to PN-17, and OB-16 where the set answers it. Data intersection is in
// property_pin_intersect_test.go, and creating pins in property_pin_connect_test.go.

var setPin = ks.MustParseGUID("8c134960-51ad-11cf-878a-94f801c10000") // KSPROPSETID_Pin

// KSPROPERTY_PIN.
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

// pinRequest is a GET about a pin.
func pinRequest(id, pin uint32, out int) request {
	return request{set: setPin, id: id, flags: get, extra: node(pin), out: full(out)}
}

// aware makes q that of a client which knows of attribute lists.
func aware(q request) request {
	q.extra = join(q.extra[:4], u32(ks.PinFlagAttributeRangeAware), q.extra[8:])
	return q
}

// listLadder expects the answers of a sized list, at every output size up to a little more than all of it (PN-8).
func (h *host) listLadder(q request, value []byte) {
	h.Helper()
	need := len(value)
	for out := range need + 9 {
		q.out = full(out)
		n := out
		switch {
		case out >= need:
			n = need
		case out == 0:
			h.want(q, ks.StatusBufferOverflow, uint64(need))
			continue
		case out == 4, out == 8:
		default:
			h.want(q, ks.StatusBufferTooSmall, 0)
			continue
		}
		if a := h.want(q, ks.StatusSuccess, uint64(n)); !bytes.Equal(a.out[:n], value[:n]) {
			h.Errorf("%v: % x, want % x", q, a.out[:n], value[:n])
		}
	}
}

// twoCall expects the answers of a value that is all or nothing (P-28, P-62).
func (h *host) twoCall(q request, value []byte) {
	h.Helper()
	for out := range len(value) + 3 {
		q.out = full(out)
		switch {
		case out >= len(value):
			if a := h.want(q, ks.StatusSuccess, uint64(len(value))); !bytes.Equal(a.out[:len(value)], value) {
				h.Errorf("%v: % x, want % x", q, a.out, value)
			}
		case out == 0:
			h.want(q, ks.StatusBufferOverflow, uint64(len(value)))
		default:
			h.want(q, ks.StatusBufferTooSmall, 0)
		}
	}
}

// oddRange is a range of 69 bytes: one whose length is no multiple of 8.
func oddRange() []byte {
	b := append(ks.DataRange{FormatSize: 69, SampleSize: 7, MajorFormat: setA, SubFormat: setB, Specifier: stranger}.Bytes(), 1, 2, 3, 4, 5)
	return b
}

// attributed is a range with a list of two attributes, of which the first is of 25 bytes.
func attributed(flags uint32) engine.DataRange {
	r := ks.AudioRange(ks.DataFormatSubtypePCM, 2, [2]uint32{16, 24}, [2]uint32{44100, 48000})
	r.Flags = ks.DataRangeAttributes | flags
	first := append(ks.Attribute{Size: 25, Attribute: setA}.Bytes(), 9)
	return engine.DataRange{Format: r.Bytes(), Attributes: ks.AttributeList(first, ks.Attribute{Size: 24, Attribute: setB}.Bytes())}
}

// pins are a filter's: the first declares as little as there is, the second everything, the third attributes.
func pins() *engine.PinSet {
	plain := ks.AudioRange(ks.DataFormatSubtypePCM, 2, [2]uint32{16, 16}, [2]uint32{48000, 48000}).Bytes()
	return &engine.PinSet{
		Pins: []engine.PinDescriptor{
			{DataFlow: ks.DataFlowIn, Communication: ks.CommunicationNone},
			{
				Interfaces:            []ks.Identifier{{Set: setA, ID: 1, Flags: 5}, ks.InterfaceStreaming},
				Mediums:               []ks.Identifier{{Set: setB, ID: 7}},
				DataRanges:            []engine.DataRange{{Format: oddRange()}, {Format: plain}, {Format: oddRange()}},
				ConstrainedDataRanges: []engine.DataRange{{Format: plain}},
				DataFlow:              ks.DataFlowOut, Communication: ks.CommunicationBoth,
				Category: &setA, Name: &setB,
				InstancesPossible: 4, InstancesNecessary: 1,
				PhysicalConnection: &engine.PhysicalConnection{Pin: 3, Link: `\??\wave🔊`},
			},
			{
				DataRanges: []engine.DataRange{attributed(0), {Format: oddRange()}, attributed(ks.DataRangeRequiredAttributes)},
				DataFlow:   ks.DataFlowIn, Communication: ks.CommunicationSink, Category: &setA,
			},
		},
		Name: func(g ks.GUID) (string, ks.Status) {
			switch g {
			case setA:
				return "Wave In", ks.StatusSuccess
			case setB:
				return "Hörer 🔊", ks.StatusSuccess
			}
			return "", ks.StatusObjectNameNotFound
		},
		Instances: func(irp *engine.IRP, pin uint32) (ks.PinCInstances, ks.Status) {
			return ks.PinCInstances{PossibleCount: 10 + pin, CurrentCount: pin}, ks.StatusSuccess
		},
		GlobalInstances: func(irp *engine.IRP, pin uint32) (ks.PinCInstances, ks.Status) {
			if pin == 2 {
				return ks.PinCInstances{}, ks.StatusDeviceNotReady
			}
			return ks.PinCInstances{PossibleCount: ks.InstanceIndeterminate, CurrentCount: 7}, ks.StatusSuccess
		},
	}
}

// pinHost is a host with the set of s alone.
func pinHost(t testing.TB, s *engine.PinSet) *host {
	t.Helper()
	return newHost(t, engine.Config{PropertySets: []engine.PropertySet{s.PropertySet()}})
}

// statics are the items that Property answers.
var statics = []uint32{
	pinCTypes, pinDataFlow, pinDataRanges, pinInterfaces, pinMediums, pinCommunication, pinCategory, pinName, pinConstrainedDataRanges,
}

func TestPN1_DirectCall(t *testing.T) {
	s := pins()
	for _, id := range statics {
		// On an IRP that was used before, with data of its own.
		h := pinHost(t, s)
		q := pinRequest(id, 1, 300)
		irp := h.irp(q)
		irp.Finish(h.Property(irp), irp.UserBuffer)
		irp.IoStatus = engine.IoStatus{Status: untouchedStatus, Information: 0}
		data := full(300)
		if status := s.Property(irp, q.bytes(), data); status != ks.StatusSuccess || !bytes.Equal(data, irp.UserBuffer) {
			t.Errorf("item %d: %v, % x; a request gave % x", id, status, data, irp.UserBuffer)
		}
		if irp.IoStatus.Status != untouchedStatus {
			t.Errorf("item %d: IoStatus.Status was written", id)
		}
		// It checks for itself what the dispatcher checks before a handler.
		if id == pinCTypes {
			continue
		}
		irp = &engine.IRP{}
		if status := s.Property(irp, q.bytes()[:31], data); status != ks.StatusInvalidBufferSize || irp.IoStatus.Information != 0 {
			t.Errorf("item %d: a request of 31 bytes: %v", id, status)
		}
	}
	for _, id := range []uint32{pinCTypes, pinDataFlow, pinCommunication, pinCategory} {
		irp := &engine.IRP{}
		status := s.Property(irp, pinRequest(id, 1, 0).bytes(), full(3))
		if status != ks.StatusBufferTooSmall || irp.IoStatus.Information != 0 {
			t.Errorf("item %d into 3 bytes: %v, Information %d", id, status, irp.IoStatus.Information)
		}
	}
	// Pins that were never compiled may be wrong in any way.
	s.Pins[1].DataRanges = []engine.DataRange{{}, {Format: []byte{1}}, {Format: make([]byte, 63), Attributes: make([]byte, 3)}}
	endless := attributed(0)
	endless.Attributes = join(u32(32), u32(0xFFFFFFFF), make([]byte, 24))
	s.Pins[2].DataRanges = []engine.DataRange{endless}
	if status := s.DataIntersectionEx(&engine.IRP{}, intersection(2, 0, endless.Format).bytes(), nil, nil); status != ks.StatusNoMatch {
		t.Errorf("attributes without a size: %v", status)
	}
	for _, q := range []request{pinRequest(pinDataRanges, 1, 100), aware(pinRequest(pinDataRanges, 1, 100))} {
		if status := s.Property(&engine.IRP{}, q.bytes(), full(100)); status != ks.StatusSuccess {
			t.Errorf("%v: %v", q, status)
		}
	}
}

func TestPN2_OnlyGetOfStaticItems(t *testing.T) {
	s := pins()
	for id := range uint32(20) {
		for _, verb := range verbs {
			irp := &engine.IRP{IoStatus: engine.IoStatus{Status: untouchedStatus}}
			status := s.Property(irp, request{set: setPin, id: id, flags: verb, extra: node(1)}.bytes(), make([]byte, 400))
			want := ks.StatusInvalidDeviceRequest
			if verb == get {
				if want = ks.StatusNotFound; bytes.Contains(u32s(statics), u32(id)) {
					want = ks.StatusSuccess
				}
			}
			if status != want || irp.IoStatus.Status != untouchedStatus || want.IsError() && irp.IoStatus.Information != 0 {
				t.Errorf("%s of item %d: %v, %+v; want %v", ks.FormatPropertyFlags(verb), id, status, irp.IoStatus, want)
			}
		}
	}
}

func u32s(list []uint32) (b []byte) {
	for _, v := range list {
		b = append(b, u32(v)...)
	}
	return b
}

func TestPN3_DeclaredItems(t *testing.T) {
	h := pinHost(t, pins())
	for id := range uint32(18) {
		q := request{set: setPin, id: id, flags: basicSupport, extra: node(0), out: full(4)}
		want := map[bool]ks.Status{true: ks.StatusSuccess, false: ks.StatusNotFound}[id <= pinProposeDataFormat]
		if a := h.via(viaProperty, q); a.status != want {
			t.Errorf("item %d: %v, want %v", id, a.status, want)
		}
	}
	h.want(request{set: setPin, id: pinProposeDataFormat, flags: get, extra: node(0)}, ks.StatusNotFound, 0) // P-26
	// Without the functions that count, what counts is not declared.
	h = pinHost(t, &engine.PinSet{Pins: pins().Pins})
	h.want(pinRequest(pinCInstances, 0, 8), ks.StatusNotFound, 0)
	h.want(pinRequest(pinGlobalCInstances, 0, 8), ks.StatusNotFound, 0)
	h = pinHost(t, modePins())
	for id := range uint32(18) {
		q := request{set: setPin, id: id, flags: basicSupport, extra: node(0), out: full(4)}
		want := map[bool]ks.Status{true: ks.StatusSuccess, false: ks.StatusNotFound}[id <= pinModeDataFormats]
		if a := h.via(viaProperty, q); a.status != want {
			t.Errorf("with modes, item %d: %v, want %v", id, a.status, want)
		}
	}
	// MinProperty: CTYPES is content with a KSPROPERTY, an intersection has a list.
	h = pinHost(t, pins())
	for id := range uint32(pinProposeDataFormat + 1) {
		q := request{set: setPin, id: id, flags: get, extra: make([]byte, 7), out: full(64)}
		switch id {
		case pinCTypes:
			continue
		case pinDataIntersection:
			q.extra = make([]byte, 15)
		case pinProposeDataFormat:
			q.flags = set
		}
		h.want(q, ks.StatusInvalidBufferSize, 0)
	}
	h.want(request{set: setPin, id: pinCTypes, flags: get, out: full(4)}, ks.StatusSuccess, 4)
}

func TestPN4_FixedSizes(t *testing.T) {
	h := pinHost(t, pins())
	for id, value := range map[uint32][]byte{
		pinCTypes: u32(3), pinDataFlow: u32(ks.DataFlowOut), pinCommunication: u32(ks.CommunicationBoth), pinCategory: setA[:],
		pinNecessaryInstances: u32(1),
	} {
		h.twoCall(pinRequest(id, 1, 0), value)
	}
}

func TestPN5_PinID(t *testing.T) {
	h := pinHost(t, pins())
	for id := range uint32(pinProposeDataFormat + 1) {
		for _, pin := range []uint32{3, 4, 0x80000000, 0xFFFFFFFF} { // S-27
			q := pinRequest(id, pin, 64)
			switch id {
			case pinCTypes: // ignores it
				h.want(q, ks.StatusSuccess, 4)
				continue
			case pinDataIntersection:
				q.extra = append(q.extra, make([]byte, 8)...)
			case pinProposeDataFormat:
				q.flags = set
			}
			h.want(q, ks.StatusInvalidParameter, 0)
		}
	}
	// After P-28, but before the ladder of the item; bits of Flags other than one are ignored.
	h.want(pinRequest(pinDataFlow, 9, 0), ks.StatusBufferOverflow, 4)
	h.want(pinRequest(pinDataFlow, 9, 1), ks.StatusBufferTooSmall, 0)
	h.want(pinRequest(pinDataRanges, 9, 0), ks.StatusInvalidParameter, 0)
	h.want(pinRequest(pinPhysicalConnection, 9, 0), ks.StatusInvalidParameter, 0)
	q := pinRequest(pinDataRanges, 2, 0)
	unaware := h.want(q, ks.StatusBufferOverflow, 8+88+72+88)
	q.extra = join(u32(2), u32(^ks.PinFlagAttributeRangeAware))
	if a := h.via(viaProperty, q); a.info != unaware.info {
		t.Errorf("Flags make %d bytes of %d", a.info, unaware.info)
	}
}

func TestPN6_FlowAndCommunication(t *testing.T) {
	h := pinHost(t, pins())
	for pin, want := range [][2]uint32{
		{ks.DataFlowIn, ks.CommunicationNone}, {ks.DataFlowOut, ks.CommunicationBoth}, {ks.DataFlowIn, ks.CommunicationSink},
	} {
		for i, id := range []uint32{pinDataFlow, pinCommunication} {
			if a := h.want(pinRequest(id, uint32(pin), 6), ks.StatusSuccess, 4); !bytes.Equal(a.out[:4], u32(want[i])) {
				t.Errorf("pin %d, item %d: % x, want %d", pin, id, a.out, want[i])
			}
		}
	}
}

func TestPN7_InterfacesAndMediums(t *testing.T) {
	s := pins()
	h := pinHost(t, s)
	list := func(ids ...ks.Identifier) []byte {
		b := join(u32(uint32(8+24*len(ids))), u32(uint32(len(ids))))
		for _, id := range ids {
			b = append(b, id.Bytes()...)
		}
		return b
	}
	h.listLadder(pinRequest(pinInterfaces, 1, 0), list(s.Pins[1].Interfaces...))
	h.listLadder(pinRequest(pinMediums, 1, 0), list(s.Pins[1].Mediums...))
	h.listLadder(pinRequest(pinInterfaces, 0, 0), list(ks.Identifier{Set: ks.MustParseGUID("1a8766a0-62ce-11cf-a5d6-28db04c10000")}))
	h.listLadder(pinRequest(pinMediums, 0, 0), list(ks.Identifier{Set: ks.MustParseGUID("4747b320-62ce-11cf-a5d6-28db04c10000")}))
}

func TestPN8_SizedListQuery(t *testing.T) {
	var h *host
	count, size := uint32(3), uint32(5)
	item := engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
		return engine.HandleSizedListQuery(irp, data, count, size, func(i uint32, b []byte) {
			if uint32(len(b)) != size || uint32(cap(b)) != size {
				h.Errorf("an element of %d bytes, capacity %d", len(b), cap(b))
			}
			for j := range b {
				b[j] = byte(10*i) + byte(j)
			}
		})
	}}
	h = oneItem(t, item)
	elements := []byte{0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24}
	h.listLadder(request{set: setA, id: 1, flags: get}, join(u32(8+15), u32(3), elements))
	count = 0
	h.listLadder(request{set: setA, id: 1, flags: get}, join(u32(8), u32(0)))
	for _, c := range [][2]uint32{{1 << 31, 2}, {0xFFFFFFFF, 0xFFFFFFFF}, {1, 0xFFFFFFF8}, {0xFFFFFFF8, 1}} {
		count, size = c[0], c[1]
		for _, out := range []int{0, 4, 8, 64} {
			h.want(request{set: setA, id: 1, flags: get, out: full(out)}, ks.StatusInvalidBufferSize, 0)
		}
	}
	count, size = 1, 0xFFFFFFF7 // the largest that there is
	h.want(request{set: setA, id: 1, flags: get}, ks.StatusBufferOverflow, 0xFFFFFFFF)
}

func padded(b []byte) []byte { return append(bytes.Clone(b), make([]byte, -len(b)&7)...) }

// listOf is a KSMULTIPLE_ITEM and elements, each padded to 8 bytes.
func listOf(elements ...[]byte) []byte {
	b := make([]byte, 8)
	for _, e := range elements {
		b = append(b, padded(e)...)
	}
	return append(join(u32(uint32(len(b))), u32(uint32(len(elements)))), b[8:]...)
}

func TestPN9_DataRanges(t *testing.T) {
	s := pins()
	h := pinHost(t, s)
	r := s.Pins[1].DataRanges
	// S-29 and S-38: every size, nothing behind Information touched, the gaps zero.
	want := listOf(r[0].Format, r[1].Format, r[2].Format)
	h.listLadder(pinRequest(pinDataRanges, 1, 0), want)
	h.listLadder(pinRequest(pinDataRanges, 0, 0), listOf())
	// A direct call finds no zeros in data.
	data := full(8 + 72 + 88 + 72)
	if s.Property(&engine.IRP{}, pinRequest(pinDataRanges, 1, 0).bytes(), data); !bytes.Equal(data, want) {
		t.Errorf("% x", data)
	}
}

func TestPN10_ConstrainedDataRanges(t *testing.T) {
	s := pins()
	h := pinHost(t, s)
	h.listLadder(pinRequest(pinConstrainedDataRanges, 1, 0), listOf(s.Pins[1].ConstrainedDataRanges[0].Format))
	a := h.want(pinRequest(pinDataRanges, 2, 256), ks.StatusSuccess, 256)
	b := h.want(pinRequest(pinConstrainedDataRanges, 2, 256), ks.StatusSuccess, 256) // none of its own
	if !bytes.Equal(a.out, b.out) {
		t.Errorf("% x, but DATARANGES is % x", b.out, a.out)
	}
}

func TestPN11_Attributes(t *testing.T) {
	s := pins()
	h := pinHost(t, s)
	r := s.Pins[2].DataRanges
	h.listLadder(aware(pinRequest(pinDataRanges, 2, 0)), listOf(r[0].Format, r[0].Attributes, r[1].Format, r[2].Format, r[2].Attributes))
	// Another client sees neither the lists nor the flags that announce them.
	bare := func(b []byte) []byte { return join(b[:4], u32(0), b[8:]) }
	h.listLadder(pinRequest(pinDataRanges, 2, 0), listOf(bare(r[0].Format), r[1].Format, bare(r[2].Format)))
	if flags := r[2].Format[4]; flags != 6 {
		t.Errorf("the declaration has flags %d now", flags)
	}
}

func TestPN12_NoCategory(t *testing.T) {
	h := pinHost(t, pins())
	h.want(pinRequest(pinCategory, 0, 16), ks.StatusNotFound, 0)
	h.want(pinRequest(pinCategory, 0, 0), ks.StatusBufferOverflow, 16) // P-28 comes first
	h.want(pinRequest(pinCategory, 0, 15), ks.StatusBufferTooSmall, 0)
}

func TestPN13_Name(t *testing.T) {
	s := pins()
	h := pinHost(t, s)
	h.twoCall(pinRequest(pinName, 1, 0), utf16z("Hörer 🔊"))
	h.twoCall(pinRequest(pinName, 2, 0), utf16z("Wave In")) // that of the category
	for _, out := range []int{0, 1, 64} {
		h.want(pinRequest(pinName, 0, out), ks.StatusNotFound, 0) // neither
		s.Pins[2].Name = &stranger
		h.want(pinRequest(pinName, 2, out), ks.StatusObjectNameNotFound, 0) // not that of the category instead
		s.Pins[2].Name = nil
	}
	s.Name = nil
	h.want(pinRequest(pinName, 1, 64), ks.StatusObjectNameNotFound, 0)
}

func TestPN14_PhysicalConnection(t *testing.T) {
	h := pinHost(t, pins())
	link := utf16z(`\??\wave🔊`)
	h.twoCall(pinRequest(pinPhysicalConnection, 1, 0), join(u32(uint32(8+len(link))), u32(3), link))
	for _, out := range []int{0, 4, 64} {
		h.want(pinRequest(pinPhysicalConnection, 0, out), ks.StatusNotFound, 0)
	}
}

func TestPN15_ProposeDataFormat(t *testing.T) {
	h := pinHost(t, pins())
	propose := func(pin uint32, format []byte) request {
		return request{set: setPin, id: pinProposeDataFormat, flags: set, extra: node(pin), out: format}
	}
	sized := func(b []byte, size uint32) []byte { return join(u32(size), b[4:]) }
	wave := ks.WaveFormat(2, 16, 48000).Bytes()
	h.want(propose(1, wave), ks.StatusSuccess, 0)
	h.want(propose(1, append(wave, 1, 2, 3)), ks.StatusSuccess, 0)
	h.want(propose(1, ks.AnalogRange().Bytes()), ks.StatusNoMatch, 0)
	h.want(propose(0, wave), ks.StatusNoMatch, 0) // a pin without ranges takes nothing
	h.want(propose(1, nil), ks.StatusBufferOverflow, 64)
	h.want(propose(1, wave[:63]), ks.StatusBufferTooSmall, 0)
	for _, size := range []uint32{0, 1, 63, 83, 0xFFFFFFF9, 0xFFFFFFFF} { // S-28
		h.want(propose(1, sized(wave, size)), ks.StatusInvalidBufferSize, 0)
	}
	h.want(propose(1, sized(wave, 64)), ks.StatusSuccess, 0)
	// A format that announces attributes has them.
	wave[4] = 2
	h.want(propose(1, wave), ks.StatusInvalidBufferSize, 0)
	h.want(propose(1, join(padded(wave), ks.AttributeList())), ks.StatusSuccess, 0)
	h.want(propose(1, join(padded(wave), ks.AttributeList(ks.Attribute{Size: 25}.Bytes()))), ks.StatusInvalidBufferSize, 0)
}

func TestOB16_Instances(t *testing.T) {
	h := pinHost(t, pins())
	h.twoCall(pinRequest(pinCInstances, 2, 0), join(u32(12), u32(2)))
	h.twoCall(pinRequest(pinGlobalCInstances, 1, 0), join(u32(0xFFFFFFFF), u32(7)))
	h.twoCall(pinRequest(pinNecessaryInstances, 1, 0), u32(1))
	h.want(pinRequest(pinGlobalCInstances, 2, 8), ks.StatusDeviceNotReady, 0)
}

// TestPinErrors: a misdeclared pin is refused when it is compiled, by name.
func TestPinErrors(t *testing.T) {
	good := ks.AnalogRange().Bytes()
	list := ks.AttributeList(ks.Attribute{Size: 24}.Bytes())
	flagged := join(good[:4], u32(2), good[8:])
	for name, c := range map[string]struct {
		change func(p *engine.PinDescriptor)
		want   string
	}{
		"flow":          {func(p *engine.PinDescriptor) { p.DataFlow = 0 }, "Pins[1].DataFlow: 0 is neither"},
		"communication": {func(p *engine.PinDescriptor) { p.Communication = 5 }, "Pins[1].Communication: 5 is no"},
		"short range": {func(p *engine.PinDescriptor) {
			p.DataRanges = []engine.DataRange{{Format: good}, {Format: good[:63]}}
		}, "Pins[1].DataRanges[1]: a KSDATARANGE is at least 64 bytes"},
		"FormatSize": {func(p *engine.PinDescriptor) {
			p.ConstrainedDataRanges = []engine.DataRange{{Format: append(bytes.Clone(good), 0)}}
		}, "Pins[1].ConstrainedDataRanges[0]: FormatSize is not the length"},
		"no list": {func(p *engine.PinDescriptor) {
			p.DataRanges = []engine.DataRange{{Format: flagged}}
		}, "Pins[1].DataRanges[0]: Attributes and the flag"},
		"no flag": {func(p *engine.PinDescriptor) {
			p.DataRanges = []engine.DataRange{{Format: good, Attributes: list}}
		}, "Pins[1].DataRanges[0]: Attributes and the flag"},
		"cut list": {func(p *engine.PinDescriptor) {
			p.DataRanges = []engine.DataRange{{Format: flagged, Attributes: list[:31]}}
		}, "Pins[1].DataRanges[0]: Attributes is not a KSMULTIPLE_ITEM"},
		"bytes behind the list": {func(p *engine.PinDescriptor) {
			p.DataRanges = []engine.DataRange{{Format: flagged, Attributes: append(bytes.Clone(list), 0)}}
		}, "Pins[1].DataRanges[0]: Attributes is not a KSMULTIPLE_ITEM"},
	} {
		s := pins()
		c.change(&s.Pins[1])
		_, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA}, s.PropertySet()}})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "PropertySets[1]") {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func TestPN14_Compat(t *testing.T) {
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{pins().PropertySet()},
		Compat: engine.Compat{NoConnection: ks.StatusUnsuccessful, BadRangeList: ks.StatusInvalidParameter}})
	h.want(pinRequest(pinPhysicalConnection, 0, 64), ks.StatusUnsuccessful, 0)
	bad := request{set: setPin, id: pinDataIntersection, flags: get, extra: join(node(1), u32(9), u32(1)), out: full(64)}
	h.want(bad, ks.StatusInvalidParameter, 0)
	// Called without a dispatcher, handlers answer as ever.
	if status := pins().DataIntersection(&engine.IRP{}, bad.bytes(), nil, nil); status != ks.StatusInvalidBufferSize {
		t.Error(status)
	}
}
