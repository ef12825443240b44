package arena

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// kind is what an operation does; arg is a size or picks a buffer or a mark, modulo their number.
type kind byte

const (
	opAlloc      kind = iota // arg%256 bytes, undefined
	opZeroed                 // arg%256 bytes, zeroed
	opLarge                  // arg bytes
	opImpossible             // far too many, or less than none
	opFreeNewest
	opFree
	opRemote
	opPin
	opUnpin
	opMark
	opRelease
	opDrain
	opReset
	kinds
)

type op struct {
	kind kind
	arg  uint16
}

// decode reads operations of three bytes each; a kind that does not exist and an incomplete end are passed over.
func decode(b []byte) (ops []op) {
	for ; len(b) >= 3; b = b[3:] {
		if k := kind(b[0]); k < kinds {
			ops = append(ops, op{k, uint16(b[1]) | uint16(b[2])<<8})
		}
	}
	return ops
}

func encode(ops []op) (b []byte) {
	for _, o := range ops {
		b = append(b, byte(o.kind), byte(o.arg), byte(o.arg>>8))
	}
	return b
}

// configs are shapes of arena that the operations run on.
func configs() []Config {
	cfgs := []Config{
		{},
		{ChunkSize: 1},
		{ChunkSize: 1000, Limit: 20_000},
		{ChunkSize: 512, Limit: 512},
		{ChunkSize: 300, Limit: 5000},
	}
	if offHeap {
		cfgs = append(cfgs, Config{OffHeap: true, ChunkSize: 1, Limit: 1 << 20})
	}
	return cfgs
}

// model is the naive twin of an arena: the live buffers by age, each filled with a byte of its own, and the open marks.
type model struct {
	t    testing.TB
	a    *Arena
	live []*buffer
	open []openMark
	born int
}

type buffer struct {
	b      []byte
	fill   byte
	born   int
	pinned bool
}

type openMark struct {
	m    Mark
	born int
}

func (m *model) alloc(n int, zeroed bool) {
	alloc := m.a.AllocUninit
	if zeroed {
		alloc = m.a.Alloc
	}
	b, err := alloc(n)
	if limit := m.a.cfg.Limit; err != nil {
		hopeless := n < 0 || n > maxRequest || limit != 0 && m.a.fit(uint(n+2*granule-1)&^(granule-1)) > uint(limit)
		if got := errors.Is(err, ErrTooLarge); got != hopeless || !got && !errors.Is(err, ErrExhausted) {
			m.t.Fatalf("alloc(%d) with limit %d: %v", n, limit, err)
		}
		if !hopeless && (len(m.live)+len(m.open) == 0 || limit == 0) {
			m.t.Fatalf("alloc(%d) with limit %d and nothing live: %v", n, limit, err)
		}
		return
	}
	if b == nil || len(b) != n || cap(b) != n {
		m.t.Fatalf("alloc(%d): nil %t, len %d, cap %d", n, b == nil, len(b), cap(b))
	}
	if n == 0 {
		return
	}
	if address(b)%8 != 0 {
		m.t.Fatalf("alloc(%d) at %#x is not aligned", n, address(b))
	}
	for i, v := range b {
		if zeroed && v != 0 {
			m.t.Fatalf("alloc(%d): byte %d is %#x", n, i, v)
		}
	}
	m.born++
	x := &buffer{b: b, fill: byte(m.born), born: m.born}
	for i := range b {
		b[i] = x.fill
	}
	m.live = append(m.live, x)
}

func (m *model) verify(x *buffer) {
	for i, v := range x.b {
		if v != x.fill {
			m.t.Fatalf("byte %d of a live buffer of %d bytes is %#x, want %#x", i, len(x.b), v, x.fill)
		}
	}
}

func (m *model) take(i int) *buffer {
	x := m.live[i]
	m.verify(x)
	m.live = append(m.live[:i:i], m.live[i+1:]...)
	return x
}

func (m *model) release(i int) {
	o := m.open[i]
	m.a.Release(o.m)
	m.open = m.open[:i]
	kept := m.live[:0]
	for _, x := range m.live {
		if x.born <= o.born || x.pinned {
			kept = append(kept, x)
		}
	}
	m.live = kept
}

func (m *model) do(o op) {
	arg, newest := int(o.arg), len(m.live)-1
	switch o.kind {
	case opAlloc, opZeroed:
		m.alloc(arg%256, o.kind == opZeroed)
	case opLarge:
		m.alloc(arg, true)
	case opImpossible:
		m.alloc([]int{-1, -arg - 1, maxRequest + 1 + arg, int(^uint(0) >> 1), -int(^uint(0)>>1) - 1}[arg%5], true)
	case opReset:
		m.a.Reset()
		m.live, m.open = nil, nil
	case opDrain:
		m.a.Drain()
	case opMark:
		if len(m.open) < 20 {
			m.open = append(m.open, openMark{m.a.Mark(), m.born})
		}
	case opRelease:
		if len(m.open) > 0 {
			m.release(arg % len(m.open))
		}
	}
	if newest < 0 {
		return
	}
	i := arg % (newest + 1)
	switch o.kind {
	case opFreeNewest:
		m.a.Free(m.take(newest).b)
	case opFree:
		m.a.Free(m.take(i).b[:0]) // length does not matter
	case opRemote:
		m.a.FreeRemote(m.take(i).b)
	case opPin:
		m.a.Pin(m.live[i].b)
		m.live[i].pinned = true
	case opUnpin:
		m.a.Unpin(m.live[i].b)
		m.live[i].pinned = false
	}
}

// check compares the counters and every byte.
func (m *model) check() {
	bytes, pinned := 0, 0
	for _, x := range m.live {
		m.verify(x)
		bytes += (len(x.b) + 15) &^ 15
		if x.pinned {
			pinned++
		}
	}
	s := m.a.Stats()
	if s.Live != len(m.live) || s.Allocs-s.Frees != uint64(s.Live) || s.Allocs != uint64(m.born) || s.Pinned != pinned || s.Strays != 0 {
		m.t.Fatalf("%d buffers of %d are live, %d pinned; %+v", len(m.live), m.born, pinned, s)
	}
	if s.Bytes < bytes || s.Bytes > bytes+16*len(m.open) { // a mark on a full chunk takes no fence
		m.t.Fatalf("%d bytes are live, %d marks open; %+v", bytes, len(m.open), s)
	}
	if limit := m.a.cfg.Limit; limit != 0 && s.Peak > limit || s.Reserved > s.Peak {
		m.t.Fatalf("limit is %d; %+v", limit, s)
	}
	if m.a.pins == 0 && len(m.live)+len(m.open) == 0 && s.Bytes != 0 {
		m.t.Fatalf("nothing is live; %+v", s)
	}
}

// run runs the operations on an arena and its model.
func run(t testing.TB, cfg Config, ops []op) {
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := &model{t: t, a: a}
	for i, o := range ops {
		m.do(o)
		if i%16 == 15 {
			m.check()
		}
	}
	m.check()
	for len(m.live) > 0 {
		a.Free(m.take(len(m.live) / 2).b)
	}
	for len(m.open) > 0 {
		m.release(0)
	}
	m.check()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if s := a.Stats(); s.Chunks != 0 || s.Reserved != 0 {
		t.Fatalf("closed: %+v", s)
	}
}

// mixes weigh the kinds: steady requests, marks and pins, everything at once.
var mixes = [][kinds]int{
	{opAlloc: 40, opZeroed: 10, opFreeNewest: 45, opFree: 4, opMark: 1, opRelease: 1},
	{opAlloc: 40, opLarge: 1, opFreeNewest: 10, opFree: 10, opRemote: 5, opPin: 8, opUnpin: 4, opMark: 8, opRelease: 6, opDrain: 1},
	{4, 4, 1, 1, 3, 3, 2, 1, 1, 2, 1, 1, 1},
	{opAlloc: 30, opFree: 14, opRemote: 14, opPin: 4},
}

func randomOps(r *rand.Rand, n int) []op {
	mix := mixes[r.IntN(len(mixes))]
	var bag []kind
	for k, weight := range mix {
		for range weight {
			bag = append(bag, kind(k))
		}
	}
	ops := make([]op, n)
	for i := range ops {
		ops[i] = op{bag[r.IntN(len(bag))], uint16(r.Uint32())}
	}
	return ops
}

func TestModel(t *testing.T) {
	r, rounds := rand.New(rand.NewPCG(testkit.Seed(t), 1)), 30
	if raceEnabled {
		rounds = 5
	}
	for _, cfg := range configs() {
		for range rounds {
			run(t, cfg, randomOps(r, 1000))
		}
	}
}

func TestCodec(t *testing.T) {
	ops := randomOps(rand.New(rand.NewPCG(testkit.Seed(t), 2)), 1000)
	got := decode(append(encode(ops), byte(kinds), 1, 2, 0, 0))
	if len(got) != len(ops) {
		t.Fatalf("%d operations decode to %d", len(ops), len(got))
	}
	for i := range ops {
		if got[i] != ops[i] {
			t.Fatalf("operation %d is %v, decodes to %v", i, ops[i], got[i])
		}
	}
}

// FuzzArena runs a stream of operations on every shape of arena.
func FuzzArena(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2)) // the seeds that are committed as files come beside these
	for range 4 {
		f.Add(encode(randomOps(r, 60)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ops := decode(b[:min(len(b), 3000)])
		for _, cfg := range configs() {
			run(t, cfg, ops)
		}
	})
}
