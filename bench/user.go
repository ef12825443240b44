package bench

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab"
)

// Request is one request of a user's benchmark, and the answer that it must get.
type Request struct {
	In   []byte    // the input buffer: a KSPROPERTY and what follows it
	Out  []byte    // the output buffer, which carries the data of a SET in; requests may share one
	Code uint32    // of DeviceIoControl; 0 is ks.IoctlProperty
	Want ks.Status // anything else fails the benchmark; 0 is ks.StatusSuccess
}

// Hits returns as many random requests as the built-in workloads have, each for an item of sets with a Get or Set handler
// and with buffers as short as the item allows. Bytes that only the item's owner understands, the data of a SET and what
// follows the KSPROPERTY, are zero. Output buffers are shared by the requests of one item and verb. The same sets and
// seed make the same requests.
func Hits(sets []engine.PropertySet, seed uint64) []Request {
	list := lab.Hits(sets, seed)
	if len(list) == 0 {
		return nil
	}
	hits := make([]Request, len(list))
	outs := map[[ks.SizeIdentifier]byte][]byte{}
	for i, r := range list {
		id := [ks.SizeIdentifier]byte(r.In)
		if outs[id] == nil {
			outs[id] = make([]byte, r.Out)
		}
		hits[i] = Request{In: r.In, Out: outs[id]}
	}
	return hits
}

// Dispatch benchmarks a dispatcher with the user's own handlers, as one sub-benchmark for each way through it: path=irp,
// where requests go through an open handle, as IoControl measures it, and path=fast, where those that the fast path
// answers go through FastProperty, left out if there are none.
//
// This and the other benchmarks here are for a user's own go test -bench. They send the requests one after the other and
// again from the start, in a plain loop over b.N. Before that each request is sent once, and one that is not answered as
// it wants ends the benchmark with an error that names it; so does one that allocates on the heap, unless the build
// itself does (-race, and the tag invariants). Both are watched while the time is taken, too.
//
// The time is that of a request with its handler. Requests in a cycle of a few hundred or less look faster than they are:
// the branch predictor learns the cycle. Hits makes 65,536.
func Dispatch(b *testing.B, d *engine.Dispatcher, requests []Request) {
	b.Helper()
	b.Run("path=irp", func(b *testing.B) {
		h, err := device.New(d).Open()
		if err != nil {
			b.Fatal(err)
		}
		defer h.Close() // memory of the heap
		IoControl(b, h, requests)
	})
	fast := slices.DeleteFunc(slices.Clone(requests), func(r Request) bool {
		return r.code() != ks.IoctlProperty || !d.FastProperty(new(engine.FileObject), engine.UserMode, r.In, r.Out, new(engine.IoStatus))
	})
	if len(fast) > 0 {
		b.Run("path=fast", func(b *testing.B) { FastProperty(b, d, fast) })
	}
}

// IoControl benchmarks requests through a handle that the user opened: its mode and its file object's context are what
// handlers see.
func IoControl(b *testing.B, h *device.Handle, requests []Request) {
	b.Helper()
	ioControl(h, requests).benchmark(b)
}

func ioControl(h *device.Handle, requests []Request) subject {
	requests = slices.Clone(requests)
	for i := range requests {
		requests[i].Code = requests[i].code()
	}
	return subject{
		count: len(requests),
		name:  func(i int) string { return requests[i].String() },
		try: func(i int) error {
			r := &requests[i]
			if _, status := h.IoControl(r.Code, r.In, r.Out); status != r.Want {
				return fmt.Errorf("%v: %v, want %v", r, status, r.Want)
			}
			return nil
		},
		send: func(first, n int) (wrong int) {
			for range n {
				r := &requests[first]
				if _, status := h.IoControl(r.Code, r.In, r.Out); status != r.Want {
					wrong++
				}
				if first++; first == len(requests) {
					first = 0
				}
			}
			return wrong
		},
	}
}

// FastProperty benchmarks requests on the fast path, which must answer all of them itself.
func FastProperty(b *testing.B, d *engine.Dispatcher, requests []Request) {
	b.Helper()
	fastProperty(d, requests).benchmark(b)
}

func fastProperty(d *engine.Dispatcher, requests []Request) subject {
	file := new(engine.FileObject)
	return subject{
		count: len(requests),
		name:  func(i int) string { return requests[i].String() },
		try: func(i int) error {
			r := &requests[i]
			var io engine.IoStatus
			if !d.FastProperty(file, engine.UserMode, r.In, r.Out, &io) {
				return fmt.Errorf("%v: left to an IRP: the item has no fast handler for the verb, the handler declined, "+
					"or the buffers are shorter than MinProperty and MinData", r)
			}
			if io.Status != r.Want {
				return fmt.Errorf("%v: %v, want %v", r, io.Status, r.Want)
			}
			return nil
		},
		send: func(first, n int) (wrong int) {
			var io engine.IoStatus
			for range n {
				r := &requests[first]
				if !d.FastProperty(file, engine.UserMode, r.In, r.Out, &io) || io.Status != r.Want {
					wrong++
				}
				if first++; first == len(requests) {
					first = 0
				}
			}
			return wrong
		},
	}
}

// Lookup benchmarks a table of the user's own with keys that it has.
func Lookup[V any](b *testing.B, t *table.Table[V], keys []table.Key) {
	b.Helper()
	lookup(t, keys).benchmark(b)
}

func lookup[V any](t *table.Table[V], keys []table.Key) subject {
	return subject{
		count: len(keys),
		name:  func(i int) string { return keyText(keys[i]) },
		try: func(i int) error {
			if k := keys[i]; t.Lookup(k.Lo, k.Hi, k.ID) == nil {
				return fmt.Errorf("%s: not in the table", keyText(k))
			}
			return nil
		},
		send: func(first, n int) (wrong int) {
			for range n {
				k := &keys[first]
				if t.Lookup(k.Lo, k.Hi, k.ID) == nil {
					wrong++
				}
				if first++; first == len(keys) {
					first = 0
				}
			}
			return wrong
		},
	}
}

func (r *Request) code() uint32 {
	if r.Code == 0 {
		return ks.IoctlProperty
	}
	return r.Code
}

// String names what a person would look for: the verb, the set, the item and the lengths.
func (r *Request) String() string {
	id, ok := ks.DecodeIdentifier(r.In)
	switch {
	case !ok:
		return fmt.Sprintf("%d bytes in, %d out", len(r.In), len(r.Out))
	case r.code() == ks.IoctlProperty:
		return fmt.Sprintf("%s of property %v %d, %d bytes in, %d out", ks.FormatPropertyFlags(id.Flags), id.Set, id.ID, len(r.In), len(r.Out))
	}
	return fmt.Sprintf("control code %#x, flags %#x of %v %d, %d bytes in, %d out", r.code(), id.Flags, id.Set, id.ID, len(r.In), len(r.Out))
}

func keyText(k table.Key) string {
	var set ks.GUID
	binary.LittleEndian.PutUint64(set[:], k.Lo)
	binary.LittleEndian.PutUint64(set[8:], k.Hi)
	return fmt.Sprintf("key %v %d", set, k.ID)
}
