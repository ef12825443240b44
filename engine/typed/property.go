package typed

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// Request is what a getter or setter may ask about the request that it serves. It is the same on both paths.
//
// It is 32 bytes, the most that the compiler keeps in registers: with the requestor mode as a third field a GET took 1.2 ns
// more. A handler that decides by the mode is written by hand.
type Request struct {
	File *engine.FileObject // the open handle: IRP.FileObject

	// Property is the captured request: a KSPROPERTY and what follows it, at least MinProperty bytes. It must not be
	// kept. ks.DecodeNode reads a node request.
	Property []byte
}

// Property declares one property; [PropertySet] makes an item of it. It is made by [StructFunc], [StructVar], [StringFunc],
// [StringVar], [BlobFunc], [BlobVar] and their kin for many variables, and is what every [Scalar] has inside. It is a value: a
// method returns a changed copy.
type Property struct {
	id          uint32
	get, set    serve // nil: the verb is not supported
	fastSet     bool  // set reads the data in one load, so that it may be the caller's memory
	size        uint32
	minProperty uint32
	serialized  bool
	typeless    bool // no Values: no KSPROPTYPESETID_General type describes it
	limits      limits
	errs        []error
}

// serve is one verb of one property on both paths: data in or out, IoStatus.Information and the status back. l is what a
// SET is checked against.
type serve func(l *limits, r Request, data []byte) (information uint64, status ks.Status)

// Declaration is a [Property] or a [Scalar].
type Declaration interface{ declaration() Property }

func (p Property) declaration() Property { return p }

// ReadOnly takes the SET away.
func (p Property) ReadOnly() Property {
	p.set = nil
	return p
}

// WriteOnly takes the GET away.
func (p Property) WriteOnly() Property {
	p.get = nil
	return p
}

// MinProperty sets the least length of a GET or SET request in bytes, KSPROPERTY_ITEM.MinProperty (P-27): ks.SizeNode for
// a property of a node. Without it requests may be as short as 24 bytes.
func (p Property) MinProperty(n uint32) Property {
	p.minProperty = n
	return p
}

// Serialized makes a property of fixed size take part in SERIALIZESET and UNSERIALIZESET: KSPROPERTY_ITEM.SerializedSize
// (P-39, P-42).
func (p Property) Serialized() Property {
	if p.serialized = true; p.size == 0 {
		p.fail("only a property of fixed size can be serialized (P-40)")
	}
	return p
}

func (p *Property) fail(format string, args ...any) {
	p.errs = append(slices.Clip(p.errs), fmt.Errorf(format, args...))
}

// PropertySet makes the set of some properties, in their order, ready for [engine.Compile]: an item and a fast item for
// each. The result is a plain declaration, to which hand-written items, relations or support handlers may be added.
//
// The error has a line for every mistake in the declarations, with the set, the id and the remedy, and is nil if there is
// none. The C counterparts are KSPROPERTY_SET, KSPROPERTY_ITEM and KSFASTPROPERTY_ITEM.
func PropertySet(set ks.GUID, properties ...Declaration) (engine.PropertySet, error) {
	s := engine.PropertySet{Set: set}
	var errs []error
	for i, d := range properties {
		if d == nil {
			errs = append(errs, fmt.Errorf("typed: set %v: declaration %d is nil; remove it", set, i))
			continue
		}
		p := d.declaration()
		if p.get == nil && p.set == nil && len(p.errs) == 0 {
			p.fail("neither GET nor SET is left; give it a getter or a setter")
		}
		for _, err := range p.errs {
			errs = append(errs, fmt.Errorf("typed: set %v, property %d: %w", set, p.id, err))
		}
		s.Items = append(s.Items, p.item())
		s.FastIO = append(s.FastIO, p.fast())
	}
	if len(errs) != 0 {
		return engine.PropertySet{}, errors.Join(errs...)
	}
	return s, nil
}

func (p *Property) item() engine.PropertyItem {
	it := engine.PropertyItem{ID: p.id, MinProperty: p.minProperty, MinData: p.size}
	if p.get != nil {
		it.Get = p.limits.handler(p.get)
	}
	if p.set != nil {
		it.Set = p.limits.handler(p.set)
	}
	if p.serialized {
		it.SerializedSize = p.size
	}
	if !p.typeless {
		it.Values = &engine.PropertyValues{
			PropTypeSet: ks.Identifier{Set: kssets.KSPROPTYPESETID_General, ID: p.limits.vt},
			MembersList: p.limits.members(),
		}
	}
	return it
}

func (p *Property) fast() engine.FastPropertyItem {
	it := engine.FastPropertyItem{ID: p.id}
	if p.get != nil {
		it.Get = p.limits.fastHandler(p.get)
	}
	if p.set != nil && p.fastSet {
		it.Set = p.limits.fastHandler(p.set)
	}
	return it
}

// handler serves an IRP. l is a copy: what the declaration becomes later does not matter.
func (l limits) handler(f serve) engine.Handler {
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		n, status := f(&l, Request{irp.FileObject, request}, data)
		irp.IoStatus.Information = n
		return status
	}
}

// fastHandler serves a request without an IRP. It always answers: whatever it would leave to the IRP path has been left to
// it by declaring no handler.
func (l limits) fastHandler(f serve) engine.FastHandler {
	return func(file *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
		n, status := f(&l, Request{file, request}, data)
		io.Information, io.Status = n, status
		return true
	}
}

// short answers a request with too little data for a value of size bytes, as the dispatcher does by MinData (P-28): a
// warning that carries the size if there is no data at all, else an error.
func short(data []byte, size int) (uint64, ks.Status) {
	if len(data) == 0 {
		return uint64(size), ks.StatusBufferOverflow
	}
	return 0, ks.StatusBufferTooSmall
}

// outcome is what a status of a getter or setter becomes. STATUS_PENDING promises a completion that these functions have no
// means to make; the caller would wait for ever. STATUS_SOME_NOT_MAPPED asks for standard processing, of which GET and SET
// have none (P-18). Both are success codes, after which a GET would write data.
func outcome(status ks.Status) ks.Status {
	switch status {
	case ks.StatusPending:
		return ks.StatusUnsuccessful
	case ks.StatusSomeNotMapped:
		return ks.StatusNotFound
	}
	return status
}

// bounded reports whether a value of n bytes may be declared, and says so if not.
func (p *Property) bounded(n int) bool {
	if n < 1 || n > math.MaxInt32 {
		p.fail("a size of %d bytes; it must be between 1 and %d", n, math.MaxInt32)
		return false
	}
	return true
}
