package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/measure"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
)

// cycle is how many different requests there are.
const cycle = 1 << 16

type options struct {
	rounds int
	batch  time.Duration
	seed   uint64
}

var paths = []report.Path{
	{Name: "lookup", Description: "find the item of a (GUID, id)"},
	{Name: "fast", Description: "a request without an IRP"},
	{Name: "alloc", Description: "take a buffer; 64 are given back at once"},
}

var impls = []report.Impl{
	{Name: "engine", Kind: report.Engine, Description: "ksdispatch: package table, FastProperty, package arena"},
	{Name: "swiss", Kind: report.Peer, Description: "github.com/cockroachdb/swiss"},
	{Name: "xsync", Kind: report.Peer, Description: "github.com/puzpuzpuz/xsync/v4, safe for concurrent writers"},
	{Name: "sorted", Kind: report.Peer, Description: "a sorted slice and a binary search"},
	{Name: "switch", Kind: report.Peer,
		Description: "generated nested switches; on fast it calls handlers directly, without capture, guard and judgement"},
	{Name: "ristretto", Kind: report.Peer, Description: "github.com/dgraph-io/ristretto/v2/z.Allocator"},
	{Name: "heap", Kind: report.Peer, Description: "make; its cost for the collector comes on top"},
}

var finders = []struct {
	name string
	make func([]table.Key) (finder, error)
}{{"engine", newEngine}, {"swiss", newSwiss}, {"xsync", newXsync}, {"sorted", newSorted}, {"switch", newWritten}}

var allocators = []struct {
	name string
	make func() (allocator, error)
}{{"engine", newArena}, {"ristretto", newRistretto}, {"heap", newHeap}}

// row is something to time.
type row struct {
	impl string
	send func(n int) uint64
}

var sink atomic.Uint64

// run measures everything.
func run(ctx context.Context, opt options) (*report.Report, error) {
	rep := &report.Report{SchemaVersion: report.SchemaVersion, Environment: machine.Describe(), Paths: paths, Impls: impls,
		Settings: report.Settings{Seed: opt.seed, Rounds: opt.rounds, Requests: cycle, BatchNs: int64(opt.batch), Prime: measure.Primed}}
	for _, size := range [][2]int{{1, 8}, {20, 12}, {200, 20}, {2000, 20}} {
		rng := rand.New(rand.NewPCG(opt.seed, uint64(size[0])))
		keys := syntheticKeys(size[0], size[1], rng)
		for _, miss := range []bool{false, true} {
			name, what := fmt.Sprintf("%dx%d", size[0], size[1]), "every request a hit"
			if miss {
				name, what = name+"-miss", "half of the requests unknown"
			}
			what = fmt.Sprintf("%d sets of %d items, %s", size[0], size[1], what)
			if err := lookups(ctx, rep, opt, name, what, keys, miss, rng); err != nil {
				return nil, err
			}
		}
	}
	rng := rand.New(rand.NewPCG(opt.seed, 0x64726976))
	config, err := rival.Declared()
	if err != nil {
		return nil, err
	}
	what := "the properties of one filter of a real driver: " + rival.Object
	if err := lookups(ctx, rep, opt, rival.Driver, what, keysOf(config), false, rng); err != nil {
		return nil, err
	}
	if err := fast(ctx, rep, opt, config, rng); err != nil {
		return nil, err
	}
	if err := allocations(ctx, rep, opt, rng); err != nil {
		return nil, err
	}
	rep.Compare()
	return rep, nil
}

func syntheticKeys(sets, items int, rng *rand.Rand) (keys []table.Key) {
	for range sets {
		lo, hi := rng.Uint64(), rng.Uint64()
		for id := range uint32(items) {
			keys = append(keys, table.Key{Lo: lo, Hi: hi, ID: id})
		}
	}
	return keys
}

func keysOf(config engine.Config) (keys []table.Key) {
	for _, s := range config.PropertySets {
		for _, it := range s.Items {
			keys = append(keys, table.KeyOf(s.Set, it.ID))
		}
	}
	return keys
}

func lookups(ctx context.Context, rep *report.Report, opt options, name, what string, keys []table.Key, miss bool, rng *rand.Rand) error {
	stream := make([]request, cycle)
	for i := range stream {
		k := keys[rng.IntN(len(keys))]
		if miss && rng.IntN(2) == 0 {
			if rng.IntN(2) == 0 {
				k.Lo, k.Hi = rng.Uint64(), rng.Uint64()
			} else {
				k.ID += 1000
			}
		}
		stream[i] = requestOf(k)
	}
	var rows []row
	for _, f := range finders {
		if f.name == "switch" && name != rival.Driver {
			continue
		}
		made, err := f.make(keys)
		if err == nil {
			err = verify(made, keys, rng)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, f.name, err)
		}
		rows = append(rows, row{f.name, func(n int) uint64 { return made.send(stream, n) }})
	}
	rep.Workloads = append(rep.Workloads, report.Workload{Name: name, Description: what, Objects: 1, Items: len(keys)})
	return timed(ctx, rep, opt, name, "lookup", rows)
}

// verify asks for every key, and for strangers that differ from one in a bit.
func verify(f finder, keys []table.Key, rng *rand.Rand) error {
	want := make(map[table.Key]uint32, len(keys))
	for i, k := range keys {
		want[k] = uint32(i) + 1
	}
	for _, k := range keys {
		near := k
		switch rng.IntN(3) {
		case 0:
			near.Lo ^= 1 << rng.IntN(64)
		case 1:
			near.Hi ^= 1 << rng.IntN(64)
		case 2:
			near.ID ^= 1 << rng.IntN(32)
		}
		for _, k := range []table.Key{k, near} {
			r := requestOf(k)
			if got := f.find(&r); got != want[k] {
				return fmt.Errorf("finds %d under %+v, not %d", got, k, want[k])
			}
		}
	}
	return nil
}

// fast compares whole requests to a driver: the engine's, and what a generated switch makes of them.
func fast(ctx context.Context, rep *report.Report, opt options, config engine.Config, rng *rand.Rand) error {
	var requests [cycle][]byte
	var lengths [cycle]uint32
	longest := uint32(0)
	for s := range config.PropertySets {
		set := &config.PropertySets[s]
		set.FastIO = nil
		for i := range set.Items {
			f := engine.FastPropertyItem{ID: set.Items[i].ID}
			if set.Items[i].Get != nil {
				f.Get = rival.Answer
			}
			if set.Items[i].Set != nil {
				f.Set = rival.Answer
			}
			set.FastIO = append(set.FastIO, f)
		}
	}
	d, err := engine.Compile(config)
	if err != nil {
		return err
	}
	for i := range requests {
		set := &config.PropertySets[rng.IntN(len(config.PropertySets))]
		it := &set.Items[rng.IntN(len(set.Items))]
		id := ks.Identifier{Set: set.Set, ID: it.ID, Flags: ks.PropertyTypeGet}
		if it.Get == nil {
			id.Flags = ks.PropertyTypeSet
		}
		requests[i], lengths[i] = make([]byte, max(it.MinProperty, ks.SizeIdentifier)), max(it.MinData, 4)
		id.Put(requests[i])
		longest = max(longest, lengths[i])
	}
	out := make([]byte, longest)
	var file engine.FileObject
	// The loops end in the same sum if both answer every request alike; package rival compares them request by request.
	ours := func(n int) (sum uint64) {
		var io engine.IoStatus
		for i := range n {
			if d.FastProperty(&file, engine.UserMode, requests[i%cycle], out[:lengths[i%cycle]], &io) {
				sum += io.Information + uint64(binary.LittleEndian.Uint32(out))
			}
		}
		return sum
	}
	theirs := func(n int) (sum uint64) {
		var io engine.IoStatus
		for i := range n {
			if rival.Direct(&file, engine.UserMode, requests[i%cycle], out[:lengths[i%cycle]], &io) {
				sum += io.Information + uint64(binary.LittleEndian.Uint32(out))
			}
		}
		return sum
	}
	return timed(ctx, rep, opt, rival.Driver, "fast", []row{{"engine", ours}, {"switch", theirs}})
}

func allocations(ctx context.Context, rep *report.Report, opt options, rng *rand.Rand) error {
	sizes := make([]uint16, cycle)
	for i := range sizes {
		sizes[i] = uint16(8 + rng.IntN(249))
	}
	var rows []row
	for _, a := range allocators {
		made, err := a.make()
		if err != nil {
			return fmt.Errorf("alloc: %s: %w", a.name, err)
		}
		defer made.close()
		if err := verifyAllocator(made, sizes[:4*perReset]); err != nil {
			return fmt.Errorf("alloc: %s: %w", a.name, err)
		}
		rows = append(rows, row{a.name, func(n int) uint64 { return made.send(sizes, n) }})
	}
	rep.Workloads = append(rep.Workloads, report.Workload{Name: "8-256", Description: "buffers of 8 to 256 bytes", Objects: 1, Items: cycle})
	return timed(ctx, rep, opt, "8-256", "alloc", rows)
}

// verifyAllocator checks that buffers are as long as asked for and that none lies in another.
func verifyAllocator(a allocator, sizes []uint16) error {
	for len(sizes) > 0 {
		var all [][]byte
		for i, size := range sizes[:perReset] {
			b := a.take(int(size))
			if len(b) != int(size) {
				return fmt.Errorf("%d bytes instead of %d", len(b), size)
			}
			for j := range b {
				b[j] = byte(i)
			}
			all = append(all, b)
		}
		for i, b := range all {
			for j := range b {
				if b[j] != byte(i) {
					return fmt.Errorf("buffer %d lies in another", i)
				}
			}
		}
		a.reset()
		sizes = sizes[perReset:]
	}
	return nil
}

// timed measures rows that take turns, after they have come to the same sum.
func timed(ctx context.Context, rep *report.Report, opt options, workload, path string, rows []row) error {
	tasks := make([]measure.Task, len(rows))
	want := rows[0].send(cycle)
	for i, r := range rows {
		if sum := r.send(cycle); sum != want {
			return fmt.Errorf("%s/%s: the sum of %s is %#x, of %s %#x", workload, path, r.impl, sum, rows[0].impl, want)
		}
		tasks[i].Run = func(n int) { sink.Add(r.send(n)) }
	}
	samples, err := measure.Interleaved(ctx, tasks,
		measure.Config{Rounds: opt.rounds, Cycle: cycle, Batch: opt.batch, Prime: measure.Primed, Seed: opt.seed})
	if err != nil {
		return err
	}
	for i, r := range rows {
		var rounds []report.Sample
		for _, s := range samples[i] {
			rounds = append(rounds, report.Sample{Operations: s.Operations, NsPerOp: s.NsPerOp(), AllocsPerOp: s.AllocsPerOp(),
				BytesPerOp: s.BytesPerOp()})
		}
		rep.Results = append(rep.Results, report.NewResult(workload, path, r.impl, rounds))
	}
	return nil
}
