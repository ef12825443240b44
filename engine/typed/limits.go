package typed

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// limits are the values that a scalar may have. One structure serves both purposes, so that what BASICSUPPORT reports is
// what a SET is checked against. Values are keys (form.keyOf): one unsigned comparison orders all four integer types.
type limits struct {
	form
	ranges, steps []span
	values        []uint64
	hasDefault    bool
	defaultKey    uint64
}

// span is lo, lo+step, ... up to hi.
type span struct{ lo, hi, step uint64 }

func (s span) has(key uint64) bool {
	return s.lo <= key && key <= s.hi && (s.step == 1 || (key-s.lo)%s.step == 0)
}

// allow reports whether a SET may have the wire value w.
func (l *limits) allow(w uint64) bool {
	if len(l.ranges)+len(l.steps)+len(l.values) == 0 {
		return true
	}
	key := l.keyOf(w)
	for _, s := range l.ranges {
		if s.has(key) {
			return true
		}
	}
	for _, s := range l.steps {
		if s.has(key) {
			return true
		}
	}
	return slices.Contains(l.values, key)
}

// members are the lists of KSPROPERTY_VALUES: ranges first and the default last, as clients that read only the first list
// expect a range there (P-33).
func (l *limits) members() []engine.MembersList {
	var lists []engine.MembersList
	add := func(kind uint32, n, size int, flags uint32, put func(i int, b []byte)) {
		if n == 0 {
			return
		}
		list := engine.MembersList{
			MembersHeader: ks.MembersHeader{MembersFlags: kind, MembersSize: uint32(size), MembersCount: uint32(n), Flags: flags},
			Members:       make([]byte, n*size),
		}
		for i := range n {
			put(i, list.Members[i*size:(i+1)*size])
		}
		lists = append(lists, list)
	}
	bounds, stepping := ks.SizeBoundsLong, ks.SizeSteppingLong
	if l.size == 8 {
		bounds, stepping = ks.SizeBoundsLongLong, ks.SizeSteppingLongLong
	}
	add(ks.MemberRanges, len(l.ranges), bounds, 0, func(i int, b []byte) { l.putBounds(b, l.ranges[i]) })
	add(ks.MemberSteppedRanges, len(l.steps), stepping, 0, func(i int, b []byte) {
		l.put(b, l.steps[i].step) // then, for 4 bytes, a Reserved of 0
		l.putBounds(b[stepping-bounds:], l.steps[i])
	})
	add(ks.MemberValues, len(l.values), l.size, 0, func(i int, b []byte) { l.put(b, l.wordOfKey(l.values[i])) })
	if l.hasDefault {
		add(ks.MemberValues, 1, l.size, ks.MemberFlagDefault, func(_ int, b []byte) { l.put(b, l.wordOfKey(l.defaultKey)) })
	}
	return lists
}

// putBounds writes a KSPROPERTY_BOUNDS_LONG or KSPROPERTY_BOUNDS_LONGLONG.
func (l *limits) putBounds(b []byte, s span) {
	l.put(b, l.wordOfKey(s.lo))
	l.put(b[l.size:], l.wordOfKey(s.hi))
}

// added is append without a shared tail, so that two declarations may start from one.
func added[E any](s []E, e E) []E { return append(slices.Clip(s), e) }
