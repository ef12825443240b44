package engine

import (
	"cmp"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// MergeSets makes one declaration of two: KsMergeAutomationTables (AT-1 to AT-7). dominant is usually the driver's declaration,
// other the one that its class has for all drivers, such as the sets of a PinSet and a Topology.
//
// If both declare an item, which is a GUID and an id, the whole item is dominant's: it hides other's handlers, values and fast
// handlers, even where it has none itself (AT-3, AT-4). The sets of dominant come first, each followed by the items that only other
// has, and then the sets that only other has (AT-5). Nodes, Control, OnPanic and OnRefuse, and Compat if it overrides anything, are
// dominant's, or else other's. An item size is the larger of the two (AT-6).
//
// The result shares handlers and contexts with its parts, and no slice. The error is a *CompileError for an item size that Compile
// refuses; Compile finds every other mistake.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksmergeautomationtables
func MergeSets(dominant, other Config) (Config, error) {
	for _, c := range []*Config{&dominant, &other} {
		err := cmp.Or(propertyKind.checkItemSize(c.PropertyItemSize, 0), methodKind.checkItemSize(c.MethodItemSize, 0),
			eventKind.checkItemSize(c.EventItemSize, 0))
		if err != nil {
			return Config{}, err
		}
	}
	merged := dominant
	merged.PropertyItemSize = max(dominant.PropertyItemSize, other.PropertyItemSize)
	merged.MethodItemSize = max(dominant.MethodItemSize, other.MethodItemSize)
	merged.EventItemSize = max(dominant.EventItemSize, other.EventItemSize)
	if merged.Nodes == nil {
		merged.Nodes = other.Nodes
	}
	if merged.Control == nil {
		merged.Control = other.Control
	}
	if merged.OnPanic == nil {
		merged.OnPanic = other.OnPanic
	}
	if merged.OnRefuse == nil {
		merged.OnRefuse = other.OnRefuse
	}
	if merged.Compat == (Compat{}) {
		merged.Compat = other.Compat
	}
	merged.PropertySets = mergeFamily(dominant.PropertySets, other.PropertySets, propertyParts)
	merged.MethodSets = mergeFamily(dominant.MethodSets, other.MethodSets, methodParts)
	merged.EventSets = mergeFamily(dominant.EventSets, other.EventSets, eventParts)
	return merged, nil
}

// setParts says where the parts of a set of one family are: a set S has items I and fast items F.
type setParts[S, I, F any] struct {
	guid   func(*S) ks.GUID
	items  func(*S) *[]I
	id     func(*I) uint32
	fast   func(*S) *[]F // nil: the family has no fast path
	fastID func(*F) uint32
	join   func(into, from *S) // what else a set has; nil for nothing
}

var propertyParts = setParts[PropertySet, PropertyItem, FastPropertyItem]{
	guid:   func(s *PropertySet) ks.GUID { return s.Set },
	items:  func(s *PropertySet) *[]PropertyItem { return &s.Items },
	id:     func(i *PropertyItem) uint32 { return i.ID },
	fast:   func(s *PropertySet) *[]FastPropertyItem { return &s.FastIO },
	fastID: func(f *FastPropertyItem) uint32 { return f.ID },
	join:   func(into, from *PropertySet) { into.checks = slices.Concat(into.checks, from.checks) },
}

var methodParts = setParts[MethodSet, MethodItem, FastMethodItem]{
	guid:   func(s *MethodSet) ks.GUID { return s.Set },
	items:  func(s *MethodSet) *[]MethodItem { return &s.Items },
	id:     func(i *MethodItem) uint32 { return i.ID },
	fast:   func(s *MethodSet) *[]FastMethodItem { return &s.FastIO },
	fastID: func(f *FastMethodItem) uint32 { return f.ID },
}

var eventParts = setParts[EventSet, EventItem, struct{}]{
	guid:  func(s *EventSet) ks.GUID { return s.Set },
	items: func(s *EventSet) *[]EventItem { return &s.Items },
	id:    func(i *EventItem) uint32 { return i.ID },
}

// mergeFamily is AT-3 to AT-5 for one family.
func mergeFamily[S, I, F any](dominant, other []S, f setParts[S, I, F]) []S {
	type key struct {
		set ks.GUID
		id  uint32
	}
	last := map[ks.GUID]int{}     // the latest set of dominant with that GUID, where other's items join
	declared := map[key]bool{}    // by dominant
	hasFast := map[ks.GUID]bool{} // a set of dominant with that GUID has a FastIO table
	merged := make([]S, 0, len(dominant)+len(other))
	add := func(s S) {
		items := f.items(&s)
		*items = slices.Clone(*items)
		if f.fast != nil {
			fast := f.fast(&s)
			*fast = slices.Clone(*fast)
		}
		merged = append(merged, s)
	}
	for i := range dominant {
		add(dominant[i])
		s := &merged[i]
		guid := f.guid(s)
		last[guid] = i
		for _, item := range *f.items(s) {
			declared[key{guid, f.id(&item)}] = true
		}
		if f.fast != nil && len(*f.fast(s)) != 0 {
			hasFast[guid] = true
		}
	}
	for i := range other {
		s := &other[i]
		guid := f.guid(s)
		at, common := last[guid]
		if !common {
			add(*s)
			continue
		}
		into := &merged[at]
		for _, item := range *f.items(s) {
			if !declared[key{guid, f.id(&item)}] {
				*f.items(into) = append(*f.items(into), item)
			}
		}
		if f.fast != nil && !hasFast[guid] {
			for _, item := range *f.fast(s) {
				if !declared[key{guid, f.fastID(&item)}] { // or it would answer for an item that is hidden (S-20)
					*f.fast(into) = append(*f.fast(into), item)
				}
			}
		}
		if f.join != nil {
			f.join(into, s)
		}
	}
	if len(merged) == 0 {
		return nil
	}
	return merged
}
