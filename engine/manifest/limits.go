package manifest

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// limits is what an item's values allow: KSPROPERTY_VALUES of a whole number, as spans that include their bounds.
type limits struct {
	size  int    // bytes of the number
	bias  uint64 // makes the order of signed numbers that of unsigned ones
	spans []span
}

type span struct{ low, high uint64 } // biased

// limitsOf returns the limits that the first list of ranges or stepped ranges sets, or without one the first list of values that
// are no defaults. nil means that the item has no such list, or that it is not of a whole number. Steps are not kept. Of a type
// only the number is looked at, not the set.
func limitsOf(v *engine.PropertyValues) *limits {
	if v == nil {
		return nil
	}
	l := &limits{}
	switch v.PropTypeSet.ID {
	case kssets.VT_I4:
		l.size, l.bias = 4, 1<<31
	case kssets.VT_UI4:
		l.size = 4
	case kssets.VT_I8:
		l.size, l.bias = 8, 1<<63
	case kssets.VT_UI8:
		l.size = 8
	default:
		return nil
	}
	var list *engine.MembersList
	for i := range v.MembersList {
		m := &v.MembersList[i]
		h := &m.MembersHeader
		if h.MembersFlags == ks.MemberRanges || h.MembersFlags == ks.MemberSteppedRanges {
			list = m
			break
		}
		if list == nil && h.MembersFlags == ks.MemberValues && h.Flags&ks.MemberFlagDefault == 0 {
			list = m
		}
	}
	if list == nil {
		return nil
	}
	// A member is a number, two of them, or a step in 8 bytes and two of them.
	size, low, high := l.size, 0, 0
	switch list.MembersHeader.MembersFlags {
	case ks.MemberRanges:
		size, high = 2*l.size, l.size
	case ks.MemberSteppedRanges:
		size, low, high = 8+2*l.size, 8, 8+l.size
	}
	if int(list.MembersHeader.MembersSize) != size {
		return nil
	}
	for b := list.Members; len(b) >= size; b = b[size:] {
		l.spans = append(l.spans, span{l.number(b[low:]), l.number(b[high:])})
	}
	return l
}

// number returns the biased number at the start of b.
func (l *limits) number(b []byte) uint64 {
	if l.size == 4 {
		return uint64(binary.LittleEndian.Uint32(b)) ^ l.bias
	}
	return binary.LittleEndian.Uint64(b) ^ l.bias
}

// hold reports that the number in the low bytes of word is in one of the spans.
func (l *limits) hold(word uint64) bool {
	if l.size == 4 {
		word = uint64(uint32(word))
	}
	word ^= l.bias
	for _, s := range l.spans {
		if s.low <= word && word <= s.high {
			return true
		}
	}
	return false
}
