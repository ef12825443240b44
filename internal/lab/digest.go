package lab

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// digest names what was measured: the tables and the prepared requests. Two reports are of one workload if it is equal,
// on whatever machine and by whatever version they were made; the name of a workload is only a name.
func (b *bed) digest() string {
	h := xxhash.New() // its Write does not fail
	put := func(values ...uint32) {
		var text []byte
		for _, v := range values {
			text = binary.LittleEndian.AppendUint32(text, v)
		}
		_, _ = h.Write(text)
	}
	put(uint32(len(b.objects)))
	for _, o := range b.objects {
		put(uint32(len(o)))
		for s := range o {
			_, _ = h.Write(o[s].Set[:])
			put(uint32(len(o[s].Items)))
			for i := range o[s].Items {
				it := &o[s].Items[i]
				verbs := uint32(0)
				if it.Get != nil {
					verbs |= ks.PropertyTypeGet
				}
				if it.Set != nil {
					verbs |= ks.PropertyTypeSet
				}
				put(it.ID, it.MinProperty, it.MinData, verbs)
			}
		}
	}
	for i := range b.requests {
		r := &b.requests[i]
		put(r.object, r.out, uint32(len(r.in)))
		_, _ = h.Write(r.in)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
