package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
)

// verify sends n random requests, most of them broken in some way, through the engine and through each peer, and returns
// an error that shows the first on which they differ. What is compared is all that a caller or a handler can see: the
// result, the output buffer, and the order, identity and arguments of the handler calls.
func verify(objects []object, seed uint64, n int) error {
	b, log, err := newVerifier(objects)
	if err != nil {
		return err
	}
	return errors.Join(b.verify(log, seed, n), b.close())
}

// newVerifier returns a bed whose handlers write to the log.
func newVerifier(objects []object) (*bed, *callLog, error) {
	log := new(callLog)
	next := uint64(0)
	b, err := newBed(objects, func(int, int) (engine.Handler, engine.FastHandler) {
		next++
		return log.handlers(next)
	})
	return b, log, err
}

func (b *bed) verify(log *callLog, seed uint64, n int) error {
	rng := rand.New(rand.NewPCG(seed, 0x76657269_66792121))
	positions := positions(b.objects)
	for i := range n {
		r := randomRequest(rng, b.objects, positions)
		if err := b.compare(r, log); err != nil {
			return fmt.Errorf("request %d of seed %d: object %d, in %x, out %x: %w", i, seed, r.object, r.in, r.out, err)
		}
	}
	return nil
}

// trial is one random request: unlike a prepared one it has an output buffer with a content.
type trial struct {
	object  int
	in, out []byte
	alias   bool // in and out are the same memory (P-11)
}

// outcome is what one implementation made of a trial.
type outcome struct {
	handled     bool // fast only
	information uint64
	status      ks.Status
	output      []byte
	calls       uint64
}

// compare runs a trial on everything.
func (b *bed) compare(r trial, log *callLog) error {
	n := r.object
	want := r.run(log, func(in, out []byte) (bool, uint64, ks.Status) {
		got, status := b.handles[n].IoControl(ks.IoctlProperty, in, out)
		return true, uint64(got), status
	})
	wantFast := r.run(log, func(in, out []byte) (bool, uint64, ks.Status) {
		var io engine.IoStatus
		handled := b.dispatchers[n].FastProperty(b.files[n], engine.UserMode, in, out, &io)
		return handled, io.Information, io.Status
	})
	for step, name := range steps {
		h := b.peers[step][n]
		got := r.run(log, func(in, out []byte) (bool, uint64, ks.Status) {
			got, status := h.IoControl(ks.IoctlProperty, in, out)
			return true, uint64(got), status
		})
		if !got.equal(want) {
			return fmt.Errorf("irp: %s answers %+v, the engine %+v", name, got, want)
		}
		for _, send := range []func(engine.Mode, []byte, []byte, *engine.IoStatus) bool{h.FastProperty, h.FastOpen, h.FastDense} {
			got = r.run(log, func(in, out []byte) (bool, uint64, ks.Status) {
				var io engine.IoStatus
				handled := send(engine.UserMode, in, out, &io)
				return handled, io.Information, io.Status
			})
			if !got.equal(wantFast) {
				return fmt.Errorf("fast: %s answers %+v, the engine %+v", name, got, wantFast)
			}
		}
	}
	return b.compareLookup(r)
}

// compareLookup checks that all tables know the same keys, and items of the same sizes under each.
func (b *bed) compareLookup(r trial) error {
	if len(r.in) < 20 {
		return nil
	}
	request := (*[20]byte)(r.in)
	lo, hi, id := binary.LittleEndian.Uint64(request[:]), binary.LittleEndian.Uint64(request[8:]), binary.LittleEndian.Uint32(request[16:])
	t := b.rivals[r.object]
	var want *rival.Item
	entry := b.finders[r.object].table.Lookup(lo, hi, id)
	if entry != nil {
		want = t.Linear.Item(int(entry.Value.item))
	}
	if d := &b.finders[r.object].direct; d.Ready() {
		if got := d.Lookup(lo, hi, id); (got == nil) != (entry == nil) || got != nil && *got != *entry {
			return fmt.Errorf("lookup: a direct table finds %v, another %v", got, entry)
		}
	}
	for step, got := range [len(steps)]*rival.Item{
		rival.ByLinear: t.Linear.Find(lo, hi, id), rival.ByMap: t.Map.Find(request),
		rival.ByOpen: t.Open.Find(lo, hi, id), rival.ByDense: t.Dense.Find(lo, hi, id),
	} {
		if !got.Like(want) {
			return fmt.Errorf("lookup: %s finds %v, the engine %v", steps[step], got, want)
		}
	}
	return nil
}

func (r trial) run(log *callLog, send func(in, out []byte) (bool, uint64, ks.Status)) (o outcome) {
	in, out := slices.Clone(r.in), slices.Clone(r.out)
	if r.alias {
		shared := make([]byte, max(len(in), len(out)))
		copy(shared, out)
		copy(shared, in)
		in, out = shared[:len(in)], shared[:len(out)]
	}
	log.sum = 0
	o.handled, o.information, o.status = send(in, out)
	o.output, o.calls = out, log.sum
	return o
}

func (o outcome) equal(p outcome) bool {
	return o.handled == p.handled && o.information == p.information && o.status == p.status && o.calls == p.calls &&
		bytes.Equal(o.output, p.output)
}

// callLog is a checksum of every handler call: which item, with what.
type callLog struct{ sum uint64 }

func (l *callLog) add(v uint64) uint64 {
	l.sum = (l.sum ^ v) * 0x9e3779b97f4a7c15
	l.sum ^= l.sum >> 29
	return l.sum
}

func (l *callLog) bytes(b []byte) uint64 {
	l.add(uint64(len(b)))
	for _, c := range b {
		l.add(uint64(c))
	}
	return l.sum
}

// results are what the handlers return: mostly success, and everything that P-17 to P-21 treat in a way of its own.
var results = [...]ks.Status{
	ks.StatusSuccess, ks.StatusSuccess, ks.StatusSuccess, ks.StatusSuccess, ks.StatusSuccess, ks.StatusBufferOverflow,
	ks.StatusSomeNotMapped, ks.StatusBufferTooSmall, ks.StatusInvalidDeviceRequest,
}

// handlers returns handlers that log their call and derive from it all they do: what they write, the Information, which
// is sometimes more than the buffer holds, the status, or a panic.
func (l *callLog) handlers(item uint64) (engine.Handler, engine.FastHandler) {
	act := func(request, data []byte) (information uint64, status ks.Status) {
		l.add(item)
		l.bytes(request)
		h := l.bytes(data)
		for i := range data {
			data[i] = byte(l.add(uint64(i)) >> 32)
		}
		switch h >> 40 % 16 {
		case 0:
			panic(ks.StatusDatatypeMisalignment)
		case 1:
			panic("a modelled access fault")
		}
		return h >> 8 % uint64(len(data)+3), results[h>>48%uint64(len(results))]
	}
	return func(irp *engine.IRP, request, data []byte) (status ks.Status) {
			l.add(uint64(irp.InputBufferLength)<<32 | uint64(irp.OutputBufferLength))
			irp.IoStatus.Information, status = act(request, data)
			return status
		}, func(_ *engine.FileObject, mode engine.Mode, request, data []byte, io *engine.IoStatus) bool {
			l.add(uint64(mode))
			if l.sum>>60 == 0 && len(data) == 5 { // false must leave no trace
				return false
			}
			io.Information, io.Status = act(request, data)
			return true
		}
}

// flagMixtures are verbs alone, with modifiers, and what P-25 refuses.
var flagMixtures = [...]uint32{
	0, ks.PropertyTypeGet | ks.PropertyTypeSet, ks.PropertyTypeGet | ks.PropertyTypeBasicSupport, ks.PropertyTypeGetPayloadSize,
	ks.PropertyTypeTopology, ks.PropertyTypeGet | ks.PropertyTypeTopology, ks.PropertyTypeSet | ks.PropertyTypeTopology,
	ks.PropertyTypeGet | ks.PropertyTypeHighPriority, ks.PropertyTypeSet | ks.PropertyTypeCopyPayload, 1 << 20,
}

// randomRequest aims at an item and then, half of the time, misses in one or more ways.
func randomRequest(rng *rand.Rand, objects []object, positions [][][2]int) trial {
	r := trial{object: rng.IntN(len(objects)), alias: rng.IntN(8) == 0}
	at := positions[r.object][rng.IntN(len(positions[r.object]))]
	set := &objects[r.object][at[0]]
	item := set.Items[at[1]]
	id := ks.Identifier{Set: set.Set, ID: item.ID, Flags: 1 + rng.Uint32N(2)}
	in, out := max(int(item.MinProperty), ks.SizeIdentifier), int(item.MinData)
	if rng.IntN(2) == 0 {
		if rng.IntN(4) == 0 {
			id.Set[rng.IntN(16)] ^= 1 << rng.IntN(8)
		}
		if rng.IntN(4) == 0 {
			id.ID ^= 1 << rng.IntN(32)
		}
		if rng.IntN(4) == 0 {
			id.Flags = flagMixtures[rng.IntN(len(flagMixtures))]
		}
		if rng.IntN(4) == 0 {
			in = rng.IntN(in + 1)
		}
		if rng.IntN(4) == 0 {
			out = rng.IntN(out + 1)
		}
	}
	if rng.IntN(2) == 0 {
		in += rng.IntN(50)
		out += rng.IntN(20)
	}
	r.in, r.out = make([]byte, max(in, ks.SizeIdentifier)), make([]byte, out)
	for _, b := range [][]byte{r.in, r.out} {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	}
	id.Put(r.in)
	r.in = r.in[:in]
	return r
}
