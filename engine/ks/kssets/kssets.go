package kssets

import (
	"bytes"
	"iter"
	"sort"
	"strconv"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Kind says what the ids of a set are.
type Kind uint8

const (
	Property     Kind = iota // KSPROPSETID_: properties, IOCTL_KS_PROPERTY
	Method                   // KSMETHODSETID_: methods, IOCTL_KS_METHOD
	Event                    // KSEVENTSETID_: events, IOCTL_KS_ENABLE_EVENT
	PropertyType             // KSPROPTYPESETID_: types of property values, KSPROPERTY_DESCRIPTION.PropTypeSet
	Interface                // KSINTERFACESETID_: interfaces of pins, KSPIN_INTERFACE
	Medium                   // KSMEDIUMSETID_: mediums of pins, KSPIN_MEDIUM
	Degrade                  // KSDEGRADESETID_: ways to degrade quality
)

// String returns the kind in words, such as "property type".
func (k Kind) String() string {
	switch k {
	case Property:
		return "property"
	case Method:
		return "method"
	case Event:
		return "event"
	case PropertyType:
		return "property type"
	case Interface:
		return "interface"
	case Medium:
		return "medium"
	case Degrade:
		return "degrade"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Set is one standard set. It is shared: do not write to it.
type Set struct {
	Name   string // the C name, such as KSPROPSETID_Audio
	GUID   ks.GUID
	Kind   Kind
	Header string // the C header that defines it, such as ksmedia.h
	Items  []Item // in order of ID
}

// Item is one property, method, event or other member of a set.
type Item struct {
	Name  string // the C name, such as KSPROPERTY_AUDIO_VOLUMELEVEL
	ID    uint32
	Flags uint32 // of a property the AccessFlags (ks.PropertyTypeGet and so on), of a method KSMETHOD_ITEM.Flags; 0 if not known

	// MinRequest is the least size in bytes of the request: MinProperty, MinMethod, or sizeof(KSEVENT) and what follows it.
	// 0 if not known.
	MinRequest uint32
	// MinData is the least size in bytes of the data: MinData of a property or a method, DataInput of an event.
	// 0 if there is none, if it varies, or if it is not known.
	MinData uint32
}

// ByGUID returns the set with GUID g, or nil. No two sets share a GUID.
func ByGUID(g ks.GUID) *Set {
	i := sort.Search(len(sets), func(i int) bool { return bytes.Compare(sets[i].GUID[:], g[:]) >= 0 })
	if i < len(sets) && sets[i].GUID == g {
		return &sets[i]
	}
	return nil
}

// ByName returns the set with a C name, such as KSPROPSETID_Audio, or nil. Case matters.
func ByName(name string) *Set {
	i := sort.Search(len(byName), func(i int) bool { return sets[byName[i]].Name >= name })
	if i < len(byName) && sets[byName[i]].Name == name {
		return &sets[byName[i]]
	}
	return nil
}

// All yields every set in order of name.
func All() iter.Seq[*Set] {
	return func(yield func(*Set) bool) {
		for _, i := range byName {
			if !yield(&sets[i]) {
				return
			}
		}
	}
}

// Item returns the item with an id, or nil; of several names for one id, the first in the C header. The nil set has no
// items, so that ByGUID(g).Item(id) is safe.
func (s *Set) Item(id uint32) *Item {
	if s == nil {
		return nil
	}
	i := sort.Search(len(s.Items), func(i int) bool { return s.Items[i].ID >= id })
	if i < len(s.Items) && s.Items[i].ID == id {
		return &s.Items[i]
	}
	return nil
}

// PropertyName returns set and item in words: KSPROPSETID_Audio/KSPROPERTY_AUDIO_VOLUMELEVEL. What has no name is a
// number, as in KSPROPSETID_Audio/id 99 or {45ffaaa0-6e1b-11d0-bcf2-444553540001}/id 7. As a GUID belongs to one set, it
// names methods and events in the same way.
func PropertyName(set ks.GUID, id uint32) string {
	s := ByGUID(set)
	if it := s.Item(id); it != nil {
		return s.Name + "/" + it.Name
	}
	number := "/id " + strconv.FormatUint(uint64(id), 10)
	if s != nil {
		return s.Name + number
	}
	return "{" + set.String() + "}" + number
}
