package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// PropertySet declares the properties of one GUID: KSPROPERTY_SET. Several sets may have one GUID and different ids. No
// request can name a set with GUID_NULL; SETSUPPORT lists it all the same (P-32).
type PropertySet struct {
	Set    ks.GUID
	Items  []PropertyItem
	FastIO []FastPropertyItem

	checks []func() error // of what the set was made from: what is wrong with that declaration
}

// PropertyItem declares one property: KSPROPERTY_ITEM.
type PropertyItem struct {
	ID             uint32
	Get, Set       Handler         // nil: the verb is not supported (P-26)
	MinProperty    uint32          // least InputBufferLength of GET and SET in bytes; under 24 counts as 24 (P-27)
	MinData        uint32          // least OutputBufferLength of GET and SET in bytes; 0 leaves sizes to the handler (P-28)
	Values         *PropertyValues // what BASICSUPPORT and DEFAULTVALUES describe; nil for none
	Relations      []ks.Identifier // what RELATIONS lists
	Support        Handler         // SupportHandler, consulted by the support verbs first (P-34); nil for none
	SerializedSize uint32          // 0: not serialized; 1: begins with KSMULTIPLE_ITEM, size unknown; else bytes
	Context        any             // returned by IRP.ItemContext inside a handler of this item

	meters [2]*meter // around Get and Set; nil for none
}

// FastPropertyItem declares the handlers of one property that need no IRP: KSFASTPROPERTY_ITEM.
type FastPropertyItem struct {
	ID       uint32
	Get, Set FastHandler
}

// PropertyValues describes the values of a property: KSPROPERTY_VALUES.
type PropertyValues struct {
	PropTypeSet ks.Identifier // Flags is not used
	MembersList []MembersList
}

// MembersList is one list of ranges, steps, values or defaults: KSPROPERTY_MEMBERSLIST. Members holds
// MembersSize x MembersCount bytes.
type MembersList struct {
	MembersHeader ks.MembersHeader
	Members       []byte
}

// SizePropertyItem is sizeof(KSPROPERTY_ITEM) in bytes on x64, the ABI that is modelled on every host.
const SizePropertyItem = 72

// slot is what a request needs of its item, on one cache line with the key: 16 + 4 + 4 + 40 bytes.
type slot struct {
	handlers [2]Handler // of GET and SET, by verb-1: an index, as a branch on the verb is mispredicted half of the time
	fast     [2]FastHandler
	minData  uint32
	minRest  uint32 // MinProperty beyond the identifier; an identifier alone and its data are compared with both at once (takes)
}

func (s *slot) minProperty() uint32 { return ks.SizeIdentifier + s.minRest }

// fits reports that a request of in bytes, ks.SizeIdentifier or more, and out bytes of data are as long as the item wants them. Most items
// want no more than an identifier, and are asked one question.
func (s *slot) fits(in, out int) bool {
	return s.takes(out) || uint32(in) >= s.minProperty() && uint32(out) >= s.minData
}

// entry is a slot with its key. Its Tag is the index of the item.
type entry = table.Entry[slot]

type setInfo struct {
	PropertySet
	first, count uint32 // its items in Dispatcher.items
	next         uint32 // the next set with the same GUID, in table order, or noItem
}

// item is what the verbs other than GET and SET need.
type item struct {
	decl     *PropertyItem
	slot     slot
	full     uint64 // bytes of the BASICSUPPORT answer (P-33)
	defaults uint64 // bytes of the DEFAULTVALUES answer (P-36)
	set      uint32 // index in sets
}

// access is AccessFlags: which of GET and SET have a handler (P-33).
func (it *item) access() (flags uint32) {
	if it.slot.handlers[0] != nil {
		flags |= ks.PropertyTypeGet
	}
	if it.slot.handlers[1] != nil {
		flags |= ks.PropertyTypeSet
	}
	return flags
}

// PropertySet returns the set that the request was dispatched to: KSPROPERTY_SET_IRP_STORAGE, DriverContext[0] (P-22).
// It is nil if no item was found. The set is the compiled one and must not be changed.
func (irp *IRP) PropertySet() *PropertySet {
	if !irp.dispatched() {
		return nil
	}
	return &irp.owner.properties.sets[irp.owner.properties.items[irp.index].set].PropertySet
}

// PropertyItem returns the item that the request was dispatched to: KSPROPERTY_ITEM_IRP_STORAGE, DriverContext[3]. It is
// nil unless the table has extended items, as DriverContext[3] is not written otherwise (P-22).
func (irp *IRP) PropertyItem() *PropertyItem {
	if !irp.dispatched() || irp.owner.properties.itemSize == 0 {
		return nil
	}
	return irp.owner.properties.items[irp.index].decl
}

// dispatched reports that a property was found for this request, so that DriverContext is written (P-22).
func (irp *IRP) dispatched() bool { return irp.owner != nil && irp.index < noItem }
