package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// FastProperty answers a GET or SET without an IRP if the property's set lists it in FastIO and its handler will:
// KsFastPropertyHandler. True means that *io holds the final result; false, with *io untouched, that the caller is to
// build an IRP, which then finds the exact status (F-1, F-4). Only plain GET and SET are candidates, with lengths that
// satisfy MinProperty and MinData.
//
// The handler sees a copy of request, made once, in file (F-5); data is the caller's own memory. file must not be nil and
// is used by one request at a time; mode is the previous mode, KernelMode or UserMode.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksfastpropertyhandler
func (d *Dispatcher) FastProperty(file *FileObject, mode Mode, request, data []byte, io *IoStatus) (handled bool) {
	return fastShort(file, mode, begin(request), d, len(request), data, io)
}

// fastShort is FastProperty, which is inlined, with its arguments in the order in which a handler takes them: so they are all in
// registers, and those that are handed on stay where they are.
//
// Ref.FastProperty has the same lines from the handler on: a tail that both share costs 17 % here (docs/rationale.md).
func fastShort(file *FileObject, mode Mode, request begins, d *Dispatcher, length int, data []byte, io *IoStatus) (handled bool) {
	handled = true // which is what is returned for a handler that panics
	if length != ks.SizeIdentifier || !d.properties.direct.Ready() || !file.idle(len(data)) {
		return fastLong(file, mode, request, d, length, data, io)
	}
	lo, hi, word := words(request.identifier())
	e, ok := d.properties.direct.Find(lo, hi, word)
	if !ok {
		return false
	}
	verb := uint32(word >> 32)
	if verb-1 > 1 {
		return false
	}
	handler := e.Value.fast[verb-1]
	if handler == nil || !e.Value.takes(len(data)) {
		return false
	}

	file.io.Information = 0
	if invariants.Enabled {
		file.claim(verb)
	} else {
		file.limit = -int(verb)
	}
	defer func() {
		if file.inFlight() { // declined, or never returned
			d.unanswered(file, e.Tag, io, recover())
		}
	}()
	if !handler(file, mode, file.captured(lo, hi, word), data, &file.io) {
		return false
	}
	if information := file.io.Information; file.io.Status == ks.StatusSuccess && information <= uint64(len(data)) {
		io.Status, io.Information = ks.StatusSuccess, information
		if invariants.Enabled {
			file.disclaim()
		} else {
			file.limit = shortPathLimit
		}
		return
	}
	return file.result(io, uint64(len(data)), file.verb())
}

// fastLong is fastShort for requests of any length, and for dispatchers of any shape.
func fastLong(file *FileObject, mode Mode, request begins, d *Dispatcher, length int, data []byte, io *IoStatus) (handled bool) {
	handled = true // as in fastShort
	if file.inFlight() {
		return busy(io)
	}
	if length < ks.SizeIdentifier {
		return false
	}
	lo, hi, word := words(request.identifier())
	var e *entry
	var ok bool
	if d.properties.direct.Ready() {
		e, ok = d.properties.direct.Find(lo, hi, word)
	} else {
		e, ok = d.properties.table.Find(lo, hi, uint32(word))
	}
	verb := uint32(word >> 32)
	if !ok || verb-1 > 1 {
		return false
	}
	handler := e.Value.fast[verb-1]
	if handler == nil || uint64(length) < uint64(e.Value.minProperty()) || uint64(len(data)) < uint64(e.Value.minData) {
		return false
	}
	if (uint64(len(data))+7)&^7+uint64(length) > math.MaxUint32 { // P-5, and S-20: an IRP of these lengths is refused
		return false
	}
	captured := file.small[:ks.SizeIdentifier:ks.SizeIdentifier]
	switch length {
	case ks.SizeIdentifier:
	case ks.SizeNode: // a pin, too. A call of capture would keep on the stack all that the handler takes
		captured = file.small[:ks.SizeNode:ks.SizeNode]
		binary.LittleEndian.PutUint64(captured[ks.SizeIdentifier:], binary.LittleEndian.Uint64(request.slice(length)[ks.SizeIdentifier:]))
	default:
		captured = file.capture(request.slice(length))
	}
	putWords((*[ks.SizeIdentifier]byte)(captured), lo, hi, word)

	file.io.Information = 0
	file.enter(verb)
	defer func() {
		if file.inFlight() { // declined, or never returned
			d.unanswered(file, e.Tag, io, recover())
		}
	}()
	if !handler(file, mode, captured, data, &file.io) {
		return false
	}
	if information := file.io.Information; file.io.Status == ks.StatusSuccess && information <= uint64(len(data)) {
		io.Status, io.Information = ks.StatusSuccess, information
		file.leave()
		return
	}
	return file.result(io, uint64(len(data)), file.verb())
}
