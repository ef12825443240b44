package stages

import (
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"

	"github.com/ksdispatch/ksdispatch/bench"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/measure"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
)

// pipeline is 20 sets of 12 items and random requests for them, and the loops over those.
type pipeline struct {
	requests []bench.Request
	noVerb   []bench.Request // the same with flags that hold none
	long     []byte

	dispatcher *engine.Dispatcher // MinData 4
	anyLength  *engine.Dispatcher // MinData 0
	handle     *device.Handle
	anyHandle  *device.Handle
	irp        engine.IRP
	file       engine.FileObject

	table    *table.Table[[40]byte]
	pilots   []byte
	windows  [64]uint64 // where they begin: of any values
	mask     uint64
	handlers [16]engine.Handler
	scratch  []byte
	empty    func(uint64) uint64
}

func declare(minData uint32, seed uint64) []engine.PropertySet {
	rng := rand.New(rand.NewPCG(seed, 2012))
	sets := make([]engine.PropertySet, 20)
	for s := range sets {
		for i := range sets[s].Set {
			sets[s].Set[i] = byte(rng.Uint32())
		}
		for id := range uint32(12) {
			sets[s].Items = append(sets[s].Items, engine.PropertyItem{ID: id, Get: lab.Answer, MinData: minData})
			sets[s].FastIO = append(sets[s].FastIO, engine.FastPropertyItem{ID: id, Get: rival.Answer})
		}
	}
	return sets
}

func newPipeline(seed uint64, requests int) (*pipeline, error) {
	p := &pipeline{long: make([]byte, 4096), scratch: make([]byte, 64), empty: same}
	sets := declare(4, seed)
	p.requests = bench.Hits(sets, seed)[:requests]
	p.noVerb = make([]bench.Request, len(p.requests))
	for i, r := range p.requests {
		id, _ := ks.DecodeIdentifier(r.In)
		id.Flags = 0
		p.noVerb[i] = bench.Request{In: make([]byte, ks.SizeIdentifier), Out: r.Out}
		id.Put(p.noVerb[i].In)
	}
	for i := range p.handlers {
		p.handlers[i] = lab.Answer
	}
	var entries []table.Entry[[40]byte]
	for _, s := range sets {
		for _, it := range s.Items {
			k := table.KeyOf(s.Set, it.ID)
			entries = append(entries, table.Entry[[40]byte]{Lo: k.Lo, Hi: k.Hi, ID: k.ID})
		}
	}
	var err error
	if p.table, err = table.Build(entries, table.Config{}); err != nil {
		return nil, err
	}
	stats := p.table.Stats()
	p.pilots, p.mask = make([]byte, max(stats.Buckets, 1)), 1<<bits.Len(uint(stats.Slots)/2)-1
	for i := range p.pilots {
		p.pilots[i] = byte(i)
	}
	if p.irp.Pool, err = arena.New(arena.Config{}); err != nil {
		return nil, err
	}
	p.irp.FileObject = &p.file
	if p.dispatcher, p.handle, err = open(sets); err == nil {
		p.anyLength, p.anyHandle, err = open(declare(0, seed))
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func open(sets []engine.PropertySet) (*engine.Dispatcher, *device.Handle, error) {
	d, err := engine.Compile(engine.Config{PropertySets: sets})
	if err != nil {
		return nil, nil, err
	}
	h, err := device.New(d).Open()
	return d, h, err
}

func (p *pipeline) close() error {
	err := p.irp.Pool.Close()
	for _, h := range []*device.Handle{p.handle, p.anyHandle} {
		if h != nil {
			err = errors.Join(err, h.Close())
		}
	}
	return err
}

// The allocators of the prefixes.

func refuse(*engine.IRP, uint32, bool) ks.Status { return ks.StatusInsufficientResources }

func takeAndRefuse(irp *engine.IRP, size uint32, _ bool) ks.Status {
	give(irp.Pool, take(irp.Pool, size))
	return ks.StatusInsufficientResources
}

func provide(irp *engine.IRP, size uint32, _ bool) ks.Status {
	irp.SystemBuffer = take(irp.Pool, size)
	return ks.StatusSuccess
}

// prefix sends the requests with the last bytes of their output buffers cut off, all but keep of them, and counts the answers.
func (p *pipeline) prefix(d *engine.Dispatcher, requests []bench.Request, keep int, allocator engine.Allocator,
	want ks.Status) (right uint64) {
	irp := &p.irp
	for i := range requests {
		r := &requests[i]
		irp.InputBufferLength, irp.OutputBufferLength = uint32(len(r.In)), uint32(keep)
		if d.PropertyWithBuffers(irp, r.In, r.Out[:keep], allocator) == want {
			right++
		}
		if b := irp.SystemBuffer; b != nil {
			irp.SystemBuffer = nil
			give(irp.Pool, b)
		}
	}
	return right
}

func (p *pipeline) control(h *device.Handle, keep int) (right uint64) {
	for i := range p.requests {
		r := &p.requests[i]
		if n, status := h.IoControl(ks.IoctlProperty, r.In, r.Out[:keep]); status == ks.StatusSuccess && int(n) == keep {
			right++
		}
	}
	return right
}

func (p *pipeline) controlShort() (right uint64) {
	for i := range p.requests {
		r := &p.requests[i]
		if _, status := p.handle.IoControl(ks.IoctlProperty, r.In, r.Out[:3]); status == ks.StatusBufferTooSmall {
			right++
		}
	}
	return right
}

func (p *pipeline) controlLong() (right uint64) {
	for i := range p.requests {
		if n, status := p.anyHandle.IoControl(ks.IoctlProperty, p.requests[i].In, p.long); status == ks.StatusSuccess && int(n) == len(p.long) {
			right++
		}
	}
	return right
}

func (p *pipeline) fast(keep int, want bool) (right uint64) {
	var io engine.IoStatus
	for i := range p.requests {
		r := &p.requests[i]
		if p.dispatcher.FastProperty(&p.file, engine.UserMode, r.In, r.Out[:keep], &io) == want {
			right++
		}
	}
	return right
}

// passes are the loops by the names that definitions use, each over all requests once.
func (p *pipeline) passes() (counted, others map[string]func() uint64) {
	d := p.dispatcher
	counted = map[string]func() uint64{ // return how many requests were answered as they should be
		"verb":     func() uint64 { return p.prefix(d, p.noVerb, 4, refuse, ks.StatusInvalidParameter) },
		"checked":  func() uint64 { return p.prefix(d, p.requests, 3, refuse, ks.StatusBufferTooSmall) },
		"guarded":  func() uint64 { return p.prefix(d, p.requests, 4, refuse, ks.StatusInsufficientResources) },
		"buffered": func() uint64 { return p.prefix(d, p.requests, 4, takeAndRefuse, ks.StatusInsufficientResources) },
		"empty":    func() uint64 { return p.prefix(p.anyLength, p.requests, 0, provide, ks.StatusSuccess) },
		"filled":   func() uint64 { return p.prefix(d, p.requests, 4, provide, ks.StatusSuccess) },

		"irp":         func() uint64 { return p.control(p.handle, 4) },
		"irp empty":   func() uint64 { return p.control(p.anyHandle, 0) },
		"irp checked": p.controlShort,
		"irp long":    p.controlLong,

		"fast":         func() uint64 { return p.fast(4, true) },
		"fast refused": func() uint64 { return p.fast(3, false) },
		"lookup":       p.lookup,
		"bare":         p.bare,
		"arena":        p.arenaOnly,
	}
	others = map[string]func() uint64{
		"read": p.read, "hash": p.hash, "pilot": p.pilot, "copy": p.copy, "zero": p.zero, "back": p.back,
		"call": p.call, "guard": p.guard, "plain": p.plain, "multiply": p.multiply, "clock": p.clock,
	}
	return counted, others
}

// check sends the requests once. No arena may keep a buffer.
func (p *pipeline) check() error {
	counted, _ := p.passes()
	for name, pass := range counted {
		if right := pass(); right != uint64(len(p.requests)) {
			return fmt.Errorf("%s: %d of %d requests are answered as they should be", name, right, len(p.requests))
		}
	}
	if live := p.irp.Pool.Stats().Live; live != 0 {
		return fmt.Errorf("%d buffers are still taken", live)
	}
	return nil
}

func (p *pipeline) subjects() map[string]measure.Subject {
	all := map[string]measure.Subject{}
	counted, others := p.passes()
	for _, passes := range []map[string]func() uint64{counted, others} {
		for name, pass := range passes {
			all[name] = measure.Subject{Per: len(p.requests), Run: func(n int) {
				for range n {
					sink.Add(pass())
				}
			}}
		}
	}
	return all
}
