package model

import (
	"unicode/utf16"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Pin is KSPIN_DESCRIPTOR_EX. Ranges are as in its array of pointers: a range with KSDATARANGE_ATTRIBUTES is followed by its list.
type Pin struct {
	Interfaces, Mediums   [][24]byte
	Ranges, Constrained   [][]byte
	Flow, Communication   uint32
	Category, Name        *ks.GUID
	Necessary             uint32
	Possible, Current     uint32 // what the counting functions say
	Connected             bool   // to ConnectedPin of the filter called Link
	ConnectedPin          uint32
	Link                  string
	FailsInstances, Asked ks.Status // of the counting functions; of an intersect handler, 0 for none
}

// PinSet is the pins of a filter.
type PinSet struct{ Pins []Pin }

// pinItem says what the table has of an item of KSPROPSETID_Pin (PN-3).
type pinItem struct {
	verb                 uint32
	minProperty, minData uint32
}

var pinItems = map[uint32]pinItem{
	0: {1, 32, 8}, 1: {1, 24, 4}, 2: {1, 32, 4}, 3: {1, 32, 0}, 4: {1, 40, 0}, 5: {1, 32, 0}, 6: {1, 32, 0}, 7: {1, 32, 4}, 8: {1, 32, 8},
	9: {1, 32, 4}, 10: {1, 32, 0}, 11: {1, 32, 16}, 12: {1, 32, 0}, 13: {1, 32, 0}, 14: {2, 32, 64},
}

// Do answers a GET or SET without modifiers on a table that declares the set and nothing else. b are the bytes that the caller gets;
// asked lists the pairs that an intersect handler is asked about, by the SampleSize of each.
func (s *PinSet) Do(q *Request, lookup func(ks.GUID) (string, ks.Status)) (status ks.Status, info uint64, b []byte, asked [][2]uint32) {
	if q.In < 24 {
		return ks.StatusInvalidBufferSize, 0, nil, nil
	}
	it, ok := pinItems[q.ID]
	switch {
	case !ok || it.verb != q.Flags: // P-24, P-26
		return ks.StatusNotFound, 0, nil, nil
	case q.In < it.minProperty:
		return ks.StatusInvalidBufferSize, 0, nil, nil
	case q.Out == 0 && it.minData > 0: // PN-4
		return ks.StatusBufferOverflow, uint64(it.minData), nil, nil
	case q.Out < it.minData:
		return ks.StatusBufferTooSmall, 0, nil, nil
	case q.ID == 1:
		return ks.StatusSuccess, 4, appendU32(nil, uint32(len(s.Pins))), nil
	}
	in := q.input(q.In)
	number, aware := u32(in[24:]), in[28]&1 != 0
	if uint64(number) >= uint64(len(s.Pins)) { // PN-5
		return ks.StatusInvalidParameter, 0, nil, nil
	}
	pin := &s.Pins[number]
	switch q.ID {
	case 0, 8:
		if pin.FailsInstances != 0 {
			return pin.FailsInstances, 0, nil, nil
		}
		return ks.StatusSuccess, 8, appendU32(appendU32(nil, pin.Possible), pin.Current), nil
	case 2:
		return ks.StatusSuccess, 4, appendU32(nil, pin.Flow), nil
	case 7:
		return ks.StatusSuccess, 4, appendU32(nil, pin.Communication), nil
	case 9:
		return ks.StatusSuccess, 4, appendU32(nil, pin.Necessary), nil
	case 3:
		status, info, b = packed(pin.Ranges, aware, q.Out)
	case 13:
		list := pin.Constrained
		if len(list) == 0 { // PN-10
			list = pin.Ranges
		}
		status, info, b = packed(list, aware, q.Out)
	case 4:
		return pin.intersect(q, in, aware)
	case 5:
		status, info, b = identifiers(pin.Interfaces, standardInterface, q.Out)
	case 6:
		status, info, b = identifiers(pin.Mediums, standardMedium, q.Out)
	case 10:
		if !pin.Connected {
			return ks.StatusNotFound, 0, nil, nil
		}
		name := zeroTerminated(pin.Link)
		value := append(appendU32(appendU32(nil, uint32(8+len(name))), pin.ConnectedPin), name...)
		status, info, b = whole(value, q.Out)
	case 11:
		if pin.Category == nil {
			return ks.StatusNotFound, 0, nil, nil
		}
		return ks.StatusSuccess, 16, pin.Category[:], nil
	case 12:
		guid := pin.Name
		if guid == nil {
			guid = pin.Category
		}
		if guid == nil {
			return ks.StatusNotFound, 0, nil, nil
		}
		text, failed := lookup(*guid)
		if !failed.IsSuccess() {
			return failed, 0, nil, nil
		}
		status, info, b = whole(zeroTerminated(text), q.Out)
	case 14:
		status = pin.propose(q.output())
	}
	return status, info, b, nil
}

// The identifiers of pins that declare none (PN-7).
var (
	standardInterface = [24]byte{0xA0, 0x66, 0x87, 0x1A, 0xCE, 0x62, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1}
	standardMedium    = [24]byte{0x20, 0xB3, 0x47, 0x47, 0xCE, 0x62, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1}
	noSpecifier       = ks.GUID{0xD6, 0x17, 0x64, 0x0F, 0x18, 0xC3, 0xD0, 0x11, 0xA4, 0x3F, 0x00, 0xA0, 0xC9, 0x22, 0x31, 0x96}
)

func identifiers(list [][24]byte, none [24]byte, out uint32) (ks.Status, uint64, []byte) {
	if len(list) == 0 {
		list = [][24]byte{none}
	}
	var all []byte
	for _, id := range list {
		all = append(all, id[:]...)
	}
	return sizedList(24, all, out)
}

func zeroTerminated(text string) (b []byte) {
	for _, c := range append(utf16.Encode([]rune(text)), 0) {
		b = append(b, byte(c), byte(c>>8))
	}
	return b
}

// whole is a value that is given all or not at all (P-62).
func whole(value []byte, out uint32) (ks.Status, uint64, []byte) {
	switch {
	case out == 0:
		return ks.StatusBufferOverflow, uint64(len(value)), nil
	case uint64(out) < uint64(len(value)):
		return ks.StatusBufferTooSmall, 0, nil
	}
	return ks.StatusSuccess, uint64(len(value)), value
}

// packed is PN-9 and PN-11.
func packed(list [][]byte, aware bool, out uint32) (ks.Status, uint64, []byte) {
	var body []byte
	count := uint32(0)
	for i := 0; i < len(list); i++ {
		element := append([]byte(nil), list[i]...)
		flagged := element[4]&2 != 0
		if !aware {
			element[4] &^= 6
		}
		body = append(body, element...)
		for len(body)%8 != 0 {
			body = append(body, 0)
		}
		count++
		if flagged {
			i++
			if aware {
				body = append(body, list[i]...)
				for len(body)%8 != 0 {
					body = append(body, 0)
				}
				count++
			}
		}
	}
	value := append(appendU32(appendU32(nil, uint32(8+len(body))), count), body...)
	switch out {
	case 0:
		return ks.StatusBufferOverflow, uint64(len(value)), nil
	case 4, 8:
		return ks.StatusSuccess, uint64(out), value[:out]
	}
	return whole(value, out)
}

// split reads a format, or a range, at the start of b, and its attribute list if there is to be one.
func split(b []byte, lists bool) (format, list []byte, used uint64, ok bool) {
	if len(b) < 64 {
		return nil, nil, 0, false
	}
	size := uint64(u32(b))
	if size < 64 || size > uint64(len(b)) {
		return nil, nil, 0, false
	}
	format, used = b[:size], al8(size)
	if !lists || format[4]&2 == 0 {
		return format, nil, used, true
	}
	if used > uint64(len(b)) {
		return nil, nil, 0, false
	}
	b = b[used:]
	if len(b) < 8 || u32(b) < 8 || uint64(u32(b)) > uint64(len(b)) {
		return nil, nil, 0, false
	}
	list = b[:u32(b)]
	for at, n := uint64(8), u32(b[4:]); n > 0; n-- {
		if at+24 > uint64(len(list)) || u32(list[at:]) < 24 || at+uint64(u32(list[at:])) > uint64(len(list)) {
			return nil, nil, 0, false
		}
		at += al8(uint64(u32(list[at:])))
	}
	return format, list, used + al8(uint64(len(list))), true
}

func guids(format []byte) [3]ks.GUID {
	return [3]ks.GUID{ks.GUID(format[16:]), ks.GUID(format[32:]), ks.GUID(format[48:])}
}

// propose is PN-15.
func (p *Pin) propose(data []byte) ks.Status {
	format, _, _, ok := split(data, true)
	if !ok {
		return ks.StatusInvalidBufferSize
	}
	if !p.fits(format) {
		return ks.StatusNoMatch
	}
	return ks.StatusSuccess
}

// fits is OB-6 (7).
func (p *Pin) fits(format []byte) bool {
	want := guids(format)
	for i := 0; i < len(p.Ranges); i++ {
		g := guids(p.Ranges[i])
		switch null := guidNull; {
		case g[0] == null,
			g[0] == want[0] && g[1] == null,
			g[0] == want[0] && g[1] == want[1] && (g[2] == null || g[2] == want[2]):
			return true
		}
		if p.Ranges[i][4]&2 != 0 {
			i++
		}
	}
	return false
}

// attributes lists those of a list, or those that it marks as required.
func attributes(list []byte, marked bool) (all []ks.GUID) {
	if list == nil {
		return nil
	}
	for at, n := uint64(8), u32(list[4:]); n > 0; n-- {
		if !marked || list[at+4]&1 != 0 {
			all = append(all, ks.GUID(list[at+8:]))
		}
		at += al8(uint64(u32(list[at:])))
	}
	return all
}

// has reports that all of some are in list.
func has(list []byte, some []ks.GUID) bool {
	for _, want := range some {
		found := false
		for _, g := range attributes(list, false) {
			found = found || g == want
		}
		if !found {
			return false
		}
	}
	return true
}

// intersect is PN-18 to PN-23.
func (p *Pin) intersect(q *Request, in []byte, aware bool) (ks.Status, uint64, []byte, [][2]uint32) {
	size, count := u32(in[32:]), u32(in[36:])
	if size < 8 || uint64(size) > uint64(len(in)-32) {
		return ks.StatusInvalidBufferSize, 0, nil, nil
	}
	rest := in[40 : 32+size]
	var offers [][2][]byte
	for count > 0 {
		format, list, used, ok := split(rest, aware)
		if count--; ok && list != nil {
			if ok = count > 0; ok {
				count--
			}
		}
		if !ok {
			return ks.StatusInvalidBufferSize, 0, nil, nil
		}
		offers = append(offers, [2][]byte{format, list})
		rest = rest[min(used, uint64(len(rest))):]
	}
	var asked [][2]uint32
	for _, offer := range offers {
		for i := 0; i < len(p.Ranges); i++ {
			own := p.Ranges[i]
			var list []byte
			if own[4]&2 != 0 {
				i++
				list = p.Ranges[i]
			}
			a, b := guids(offer[0]), guids(own)
			match := has(list, attributes(offer[1], true)) && has(offer[1], attributes(list, true))
			var both [3]ks.GUID
			for j := range both {
				match = match && (a[j] == b[j] || a[j] == guidNull || b[j] == guidNull)
				if both[j] = a[j]; a[j] == guidNull {
					both[j] = b[j]
				}
			}
			if !match {
				continue
			}
			if p.Asked != 0 {
				asked = append(asked, [2]uint32{u32(offer[0][8:]), u32(own[8:])})
				if p.Asked != ks.StatusNoMatch {
					return p.Asked, 0, nil, asked
				}
				continue
			}
			if both[2] != noSpecifier || both[0] == guidNull || both[1] == guidNull { // PN-22
				continue
			}
			format := appendU32(appendU32(appendU32(appendU32(nil, 64), 0), u32(own[8:])), 0)
			for _, g := range both {
				format = append(format, g[:]...)
			}
			status, info, b64 := whole(format, q.Out)
			return status, info, b64, nil
		}
	}
	return ks.StatusNoMatch, 0, nil, asked
}

// Connect is KsValidateConnectRequest (OB-6).
func (s *PinSet) Connect(parameters []byte) ks.Status {
	if len(parameters) < 72+64 {
		return ks.StatusInvalidBufferSize
	}
	number := u32(parameters[48:])
	if uint64(number) >= uint64(len(s.Pins)) {
		return ks.StatusInvalidParameter
	}
	pin := &s.Pins[number]
	toPin := u32(parameters[56:]) != 0 || u32(parameters[60:]) != 0
	switch {
	case toPin && (pin.Communication == ks.CommunicationSource || pin.Communication == ks.CommunicationBoth):
	case !toPin && (pin.Communication == ks.CommunicationSink || pin.Communication == ks.CommunicationBoth ||
		pin.Communication == ks.CommunicationBridge):
	default:
		return ks.StatusInvalidParameter
	}
	for at, list := range map[int][][24]byte{0: pin.Interfaces, 24: pin.Mediums} {
		if len(list) == 0 {
			list = [][24]byte{map[int][24]byte{0: standardInterface, 24: standardMedium}[at]}
		}
		found := false
		for _, id := range list {
			found = found || string(id[:20]) == string(parameters[at:at+20])
		}
		if !found {
			return ks.StatusNoMatch
		}
	}
	return pin.propose(parameters[72:])
}
