package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// Request is one property request of a batch: what IoControl takes and returns.
type BatchRequest struct {
	In, Out       []byte
	BytesReturned uint32
	Status        ks.Status
}

// batch is how many requests are looked up at a time: as many misses as the processor keeps under way, and arrays that are
// soon cleared.
const batch = 16

// PropertyBatch answers requests in order, each like IoControl with code ks.IoctlProperty, and sets what they return. The
// table is asked for several at once, so that what it misses in the caches is waited for once: that pays for tables that
// are larger than the caches. It returns how many it answered: all, or those up to and with one that is pending because
// irp.UserEvent is not there to wait on.
//
// The requests of a batch must not overlap in memory, in that one's output is another's input.
func (d *Dispatcher) PropertyBatch(irp *IRP, requests []BatchRequest) (answered int) {
	var keys [batch]table.Key
	var flags [batch]uint32
	var found [batch]*entry
	for from := 0; from < len(requests); from += batch {
		chunk := requests[from:min(from+batch, len(requests))]
		for i := range chunk {
			r := &chunk[i]
			flags[i] = 0
			if len(r.In) >= ks.SizeIdentifier {
				lo, hi, word := words((*[ks.SizeIdentifier]byte)(r.In))
				keys[i], flags[i] = table.Key{Lo: lo, Hi: hi, ID: uint32(word)}, uint32(word>>32)
			}
		}
		d.properties.table.LookupBatch(keys[:len(chunk)], found[:])
		for i := range chunk {
			r := &chunk[i]
			if flags[i]-1 > 1 || found[i] == nil || len(r.In) >= shortPathLimit || len(r.Out) >= shortPathLimit || !irp.ready() {
				r.BytesReturned, r.Status = d.IoControl(irp, ks.IoctlProperty, r.In, r.Out)
			} else {
				k := &keys[i]
				r.BytesReturned, r.Status = d.send(irp, found[i], k.Lo, k.Hi, uint64(k.ID)|uint64(flags[i])<<32, r.In, r.Out)
			}
			if r.Status == ks.StatusPending {
				return from + i + 1
			}
		}
	}
	return len(requests)
}

// send is IoControl from the lookup on, for a request whose identifier is that of e, with a plain GET or SET.
func (d *Dispatcher) send(irp *IRP, e *entry, lo, hi, word uint64, in, out []byte) (n uint32, status ks.Status) {
	verb := uint32(word >> 32)
	if verb-1 > 1 {
		return d.control(irp, ks.IoctlProperty, in, out)
	}
	irp.setRequest(lo, hi, word, uint32(len(in)), uint32(len(out)))
	handler := e.Value.handlers[verb-1]
	if handler == nil || uint32(len(in)) < e.Value.minProperty || uint32(len(out)) < e.Value.minData {
		return irp.reject(d.rejectProperty(irp, e, handler))
	}
	if irp.owner != d {
		irp.owner = d
	}
	irp.index, irp.layout.dir = e.Tag, direction(verb)
	return irp.serve(handler, in, out)
}
