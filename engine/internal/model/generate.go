package model

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Generate makes a random object and requests for it, to be answered in order by one model or dispatcher of that object.
// Everything that a rule compares is drawn from the edge it compares with, one below and one above. Programs may be of the
// kinds that manifests cannot say (Turns, Panic with a status). No request needs a buffer above maxOutput bytes, although
// lengths up to 0xFFFFFFFF occur; Complete and DispatchSpecific name requests that did pend under a zero Compat. Sometimes
// the item size is one that P-3 refuses.
func Generate(r *rand.Rand) (Object, []Request) {
	g := &generator{Rand: r}
	g.object.ItemSize = g.itemSize()
	for range pick(g, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4) {
		g.set()
	}
	model := New(g.object, Compat{})
	var requests []Request
	var pended []Request
	asked := map[string]bool{}
	for i := range 40 + g.IntN(60) {
		if len(pended) > 0 && g.chance(40) {
			n := g.IntN(len(pended))
			old := pended[n]
			q := Request{Op: DispatchSpecific, Tag: old.Tag, Program: g.program(old.Flags&getSet != 0, uint64(old.Out))}
			if g.chance(15) { // P-51
				q.Program = Program{Kind: Return, Status: ks.StatusSomeNotMapped}
			}
			if asked[old.Tag] || g.chance(50) {
				pended = slices.Delete(pended, n, n+1)
				q = Request{Op: Complete, Tag: old.Tag, Status: g.status(), Data: g.bytes(g.IntN(int(old.Out) + 1)),
					Information: pick(g, 0, 1, uint64(old.Out), uint64(old.Out)+1, 1<<33)}
			}
			asked[old.Tag] = true
			requests = append(requests, q)
			model.Do(q)
			continue
		}
		q := g.request()
		q.Tag = fmt.Sprintf("r%d", i)
		requests = append(requests, q)
		if model.Do(q).Pended {
			pended = append(pended, q)
		}
	}
	return g.object, requests
}

type generator struct {
	*rand.Rand
	object Object
}

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g *generator) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g *generator) guid() ks.GUID { return ks.GUID(g.bytes(16)) }

func (g *generator) itemSize() uint32 {
	if g.chance(2) {
		return pick[uint32](g, 1, 8, 64, 71, 73, 76, 100)
	}
	return pick[uint32](g, 0, 0, 0, 72, 80, 96)
}

// status is one of every class.
func (g *generator) status() ks.Status {
	return pick(g, ks.StatusSuccess, ks.StatusSuccess, 0x00000105, 0x40000000, ks.StatusBufferOverflow, ks.StatusNoMoreEntries,
		0x80000011, ks.StatusBufferTooSmall, ks.StatusNotSupported, ks.StatusInvalidDeviceRequest, 0xC0000120, 0xC000FFFF)
}

func (g *generator) set() {
	s := Set{GUID: g.guid()}
	if n := len(g.object.Sets); n > 0 && g.chance(30) { // the same GUID again, or one that differs by a bit
		s.GUID = g.object.Sets[g.IntN(n)].GUID
		if g.chance(40) {
			s.GUID[g.IntN(16)] ^= 1 << g.IntN(8)
		}
	}
	taken := map[uint32]bool{}
	for _, other := range g.object.Sets {
		if other.GUID == s.GUID {
			for _, it := range other.Items {
				taken[it.ID] = true
			}
		}
	}
	for range pick(g, 0, 1, 2, 3, 4, 5, 5, 6, 6, 7) {
		id := pick(g, uint32(g.IntN(9)), uint32(g.IntN(9)), g.Uint32(), maxULong)
		if taken[id] {
			continue
		}
		taken[id] = true
		s.Items = append(s.Items, g.item(id))
		if g.chance(40) {
			s.Fast = append(s.Fast, Fast{ID: id, Get: g.chance(75), Set: g.chance(60)})
		}
	}
	g.object.Sets = append(g.object.Sets, s)
}

func (g *generator) item(id uint32) Item {
	it := Item{ID: id, MinProperty: pick[uint32](g, 0, 23, 24, 24, 24, 25, 31, 32, 33, 40),
		MinData: pick[uint32](g, 0, 0, 1, 3, 4, 4, 5, 8, 12, 16, 24, 40, 97)}
	it.SerializedSize = pick(g, 0, 0, 1, it.MinData, max(it.MinData, 4), max(it.MinData, 4), it.MinData+1, 2, 8)
	if g.chance(85) {
		it.Get = g.program(true, uint64(it.MinData))
		if it.SerializedSize == 1 && g.chance(80) {
			it.Get = g.multiple()
			it.MinData = pick[uint32](g, 0, 4, 8, 8, 9)
		}
	}
	if g.chance(80) {
		it.Set = g.program(true, uint64(it.MinData))
	}
	if g.chance(35) {
		it.Support = g.program(false, 40)
		if g.chance(40) { // P-18
			it.Support = Program{Kind: Return, Status: ks.StatusSomeNotMapped, Information: uint64(g.IntN(50)), HasInformation: g.chance(50)}
		}
	}
	if g.chance(60) {
		it.Values = &Values{TypeSet: g.guid(), TypeID: g.Uint32()}
		for range g.IntN(4) {
			l := Members{MembersFlags: uint32(g.IntN(4)), Size: pick[uint32](g, 0, 1, 4, 8, 16), Count: uint32(g.IntN(4)),
				Flags: pick[uint32](g, 0, 1, 2, 3)}
			l.Data = g.bytes(int(l.Size * l.Count))
			it.Values.Lists = append(it.Values.Lists, l)
		}
	}
	for range g.IntN(4) {
		it.Relations = append(it.Relations, ks.Identifier{Set: g.guid(), ID: g.Uint32(), Flags: g.Uint32()})
	}
	if g.chance(1) {
		it.SerializedSize = pick[uint32](g, maxULong, maxULong-31, maxULong-52, 0x80000000)
	}
	return it
}

// program is any handler; edge is the length that matters to whoever calls it.
func (g *generator) program(store bool, edge uint64) Program {
	near := func() uint64 {
		return pick(g, 0, 1, 4, edge, edge+1, max(edge, 1)-1, uint64(g.IntN(200)), 1<<32, 1<<63)
	}
	switch n := g.IntN(100); {
	case n < 40 && store:
		return Program{Kind: Store}
	case n < 45:
		return Program{Kind: Accept}
	case n < 58:
		return Program{Kind: Emit, Bytes: g.bytes(g.IntN(int(min(edge, 300)) + 2))}
	case n < 72:
		return Program{Kind: EmitUpTo, Bytes: g.bytes(g.IntN(int(min(edge, 300)) + 9))}
	case n < 86:
		return Program{Kind: Return, Status: pick(g, 0, g.status(), g.status(), ks.StatusSomeNotMapped), Information: near(),
			HasInformation: g.chance(80)}
	case n < 90:
		return Program{Kind: Panic, Status: pick(g, 0, ks.StatusAccessViolation, ks.StatusDatatypeMisalignment, ks.StatusNotSupported),
			Information: near(), HasInformation: g.chance(50)}
	case n < 95:
		return Program{Kind: Pend}
	}
	return Program{Kind: Turns, Steps: []Program{
		{Kind: EmitUpTo, Bytes: g.bytes(g.IntN(20))}, {Kind: Return, Status: g.status(), Information: near(), HasInformation: true}}}
}

// multiple is a get handler of a value that begins with KSMULTIPLE_ITEM, honest or not (P-40, S-18).
func (g *generator) multiple() Program {
	honest := func(n int) Program {
		return Program{Kind: EmitUpTo, Bytes: append(appendU32(appendU32(nil, uint32(n)), 1), g.bytes(max(n, 8)-8)...)}
	}
	n := 8 + g.IntN(20)
	switch g.IntN(8) {
	case 0:
		p := honest(n)
		copy(p.Bytes, appendU32(nil, pick[uint32](g, 0, 7, 8, uint32(n)-1, uint32(n)+1, maxULong, maxULong-55, maxULong-54, 0x80000000)))
		return p
	case 1: // another size at the next call
		return Program{Kind: Turns, Steps: []Program{honest(n), honest(8 + g.IntN(20))}}
	case 2:
		p := honest(n)
		p.Bytes = p.Bytes[:g.IntN(9)]
		return p
	}
	return honest(n)
}

func (g *generator) request() Request {
	q := Request{Plain: g.chance(30), Kernel: g.chance(25), File: 1 + g.IntN(3), Alias: g.chance(8),
		Info0: pick[uint64](g, 0, 0, 1, 44, maxULong, 1<<40), Allocator: pick(g, AllocNone, AllocGood, AllocGood, AllocGood)}
	if g.chance(15) {
		q.Allocator = pick(g, AllocFail, AllocFail, AllocNoBuffer, AllocShort, AllocPanic)
		q.AllocStatus = pick(g, 0, ks.StatusUnsuccessful, ks.StatusBufferOverflow)
	}
	if g.chance(8) {
		q.Fault = pick(g, FaultIn, FaultOut)
	}
	if g.chance(6) {
		q.Prepared = pick(g, PreparedByUs, PreparedByUs, PreparedForge)
	}

	// Who is asked.
	var it Item
	switch n := len(g.object.Sets); {
	case n > 0 && g.chance(92):
		s := g.object.Sets[g.IntN(n)]
		q.Set = s.GUID
		if len(s.Items) > 0 {
			it = s.Items[g.IntN(len(s.Items))]
			q.ID = it.ID
		}
		if g.chance(5) {
			q.ID += pick[uint32](g, 1, 1<<31, maxULong)
		}
		if g.chance(4) {
			q.Set[g.IntN(16)] ^= 1 << g.IntN(8)
		}
	case g.chance(50):
		q.Set = g.guid()
	}

	// What is asked.
	verb := pick(g, ks.PropertyTypeGet, ks.PropertyTypeGet, ks.PropertyTypeGet, ks.PropertyTypeSet, ks.PropertyTypeSet, ks.PropertyTypeSet,
		ks.PropertyTypeSetSupport, ks.PropertyTypeBasicSupport, ks.PropertyTypeBasicSupport, ks.PropertyTypeRelations,
		ks.PropertyTypeSerializeSet, ks.PropertyTypeSerializeSet, ks.PropertyTypeUnserializeSet, ks.PropertyTypeUnserializeSet,
		ks.PropertyTypeUnserializeSet, ks.PropertyTypeSerializeRaw, ks.PropertyTypeUnserializeRaw, ks.PropertyTypeSerializeSize,
		ks.PropertyTypeDefaultValues)
	if g.chance(10) {
		q.Op = FastProperty
		verb = pick(g, ks.PropertyTypeGet, ks.PropertyTypeSet, verb)
	}
	if g.chance(2) || verb == ks.PropertyTypeSetSupport && g.chance(40) {
		q.Set = guidNull
	}
	q.Flags = verb
	if g.chance(20) {
		q.Flags |= pick(g, ks.PropertyTypeTopology, ks.PropertyTypeTopology, ks.PropertyTypeHighPriority, ks.PropertyTypeFSFilterScope,
			ks.PropertyTypeCopyPayload, modifiers)
	}
	if g.chance(4) {
		q.Flags = pick(g, 0, ks.PropertyTypeTopology, q.Flags^1<<g.IntN(32), q.Flags|ks.PropertyTypeGetPayloadSize, g.Uint32())
	}

	// How long it is.
	q.Extra = g.bytes(pick(g, 0, 0, 8, 8, 16, g.IntN(40)))
	q.In = 24 + uint32(len(q.Extra))
	if q.Flags&ks.PropertyTypeTopology != 0 {
		q.In = max(q.In, 32)
	}
	if it.MinProperty > q.In && g.chance(60) {
		q.In = it.MinProperty
	}
	if g.chance(15) {
		q.In = pick(g, 0, 23, 24, 25, 31, 32, 33, max(it.MinProperty, 1)-1, it.MinProperty, it.MinProperty+1, 64, maxULong-8, maxULong)
	}
	ask := q
	ask.Out, ask.Op, ask.Fault, ask.Prepared, ask.Plain, ask.Alias = 0, Property, FaultNone, Fresh, true, false
	rung := it.MinData
	if g.small(&ask) { // the size answer, if there is one, is the edge of the ladder
		if o := New(g.object, Compat{}).Do(ask); o.Status == ks.StatusBufferOverflow && o.Information <= maxOutput {
			rung = uint32(o.Information)
		}
	}
	q.Out = pick(g, 0, rung, rung, rung, rung+1, max(rung, 1)-1, rung+9, uint32(g.IntN(200)),
		pick[uint32](g, 1, 3, 4, 5, 7, 8, 9, 19, 20, 21, 39, 40, 41), max(it.MinData, 1)-1, it.MinData, it.MinData+1)
	q.Data = g.bytes(pick(g, int(q.Out), int(q.Out), g.IntN(int(q.Out)+1)))
	if verb == ks.PropertyTypeUnserializeSet && g.chance(95) {
		q.Data = g.blob(q.Set)
		q.Out = uint32(len(q.Data))
	}
	if wrap := maxULong - 7 - q.In; g.chance(4) {
		q.Out = pick(g, maxULong, maxULong-6, maxULong-7, maxULong-8, wrap, wrap+1, wrap&^7, wrap&^7+1, 0x80000000, 0x7FFFFFF9)
	}
	if !g.small(&q) {
		q.In, q.Out = min(q.In, 64), min(q.Out, 300)
	}
	q.Data = q.Data[:min(len(q.Data), int(min(q.Out, maxOutput)))]
	return q
}

// small says that answering q needs no large buffer.
func (g *generator) small(q *Request) bool {
	if bufferSize(q) <= maxOutput {
		return true
	}
	return q.Op == Property && New(g.object, Compat{}).Refuses(q)
}

// blob is a serialized set (P-41) with at most a few things wrong with it (S-17).
func (g *generator) blob(set ks.GUID) []byte {
	var items []Item
	for _, s := range g.object.Sets {
		for _, it := range s.Items {
			if s.GUID == set && (it.SerializedSize != 0 && it.Set.Kind != None || g.chance(4)) {
				items = append(items, it)
			}
		}
	}
	if len(items) > 0 && g.chance(20) { // twice, or out of order
		items = append(items, items[g.IntN(len(items))])
	}
	b := appendU32(append([]byte(nil), set[:]...), uint32(len(items)))
	var headers []int
	for _, it := range items {
		for len(b)%4 != 0 {
			b = append(b, byte(g.IntN(2)))
		}
		n := it.SerializedSize
		if n == 1 {
			n = it.MinData + uint32(g.IntN(9))
		}
		n = min(n, 400)
		headers = append(headers, len(b))
		b = append(b, g.bytes(24)...)
		b = appendU32(appendU32(b, it.ID), n)
		b = append(b, g.bytes(int(n))...)
	}
	switch g.IntN(12) {
	case 0:
		b[g.IntN(len(b))] ^= 1 << g.IntN(8)
	case 1:
		b = b[:g.IntN(len(b))]
	case 2:
		b = append(b, g.bytes(g.IntN(50))...)
	case 3:
		copy(b[16:], appendU32(nil, pick(g, 0, 1, uint32(len(items))+1, max(uint32(len(items)), 1)-1, maxULong)))
	case 4, 5:
		if len(headers) > 0 {
			at := headers[g.IntN(len(headers))]
			rest := uint32(len(b) - at - 32)
			n := u32(b[at+28:])
			copy(b[at+28:], appendU32(nil, pick(g, 0, 1, n-1, n+1, rest, rest+1, maxULong, maxULong-31)))
		}
	case 6:
		copy(b, make([]byte, 16))
	}
	return b
}
