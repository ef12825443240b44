package engine

import (
	"encoding/binary"
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
	if len(request) < ks.SizeIdentifier || uint64(len(request)) > math.MaxUint32 || uint64(len(data)) > math.MaxUint32 {
		return false
	}
	lo := binary.LittleEndian.Uint64(request)
	hi := binary.LittleEndian.Uint64(request[8:])
	word := binary.LittleEndian.Uint64(request[16:]) // id and flags in one read
	id, flags := uint32(word), uint32(word>>32)
	if flags-1 > 1 {
		return false
	}
	e := d.table.Lookup(lo, hi, id)
	if e == nil {
		return false
	}
	handler := e.Value.fastGet
	if flags == ks.PropertyTypeSet {
		handler = e.Value.fastSet
	}
	if handler == nil || uint32(len(request)) < e.Value.minProperty || uint32(len(data)) < e.Value.minData {
		return false
	}

	captured := file.capture(len(request))
	binary.LittleEndian.PutUint64(captured, lo)
	binary.LittleEndian.PutUint64(captured[8:], hi)
	binary.LittleEndian.PutUint64(captured[16:], word)
	if len(captured) > ks.SizeIdentifier {
		copy(captured[ks.SizeIdentifier:], request[ks.SizeIdentifier:])
	}

	file.io.Status, file.io.Information = ks.StatusSuccess, 0
	returned := false
	defer func() {
		if !returned {
			handled = d.fastUnwound(e, io, recover())
		}
	}()
	handled = handler(file, mode, captured, data, &file.io)
	if handled {
		handled = file.result(io, uint64(len(data)), flags == ks.PropertyTypeGet)
	}
	returned = true
	return handled
}

// capture returns n bytes for the copy of a request.
func (file *FileObject) capture(n int) []byte {
	if n <= len(file.small) {
		return file.small[:n:n]
	}
	if n > cap(file.scratch) {
		file.scratch = make([]byte, n)
	}
	return file.scratch[:n:n]
}

// result applies F-6 to what a fast handler set, and hands it to the caller. It reads the two fields one by one: the whole
// struct is one 16-byte load, which has to wait for the handler's two stores to leave the store buffer (4 ns).
func (file *FileObject) result(io *IoStatus, out uint64, outVerb bool) (handled bool) {
	status, information := file.io.Status, file.io.Information
	if status != ks.StatusSuccess || information > out {
		switch {
		case status == ks.StatusPending:
			return false
		case status == ks.StatusSomeNotMapped:
			status, information = ks.StatusNotFound, 0
		case status.IsError():
			information = 0
		case outVerb && out != 0 && information > out: // P-20
			status, information = ks.StatusBufferTooSmall, 0
		}
	}
	io.Status, io.Information = status, information
	return true
}

// fastUnwound is F-6 for a panic. With a nil value, runtime.Goexit, nothing is answered.
func (d *Dispatcher) fastUnwound(e *entry, io *IoStatus, value any) (handled bool) {
	if value == nil {
		return false
	}
	d.report(e.Tag, value)
	*io = IoStatus{Status: thrown(value)}
	return true
}
