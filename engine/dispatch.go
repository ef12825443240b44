package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// Dispatcher answers the property and method requests of one object. It is immutable and safe for concurrent use; what is
// not are the IRP and the FileObject of a request.
type Dispatcher struct {
	table    *table.Table[slot]     // (set, id): what GET, SET and the fast path need
	setTable *table.Table[struct{}] // (set, 0): asked on a miss and by the verbs that are about a set
	sets     []setInfo
	items    []item
	once     []itemOnce // beside items, as it must not be copied
	itemSize uint32
	compat   Compat
	onPanic  func(value any, stack []byte)
	methods  methods
	events   *eventFamily
}

// slot is what a request needs of its item, on one cache line with the key: 16 + 4 + 4 + 40 bytes.
type slot struct {
	handlers    [2]Handler // of GET and SET, by verb-1: an index, as a branch on the verb is mispredicted half of the time
	fast        [2]FastHandler
	minProperty uint32
	minData     uint32
}

// entry is a slot with its key. Its Tag is the index of the item.
type entry = table.Entry[slot]

// noItem is the Tag of an entry that only the fast path knows, and the end of a list of sets.
const noItem = 1<<31 - 1

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

// modifiers are the flag bits beside the verb that are passed through to the handler (P-25, P-44, P-45).
const modifiers = ks.PropertyTypeTopology | ks.PropertyTypeHighPriority | ks.PropertyTypeFSFilterScope | ks.PropertyTypeCopyPayload

// Property dispatches a request whose buffer comes from irp.Pool: KsPropertyHandler. The result is the status;
// irp.IoStatus.Information is set and irp.IoStatus.Status is not (P-1). After any status but STATUS_PENDING call
// irp.Finish; after STATUS_PENDING leave the IRP alone until its Completion is called (P-17).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kspropertyhandler
func (d *Dispatcher) Property(irp *IRP) ks.Status {
	return d.PropertyWithBuffers(irp, irp.Type3InputBuffer, irp.UserBuffer, nil)
}

// PropertyWithAllocator is Property with the buffer of a GET or SET provided by allocator; nil is Property:
// KsPropertyHandlerWithAllocator. The caller copies back and frees that buffer (P-13).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kspropertyhandlerwithallocator
func (d *Dispatcher) PropertyWithAllocator(irp *IRP, allocator Allocator) ks.Status {
	return d.PropertyWithBuffers(irp, irp.Type3InputBuffer, irp.UserBuffer, allocator)
}

// PropertyWithBuffers is PropertyWithAllocator for a caller whose buffers must not be retained, such as arrays on its
// stack: in and out take the place of irp.Type3InputBuffer and irp.UserBuffer for the length of the call.
//
// The steps are in the order of P-23. What fails before the buffer is obtained costs no allocation.
func (d *Dispatcher) PropertyWithBuffers(irp *IRP, in, out []byte, allocator Allocator) (status ks.Status) {
	irp.IoStatus.Information = 0 // P-1
	irp.index = noItem
	inLen, outLen := irp.InputBufferLength, irp.OutputBufferLength
	if inLen < ks.SizeIdentifier {
		return irp.decide(ruleP4, ks.StatusInvalidBufferSize)
	}
	if (uint64(outLen)+7)&^7+uint64(inLen) > math.MaxUint32 {
		return irp.decide(ruleP5, ks.StatusInvalidBufferSize)
	}

	// One read of the identifier (S-2): from the caller, or from the copy that an earlier pass made (P-15).
	var lo, hi, word, node uint64
	if irp.SystemBuffer == nil && irp.Memory == nil && len(in) >= ks.SizeIdentifier {
		b := (*[ks.SizeIdentifier]byte)(in)
		lo, hi, word = binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	} else if lo, hi, word, status = irp.readIdentifier(in); status != ks.StatusSuccess {
		return status
	}
	flags := uint32(word >> 32)
	if flags&ks.PropertyTypeTopology != 0 {
		if inLen < ks.SizeNode { // P-4 comes before P-25
			return irp.decide(ruleP4, ks.StatusInvalidBufferSize)
		}
		if node, status = irp.readNode(in); status != ks.StatusSuccess {
			return status
		}
	}
	verb := flags &^ modifiers
	if verb-1 > 1 { // neither GET nor SET
		if verb = d.soleVerb(verb); verb == 0 {
			return irp.decide(ruleP25, ks.StatusInvalidParameter)
		}
		if verb > ks.PropertyTypeSet {
			irp.ident = ident{lo: lo, hi: hi, word: word, node: node}
			return d.query(irp, verb, in, out)
		}
	}

	e := d.table.Lookup(lo, hi, uint32(word))
	if e == nil {
		return d.miss(irp, lo, hi)
	}
	handler := e.Value.handlers[verb-1]
	if handler == nil || inLen < e.Value.minProperty || outLen < e.Value.minData {
		return d.refused(irp, e, handler)
	}

	if irp.owner != d {
		irp.owner = d
	}
	irp.index = e.Tag
	irp.ident.lo, irp.ident.hi, irp.ident.word, irp.ident.node = lo, hi, word, node
	dir := direction(verb)
	irp.layout.dir = dir

	returned := false
	defer func() {
		if !returned {
			status = d.unwound(irp, recover())
		}
	}()
	status = irp.checked(d.run(irp, handler, allocator, in, out), outLen, dir)
	returned = true
	return status
}

// decide records the rule and returns its status.
func (irp *IRP) decide(r rule, status ks.Status) ks.Status {
	irp.rule = r
	return status
}

// tooShort is the two-call size answer: a warning that carries the size for an empty output buffer, an error for a short
// one (N-1, P-28).
func (irp *IRP) tooShort(r rule, out, need uint64) ks.Status {
	irp.rule = r
	if out == 0 {
		irp.IoStatus.Information = need
		return ks.StatusBufferOverflow
	}
	return ks.StatusBufferTooSmall
}

// miss is P-24: which of set and item is unknown.
func (d *Dispatcher) miss(irp *IRP, lo, hi uint64) ks.Status {
	if d.setTable.Lookup(lo, hi, 0) == nil {
		return irp.decide(ruleP24, ks.StatusPropsetNotFound)
	}
	return irp.decide(ruleP24, ks.StatusNotFound)
}

// refused is the first of P-24, P-26, P-27 and P-28 that a GET or SET of an entry fails.
//
//go:noinline
func (d *Dispatcher) refused(irp *IRP, e *entry, handler Handler) ks.Status {
	switch {
	case e.Tag == noItem:
		return irp.decide(ruleP24, ks.StatusNotFound)
	case handler == nil:
		return irp.decide(ruleP26, d.compat.P26)
	case irp.InputBufferLength < e.Value.minProperty:
		return irp.decide(ruleP27, d.compat.P27)
	}
	return irp.tooShort(ruleP28, uint64(irp.OutputBufferLength), uint64(e.Value.minData))
}

// soleVerb returns the verb bit of flags without modifiers, or 0 if there is not exactly one known bit (P-25, P-45).
func (d *Dispatcher) soleVerb(flags uint32) uint32 {
	const known = ks.PropertyTypeGet | ks.PropertyTypeSet | ks.PropertyTypeSetSupport | ks.PropertyTypeBasicSupport |
		ks.PropertyTypeRelations | ks.PropertyTypeSerializeSet | ks.PropertyTypeUnserializeSet | ks.PropertyTypeSerializeRaw |
		ks.PropertyTypeUnserializeRaw | ks.PropertyTypeSerializeSize | ks.PropertyTypeDefaultValues
	if d.compat.P45 {
		flags &^= ks.PropertyTypeGetPayloadSize
	}
	if flags&^known != 0 {
		return 0
	}
	if flags&(flags-1) == 0 {
		return flags
	}
	if !d.compat.P25 {
		return 0
	}
	for _, first := range [...]uint32{ks.PropertyTypeSet, ks.PropertyTypeGet, ks.PropertyTypeBasicSupport} {
		if flags&first != 0 {
			return first
		}
	}
	return flags & -flags
}
