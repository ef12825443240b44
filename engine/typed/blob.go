package typed

import (
	"fmt"
	"sync"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// BlobFunc declares a property that is 0 to limit bytes of any content.
//
// get returns the value, which is copied after it returned and must not change any more: hand out what is never written
// again, as from an atomic.Pointer[[]byte]. set gets the caller's bytes, which it must copy if it keeps them. Either may be
// nil. [ScalarFunc] says how they are called.
//
// A GET with an empty buffer is told the size, one with a short buffer is STATUS_BUFFER_TOO_SMALL. A value longer than
// limit, in or out, is STATUS_INVALID_BUFFER_SIZE and is not copied (S-24).
func BlobFunc(id uint32, limit int, get func(Request) ([]byte, ks.Status), set func(Request, []byte) ks.Status) Property {
	p := Property{id: id, limits: limits{form: form{vt: kssets.VT_BLOB}}}
	if !p.bounded(limit) {
		return p
	}
	if get != nil {
		p.get = func(_ *limits, r Request, data []byte) (uint64, ks.Status) {
			v, status := get(r)
			if status != ks.StatusSuccess {
				if status = outcome(status); !status.IsSuccess() {
					return 0, status
				}
			}
			if n, refusal := room(data, len(v), limit); refusal != ks.StatusSuccess {
				return n, refusal
			}
			return uint64(copy(data, v)), status
		}
	}
	if set != nil {
		p.set = func(_ *limits, r Request, data []byte) (uint64, ks.Status) {
			if len(data) > limit {
				return 0, ks.StatusInvalidBufferSize
			}
			return 0, outcome(set(r, data))
		}
	}
	return p
}

// BlobVar is [BlobFunc] for bytes that live in a variable. It reserves limit bytes there, so that no SET allocates.
func BlobVar(id uint32, limit int, v *Bytes) Property {
	p := Property{id: id, limits: limits{form: form{vt: kssets.VT_BLOB}}}
	if !p.bounded(limit) || v == nil {
		return p
	}
	if err := v.bind(limit); err != nil {
		p.fail("%w", err)
	}
	p.get = func(_ *limits, _ Request, data []byte) (uint64, ks.Status) { return v.get(data) }
	p.set = func(_ *limits, _ Request, data []byte) (uint64, ks.Status) { return 0, v.set(data) }
	return p
}

// room is the ladder of a GET of variable size: whether n bytes are allowed and fit.
func room(data []byte, n, limit int) (uint64, ks.Status) {
	switch {
	case n > limit:
		return 0, ks.StatusInvalidBufferSize
	case n > len(data):
		return short(data, n)
	}
	return 0, ks.StatusSuccess
}

// Bytes is a variable of limited length for [BlobVar], safe for concurrent use. Its zero value is empty and ready; it gets
// its limit from BlobVar, the least one if there are several. It must not be copied.
type Bytes struct {
	mu    sync.Mutex
	b     []byte
	limit int // 0: not bound yet
}

// Load returns a copy of the bytes. It allocates.
func (v *Bytes) Load() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]byte{}, v.b...)
}

// Store replaces the bytes by a copy of b. It fails if b is longer than the property may be.
func (v *Bytes) Store(b []byte) error {
	if status := v.set(b); status != ks.StatusSuccess {
		return fmt.Errorf("typed: %d bytes exceed the limit of the property", len(b))
	}
	return nil
}

// bind sets the limit and reserves the memory.
func (v *Bytes) bind(limit int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.b) > limit {
		return fmt.Errorf("the variable has %d bytes already, above the limit of %d", len(v.b), limit)
	}
	if v.limit == 0 || limit < v.limit {
		v.limit = limit
	}
	if cap(v.b) < v.limit {
		v.b = append(make([]byte, 0, v.limit), v.b...)
	}
	return nil
}

func (v *Bytes) get(data []byte) (uint64, ks.Status) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.b) > len(data) {
		return short(data, len(v.b))
	}
	return uint64(copy(data, v.b)), ks.StatusSuccess
}

func (v *Bytes) set(b []byte) ks.Status {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.limit != 0 && len(b) > v.limit {
		return ks.StatusInvalidBufferSize
	}
	v.b = append(v.b[:0], b...)
	return ks.StatusSuccess
}
