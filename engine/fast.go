package engine

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// inFlight reports that a fast handler has the captured request of the file: another would overwrite it (S-15).
func (file *FileObject) inFlight() bool {
	if invariants.Enabled {
		busy := atomic.LoadUint32(&file.flight) != 0
		invariants.Yield()
		return busy
	}
	return file.flight != 0
}

// setInFlight is plain, as setState of an IRP is. Checked builds see two goroutines that begin at once.
func (file *FileObject) setInFlight(on bool) {
	switch {
	case !invariants.Enabled && on:
		file.flight = 1
	case !invariants.Enabled:
		file.flight = 0
	case !on:
		atomic.StoreUint32(&file.flight, 0)
	case !atomic.CompareAndSwapUint32(&file.flight, 0, 1):
		panic(invariants.Violation("engine: two goroutines send fast requests on one FileObject at once; " +
			"it belongs to one goroutine at a time (S-15)"))
	}
}

// busy answers a fast request that comes while another is in flight.
func busy(io *IoStatus) (handled bool) {
	io.Status, io.Information = ks.StatusDeviceBusy, 0
	return true
}

// capture returns a buffer for the copy of a request with more than an identifier, and copies what follows that.
//
//go:noinline
func (file *FileObject) capture(request []byte) []byte {
	n := len(request)
	captured := file.small[:]
	if n > len(captured) {
		if n > cap(file.scratch) {
			file.scratch = make([]byte, n)
		}
		captured = file.scratch
	}
	captured = captured[:n:n]
	copy(captured[ks.SizeIdentifier:], request[ks.SizeIdentifier:])
	return captured
}

// plainResult hands a plain success to the caller, and reports whether it was one.
func (file *FileObject) plainResult(io *IoStatus, out uint64) bool {
	// The two fields are read one by one: the whole struct is one 16-byte load, which has to wait for the handler's two
	// stores to leave the store buffer (4 ns).
	status, information := file.io.Status, file.io.Information
	if status != ks.StatusSuccess || information > out {
		return false
	}
	io.Status, io.Information = status, information
	return true
}

// result applies F-6 to what a fast handler set, and hands it to the caller, if it is not simply a success.
func (file *FileObject) result(io *IoStatus, out uint64, dir direction) (handled bool) {
	status, information := file.io.Status, file.io.Information
	switch {
	case status == ks.StatusPending:
		return false
	case status == ks.StatusSomeNotMapped:
		status, information = ks.StatusNotFound, 0
	case status.IsError():
		information = 0
	case dir&dataOut != 0 && out != 0 && information > out: // P-20
		status, information = ks.StatusBufferTooSmall, 0
	}
	io.Status, io.Information = status, information
	return true
}

// recoveredFast is F-6 for a panic: the request is answered with its status. A nil value is runtime.Goexit: nobody is left
// to be answered.
func (d *Dispatcher) recoveredFast(index uint32, io *IoStatus, value any) (handled bool) {
	if value == nil {
		return false
	}
	d.report(index, value)
	io.Status, io.Information = recoveredStatus(value), 0
	return true
}
