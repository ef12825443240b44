package typed

import (
	"sync"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// StructFunc declares a property that is a structure of size bytes, with codecs of the shape that package ks has:
// typed.StructFunc(3, ks.SizeSteppingLong, ks.DecodeSteppingLong, get, set). decode reads a structure from exactly size bytes,
// which it must not keep; false refuses them with STATUS_INVALID_PARAMETER. Put writes exactly size bytes.
//
// get or set may be nil, and decode with set. [ScalarFunc] says how they are called. The property has no Values, as
// no type of KSPROPTYPESETID_General describes a structure.
func StructFunc[T interface{ Put([]byte) }](id uint32, size int, decode func([]byte) (T, bool),
	get func(Request) (T, ks.Status), set func(Request, T) ks.Status) Property {

	p := Property{id: id, typeless: true}
	if !p.bounded(size) {
		return p
	}
	p.size = uint32(size)
	if set != nil && decode == nil {
		p.fail("a setter without a decoder")
	}
	if get != nil {
		if reason := putFails[T](size); reason != nil {
			p.fail("Put does not write a zero structure to %d bytes: %v; is the size right?", size, reason)
		}
		p.get = func(_ *limits, r Request, data []byte) (uint64, ks.Status) {
			if len(data) < size {
				return short(data, size)
			}
			v, status := get(r)
			if status != ks.StatusSuccess {
				if status = outcome(status); !status.IsSuccess() {
					return 0, status
				}
			}
			v.Put(data[:size:size])
			return uint64(size), status
		}
	}
	if set != nil {
		p.set = func(_ *limits, r Request, data []byte) (uint64, ks.Status) {
			if len(data) < size {
				return short(data, size)
			}
			v, ok := decode(data[:size:size])
			if !ok {
				return 0, ks.StatusInvalidParameter
			}
			return 0, outcome(set(r, v))
		}
	}
	return p
}

// StructVar is [StructFunc] for a structure that lives in a variable, usually a [Locked].
func StructVar[T interface{ Put([]byte) }](id uint32, size int, decode func([]byte) (T, bool), cell Cell[T]) Property {
	if cell == nil {
		return StructFunc(id, size, decode, nil, nil)
	}
	return StructFunc(id, size, decode,
		func(Request) (T, ks.Status) { return cell.Load(), ks.StatusSuccess },
		func(_ Request, v T) ks.Status { cell.Store(v); return ks.StatusSuccess })
}

// putFails finds a size that is less than Put writes while it can still be reported.
func putFails[T interface{ Put([]byte) }](size int) (reason any) {
	defer func() { reason = recover() }()
	var zero T
	zero.Put(make([]byte, size))
	return nil
}

// Locked is a variable of any type behind a mutex: a [Cell] for what no atomic holds. Its zero value is ready. It must not be
// copied.
//
// An atomic.Pointer would make each SET allocate. It is good for what only the owner changes: return what it points to from
// a getter.
type Locked[T any] struct {
	mu sync.Mutex
	v  T
}

// Load returns the value.
func (l *Locked[T]) Load() T {
	l.mu.Lock()
	v := l.v
	l.mu.Unlock()
	return v
}

// Store replaces the value.
func (l *Locked[T]) Store(v T) {
	l.mu.Lock()
	l.v = v
	l.mu.Unlock()
}
