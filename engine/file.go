package engine

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// FileObject stands for one open handle: FILE_OBJECT. Its zero value is ready. A FileObject belongs to one goroutine at
// a time: the fast path keeps the captured request in it (F-5).
type FileObject struct {
	// Context is the owner's: FsContext.
	Context any
	// Handles resolves the objects that enables of events name; nil knows none.
	Handles Handles
	// Events is the list of the object that the file is open on, for IoControl.
	Events *EventList

	events atomic.Int32  // that are enabled (S-24)
	number atomic.Uint64 // for event lists, 0 before the first event

	io      IoStatus // what the fast handler writes, so that a caller's IoStatus may live on its stack
	small   [fastScratch]byte
	scratch []byte // for requests longer than small; grows to the longest request seen
}

// fastScratch is the longest request that the fast path captures without a buffer of its own: KSPROPERTY, KSP_NODE and
// KSP_PIN requests with up to 32 bytes of instance data.
const fastScratch = 64

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
