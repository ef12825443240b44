package engine

import (
	"math"

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
	x := &d.properties.dense
	if !x.Ready() || len(request) != ks.SizeIdentifier || len(data) >= shortPathLimit || file.inFlight() {
		return d.fastProperty(file, mode, request, data, io)
	}
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(request))
	e, verb := x.Lookup(lo, hi, uint32(word)), uint32(word>>32)-1
	if e == nil || verb > 1 {
		return false
	}
	handler := e.Value.fast[verb]
	if handler == nil || e.Value.minProperty > ks.SizeIdentifier || uint32(len(data)) < e.Value.minData {
		return false
	}

	// Ref.FastProperty has the same lines: a tail that both share costs 17 % here (docs/rationale.md).
	captured := file.small[:ks.SizeIdentifier:ks.SizeIdentifier]
	putWords((*[ks.SizeIdentifier]byte)(captured), lo, hi, word)
	file.setInFlight(true)
	file.io.Status, file.io.Information = ks.StatusSuccess, 0
	defer func() {
		if file.inFlight() { // declined, or never returned
			file.setInFlight(false)
			d.recoveredFast(e.Tag, io, recover())
		}
	}()
	handled = true // which is what is returned for a handler that panics
	if !handler(file, mode, captured, data, &file.io) {
		return false
	}
	// plainResult, written out: with it a request takes 175 instructions in place of 172.
	status, information := file.io.Status, file.io.Information
	if status == ks.StatusSuccess && information <= uint64(len(data)) {
		io.Status, io.Information = status, information
	} else {
		handled = file.result(io, uint64(len(data)), direction(verb+1))
	}
	file.setInFlight(false)
	return handled
}

// fastProperty is FastProperty for requests of any length, and for dispatchers of any shape.
func (d *Dispatcher) fastProperty(file *FileObject, mode Mode, request, data []byte, io *IoStatus) (handled bool) {
	if file.inFlight() {
		return busy(io)
	}
	if len(request) < ks.SizeIdentifier {
		return false
	}
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(request))
	var e *entry
	if x := &d.properties.dense; x.Ready() {
		e = x.Lookup(lo, hi, uint32(word))
	} else {
		e = d.properties.table.Lookup(lo, hi, uint32(word))
	}
	if e == nil {
		return false
	}
	verb := uint32(word>>32) - 1
	if verb > 1 {
		return false
	}
	handler := e.Value.fast[verb]
	if handler == nil || uint64(len(request)) < uint64(e.Value.minProperty) || uint64(len(data)) < uint64(e.Value.minData) {
		return false
	}
	if (uint64(len(data))+7)&^7+uint64(len(request)) > math.MaxUint32 { // P-5, and S-20: an IRP of these lengths is refused
		return false
	}
	captured := file.small[:ks.SizeIdentifier:ks.SizeIdentifier]
	if len(request) != ks.SizeIdentifier {
		captured = file.capture(request)
	}
	putWords((*[ks.SizeIdentifier]byte)(captured), lo, hi, word)

	file.setInFlight(true)
	file.io.Status, file.io.Information = ks.StatusSuccess, 0
	defer func() {
		if !handled { // declined, or never returned
			file.setInFlight(false)
			handled = d.recoveredFast(e.Tag, io, recover())
		}
	}()
	handled = handler(file, mode, captured, data, &file.io)
	if !handled {
		return false
	}
	handled = file.plainResult(io, uint64(len(data))) || file.result(io, uint64(len(data)), direction(verb+1))
	file.setInFlight(false)
	return handled
}
