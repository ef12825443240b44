package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Ref is an item of a dispatcher that was looked up once: for a caller who sends many requests to the same property. It
// belongs to its dispatcher, stays good as long as that, and may be copied and shared. The zero Ref is of no dispatcher; do
// not use it.
//
// A request is answered as the dispatcher answers it: that it is for this item is checked, and one for another is looked up.
//
// A Ref holds what the dispatcher has on the item, 72 bytes on a 64-bit host, so that a request touches no table: in 40,000
// items, where each touch misses the caches, that halves its time. Keep it beside what names the property to you. Only a
// fast request with more than an identifier is looked up.
type Ref struct {
	d *Dispatcher
	e entry
}

// Resolve looks up a property. It returns false if no set declares it and no set lists it in FastIO.
func (d *Dispatcher) Resolve(set ks.GUID, id uint32) (Ref, bool) {
	lo, hi := set.Words()
	e := d.properties.table.Lookup(lo, hi, id)
	if e == nil {
		return Ref{}, false
	}
	return Ref{d, *e}, true
}

// IoControl is Dispatcher.IoControl with code ks.IoctlProperty.
func (r *Ref) IoControl(irp *IRP, in, out []byte) (n uint32, status ks.Status) {
	e := &r.e
	if len(in) < ks.SizeIdentifier || len(in) >= shortPathLimit || len(out) >= shortPathLimit || !irp.ready() {
		return r.d.control(irp, ks.IoctlProperty, in, out)
	}
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(in))
	if lo != e.Lo || hi != e.Hi || uint32(word) != e.ID {
		return r.d.IoControl(irp, ks.IoctlProperty, in, out)
	}
	return r.d.send(irp, e, lo, hi, word, in, out)
}

// FastProperty is Dispatcher.FastProperty. Both have the lines from the handler on, because a tail that they share costs
// Dispatcher.FastProperty 17 %.
func (r *Ref) FastProperty(file *FileObject, mode Mode, request, data []byte, io *IoStatus) (handled bool) {
	if len(request) != ks.SizeIdentifier || len(data) >= shortPathLimit || file.inFlight() {
		return r.d.FastProperty(file, mode, request, data, io)
	}
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(request))
	if lo != r.e.Lo || hi != r.e.Hi || uint32(word) != r.e.ID {
		return r.d.FastProperty(file, mode, request, data, io)
	}
	verb := uint32(word>>32) - 1
	if verb > 1 {
		return false
	}
	handler := r.e.Value.fast[verb]
	if handler == nil || r.e.Value.minProperty > ks.SizeIdentifier || uint32(len(data)) < r.e.Value.minData {
		return false
	}
	captured := file.small[:ks.SizeIdentifier:ks.SizeIdentifier]
	putWords((*[ks.SizeIdentifier]byte)(captured), lo, hi, word)
	file.setInFlight(true)
	file.io.Status, file.io.Information = ks.StatusSuccess, 0
	defer func() {
		if file.inFlight() {
			file.setInFlight(false)
			r.d.recoveredFast(r.e.Tag, io, recover())
		}
	}()
	handled = true
	if !handler(file, mode, captured, data, &file.io) {
		return false
	}
	// plainResult, written out: with it a request takes 159 instructions in place of 154.
	status, information := file.io.Status, file.io.Information
	if status == ks.StatusSuccess && information <= uint64(len(data)) {
		io.Status, io.Information = status, information
	} else {
		handled = file.result(io, uint64(len(data)), direction(verb+1))
	}
	file.setInFlight(false)
	return handled
}

// send is IoControl from the lookup on, for a request whose identifier is that of e, with a plain GET or SET.
func (d *Dispatcher) send(irp *IRP, e *entry, lo, hi, word uint64, in, out []byte) (n uint32, status ks.Status) {
	verb := uint32(word >> 32)
	if verb-1 > 1 {
		return d.control(irp, ks.IoctlProperty, in, out)
	}
	irp.setRequest(lo, hi, word, uint32(len(in)), uint32(len(out)))
	handler := e.Value.handlers[verb-1]
	if handler == nil || uint32(len(in)) < e.Value.minProperty || uint32(len(out)) < e.Value.minData {
		return irp.reject(d, ks.IoctlProperty, d.rejectProperty(irp, e, handler), in, out)
	}
	irp.own(d)
	irp.index, irp.layout.dir = e.Tag, direction(verb)
	return irp.serve(handler, in, out)
}
