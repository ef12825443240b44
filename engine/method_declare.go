package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// MethodSet declares the methods of one GUID: KSMETHOD_SET. Several sets may have one GUID and different ids. No request
// can name a set with GUID_NULL; SETSUPPORT lists it all the same (M-8).
type MethodSet struct {
	Set    ks.GUID
	Items  []MethodItem
	FastIO []FastMethodItem
}

// MethodItem declares one method: KSMETHOD_ITEM.
type MethodItem struct {
	ID        uint32
	Handler   Handler // MethodHandler; nil: the method cannot be sent (M-8)
	MinMethod uint32  // least InputBufferLength in bytes; under 24 counts as 24 (M-7)
	MinData   uint32  // least OutputBufferLength in bytes; 0 leaves sizes to the handler (M-7)

	// Flags are ks.MethodTypeNone, MethodTypeRead, MethodTypeWrite or MethodTypeModify, from the handler's view: it reads
	// from data, or writes to it. With ks.MethodTypeSource data is the caller's own buffer, locked, instead of a copy (M-4).
	// BASICSUPPORT answers with them; bits that have no meaning are left as they are.
	Flags uint32

	Support Handler // SupportHandler, asked by BASICSUPPORT first (M-8); nil for none
	Context any     // returned by IRP.ItemContext inside a handler of this item
}

// FastMethodItem declares the handler of one method that needs no IRP: KSFASTMETHOD_ITEM.
type FastMethodItem struct {
	ID      uint32
	Handler FastHandler
}

// SizeMethodItem is sizeof(KSMETHOD_ITEM) in bytes on x64, the ABI that is modelled on every host.
const SizeMethodItem = 40

// methodSlot is what a request needs of its item, on one cache line with the key.
type methodSlot struct {
	handler, support          Handler
	fast                      FastHandler
	minMethod, minData, flags uint32
}

// sent are the low bits of a request's flags, none of which has an effect: documented callers send a method as SEND, NONE,
// READ or WRITE, and the item says what happens to the data (M-2).
const sent = 7

// methodDirection turns the flags of an item, which say what its handler does with the data, into the ways that the data go
// (M-4): the two bits change places.
func methodDirection(flags uint32) direction {
	return direction(flags&ks.MethodTypeRead<<1 | flags&ks.MethodTypeWrite>>1)
}

type methodEntry = table.Entry[methodSlot]

type methodItem struct {
	decl *MethodItem
	slot methodSlot
	set  uint32 // index in sets
}

// MethodSet returns the set that the request was dispatched to: KSMETHOD_SET_IRP_STORAGE, DriverContext[0] (M-3). It is
// nil if no method was found. The set is the compiled one and must not be changed.
func (irp *IRP) MethodSet() *MethodSet {
	if it := irp.method(); it != nil {
		return &irp.owner.methods.sets[it.set]
	}
	return nil
}

// MethodItem returns the item that the request was dispatched to: KSMETHOD_ITEM_IRP_STORAGE, DriverContext[3]. It is nil
// unless the table has extended items, as DriverContext[3] is not written otherwise (M-3).
func (irp *IRP) MethodItem() *MethodItem {
	if it := irp.method(); it != nil && irp.owner.methods.itemSize != 0 {
		return it.decl
	}
	return nil
}

// MethodType returns the Flags of the item that the request was dispatched to: KSMETHOD_TYPE_IRP_STORAGE, DriverContext[2]
// (M-3). It is 0 if no method was found. Nobody can write it, and DispatchSpecificMethod relies on it (M-9).
func (irp *IRP) MethodType() uint32 {
	if it := irp.method(); it != nil {
		return it.slot.flags
	}
	return ks.MethodTypeNone
}

// method returns the method that the request was dispatched to, or nil.
func (irp *IRP) method() *methodItem {
	if irp.owner == nil || irp.index < firstMethod || irp.index >= firstEvent {
		return nil
	}
	return &irp.owner.methods.items[irp.index-firstMethod]
}
