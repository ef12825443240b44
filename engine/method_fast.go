package engine

import (
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// FastMethod sends a method without an IRP if the method's set lists it in FastIO and its handler will:
// KsFastMethodHandler. Only SEND without a modifier is a candidate, with lengths that satisfy MinMethod and MinData (F-4).
// The rest is as for FastProperty: true means that *io holds the final result, false that the caller is to build an IRP.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksfastmethodhandler
func (d *Dispatcher) FastMethod(file *FileObject, mode Mode, request, data []byte, io *IoStatus) (handled bool) {
	if file.inFlight() {
		return busy(io)
	}
	if len(request) < ks.SizeIdentifier {
		return false
	}
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(request))
	if uint32(word>>32) != ks.MethodTypeSend {
		return false
	}
	e := d.methods.table.Lookup(lo, hi, uint32(word))
	if e == nil {
		return false
	}
	v := &e.Value
	handler := v.fast
	if handler == nil || uint64(len(request)) < uint64(v.minMethod) || uint64(len(data)) < uint64(v.minData) {
		return false
	}
	if (uint64(len(data))+7)&^7+uint64(len(request)) > math.MaxUint32 { // P-5, S-20
		return false
	}

	// Written out as in FastProperty, where a shared tail costs 17 % (docs/rationale.md); here it was not measured.
	captured := file.small[:ks.SizeIdentifier:ks.SizeIdentifier]
	if len(request) != ks.SizeIdentifier {
		captured = file.capture(request)
	}
	putWords((*[ks.SizeIdentifier]byte)(captured), lo, hi, word)

	file.io.Information = 0
	file.enter(ks.MethodTypeSend)
	index := e.Tag
	if index != noItem {
		index += firstMethod
	}
	defer func() {
		if !handled && file.inFlight() { // declined, or never returned
			handled = d.unanswered(file, index, io, recover())
		}
	}()
	seen := data
	if v.flags&(ks.MethodTypeSource|ks.MethodTypeModify) == ks.MethodTypeSource {
		seen = nil // M-4: nothing is locked, so there is no data
	}
	if !handler(file, mode, captured, seen, &file.io) {
		return false
	}
	return file.result(io, uint64(len(data)), methodDirection(v.flags))
}
