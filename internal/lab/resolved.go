package lab

import (
	"encoding/binary"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// resolved is a prepared request whose sender has looked its item up before, and keeps the reference beside it.
type resolved struct {
	ref engine.Ref
	in  []byte
	out uint32
}

// Resolved returns the loop of a path "ref": the prepared requests without an IRP, each through a reference to its item. The
// workload must have one object and requests that all hit; each reference is tried before.
func (s *Stand) Resolved() (func(n int), error) {
	b := s.bed
	list := new([Requests]resolved)
	var io engine.IoStatus
	for i, r := range b.requests {
		guid, id := (*ks.GUID)(r.in), binary.LittleEndian.Uint32(r.in[16:])
		ref, ok := b.dispatchers[r.object].Resolve(*guid, id)
		if !ok || !ref.FastProperty(b.files[0], engine.UserMode, r.in, b.out[:r.out], &io) || io.Status != ks.StatusSuccess {
			return nil, fmt.Errorf("before timing: property %v %d: no answer through a reference", guid, id)
		}
		list[i] = resolved{ref: ref, in: r.in, out: r.out}
	}
	return func(n int) { sink.Add(b.refFast(list, n)) }, nil
}

func (b *bed) refFast(list *[Requests]resolved, n int) (sum uint64) {
	out, file := b.out, b.files[0]
	var io engine.IoStatus
	for i := range n {
		r := &list[i&(Requests-1)]
		if r.ref.FastProperty(file, engine.UserMode, r.in, out[:r.out], &io) {
			sum += io.Information + uint64(io.Status)
		}
	}
	return sum
}
