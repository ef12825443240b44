package manifest

import (
	"cmp"
	"encoding/binary"
	"sync"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Per says what the programs store and range keep a value for.
type Per uint8

const (
	PerItem    Per = iota // one value for all requests
	PerNode               // one for each NodeId of a KSP_NODE
	PerChannel            // one for each Channel of a KSNODEPROPERTY_AUDIO_CHANNEL; -1 is one like any other
	PerPin                // one for each PinId of a KSP_PIN
)

var perNames = []string{"node", "channel", "pin"} // of PerNode and those that follow

// offset is where a request has the number.
func (p Per) offset() int {
	if p == PerChannel {
		return ks.SizeNode
	}
	return ks.SizeIdentifier
}

// maxKeyed is how many values an item keeps for its numbers, which are the caller's: enough for any driver, and 4 MB of small ones.
const maxKeyed = 1 << 16

// keyed is the values of an item that has one for each of some number.
type keyed struct {
	per     Per
	size    uint32
	limits  *limits
	initial *Value // of numbers that nobody has set; never set

	mu     sync.RWMutex
	values map[uint32]*Value
}

// newValue returns the value of an item.
func newValue(it *PropertyItem) *Value {
	size := cmp.Or(it.ValueSize, it.MinData)
	v := NewValue(size)
	v.limits = limitsOf(it.Values)
	if it.Per != PerItem {
		v.keyed = &keyed{per: it.Per, size: size, limits: v.limits, initial: NewValue(size), values: make(map[uint32]*Value)}
	}
	return v
}

// get returns the value for the number of a request, which is 0 where the request ends before it.
func (k *keyed) get(request []byte) *Value {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if v := k.values[k.number(request)]; v != nil {
		return v
	}
	return k.initial
}

// set returns the value to be set, or nil if there are too many.
func (k *keyed) set(request []byte) *Value {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.number(request)
	v := k.values[n]
	if v == nil && len(k.values) < maxKeyed {
		v = NewValue(k.size)
		v.limits = k.limits
		k.values[n] = v
	}
	return v
}

func (k *keyed) number(request []byte) uint32 {
	var b [4]byte
	copy(b[:], request[min(k.per.offset(), len(request)):])
	return binary.LittleEndian.Uint32(b[:])
}

// run is the programs store and range for a request.
func (k *keyed) run(verb Verb, within bool, request, data []byte, info *uint64) ks.Status {
	if verb != VerbSet {
		return k.get(request).Get(data, info)
	}
	v := k.set(request)
	switch {
	case v == nil:
		return ks.StatusInsufficientResources
	case within:
		return v.setWithin(data, info)
	}
	return v.Set(data, info)
}

func (k *keyed) handler(verb Verb, within bool) engine.Handler {
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		return k.run(verb, within, request, data, &irp.IoStatus.Information)
	}
}

func (k *keyed) fastHandler(verb Verb, within bool) engine.FastHandler {
	return func(_ *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
		io.Status = k.run(verb, within, request, data, &io.Information)
		return true
	}
}

// per reads what an item keeps values for.
func (p *parser) per() Per { return PerNode + Per(p.oneOf(perNames)) }

// String returns the word that a manifest has; "item" for one value.
func (p Per) String() string {
	if i := int(p) - 1; i >= 0 && i < len(perNames) {
		return perNames[i]
	}
	return "item"
}
