package engine

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// idle reports that no fast request is in flight, and that n bytes of data are few enough for the short path. One comparison says both:
// limit is shortPathLimit between requests, negative while one is in flight, and 0 before the first, which takes the long path.
func (file *FileObject) idle(n int) bool {
	if invariants.Enabled {
		return n < shortPathLimit && !file.inFlight()
	}
	return n < file.limit
}

// inFlight reports that a fast handler has the captured request of the file: another would overwrite it (S-15).
func (file *FileObject) inFlight() bool {
	if invariants.Enabled {
		busy := atomic.LoadUint32(&file.flight) != 0
		invariants.Yield()
		return busy
	}
	return file.limit < 0
}

// enter has a request be in flight. It is plain, as setState of an IRP is; checked builds see two goroutines that begin at once. The short
// paths have it written out, as they have leave: what is called there, and be it inlined, leaves an instruction behind that does nothing,
// and before that the compiler puts what it could do later.
func (file *FileObject) enter(verb uint32) {
	if invariants.Enabled {
		file.claim(verb)
	} else {
		file.limit = -int(verb)
	}
}

func (file *FileObject) leave() {
	if invariants.Enabled {
		file.disclaim()
	} else {
		file.limit = shortPathLimit
	}
}

// claim is enter in a checked build, and disclaim leave.
func (file *FileObject) claim(verb uint32) {
	if !atomic.CompareAndSwapUint32(&file.flight, 0, verb) {
		panic(invariants.Violation("engine: two goroutines send fast requests on one FileObject at once; " +
			"it belongs to one goroutine at a time (S-15)"))
	}
}

func (file *FileObject) disclaim() { atomic.StoreUint32(&file.flight, 0) }

// verb returns that of the property request in flight.
func (file *FileObject) verb() direction {
	if invariants.Enabled {
		return direction(file.flight)
	}
	return direction(-file.limit)
}

// busy answers a fast request that comes while another is in flight.
func busy(io *IoStatus) (handled bool) {
	io.Status, io.Information = ks.StatusDeviceBusy, 0
	return true
}

// captured returns the copy of a request that is an identifier (F-5).
func (file *FileObject) captured(lo, hi, word uint64) []byte {
	putWords((*[ks.SizeIdentifier]byte)(file.small[:]), lo, hi, word)
	return file.small[:ks.SizeIdentifier:ks.SizeIdentifier]
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
	copyRest(captured[ks.SizeIdentifier:], request[ks.SizeIdentifier:])
	return captured
}

// result ends a request whose handler has not simply succeeded: it applies F-6 to what that set, and hands it to the caller.
//
//go:noinline
func (file *FileObject) result(io *IoStatus, out uint64, dir direction) (handled bool) {
	status, information := file.io.Status, file.io.Information
	file.io.Status = ks.StatusSuccess
	file.leave()
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

// unanswered ends a request whose handler declined it, or never returned.
func (d *Dispatcher) unanswered(file *FileObject, index uint32, io *IoStatus, value any) (handled bool) {
	file.io.Status = ks.StatusSuccess
	file.leave()
	return d.recoveredFast(index, io, value)
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
