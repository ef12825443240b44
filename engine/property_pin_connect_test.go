package engine_test

import (
	"bytes"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// connectable are pins of each communication, which stream waves; that of CommunicationBoth has an interface and a medium of its own.
func connectable() *engine.PinSet {
	s := new(engine.PinSet)
	for c := ks.CommunicationNone; c <= ks.CommunicationBridge; c++ {
		s.Pins = append(s.Pins, engine.PinDescriptor{DataFlow: ks.DataFlowIn, Communication: c, DataRanges: []engine.DataRange{
			{Format: ks.AudioRange(ks.DataFormatSubtypePCM, 2, [2]uint32{16, 16}, [2]uint32{48000, 48000}).Bytes()},
		}})
	}
	s.Pins[ks.CommunicationBoth].Interfaces = []ks.Identifier{{Set: setA, ID: 2, Flags: 9}}
	s.Pins[ks.CommunicationBoth].Mediums = []ks.Identifier{{Set: setB}, {Set: setB, ID: 3}}
	return s
}

// connect asks for a pin with a format, as parameters of a create.
func connect(pin uint32, format []byte) (ks.PinConnect, []byte) {
	priority := ks.Priority{PriorityClass: ks.PriorityNormal}
	return ks.PinConnect{Interface: ks.InterfaceStreaming, Medium: ks.MediumDevIO, PinID: pin, Priority: priority}, format
}

func TestOB6_ValidateConnectRequest(t *testing.T) {
	s := connectable()
	wave := ks.WaveFormat(2, 16, 48000).Bytes()
	const sink = ks.CommunicationSink
	sized := func(size uint32) []byte { return join(u32(size), wave[4:]) }
	flagged := join(wave[:4], u32(ks.DataRangeAttributes), wave[8:])
	list := ks.AttributeList(ks.Attribute{Size: 24}.Bytes())
	own := ks.Identifier{Set: setA, ID: 2} // of CommunicationBoth
	for name, c := range map[string]struct {
		format []byte
		change func(*ks.PinConnect)
		want   ks.Status
	}{
		"good":                        {wave, nil, ks.StatusSuccess},
		"more behind it":              {append(bytes.Clone(wave), 1, 2, 3), nil, ks.StatusSuccess},
		"(1) no format":               {nil, nil, ks.StatusInvalidBufferSize},
		"(1) 135 bytes":               {wave[:63], nil, ks.StatusInvalidBufferSize},
		"(1) comes before (2)":        {wave[:63], func(c *ks.PinConnect) { c.PinID = 99 }, ks.StatusInvalidBufferSize},
		"(2) no such pin":             {wave, func(c *ks.PinConnect) { c.PinID = 5 }, ks.StatusInvalidParameter},
		"(2) 0xFFFFFFFF":              {wave, func(c *ks.PinConnect) { c.PinID = 0xFFFFFFFF }, ks.StatusInvalidParameter},
		"(3) none":                    {wave, func(c *ks.PinConnect) { c.PinID = ks.CommunicationNone }, ks.StatusInvalidParameter},
		"(3) none, to a pin":          {wave, func(c *ks.PinConnect) { c.PinID, c.PinToHandle = 0, 8 }, ks.StatusInvalidParameter},
		"(3) sink, to a pin":          {wave, func(c *ks.PinConnect) { c.PinToHandle = 8 }, ks.StatusInvalidParameter},
		"(3) source":                  {wave, func(c *ks.PinConnect) { c.PinID = ks.CommunicationSource }, ks.StatusInvalidParameter},
		"(3) source, to a pin":        {wave, func(c *ks.PinConnect) { c.PinID, c.PinToHandle = 2, 1<<40 }, ks.StatusSuccess},
		"(3) bridge":                  {wave, func(c *ks.PinConnect) { c.PinID = ks.CommunicationBridge }, ks.StatusSuccess},
		"(3) bridge, to a pin":        {wave, func(c *ks.PinConnect) { c.PinID, c.PinToHandle = 4, 8 }, ks.StatusInvalidParameter},
		"(3) comes before (4)":        {wave, func(c *ks.PinConnect) { c.PinID, c.Interface.ID = 0, 7 }, ks.StatusInvalidParameter},
		"(4) interface id":            {wave, func(c *ks.PinConnect) { c.Interface.ID = 1 }, ks.StatusNoMatch},
		"(4) interface set":           {wave, func(c *ks.PinConnect) { c.Interface.Set = setA }, ks.StatusNoMatch},
		"(4) Flags are ignored":       {wave, func(c *ks.PinConnect) { c.Interface.Flags, c.Medium.Flags = 1, 2 }, ks.StatusSuccess},
		"(4) not the default":         {wave, func(c *ks.PinConnect) { c.PinID = ks.CommunicationBoth }, ks.StatusNoMatch},
		"(5) not the default":         {wave, func(c *ks.PinConnect) { c.PinID, c.Interface = 3, own }, ks.StatusNoMatch},
		"(5) medium":                  {wave, func(c *ks.PinConnect) { c.Medium.ID = 1 }, ks.StatusNoMatch},
		"(5) comes before (6)":        {sized(63), func(c *ks.PinConnect) { c.Medium.ID = 1 }, ks.StatusNoMatch},
		"(6) FormatSize 0":            {sized(0), nil, ks.StatusInvalidBufferSize},
		"(6) FormatSize 63":           {sized(63), nil, ks.StatusInvalidBufferSize},
		"(6) FormatSize one too much": {sized(83), nil, ks.StatusInvalidBufferSize},
		"(6) FormatSize 0xFFFFFFFF":   {sized(0xFFFFFFFF), nil, ks.StatusInvalidBufferSize},
		"(6) no attributes":           {flagged, nil, ks.StatusInvalidBufferSize},
		"(6) attributes cut":          {join(padded(flagged), list[:31]), nil, ks.StatusInvalidBufferSize},
		"(6) attributes":              {join(padded(flagged), list), nil, ks.StatusSuccess},
		"(6) comes before (7)":        {join(u32(83), ks.AnalogRange().Bytes()[4:]), nil, ks.StatusInvalidBufferSize},
		"(7) no range fits":           {ks.AnalogRange().Bytes(), nil, ks.StatusNoMatch},
		"own interface and medium": {wave, func(c *ks.PinConnect) {
			c.PinID, c.Interface, c.Medium = 3, own, ks.Identifier{Set: setB, ID: 3}
		}, ks.StatusSuccess},
		"own, to a pin": {wave, func(c *ks.PinConnect) {
			c.PinID, c.PinToHandle, c.Interface, c.Medium = 3, 4, own, ks.Identifier{Set: setB}
		}, ks.StatusSuccess},
	} {
		want, format := connect(sink, c.format)
		if c.change != nil {
			c.change(&want)
		}
		parameters := join(want.Bytes(), format)
		copy(parameters[52:56], "junk") // S-38: padding
		got, status := s.ValidateConnectRequest(parameters)
		if status != c.want {
			t.Errorf("%s: %v, want %v", name, status, c.want)
		}
		if !status.IsSuccess() {
			if got.Format != nil || got.Attributes != nil || got.PinConnect != (ks.PinConnect{}) {
				t.Errorf("%s: refused with %+v", name, got)
			}
			continue
		}
		if got.PinConnect != want || !bytes.Equal(got.Format, format[:82]) || cap(got.Format) != 82 {
			t.Errorf("%s: %+v, want %+v and % x", name, got, want, format)
		}
		if withList := format[4] != 0; withList != bytes.Equal(got.Attributes, list) || withList != (got.Attributes != nil) {
			t.Errorf("%s: attributes % x", name, got.Attributes)
		}
	}
	// Every length that is too short, and parameters that are not there.
	all, format := connect(sink, wave)
	parameters := join(all.Bytes(), format)
	for n := range parameters {
		if _, status := s.ValidateConnectRequest(parameters[:n:n]); status != ks.StatusInvalidBufferSize {
			t.Errorf("%d bytes: %v", n, status)
		}
	}
	if _, status := new(engine.PinSet).ValidateConnectRequest(parameters); status != ks.StatusInvalidParameter {
		t.Errorf("a filter without pins: %v", status)
	}
}

func TestOB6_RangesThatFit(t *testing.T) {
	a, b, c := setA, setB, stranger
	format := ranged(0, a, b, c, 10)
	for _, x := range []struct {
		major, sub, specifier ks.GUID
		want                  bool
	}{
		{a, b, c, true},
		{anyGUID, a, a, true},
		{a, anyGUID, a, true},
		{a, b, anyGUID, true},
		{anyGUID, anyGUID, anyGUID, true},
		{b, b, c, false},
		{a, a, c, false},
		{a, b, a, false},
		{b, anyGUID, anyGUID, false},
		{a, a, anyGUID, false},
	} {
		r := engine.DataRange{Format: ranged(0, x.major, x.sub, x.specifier, 0)}
		if r.Fits(format) != x.want {
			t.Errorf("%v %v %v fits: %t", x.major, x.sub, x.specifier, !x.want)
		}
		// A wildcard in the format is no wildcard.
		if wild := ranged(0, anyGUID, anyGUID, anyGUID, 0); r.Fits(wild) != (x.major == anyGUID) {
			t.Errorf("%v %v %v fits a wildcard", x.major, x.sub, x.specifier)
		}
		if r.Fits(format[:63]) {
			t.Error("63 bytes fit")
		}
	}
	if new(engine.DataRange).Fits(format) {
		t.Error("an empty range fits")
	}
}

// FuzzConnectRequest: whatever the parameters are, nothing is read outside of them, what is accepted lies in them, and is what a
// reading from scratch finds.
func FuzzConnectRequest(f *testing.F) {
	s := connectable()
	s.Pins = append(s.Pins, engine.PinDescriptor{Communication: ks.CommunicationSink, DataRanges: []engine.DataRange{
		{Format: ranged(0, anyGUID, anyGUID, anyGUID, 0)},
	}})
	wave := ks.WaveFormat(2, 16, 48000).Bytes()
	for pin := range uint32(6) {
		c, format := connect(pin, wave)
		f.Add(join(c.Bytes(), format))
		flagged := join(wave[:4], u32(ks.DataRangeAttributes), wave[8:])
		list := ks.AttributeList(append(ks.Attribute{Size: 29}.Bytes(), 1, 2, 3, 4, 5), ks.Attribute{Size: 24}.Bytes())
		f.Add(join(c.Bytes(), padded(flagged), list))
		f.Add(join(c.Bytes(), u32(0xFFFFFFFF), wave[4:]))
	}
	f.Fuzz(func(t *testing.T, parameters []byte) {
		parameters = bytes.Clone(parameters)
		parameters = parameters[:len(parameters):len(parameters)]
		before := bytes.Clone(parameters)
		got, status := s.ValidateConnectRequest(parameters)
		if !bytes.Equal(parameters, before) {
			t.Fatal("the parameters were written")
		}
		if status != ks.StatusSuccess {
			switch status {
			case ks.StatusInvalidBufferSize, ks.StatusInvalidParameter, ks.StatusNoMatch:
				return
			}
			t.Fatalf("status %v", status)
		}
		size := int(parameters[72]) | int(parameters[73])<<8 | int(parameters[74])<<16 | int(parameters[75])<<24
		if size < 64 || !bytes.Equal(got.Format, parameters[72:72+size]) || got.PinID >= 6 {
			t.Fatalf("accepted: %+v", got)
		}
		if flagged := parameters[76]&2 != 0; flagged != (got.Attributes != nil) {
			t.Fatalf("flags %#x, attributes % x", parameters[76], got.Attributes)
		}
		if got.Attributes != nil {
			at := 72 + (size+7)&^7
			if !bytes.Equal(got.Attributes, parameters[at:at+len(got.Attributes)]) {
				t.Fatalf("attributes % x are not at %d", got.Attributes, at)
			}
		}
	})
}

// FuzzIntersection: whatever a client offers, a handler sees ranges that are whole and inside the request, or none.
func FuzzIntersection(f *testing.F) {
	a := ranged(1, setA, setA, noSpecifier, 3)
	f.Add(uint32(0), listOf(a, a))
	f.Add(uint32(1), listOf(join(a[:4], u32(2), a[8:]), ks.AttributeList(ks.Attribute{Size: 24, Flags: 1}.Bytes()), a))
	f.Add(uint32(1), listOf(join(a[:4], u32(2), a[8:])))
	f.Add(uint32(0), join(u32(0xFFFFFFFF), u32(0xFFFFFFFF), a))
	f.Add(uint32(0), join(u32(72), u32(1), u32(0xFFFFFFF9), a[4:]))
	all := formats(ranged(1, anyGUID, anyGUID, anyGUID, 0))
	s := &engine.PinSet{Pins: []engine.PinDescriptor{{DataFlow: ks.DataFlowIn, DataRanges: all}}}
	f.Fuzz(func(t *testing.T, flags uint32, list []byte) {
		q := join(ks.Pin{Identifier: ks.Identifier{Set: setPin, ID: 4, Flags: get}, PinFlags: flags}.Bytes(), list)
		q = q[:len(q):len(q)]
		before, total := bytes.Clone(q), 8
		status := s.DataIntersectionEx(&engine.IRP{}, q, nil, func(_ *engine.IRP, _ ks.Pin, theirs, _, _ []byte) (uint32, ks.Status) {
			size, _ := ks.DecodeDataFormat(theirs)
			if len(theirs) < 64 || int(size.FormatSize) != len(theirs) {
				t.Fatalf("a range of %d bytes, FormatSize %d", len(theirs), size.FormatSize)
			}
			if total += len(theirs); total > len(list) {
				t.Fatalf("%d bytes of ranges in a list of %d", total, len(list))
			}
			return 0, ks.StatusNoMatch
		})
		if status != ks.StatusNoMatch && status != ks.StatusInvalidBufferSize || !bytes.Equal(q, before) {
			t.Fatalf("%v", status)
		}
	})
}
