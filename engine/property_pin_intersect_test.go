package engine_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Data intersection: PN-18 to PN-23.

// ranged is a KSDATARANGE of these GUIDs and of 64 + more bytes; sample tells it from others.
func ranged(sample uint32, major, sub, specifier ks.GUID, more int) []byte {
	r := ks.DataRange{FormatSize: uint32(64 + more), SampleSize: sample, MajorFormat: major, SubFormat: sub, Specifier: specifier}
	return append(r.Bytes(), make([]byte, more)...)
}

// intersection asks a pin for an intersection with ranges.
func intersection(pin uint32, out int, ranges ...[]byte) request {
	return request{set: setPin, id: pinDataIntersection, flags: get, extra: join(node(pin), listOf(ranges...)), out: full(out)}
}

var (
	noSpecifier = ks.DataFormatSpecifierNone
	anyGUID     = ks.GUID{}
)

// asked is a pair that a handler was asked about, by SampleSize.
type asked struct{ client, own uint32 }

func (a asked) String() string { return fmt.Sprintf("%d/%d", a.client, a.own) }

func sampleOf(b []byte) uint32 {
	f, _ := ks.DecodeDataFormat(b)
	return f.SampleSize
}

// asking is a host with one pin of these ranges, whose handler records the pairs and answers by answer.
func asking(t *testing.T, ranges []engine.DataRange, answer func(asked, []byte) (uint32, ks.Status)) (*host, *[]asked) {
	var pairs []asked
	s := &engine.PinSet{Pins: []engine.PinDescriptor{{DataFlow: ks.DataFlowIn, DataRanges: ranges}}}
	s.Pins[0].Intersect = func(_ *engine.IRP, pin ks.Pin, theirs, ours, data []byte) (uint32, ks.Status) {
		if pin.Set != setPin || pin.PinID != 0 || pin.ID != pinDataIntersection {
			t.Errorf("the handler sees %+v", pin)
		}
		pair := asked{sampleOf(theirs), sampleOf(ours)}
		pairs = append(pairs, pair)
		return answer(pair, data)
	}
	return pinHost(t, s), &pairs
}

// noMatch is an answer for asking.
func noMatch(asked, []byte) (uint32, ks.Status) { return 0, ks.StatusNoMatch }

func formats(ranges ...[]byte) (list []engine.DataRange) {
	for _, r := range ranges {
		list = append(list, engine.DataRange{Format: r})
	}
	return list
}

func TestPN18_RangesOfTheRequest(t *testing.T) {
	h, pairs := asking(t, formats(ranged(1, anyGUID, anyGUID, anyGUID, 0)), noMatch)
	good := listOf(ranged(1, setA, setA, setA, 3), ranged(2, setA, setA, setA, 0), ranged(3, setA, setA, setA, 5))
	bad := func(name string, change func(b []byte) []byte) {
		t.Helper()
		q := request{set: setPin, id: pinDataIntersection, flags: get, extra: join(node(0), change(bytes.Clone(good))), out: full(64)}
		*pairs = nil
		if h.want(q, ks.StatusInvalidBufferSize, 0); len(*pairs) != 0 {
			t.Errorf("%s: the handler was asked about %v", name, *pairs)
		}
		q.extra[0] = 9 // PinId comes before the list
		h.want(q, ks.StatusInvalidParameter, 0)
	}
	at := func(off int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[off:], u32(v)); return b }
	}
	for _, size := range []uint32{0, 7, uint32(len(good) + 1), 0xFFFFFFFF, uint32(len(good) - 72)} {
		bad(fmt.Sprint("Size ", size), at(0, size))
	}
	for _, count := range []uint32{4, 0xFFFFFFFF} {
		bad(fmt.Sprint("Count ", count), at(4, count))
	}
	for _, format := range []int{8, 8 + 72, 8 + 72 + 64} {
		for _, size := range []uint32{0, 1, 63, uint32(len(good) - format + 1), 0xFFFFFFF8, 0xFFFFFFF9, 0xFFFFFFFF} { // S-28
			bad(fmt.Sprintf("FormatSize %d at %d", size, format), at(format, size))
		}
	}
	bad("a list that is cut", func(b []byte) []byte { return b[:len(b)-8] })
	// What is well-formed is asked about; the last range needs no padding, and what stands behind Size is not looked at.
	for name, c := range map[string]struct {
		list  []byte
		asked int
	}{
		"all":          {good, 3},
		"more":         {append(bytes.Clone(good), 1, 2, 3), 3},
		"unpadded end": {at(0, uint32(len(good)-3))(bytes.Clone(good[:len(good)-3])), 3},
		"fewer":        {at(4, 1)(bytes.Clone(good)), 1},
		"none":         {at(4, 0)(bytes.Clone(good)), 0},
	} {
		*pairs = nil
		q := request{set: setPin, id: pinDataIntersection, flags: get, extra: join(node(0), c.list), out: full(64)}
		if h.want(q, ks.StatusNoMatch, 0); len(*pairs) != 3*c.asked { // three paths
			t.Errorf("%s: asked about %v", name, *pairs)
		}
	}
	h.want(intersection(0, 64), ks.StatusNoMatch, 0)
	h.want(request{set: setPin, id: pinDataIntersection, flags: get, extra: make([]byte, 15), out: full(64)}, ks.StatusInvalidBufferSize, 0)
}

func TestPN19_OrderAndMatching(t *testing.T) {
	x, y, z := setA, setB, stranger
	h, pairs := asking(t, formats(
		ranged(1, x, y, z, 0), ranged(2, x, y, anyGUID, 4), ranged(3, x, anyGUID, z, 0), ranged(4, anyGUID, anyGUID, anyGUID, 0),
		ranged(5, y, y, z, 0), ranged(6, x, x, z, 0), ranged(7, x, y, y, 0),
	), noMatch)
	for _, c := range []struct {
		q    request
		want string
	}{
		{intersection(0, 0, ranged(1, x, y, z, 0)), "[1/1 1/2 1/3 1/4]"},
		{intersection(0, 0, ranged(1, x, y, z, 3), ranged(2, y, y, z, 0)), "[1/1 1/2 1/3 1/4 2/4 2/5]"},
		{intersection(0, 0, ranged(1, anyGUID, anyGUID, anyGUID, 0)), "[1/1 1/2 1/3 1/4 1/5 1/6 1/7]"},
		{intersection(0, 0, ranged(1, x, y, anyGUID, 0)), "[1/1 1/2 1/3 1/4 1/7]"},
		{intersection(0, 0, ranged(1, anyGUID, x, z, 0)), "[1/3 1/4 1/6]"},
		{intersection(0, 0, ranged(1, z, x, y, 0)), "[1/4]"},
	} {
		*pairs = nil
		if h.via(viaProperty, c.q); fmt.Sprint(*pairs) != c.want {
			t.Errorf("asked about %v, want %s", *pairs, c.want)
		}
	}
}

// A handler of KsPinDataIntersection is asked once for each range of the client, whatever its pairs are, and answers by
// Information.
func TestPN20_DataIntersection(t *testing.T) {
	s := &engine.PinSet{Pins: []engine.PinDescriptor{{}, {DataRanges: formats(
		ranged(1, setA, anyGUID, noSpecifier, 0), ranged(2, anyGUID, anyGUID, noSpecifier, 0), ranged(3, setB, setB, noSpecifier, 0),
	)}}}
	var log []uint32
	answer := func(irp *engine.IRP, r, data []byte) ks.Status { return ks.StatusNoMatch }
	h := oneItem(t, engine.PropertyItem{ID: 4, MinProperty: 40, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
		return s.DataIntersection(irp, request, data, func(irp *engine.IRP, pin ks.Pin, r, data []byte) ks.Status {
			if pin.PinID != 1 || pin.Set != setA || irp.IoStatus.Information != 0 {
				t.Errorf("the handler sees %+v, Information %d", pin, irp.IoStatus.Information)
			}
			log = append(log, sampleOf(r))
			return answer(irp, r, data)
		})
	}})
	ask := func(out int) request {
		q := intersection(1, out,
			ranged(1, setA, setA, noSpecifier, 0), ranged(2, setB, setA, setB, 0), ranged(3, setB, setB, noSpecifier, 0))
		q.set = setA
		return q
	}
	h.want(ask(8), ks.StatusNoMatch, 0)
	if fmt.Sprint(log) != "[1 3 1 3 1 3]" { // three paths; the second range matches nothing
		t.Errorf("asked about %v", log)
	}
	answer = func(irp *engine.IRP, r, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, "format"))
		return map[bool]ks.Status{true: ks.StatusNoMatch, false: ks.StatusSuccess}[sampleOf(r) == 1]
	}
	if a := h.want(ask(8), ks.StatusSuccess, 6); string(a.out[:6]) != "format" {
		t.Errorf("%q", a.out)
	}
	for _, c := range []struct {
		status, want ks.Status
		info         uint64
	}{
		{ks.StatusBufferOverflow, ks.StatusBufferOverflow, 7},
		{ks.StatusBufferTooSmall, ks.StatusBufferTooSmall, 0},
		{ks.StatusNoMatch, ks.StatusNoMatch, 0},
		{ks.StatusPending, ks.StatusInvalidDeviceRequest, 0},
		{ks.StatusInsufficientResources, ks.StatusInsufficientResources, 0},
	} {
		answer = func(irp *engine.IRP, r, data []byte) ks.Status { irp.IoStatus.Information = 7; return c.status }
		h.want(ask(0), c.want, c.info)
	}
	q := ask(8)
	q.extra[0] = 2
	h.want(q, ks.StatusInvalidParameter, 0)
	q.extra[0], q.extra[8] = 1, 7
	h.want(q, ks.StatusInvalidBufferSize, 0)
}

func TestPN21_Results(t *testing.T) {
	var size uint32
	var status ks.Status
	two := formats(ranged(1, setA, setA, noSpecifier, 0), ranged(2, setA, setA, noSpecifier, 0))
	h, pairs := asking(t, two, func(p asked, data []byte) (uint32, ks.Status) {
		copy(data, "abcdefgh")
		return size, status
	})
	q := func(out int) request { return intersection(0, out, ranged(1, setA, setA, noSpecifier, 0)) }
	for _, c := range []struct {
		size   uint32
		status ks.Status
		out    int
		want   ks.Status
		info   uint64
		asked  int
	}{
		{8, ks.StatusSuccess, 8, ks.StatusSuccess, 8, 1},
		{8, ks.StatusSuccess, 9, ks.StatusSuccess, 8, 1},
		{8, ks.StatusSuccess, 0, ks.StatusBufferOverflow, 8, 1},
		{8, ks.StatusSuccess, 7, ks.StatusBufferTooSmall, 0, 1},
		{0, ks.StatusSuccess, 0, ks.StatusSuccess, 0, 1},
		{8, ks.StatusBufferOverflow, 0, ks.StatusBufferOverflow, 8, 1},
		{8, ks.StatusBufferOverflow, 4, ks.StatusBufferTooSmall, 0, 1}, // S-30
		{8, ks.StatusBufferTooSmall, 4, ks.StatusBufferTooSmall, 0, 1},
		{8, ks.StatusNoMatch, 8, ks.StatusNoMatch, 0, 2},
		{8, ks.StatusInvalidParameter, 8, ks.StatusInvalidParameter, 0, 1},
		{8, ks.StatusPending, 8, ks.StatusInvalidDeviceRequest, 0, 1},
		{8, ks.StatusSomeNotMapped, 8, ks.StatusNotFound, 0, 1}, // P-18
	} {
		size, status, *pairs = c.size, c.status, nil
		if h.want(q(c.out), c.want, c.info); len(*pairs) != 3*c.asked {
			t.Errorf("%v: asked about %v", c.status, *pairs)
		}
	}
}

func TestPN22_WithoutHandler(t *testing.T) {
	s := &engine.PinSet{Pins: []engine.PinDescriptor{{DataFlow: ks.DataFlowIn, DataRanges: []engine.DataRange{
		{Format: ranged(1, setA, setA, stranger, 0)},
		{Format: ranged(2, setA, setB, noSpecifier, 9)},
		attributed(0),
		{Format: ranged(3, anyGUID, setA, anyGUID, 0)},
	}}}}
	h := pinHost(t, s)
	format := func(sample uint32, major, sub ks.GUID) []byte { return ranged(sample, major, sub, noSpecifier, 0) }
	for name, c := range map[string]struct{ ask, want []byte }{
		"equal":                       {ranged(0, setA, setB, noSpecifier, 0), format(2, setA, setB)},
		"longer":                      {ranged(0, setA, setB, noSpecifier, 5), format(2, setA, setB)},
		"client's wildcards":          {ranged(0, anyGUID, anyGUID, noSpecifier, 0), format(2, setA, setB)},
		"all wildcards":               {ranged(0, anyGUID, anyGUID, anyGUID, 0), format(2, setA, setB)},
		"pin's wildcards":             {ranged(0, setB, setA, noSpecifier, 0), format(3, setB, setA)},
		"another specifier":           {ranged(0, setA, setA, stranger, 0), nil},
		"a subtype that stays a wild": {ranged(0, anyGUID, stranger, noSpecifier, 0), nil},
		"a major that stays a wild":   {ranged(0, anyGUID, setA, noSpecifier, 0), nil},
		"a specifier that stays":      {ranged(0, setB, setA, anyGUID, 0), nil},
		"audio":                       {ks.AudioRange(ks.DataFormatSubtypePCM, 2, [2]uint32{16, 16}, [2]uint32{48000, 48000}).Bytes(), nil},
	} {
		if c.want == nil {
			h.want(intersection(0, 64, c.ask), ks.StatusNoMatch, 0)
			continue
		}
		if a := h.want(intersection(0, 70, c.ask), ks.StatusSuccess, 64); !bytes.Equal(a.out[:64], c.want) {
			t.Errorf("%s: % x, want % x", name, a.out, c.want)
		}
		h.want(intersection(0, 0, c.ask), ks.StatusBufferOverflow, 64)
		h.want(intersection(0, 63, c.ask), ks.StatusBufferTooSmall, 0)
	}
}

func TestPN23_RequiredAttributes(t *testing.T) {
	list := func(attributes ...ks.Attribute) []byte {
		var all [][]byte
		for _, a := range attributes {
			all = append(all, append(a.Bytes(), make([]byte, a.Size-24)...))
		}
		return ks.AttributeList(all...)
	}
	required := ks.Attribute{Size: 27, Flags: ks.AttributeRequired, Attribute: setA}
	optional := ks.Attribute{Size: 24, Attribute: setA}
	another := ks.Attribute{Size: 24, Attribute: setB}
	withList := func(sample uint32, list []byte) engine.DataRange {
		r := ranged(sample, setA, setA, noSpecifier, 3)
		r[4] = byte(ks.DataRangeAttributes)
		return engine.DataRange{Format: r, Attributes: list}
	}
	h, pairs := asking(t, []engine.DataRange{
		{Format: ranged(1, setA, setA, noSpecifier, 0)}, withList(2, list(optional)), withList(3, list(another, required)),
		withList(4, list(another)),
	}, noMatch)
	plain := ranged(1, setA, setA, noSpecifier, 0)
	for name, c := range map[string]struct {
		ranges [][]byte
		want   string
	}{
		"no attributes":     {[][]byte{plain}, "[1/1 1/2 1/4]"},
		"optional":          {[][]byte{withList(1, nil).Format, list(optional)}, "[1/1 1/2 1/3 1/4]"},
		"required":          {[][]byte{withList(1, nil).Format, list(another, required)}, "[1/2 1/3]"},
		"and another range": {[][]byte{withList(1, nil).Format, list(required), plain}, "[1/2 1/3 1/1 1/2 1/4]"},
		"an empty list":     {[][]byte{withList(1, nil).Format, list()}, "[1/1 1/2 1/4]"},
		"no count":          {[][]byte{withList(1, nil).Format, join(list(required)[:4], u32(0), list(required)[8:])}, "[1/1 1/2 1/4]"},
	} {
		*pairs = nil
		if h.via(viaProperty, aware(intersection(0, 0, c.ranges...))); fmt.Sprint(*pairs) != c.want {
			t.Errorf("%s: asked about %v, want %s", name, *pairs, c.want)
		}
	}
	// The flag is a promise; a client that does not know of lists sends noSpecifier.
	h.want(aware(intersection(0, 0, withList(1, nil).Format)), ks.StatusInvalidBufferSize, 0)
	h.want(aware(intersection(0, 0, withList(1, nil).Format, list(optional)[:24])), ks.StatusInvalidBufferSize, 0)
	h.want(intersection(0, 0, withList(1, nil).Format), ks.StatusNoMatch, 0)
}
