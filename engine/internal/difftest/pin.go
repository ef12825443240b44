package difftest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// PinCase is a set of pins, requests about them and parameters of creates.
type PinCase struct {
	Pins     model.PinSet
	Requests []model.Request
	Connects [][]byte
}

// pinGUIDs are those of formats, categories and interfaces: few, so that they meet, with GUID_NULL and SPECIFIER_NONE among them.
var pinGUIDs = []ks.GUID{{}, {1}, {2}, ks.DataFormatSpecifierNone}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// randomFormat is a KSDATAFORMAT or KSDATARANGE, sometimes of a length that is no multiple of 8.
func randomFormat(r *rand.Rand, flags uint32) []byte {
	more := pick(r, []int{0, 0, 3, 8, 24})
	f := ks.DataFormat{
		FormatSize: uint32(64 + more), Flags: flags, SampleSize: r.Uint32N(100),
		MajorFormat: pick(r, pinGUIDs), SubFormat: pick(r, pinGUIDs), Specifier: pick(r, pinGUIDs),
	}
	return append(f.Bytes(), randomBytes(r, more)...)
}

func randomAttributes(r *rand.Rand) []byte {
	var all [][]byte
	for range r.IntN(3) {
		more := pick(r, []int{0, 0, 1, 8})
		a := ks.Attribute{Size: uint32(24 + more), Flags: r.Uint32N(2), Attribute: pick(r, pinGUIDs)}
		all = append(all, append(a.Bytes(), randomBytes(r, more)...))
	}
	return ks.AttributeList(all...)
}

func randomRanges(r *rand.Rand) (list [][]byte) {
	for range r.IntN(4) {
		if r.IntN(3) == 0 {
			flags := ks.DataRangeAttributes | pick(r, []uint32{0, ks.DataRangeRequiredAttributes})
			list = append(list, randomFormat(r, flags), randomAttributes(r))
		} else {
			list = append(list, randomFormat(r, 0))
		}
	}
	return list
}

func randomIdentifier(r *rand.Rand) [24]byte {
	return [24]byte(ks.Identifier{Set: pick(r, pinGUIDs), ID: r.Uint32N(2), Flags: r.Uint32N(2)}.Bytes())
}

func randomIdentifiers(r *rand.Rand) (list [][24]byte) {
	for range r.IntN(3) {
		list = append(list, randomIdentifier(r))
	}
	return list
}

func randomGUID(r *rand.Rand) *ks.GUID {
	if r.IntN(2) == 0 {
		return nil
	}
	g := pick(r, pinGUIDs)
	return &g
}

// pinName is what both sides know of names: all but one.
func pinName(g ks.GUID) (string, ks.Status) {
	if g == pinGUIDs[1] {
		return "", ks.StatusObjectNameNotFound
	}
	return string(rune('a'+g[0])) + "🔊", ks.StatusSuccess
}

// GeneratePins makes a case.
func GeneratePins(r *rand.Rand) (c PinCase) {
	for range r.IntN(4) {
		c.Pins.Pins = append(c.Pins.Pins, model.Pin{
			Interfaces: randomIdentifiers(r), Mediums: randomIdentifiers(r), Ranges: randomRanges(r), Constrained: randomRanges(r),
			Flow: 1 + r.Uint32N(2), Communication: r.Uint32N(5), Category: randomGUID(r), Name: randomGUID(r), Necessary: r.Uint32(),
			Possible: r.Uint32(), Current: r.Uint32(), Connected: r.IntN(2) == 0, ConnectedPin: r.Uint32(),
			Link:           `\??\é` + string(rune('a'+r.IntN(3))),
			FailsInstances: pick(r, []ks.Status{0, 0, ks.StatusDeviceNotReady}),
			Asked:          pick(r, []ks.Status{0, 0, ks.StatusNoMatch, ks.StatusUnsuccessful}),
		})
	}
	for range 40 {
		c.Requests = append(c.Requests, randomPinRequest(r, len(c.Pins.Pins)))
	}
	for range 10 {
		c.Connects = append(c.Connects, randomConnect(r, len(c.Pins.Pins)))
	}
	return c
}

// pinID is mostly that of a pin.
func pinID(r *rand.Rand, pins int) uint32 {
	if r.IntN(8) == 0 {
		return pick(r, []uint32{uint32(pins), 0x80000000, 0xFFFFFFFF})
	}
	return r.Uint32N(uint32(pins) + 1)
}

// spoil changes a length in b, sometimes, and sometimes cuts b.
func spoil(r *rand.Rand, b []byte) []byte {
	if len(b) > 8 && r.IntN(4) == 0 {
		at := 4 * r.IntN(min(len(b)/4, 30))
		binary.LittleEndian.PutUint32(b[at:], pick(r, []uint32{0, 63, 64, 72, 0xFFFFFFF9, 0xFFFFFFFF}))
	}
	if r.IntN(8) == 0 {
		b = b[:r.IntN(len(b)+1)]
	}
	return b
}

func randomPinRequest(r *rand.Rand, pins int) model.Request {
	q := model.Request{ID: r.Uint32N(16), Flags: ks.PropertyTypeGet}
	q.Out = pick(r, []uint32{0, 0, 1, 3, 4, 5, 7, 8, 12, 16, 64, 72, 100, 500})
	q.Extra = append(ks.Pin{PinID: pinID(r, pins), PinFlags: r.Uint32N(4)}.Bytes()[24:], q.Extra...)
	switch q.ID {
	case 4:
		var elements [][]byte
		for range r.IntN(4) {
			flags := pick(r, []uint32{0, 0, ks.DataRangeAttributes})
			elements = append(elements, randomFormat(r, flags))
			if flags != 0 && r.IntN(4) != 0 {
				elements = append(elements, randomAttributes(r))
			}
		}
		list := ks.AttributeList(elements...) // packed as attributes are
		if count := uint32(len(elements)); count != 0 && r.IntN(4) == 0 {
			binary.LittleEndian.PutUint32(list[4:], r.Uint32N(count))
		}
		q.Extra = append(q.Extra, spoil(r, list)...)
	case 14:
		if q.Flags = ks.PropertyTypeSet; r.IntN(8) == 0 {
			q.Flags = ks.PropertyTypeGet
		}
		q.Data = spoil(r, randomOffer(r))
		q.Out = uint32(len(q.Data))
	}
	q.In = uint32(24 + len(q.Extra))
	if r.IntN(16) == 0 {
		q.In = r.Uint32N(q.In + 1)
	}
	return q
}

// randomOffer is a format as a client sends one, with a list of attributes if it says so.
func randomOffer(r *rand.Rand) []byte {
	flags := pick(r, []uint32{0, 0, ks.DataRangeAttributes})
	f := randomFormat(r, flags)
	if flags != 0 {
		f = append(f, make([]byte, -len(f)&7)...)
		f = append(f, randomAttributes(r)...)
	}
	return append(f, randomBytes(r, r.IntN(3))...)
}

func randomConnect(r *rand.Rand, pins int) []byte {
	c := ks.PinConnect{PinID: pinID(r, pins), Interface: ks.InterfaceStreaming, Medium: ks.MediumDevIO}
	c.PinToHandle = pick(r, []uint64{0, 0, 1, 1 << 40})
	if r.IntN(2) == 0 {
		id := randomIdentifier(r)
		c.Interface, _ = ks.DecodeIdentifier(id[:])
	}
	if r.IntN(2) == 0 {
		id := randomIdentifier(r)
		c.Medium, _ = ks.DecodeIdentifier(id[:])
	}
	b := append(c.Bytes(), randomOffer(r)...)
	tail := spoil(r, b[72:])
	return append(b[:72:72], tail...)
}

// declare is the engine's declaration of the pins; asked gets the pairs that a handler is asked about.
func (c *PinCase) declare(asked *[][2]uint32) *engine.PinSet {
	s := &engine.PinSet{Name: pinName}
	identifiers := func(list [][24]byte) (ids []ks.Identifier) {
		for _, b := range list {
			id, _ := ks.DecodeIdentifier(b[:])
			ids = append(ids, id)
		}
		return ids
	}
	ranges := func(list [][]byte) (ranges []engine.DataRange) {
		for i := 0; i < len(list); i++ {
			one := engine.DataRange{Format: list[i]}
			if list[i][4]&2 != 0 {
				i++
				one.Attributes = list[i]
			}
			ranges = append(ranges, one)
		}
		return ranges
	}
	for i := range c.Pins.Pins {
		p := &c.Pins.Pins[i]
		d := engine.PinDescriptor{
			Interfaces: identifiers(p.Interfaces), Mediums: identifiers(p.Mediums), DataRanges: ranges(p.Ranges),
			ConstrainedDataRanges: ranges(p.Constrained), DataFlow: p.Flow, Communication: p.Communication,
			Category: p.Category, Name: p.Name, InstancesNecessary: p.Necessary,
		}
		if p.Connected {
			d.PhysicalConnection = &engine.PhysicalConnection{Pin: p.ConnectedPin, Link: p.Link}
		}
		if p.Asked != 0 {
			d.Intersect = func(_ *engine.IRP, _ ks.Pin, theirs, ours, _ []byte) (uint32, ks.Status) {
				a, _ := ks.DecodeDataFormat(theirs)
				b, _ := ks.DecodeDataFormat(ours)
				*asked = append(*asked, [2]uint32{a.SampleSize, b.SampleSize})
				return 0, p.Asked
			}
		}
		s.Pins = append(s.Pins, d)
	}
	s.Instances = func(_ *engine.IRP, pin uint32) (ks.PinCInstances, ks.Status) {
		p := &c.Pins.Pins[pin]
		return ks.PinCInstances{PossibleCount: p.Possible, CurrentCount: p.Current}, p.FailsInstances
	}
	s.GlobalInstances = s.Instances
	return s
}

// Run compares the engine with the model, and returns how much was compared, and the first difference.
func (c *PinCase) Run() (compared int, difference error) {
	var asked [][2]uint32
	return c.compare(c.declare(&asked), &asked)
}

// compare sends the case to s, which tells asked.
func (c *PinCase) compare(s *engine.PinSet, asked *[][2]uint32) (compared int, difference error) {
	set := s.PropertySet()
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{set}})
	if err != nil {
		return 0, err
	}
	for i := range c.Requests {
		q := c.Requests[i]
		q.Set = set.Set
		status, info, b, pairs := c.Pins.Do(&q, pinName)
		in := slices.Concat(ks.Identifier{Set: q.Set, ID: q.ID, Flags: q.Flags}.Bytes(), q.Extra)[:q.In]
		out := bytes.Repeat([]byte{0xEE}, int(q.Out))
		copy(out, q.Data)
		want := append(bytes.Clone(b), out[len(b):]...)
		irp := &engine.IRP{Type3InputBuffer: in, InputBufferLength: q.In, UserBuffer: out, OutputBufferLength: q.Out}
		*asked = nil
		got := d.Property(irp)
		n := irp.IoStatus.Information
		irp.Finish(got, out)
		if got != status || n != info || !bytes.Equal(out, want) || !slices.Equal(*asked, pairs) {
			return compared, fmt.Errorf("request %d, item %d, in %d, out %d, % x:\n"+
				"the engine says %v, %d, % x, asked %v (%s)\nthe model says %v, %d, % x, asked %v\npins %+v",
				i, q.ID, q.In, q.Out, q.Extra, got, n, out, *asked, irp.Rule(), status, info, want, pairs, c.Pins)
		}
		compared++
	}
	for i, parameters := range c.Connects {
		want := c.Pins.Connect(parameters)
		if _, got := s.ValidateConnectRequest(parameters); got != want {
			return compared, fmt.Errorf("create %d, % x: the engine says %v, the model %v\npins %+v", i, parameters, got, want, c.Pins)
		}
		compared++
	}
	return compared, nil
}
