package manifest

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

const (
	wordSize     = 8   // values up to this size live in one atomic word
	preallocated = 256 // values up to this size get their memory at once
)

// Value is what the program store keeps for one item of one object: MinData bytes, 4 where that is 0, zero at first, shared by
// GET, SET and the fast path. Make one with NewValue. All methods are safe for concurrent use, a GET never sees half of
// a SET, and none allocates, except the first SET of a value above 256 bytes: a manifest can declare 4 GiB in one line, and
// nobody should pay for them before a caller has sent as many bytes.
//
// A Value fills one cache line of 64 bytes, and values are allocated one by one, so that a SET disturbs no neighbour.
type Value struct {
	size uint32

	// word is the value, little-endian, if size <= wordSize, as 95 of 100 are in the embedded drivers. A GET of it takes half as
	// long as behind a mutex and writes to no memory that other cores read.
	word atomic.Uint64

	mu    sync.Mutex
	bytes []byte // else the front of the value; what is not there is zero

	limits *limits // of the item, which range checks; nil for none
	keyed  *keyed  // nil: one value for all requests
}

// NewValue returns the value of an item.
func NewValue(minData uint32) *Value {
	v := &Value{size: minData}
	if minData == 0 {
		v.size = 4
	}
	if wordSize < v.size && v.size <= preallocated {
		v.bytes = make([]byte, v.size)
	}
	return v
}

// Get copies the value to data and sets *info to its size. No data at all is a size query: StatusBufferOverflow, with
// *info set too. Less data than the value is StatusBufferTooSmall, with *info as it was.
func (v *Value) Get(data []byte, info *uint64) ks.Status {
	if uint64(len(data)) < uint64(v.size) {
		if len(data) > 0 {
			return ks.StatusBufferTooSmall
		}
		*info = uint64(v.size)
		return ks.StatusBufferOverflow
	}
	switch {
	case v.size == 4:
		binary.LittleEndian.PutUint32(data, uint32(v.word.Load()))
	case v.size <= wordSize:
		var word [wordSize]byte
		binary.LittleEndian.PutUint64(word[:], v.word.Load())
		copy(data[:v.size], word[:])
	default:
		v.mu.Lock()
		n := copy(data, v.bytes)
		v.mu.Unlock()
		clear(data[n:v.size])
	}
	*info = uint64(v.size)
	return ks.StatusSuccess
}

// Set replaces the front of the value by data, or the whole if data is as long or longer, and sets *info to 0.
func (v *Value) Set(data []byte, info *uint64) ks.Status {
	if v.size == 4 && len(data) == 4 {
		v.word.Store(uint64(binary.LittleEndian.Uint32(data)))
	} else {
		v.replace(data, nil)
	}
	*info = 0
	return ks.StatusSuccess
}

// setWithin is Set for values that the limits of the item hold; another is ks.StatusInvalidParameter and changes nothing.
func (v *Value) setWithin(data []byte, info *uint64) ks.Status {
	if v.limits == nil || !v.replace(data, v.limits) {
		return ks.StatusInvalidParameter
	}
	*info = 0
	return ks.StatusSuccess
}

// replace is Set within limits, nil being none. It reports whether it changed the value.
func (v *Value) replace(data []byte, within *limits) bool {
	if uint64(len(data)) > uint64(v.size) {
		data = data[:v.size]
	}
	var front [wordSize]byte
	copy(front[:], data)
	word, keep := binary.LittleEndian.Uint64(front[:]), ^uint64(0)<<(8*len(data))
	if v.size <= wordSize {
		for {
			old := v.word.Load()
			next := old&keep | word
			if within != nil && !within.hold(next) {
				return false
			}
			if v.word.CompareAndSwap(old, next) {
				return true
			}
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if within != nil {
		var old [wordSize]byte
		copy(old[:], v.bytes)
		if !within.hold(binary.LittleEndian.Uint64(old[:])&keep | word) {
			return false
		}
	}
	if len(v.bytes) < len(data) {
		v.bytes = append(v.bytes, make([]byte, len(data)-len(v.bytes))...)
	}
	copy(v.bytes, data)
	return true
}
