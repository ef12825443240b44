package naive

import (
	"math"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// FastProperty is engine.Dispatcher.FastProperty (F-4 to F-6).
func (h *Handle) FastProperty(mode engine.Mode, request, data []byte, io *engine.IoStatus) (handled bool) {
	if len(request) < ks.SizeIdentifier || uint64(len(request)) > math.MaxUint32 || uint64(len(data)) > math.MaxUint32 {
		return false
	}
	id, _ := ks.DecodeIdentifier(request)
	if id.Flags != ks.PropertyTypeGet && id.Flags != ks.PropertyTypeSet {
		return false
	}
	item, _ := h.table.find(h.step, &id.Set, id.ID)
	if item == nil {
		return false
	}
	handler := item.fastGet
	if id.Flags == ks.PropertyTypeSet {
		handler = item.fastSet
	}
	if handler == nil || uint32(len(request)) < item.minProperty || uint32(len(data)) < item.minData {
		return false
	}

	captured := h.capture(len(request)) // F-5
	id.Put(captured)
	if len(request) > ks.SizeIdentifier {
		copy(captured[ks.SizeIdentifier:], request[ks.SizeIdentifier:])
	}
	h.io = engine.IoStatus{}
	returned := false
	defer func() {
		if !returned {
			*io, handled = engine.IoStatus{Status: thrown(recover())}, true
		}
	}()
	if handled = handler(&h.file, mode, captured, data, &h.io); handled {
		handled = h.result(io, uint64(len(data)), id.Flags == ks.PropertyTypeGet)
	}
	returned = true
	return handled
}

func (h *Handle) capture(n int) []byte {
	if n <= len(h.small) {
		return h.small[:n:n]
	}
	if n > cap(h.large) {
		h.large = make([]byte, n)
	}
	return h.large[:n:n]
}

// result is F-6.
func (h *Handle) result(io *engine.IoStatus, out uint64, produces bool) (handled bool) {
	r := h.io
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
