package rival

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// FastOpen is FastProperty by Open with a short path: for requests of an identifier alone whose item is where it is looked for first. It
// leaves all others to FastProperty, and so keeps nothing on the stack for calls that most do not make. From the handler on all three
// have the same lines, as the engine's have.
func (h *Handle) FastOpen(mode engine.Mode, request, data []byte, io *engine.IoStatus) (handled bool) {
	if len(request) != ks.SizeIdentifier || uint64(len(data)) >= math.MaxUint32/2 {
		return h.FastProperty(mode, request, data, io)
	}
	lo, hi, word := words((*identifier)(request))
	e, ok := h.open.first(lo, hi, uint32(word))
	if !ok {
		return h.FastProperty(mode, request, data, io)
	}
	item := &e.item
	verb := uint32(word>>32) - 1
	if verb > 1 {
		return false
	}
	handler := item.fast[verb]
	if handler == nil || !item.takes(len(data)) {
		return false
	}
	h.io.Information = 0
	defer func() {
		if !handled {
			handled = h.unwoundFast(io, recover())
		}
	}()
	if handled = handler(&h.file, mode, h.captured(lo, hi, word), data, &h.io); !handled {
		return false
	}
	if information := h.io.Information; h.io.Status == ks.StatusSuccess && information <= uint64(len(data)) {
		io.Status, io.Information = ks.StatusSuccess, information
		return
	}
	return h.result(io, uint64(len(data)), verb == 0)
}

// FastDense is FastOpen by Dense, and for a set whose ids lie far apart by its Open.
func (h *Handle) FastDense(mode engine.Mode, request, data []byte, io *engine.IoStatus) (handled bool) {
	if len(request) != ks.SizeIdentifier || uint64(len(data)) >= math.MaxUint32/2 {
		return h.FastProperty(mode, request, data, io)
	}
	lo, hi, word := words((*identifier)(request))
	var item *Item
	if g, ok := h.dense.first(lo, hi, uint32(word)); ok {
		item = g.item(uint32(word))
	} else if h.dense.sparse == nil {
		return h.FastProperty(mode, request, data, io)
	} else if e, ok := h.dense.sparse.first(lo, hi, uint32(word)); ok {
		item = &e.item
	} else {
		return h.FastProperty(mode, request, data, io)
	}
	verb := uint32(word>>32) - 1
	if verb > 1 {
		return false
	}
	handler := item.fast[verb]
	if handler == nil || !item.takes(len(data)) {
		return false
	}
	h.io.Information = 0
	defer func() {
		if !handled {
			handled = h.unwoundFast(io, recover())
		}
	}()
	if handled = handler(&h.file, mode, h.captured(lo, hi, word), data, &h.io); !handled {
		return false
	}
	if information := h.io.Information; h.io.Status == ks.StatusSuccess && information <= uint64(len(data)) {
		io.Status, io.Information = ks.StatusSuccess, information
		return
	}
	return h.result(io, uint64(len(data)), verb == 0)
}

// FastProperty is engine.Dispatcher.FastProperty (F-4 to F-6).
func (h *Handle) FastProperty(mode engine.Mode, request, data []byte, io *engine.IoStatus) (handled bool) {
	if len(request) < ks.SizeIdentifier {
		return false
	}
	lo, hi, word := words((*identifier)(request))
	var item *Item
	switch h.step {
	case ByDense:
		item = h.dense.Find(lo, hi, uint32(word))
	case ByOpen:
		item = h.open.Find(lo, hi, uint32(word))
	case ByMap:
		item = h.table.Map.Find((*prefix)(request))
	default:
		item = h.table.Linear.Find(lo, hi, uint32(word))
	}
	verb := uint32(word>>32) - 1
	if item == nil || verb > 1 {
		return false
	}
	handler := item.fast[verb]
	if handler == nil || uint64(len(request)) < uint64(item.minProperty()) || uint64(len(data)) < uint64(item.minData) ||
		uint64(len(request))+uint64(len(data))+7 > math.MaxUint32 { // P-5
		return false
	}
	captured := h.small[:ks.SizeIdentifier:ks.SizeIdentifier] // F-5
	switch len(request) {
	case ks.SizeIdentifier:
	case ks.SizeNode: // as in the engine: a call would keep on the stack all that the handler takes
		captured = h.small[:ks.SizeNode:ks.SizeNode]
		binary.LittleEndian.PutUint64(captured[ks.SizeIdentifier:], binary.LittleEndian.Uint64(request[ks.SizeIdentifier:]))
	default:
		captured = h.capture(request)
	}
	putWords((*identifier)(captured), lo, hi, word)
	h.io.Information = 0
	defer func() {
		if !handled {
			handled = h.unwoundFast(io, recover())
		}
	}()
	if handled = handler(&h.file, mode, captured, data, &h.io); !handled {
		return false
	}
	if information := h.io.Information; h.io.Status == ks.StatusSuccess && information <= uint64(len(data)) {
		io.Status, io.Information = ks.StatusSuccess, information
		return
	}
	return h.result(io, uint64(len(data)), verb == 0)
}

// capture copies what follows the identifier.
//
//go:noinline
func (h *Handle) capture(request []byte) []byte {
	captured := h.small[:]
	if n := len(request); n > len(captured) {
		if n > cap(h.large) {
			h.large = make([]byte, n)
		}
		captured = h.large
	}
	captured = captured[:len(request):len(request)]
	copy(captured[ks.SizeIdentifier:], request[ks.SizeIdentifier:])
	return captured
}

// result is F-6. It leaves a status of success behind for the next handler.
//
//go:noinline
func (h *Handle) result(io *engine.IoStatus, out uint64, produces bool) (handled bool) {
	r := h.io
	h.io.Status = ks.StatusSuccess
	switch {
	case r.Status == ks.StatusPending:
		return false
	case r.Status == ks.StatusSomeNotMapped:
		r = engine.IoStatus{Status: ks.StatusNotFound}
	case r.Status.IsError():
		r.Information = 0
	case produces && out != 0 && r.Information > out:
		r = engine.IoStatus{Status: ks.StatusBufferTooSmall}
	}
	*io = r
	return true
}

// unwoundFast answers for a handler that panicked; one that declined has not.
func (h *Handle) unwoundFast(io *engine.IoStatus, value any) (handled bool) {
	h.io.Status = ks.StatusSuccess
	if value == nil {
		return false
	}
	*io = engine.IoStatus{Status: thrown(value)}
	return true
}
