package model

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// GenerateMethods makes random method sets and requests for them, as Generate does for properties. A handler of a method that
// locks its caller's memory for reading does not write to it: whether that would reach the caller is the caller's business.
func GenerateMethods(r *rand.Rand) (Methods, []Request) {
	g := &generator{Rand: r}
	obj := Methods{ItemSize: pick[uint32](g, 0, 0, 0, 40, 48, 96)}
	if g.chance(40) {
		obj.Compat = Compat{M2: pick(g, 0, ks.StatusNotSupported), M8: pick(g, 0, ks.StatusInvalidDeviceRequest),
			P27: pick(g, 0, ks.StatusUnsuccessful), P28Zero: pick(g, 0, ks.StatusBufferTooSmall, ks.StatusNoMoreEntries)}
	}
	for range pick(g, 0, 1, 1, 2, 3, 3) {
		obj.Sets = append(obj.Sets, g.methodSet(obj.Sets))
	}
	model := NewMethods(obj)
	var requests, pended []Request
	asked := map[string]bool{}
	for i := range 40 + g.IntN(60) {
		if len(pended) > 0 && g.chance(40) {
			n := g.IntN(len(pended))
			old := pended[n]
			_, it := model.item(old.Set, old.ID)
			q := Request{Op: DispatchSpecific, Tag: old.Tag, Program: g.methodProgram(it.Flags, uint64(old.Out))}
			if asked[old.Tag] || g.chance(50) {
				pended = slices.Delete(pended, n, n+1)
				q = Request{Op: Complete, Tag: old.Tag, Status: g.status(), Information: pick(g, 0, 1, uint64(old.Out), uint64(old.Out)+1, 1<<33)}
				if !lockedForReading(it.Flags) {
					q.Data = g.bytes(g.IntN(int(old.Out) + 1))
				}
			}
			asked[old.Tag] = true
			requests = append(requests, q)
			model.Do(q)
			continue
		}
		q := g.methodRequest(model)
		q.Tag = fmt.Sprintf("m%d", i)
		requests = append(requests, q)
		if model.Do(q).Pended {
			pended = append(pended, q)
		}
	}
	return obj, requests
}

func lockedForReading(flags uint32) bool { return flags&(source|reads|writes) == source|reads }

func (g *generator) methodSet(before []MethodSet) MethodSet {
	s := MethodSet{GUID: g.guid()}
	if n := len(before); n > 0 && g.chance(40) {
		s.GUID = before[g.IntN(n)].GUID
		if g.chance(40) {
			s.GUID[g.IntN(16)] ^= 1 << g.IntN(8)
		}
	}
	taken := map[uint32]bool{}
	for _, other := range before {
		for _, it := range other.Items {
			taken[it.ID] = taken[it.ID] || other.GUID == s.GUID
		}
	}
	for range g.IntN(8) {
		id := pick(g, uint32(g.IntN(9)), uint32(g.IntN(9)), g.Uint32(), maxULong)
		if taken[id] {
			continue
		}
		taken[id] = true
		it := Method{ID: id, Flags: uint32(g.IntN(8)), MinMethod: pick[uint32](g, 0, 24, 24, 24, 25, 31, 32, 40),
			MinData: pick[uint32](g, 0, 0, 1, 3, 4, 8, 12, 40)}
		if g.chance(5) {
			it.Flags |= g.Uint32() &^ 7
		}
		if g.chance(88) {
			it.Handler = g.methodProgram(it.Flags, uint64(it.MinData))
		}
		if g.chance(35) {
			it.Support = g.program(false, 4)
			if g.chance(40) {
				it.Support = Program{Kind: Return, Status: ks.StatusSomeNotMapped, Information: uint64(g.IntN(50)), HasInformation: g.chance(50)}
			}
		}
		s.Items = append(s.Items, it)
		if g.chance(40) {
			s.Fast = append(s.Fast, id)
		}
	}
	return s
}

func (g *generator) methodProgram(flags uint32, edge uint64) Program {
	p := g.program(true, edge)
	for lockedForReading(flags) && (p.Kind == Emit || p.Kind == EmitUpTo || p.Kind == Turns) {
		p = g.program(true, edge)
	}
	return p
}

func (g *generator) methodRequest(m *MethodModel) Request {
	q := Request{Plain: g.chance(30), Kernel: g.chance(25), File: 1 + g.IntN(3), Alias: g.chance(8),
		Info0: pick[uint64](g, 0, 0, 1, 44, maxULong, 1<<40), Allocator: pick(g, AllocNone, AllocGood, AllocGood, AllocGood)}
	if g.chance(12) {
		q.Allocator = pick(g, AllocFail, AllocFail, AllocNoBuffer, AllocShort, AllocPanic)
		q.AllocStatus = pick(g, 0, ks.StatusUnsuccessful, ks.StatusBufferOverflow)
	}
	if g.chance(10) {
		q.Fault = pick(g, FaultIn, FaultOut)
	}
	if g.chance(8) {
		q.Prepared = pick(g, PreparedByUs, PreparedByUs, PreparedForge)
	}
	var it Method
	switch n := len(m.object.Sets); {
	case n > 0 && g.chance(92):
		s := m.object.Sets[g.IntN(n)]
		q.Set = s.GUID
		if len(s.Items) > 0 {
			it = s.Items[g.IntN(len(s.Items))]
			q.ID = it.ID
		}
		if g.chance(4) {
			q.ID += pick[uint32](g, 1, 1<<31, maxULong)
		}
		if g.chance(4) {
			q.Set[g.IntN(16)] ^= 1 << g.IntN(8)
		}
	case g.chance(50):
		q.Set = g.guid()
	}
	q.Flags = pick(g, 1, 1, 1, 1, 1, 1, uint32(g.IntN(8)), ks.MethodTypeSetSupport, ks.MethodTypeBasicSupport, ks.MethodTypeBasicSupport)
	if g.chance(10) {
		q.Op = FastProperty
	}
	if q.Flags == ks.MethodTypeSetSupport && g.chance(50) {
		q.Set = guidNull
	}
	if g.chance(15) {
		q.Flags |= ks.MethodTypeTopology
	}
	if g.chance(4) {
		q.Flags = pick(g, q.Flags^1<<g.IntN(32), g.Uint32(), 0x300, 8)
	}
	q.Extra = g.bytes(pick(g, 0, 0, 8, 8, 16, g.IntN(40)))
	q.In = 24 + uint32(len(q.Extra))
	if q.Flags&ks.MethodTypeTopology != 0 {
		q.In = max(q.In, 32)
	}
	if it.MinMethod > q.In && g.chance(60) {
		q.In = it.MinMethod
	}
	if g.chance(10) {
		q.In = pick(g, 0, 23, 24, 25, 31, 32, max(it.MinMethod, 1)-1, it.MinMethod, it.MinMethod+1, 64, maxULong)
	}
	edge := it.MinData
	if q.Flags&ks.MethodTypeSetSupport != 0 {
		edge = uint32(16 * len(m.object.Sets))
	}
	q.Out = pick(g, 0, edge, edge, edge+1, max(edge, 1)-1, edge+9, uint32(g.IntN(100)), pick[uint32](g, 1, 3, 4, 5, 7, 8, 9))
	if g.chance(4) {
		q.Out = pick(g, maxULong, maxULong-6, maxULong-7-q.In, maxULong-6-q.In, 0x80000000)
	}
	if bufferSize(&q) > maxOutput && (q.Op != Property || !m.Refuses(&q)) {
		q.In, q.Out = min(q.In, 64), min(q.Out, 300)
	}
	q.Data = g.bytes(g.IntN(int(min(q.Out, maxOutput)) + 1))
	return q
}
