package main

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// checkedObject is what an object offers. Names are those of the C headers where the headers have the number, else those
// of the manifest.
type checkedObject struct {
	Object           string                 `json:"object"`
	PropertyItemSize uint32                 `json:"property_item_size"`
	Refused          string                 `json:"refused,omitempty"` // why every property request fails
	PropertySets     []checkedSet[property] `json:"property_sets"`
	MethodSets       []checkedSet[method]   `json:"method_sets"`
	EventSets        []checkedSet[event]    `json:"event_sets"`

	Role        string        `json:"role"`
	Of          string        `json:"of,omitempty"` // the filter of a node or a pin
	Pins        []checkedPin  `json:"pins,omitempty"`
	Nodes       []checkedNode `json:"nodes,omitempty"`
	Connections [][4]int32    `json:"connections,omitempty"` // from node, from pin, to node, to pin; -1 is the filter
}

type checkedSet[T any] struct {
	Name  string `json:"name,omitempty"`
	GUID  string `json:"guid"`
	Items []T    `json:"items"`
}

type property struct {
	Name           string   `json:"name,omitempty"`
	ID             uint32   `json:"id"`
	Get            string   `json:"get,omitempty"` // the handler programs
	Set            string   `json:"set,omitempty"`
	Support        string   `json:"support,omitempty"`
	Fast           []string `json:"fast,omitempty"` // the verbs that need no IRP
	MinProperty    uint32   `json:"min_property"`
	MinData        uint32   `json:"min_data"`
	SerializedSize uint32   `json:"serialized_size"`
	ValueType      string   `json:"value_type,omitempty"`
	Values         []string `json:"values,omitempty"` // one text for each list of members
	Relations      []string `json:"relations,omitempty"`
}

type method struct {
	Name      string `json:"name,omitempty"`
	ID        uint32 `json:"id"`
	MinMethod uint32 `json:"min_method"`
	MinData   uint32 `json:"min_data"`
	Flags     string `json:"flags"`
	Handler   string `json:"handler,omitempty"`
	Support   string `json:"support,omitempty"`
	Fast      bool   `json:"fast,omitempty"` // whether it needs no IRP
}

type event struct {
	Name           string `json:"name,omitempty"`
	ID             uint32 `json:"id"`
	DataInput      uint32 `json:"data_input"`
	ExtraEntryData uint32 `json:"extra_entry_data"`
}

func describeObject(o *manifest.Object) checkedObject {
	d := checkedObject{Object: o.Name, PropertyItemSize: o.PropertyItemSize}
	d.describeFilter(o)
	fast := make(map[ks.Identifier]manifest.FastItem) // entries may be in other sets with the GUID
	names := make(map[ks.Identifier]string)
	for _, s := range o.PropertySets {
		for _, f := range s.FastIO {
			id := ks.Identifier{Set: s.Set, ID: f.ID}
			fast[id] = manifest.FastItem{ID: f.ID, Get: f.Get || fast[id].Get, Set: f.Set || fast[id].Set}
		}
		for _, it := range s.Items {
			names[ks.Identifier{Set: s.Set, ID: it.ID}] = itemName(s.Set, it.ID, it.Name)
		}
	}
	for _, s := range o.PropertySets {
		set := newCheckedSet[property](s.Set, s.Name)
		for i := range s.Items {
			id := ks.Identifier{Set: s.Set, ID: s.Items[i].ID}
			set.Items = append(set.Items, describeProperty(names, id, &s.Items[i], fast[id]))
		}
		d.PropertySets = append(d.PropertySets, set)
	}
	fastMethods := make(map[ks.Identifier]bool)
	for _, s := range o.MethodSets {
		for _, id := range s.FastIO {
			fastMethods[ks.Identifier{Set: s.Set, ID: id}] = true
		}
	}
	for _, s := range o.MethodSets {
		set := newCheckedSet[method](s.Set, s.Name)
		for _, it := range s.Items {
			set.Items = append(set.Items, method{Name: itemName(s.Set, it.ID, it.Name), ID: it.ID, MinMethod: it.MinMethod,
				MinData: it.MinData, Flags: methodFlags(it.Flags), Handler: programText(it.Handler), Support: programText(it.Support),
				Fast: it.Handler != nil && fastMethods[ks.Identifier{Set: s.Set, ID: it.ID}]})
		}
		d.MethodSets = append(d.MethodSets, set)
	}
	for _, s := range o.EventSets {
		set := newCheckedSet[event](s.Set, s.Name)
		for _, it := range s.Items {
			set.Items = append(set.Items, event{itemName(s.Set, it.ID, it.Name), it.ID, it.DataInput, it.ExtraEntryData})
		}
		d.EventSets = append(d.EventSets, set)
	}
	return d
}

func newCheckedSet[T any](guid ks.GUID, name string) checkedSet[T] {
	if known := kssets.ByGUID(guid); known != nil {
		name = known.Name
	}
	return checkedSet[T]{Name: name, GUID: guid.String(), Items: []T{}}
}

func describeProperty(names map[ks.Identifier]string, id ks.Identifier, it *manifest.PropertyItem, fast manifest.FastItem) property {
	p := property{Name: names[id], ID: it.ID, Get: programText(it.Get), Set: programText(it.Set),
		Support: programText(it.Support), MinProperty: it.MinProperty, MinData: it.MinData, SerializedSize: it.SerializedSize}
	if fast.Get && it.Get != nil {
		p.Fast = append(p.Fast, "get")
	}
	if fast.Set && it.Set != nil {
		p.Fast = append(p.Fast, "set")
	}
	if v := it.Values; v != nil {
		p.ValueType = kssets.PropertyName(v.PropTypeSet.Set, v.PropTypeSet.ID)
		for i := range v.MembersList {
			p.Values = append(p.Values, describeMembers(v.PropTypeSet, &v.MembersList[i]))
		}
	}
	for _, r := range it.Relations {
		name := names[ks.Identifier{Set: r.Set, ID: r.ID}]
		if name == "" {
			name = itemName(r.Set, r.ID, kssets.PropertyName(r.Set, r.ID))
		}
		p.Relations = append(p.Relations, name)
	}
	return p
}

// itemName is the C name of an item, or what the manifest calls it.
func itemName(set ks.GUID, id uint32, name string) string {
	if known := kssets.ByGUID(set).Item(id); known != nil {
		return known.Name
	}
	return name
}

// methodFlags is KSMETHOD_ITEM.Flags in words (M-4). They say what the handler does with the data, unlike a request's.
func methodFlags(flags uint32) string {
	text := [...]string{"none", "read", "write", "modify"}[flags&3]
	if flags&4 != 0 {
		text += " source"
	}
	if rest := flags &^ 7; rest != 0 {
		text += fmt.Sprintf(" 0x%x", rest)
	}
	return text
}

func programText(p *manifest.Program) string {
	if p == nil {
		return ""
	}
	return p.String()
}

// maxMembers is how many members of a list are shown.
const maxMembers = 4

// describeMembers returns the members of a list of 32-bit integers, of others what kind they are and how many.
func describeMembers(kind ks.Identifier, m *engine.MembersList) string {
	h := m.MembersHeader
	const vtI4 = 3
	var member func(b []byte) string
	if kind.Set == kssets.KSPROPTYPESETID_General && kind.ID == vtI4 {
		member = longMember(h)
	}
	var b strings.Builder
	if h.Flags&ks.MemberFlagDefault != 0 {
		b.WriteString("default ")
	}
	if member == nil {
		what := [...]string{ks.MemberRanges: "ranges", ks.MemberSteppedRanges: "stepped ranges", ks.MemberValues: "values"}
		word := fmt.Sprintf("members of kind %d", h.MembersFlags)
		if h.MembersFlags > 0 && h.MembersFlags < uint32(len(what)) {
			word = what[h.MembersFlags]
		}
		fmt.Fprintf(&b, "%d %s of %d bytes", h.MembersCount, word, h.MembersSize)
		return b.String()
	}
	for i := range h.MembersCount {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == maxMembers {
			fmt.Fprintf(&b, "%d more", h.MembersCount-i)
			break
		}
		b.WriteString(member(m.Members[i*h.MembersSize:]))
	}
	if h.MembersCount == 0 {
		b.WriteString("none")
	}
	return b.String()
}

// longMember returns how to write one member of a list of VT_I4, or nil if the list has another size.
func longMember(h ks.MembersHeader) func(b []byte) string {
	switch {
	case h.MembersFlags == ks.MemberRanges && h.MembersSize == ks.SizeBoundsLong:
		return func(b []byte) string {
			x, _ := ks.DecodeBoundsLong(b)
			return fmt.Sprintf("%d..%d", x.SignedMinimum, x.SignedMaximum)
		}
	case h.MembersFlags == ks.MemberSteppedRanges && h.MembersSize == ks.SizeSteppingLong:
		return func(b []byte) string {
			x, _ := ks.DecodeSteppingLong(b)
			return fmt.Sprintf("%d..%d step %d", x.Bounds.SignedMinimum, x.Bounds.SignedMaximum, x.SteppingDelta)
		}
	case h.MembersFlags == ks.MemberValues && h.MembersSize == 4:
		return func(b []byte) string {
			return fmt.Sprint(int32(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24))
		}
	}
	return nil
}
