package targets

import (
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/measure"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// most is a target for engine's time as a multiple of another's, and least one for another's as a multiple of engine's.
func most(name, what string, limit float64, engine, other string) row {
	return row{name: name, what: what, bound: report.AtMost, limit: limit, over: []string{engine}, under: []string{other}, unit: "x"}
}

func least(name, what string, limit float64, other, engine string) row {
	return row{name: name, what: what, bound: report.AtLeast, limit: limit, over: []string{other}, under: []string{engine}, unit: "x"}
}

// often is how many short rounds take the place of a long one, and collected how many cycles of requests with a heap buffer
// each, 2 MiB a cycle, the collector is given work with.
const often, collected = 16, 8

// enough is how many cycles it takes until a workload of a few times the second-level cache is no faster (package measure).
const enough = 6

// shown is a ratio to look at, without a goal.
func shown(name, what, over, under string) row {
	return row{name: name, what: what, bound: report.Shown, over: []string{over}, under: []string{under}, unit: "x"}
}

// rivals are what one would write otherwise, and how much longer than the engine each has to take on a path; 0 where it is only shown.
type rivals struct{ linear, mapped, open, dense float64 }

const (
	findItem = "find an item"
	fastWay  = "a request without an IRP"
	refWay   = "a request without an IRP through a reference resolved before"
	irpWay   = "a request through a handle"
)

// against lists the rows of a path: name is path/workload.
func against(name, path, what string, limits rivals) (rows []row) {
	for _, r := range []struct {
		impl, what string
		limit      float64
	}{
		{"linear", "a scan", limits.linear},
		{"map", "a Go map keyed by the request's first 20 bytes", limits.mapped},
		{"open", "open addressing", limits.open},
		{"dense", "a table of GUIDs and an array by id", limits.dense},
	} {
		rival, engine, text := path+"/"+r.impl, path+"/engine", what+" by "+r.what+", to the engine's"
		if r.limit == 0 {
			rows = append(rows, shown(name+"/"+r.impl, text, rival, engine))
		} else {
			rows = append(rows, least(name+"/"+r.impl, text, r.limit, rival, engine))
		}
	}
	return rows
}

// guarded is a target for what a call under a recover takes, with a call without one beside it.
func guarded(name, what string, limit float64, engine, path string) row {
	r := most(name+"/guarded", what+", to the call of its handler alone under a recover", limit, engine, path+"/guarded")
	r.beside = []string{path + "/bare"}
	return r
}

// all lists the targets.
func all(quick bool) ([]group, error) {
	small, middle, large, huge := lab.Synthetic(1, 8), lab.Synthetic(20, 12), lab.Synthetic(2000, 20), lab.Synthetic(20_000, 20)
	groups := []group{
		{name: "20x12", often: often, prime: measure.Primed, open: stand(middle, 1), rows: slices.Concat(
			[]row{guarded("fast/20x12", fastWay, 1.7, "fast/engine", "fast")},
			against("fast/20x12", "fast", fastWay, rivals{mapped: 2.5, open: 1.7, dense: 1.3}),
			[]row{guarded("ref/20x12", refWay, 1.5, "ref", "irp"), guarded("irp/20x12", irpWay, 2.7, "irp/engine", "irp")},
			against("irp/20x12", "irp", irpWay, rivals{mapped: 2.3, open: 1.7, dense: 1.5})[1:],
		)},
		{name: "20x12 with buffers of the heap", open: stand(middle, collected),
			rows: against("irp/20x12", "irp", irpWay, rivals{linear: 4})[:1]},
		{name: "1x8", often: often, prime: measure.Primed, open: stand(small, 1), rows: slices.Concat(
			against("fast/1x8", "fast", fastWay, rivals{1, 1, 1, 1}),
			[]row{guarded("ref/1x8", refWay, 1.5, "ref", "irp")},
			against("irp/1x8", "irp", irpWay, rivals{1.25, 1.25, 1.25, 1.25}),
		)},
		{name: "2000x20", often: often, prime: enough, open: stand(large, 1), rows: slices.Concat(
			against("fast/2000x20", "fast", fastWay, rivals{})[1:],
			[]row{guarded("ref/2000x20", refWay, 1.5, "ref", "irp")},
			against("irp/2000x20", "irp", irpWay, rivals{mapped: 1.5, open: 1.5, dense: 1.5})[1:],
		)},
		{name: "2000x20 with buffers of the heap", open: stand(large, collected),
			rows: against("irp/2000x20", "irp", irpWay, rivals{linear: 1.5})[:1]},
		{name: "20000x20", often: 3, large: true, open: stand(huge, 1),
			rows: against("irp/20000x20", "irp", irpWay, rivals{mapped: 1.5, open: 1.5, dense: 1.5})[1:]},
	}
	for _, b := range []struct {
		sets, items int
		name        string
		limit       float64
	}{{20, 12, "20x12", 0.75}, {2000, 20, "2000x20", 0.55}, {100_000, 20, "2000000", 0.33}} {
		g := group{name: "batch " + b.name, often: often, prime: measure.Primed, open: batches(lab.Synthetic(b.sets, b.items)), rows: []row{
			most("batch/"+b.name+"/irp", fmt.Sprintf("a request of a PropertyBatch of %d, to one through a handle", lab.BatchLength),
				b.limit, "batch", "irp"),
			shown("batch/"+b.name+"/method", "a request of a MethodBatch, to one method through a handle", "method batch", "method"),
		}}
		switch {
		case b.sets == 2000:
			g.prime = enough
		case b.sets > 2000:
			g.often, g.large = 3, true
		}
		groups = append(groups, g)
	}
	groups = append(groups, group{name: "64 devices", often: often, prime: enough, open: farm(64, 20, 12), rows: append(
		against("devices/64/irp", "irp", irpWay+" of one of 64 devices", rivals{})[1:],
		shown("devices/64/one", irpWay+" of one of 64 devices, to one of a single device", "irp/engine", "one"),
	)})
	groups = append(groups, group{name: "routing", often: often, prime: measure.Primed, open: routes(middle), rows: []row{
		most("routing/20x12/irp", "a request to a node of a filter, to one to the filter itself", 1.1, "node", "filter"),
	}})
	groups = append(groups, group{name: "overlapped", often: often, prime: measure.Primed, open: named(middle.OverlappedStand), rows: []row{
		most("overlapped/20x12/port", "an overlapped request that ends at once, its result from a port, to one through a plain handle", 2,
			"port", "irp"),
		shown("overlapped/20x12/once", "an overlapped request with the result of IoControl, to one through a plain handle", "at once", "irp"),
		most("overlapped/20x12/pended", "a request of 1,024 that are pended, another goroutine completes and a port returns, to a plain one",
			12, "pended", "irp"),
	}}, group{name: "overlapped allocations", count: allocations(middle.OverlappedStand, "overlapped/20x12/allocations",
		"at once", "port", "pended"), rows: []row{
		{name: "overlapped/20x12/allocations", what: "heap allocations of a hundred cycles of all three", bound: report.AtMost},
	}})
	groups = append(groups, group{name: "observation", often: often, prime: measure.Primed, open: named(middle.ObservedStand), rows: []row{
		most("observation/20x12/on", "a request to a device whose items are counted and timed, to one of a device that is not observed", 1.15,
			"observed", "irp"),
		most("observation/20x12/off", "a request to a device beside one that is observed, to one of another", 1.02, "unobserved", "irp"),
	}}, group{name: "recording", often: often, prime: measure.Primed, open: named(middle.TracedStand), rows: []row{
		most("trace/20x12/recording", "a request that is recorded, with what the recorder waits for, to one that is not", 2, "recorded", "irp"),
	}}, group{name: "recording allocations", count: allocations(middle.TracedStand, "trace/20x12/allocations", "recorded"), rows: []row{
		{name: "trace/20x12/allocations", what: "heap allocations of a hundred cycles of recorded requests", bound: report.AtMost},
	}}, group{name: "replay", open: named(middle.TracedStand), rows: []row{
		least("trace/20x12/replay", "a request through a handle, to one of a trace that is read, checked and sent", 0.8, "irp", "replay"),
		shown("trace/20x12/verify", "the same with each answer compared with the recorded one", "irp", "verify"),
	}})
	for _, size := range [][2]int{{1, 8}, {20, 12}, {200, 20}, {2000, 20}, {20_000, 20}, {100_000, 20}} {
		n := fmt.Sprint(size[0] * size[1])
		g := group{name: "lookup " + n, often: often, prime: measure.Primed, open: lookupStand(lab.Synthetic(size[0], size[1])),
			rows: against("lookup/"+n, "lookup", findItem, rivals{mapped: 2.5, open: 1.5, dense: 1})[1:]}
		switch {
		case size[0] == 20:
			g.rows = append(g.rows, shown("lookup/"+n+"/floor", "find an item, to reading the request and indexing an array",
				"lookup/engine", "lookup/floor"))
		case size[0] == 2000:
			g.prime = enough
		case size[0] > 2000: // a cycle takes up to 0.1 s in the maps
			g.often, g.large = 3, true
		}
		groups = append(groups, g)
	}
	workloads, err := lab.Default()
	if err != nil {
		return nil, err
	}
	real := map[string]bool{}
	for _, name := range drivers.Names() {
		real[name] = true
	}
	for _, w := range workloads {
		if real[w.Name] {
			groups = append(groups, group{name: w.Name, often: often, prime: measure.Primed, open: stand(w, 1), rows: slices.Concat(
				against("lookup/"+w.Name, "lookup", findItem, rivals{mapped: 2.5, open: 1.5, dense: 1}),
				against("fast/"+w.Name, "fast", fastWay, rivals{1, 1, 1, 1}),
				against("irp/"+w.Name, "irp", irpWay, rivals{1.25, 1.25, 1.25, 1.25}),
			)})
		}
	}
	groups = append(groups, group{name: "random", large: true, open: random(2_000_000), rows: []row{
		shown("random/2000000/map", "a Go map, every key touched, to the table", "map", "lookup"),
		shown("random/2000000/batch", "single lookups, every key touched, to batches", "lookup", "batch"),
	}})
	for _, keys := range []int{240, 40_000, 2_000_000} {
		name := fmt.Sprintf("build/%d", keys)
		g := group{name: name, open: build(keys), rows: []row{
			shown(name+"/bare", "a key of a build, to the call of a handler", "build", "bare"),
		}}
		switch what := "a key of filling a presized Go map, to one of a build"; keys {
		case 240:
			g.often = often
		case 40_000:
			g.rows = append(g.rows, least(name+"/map", what, 1, "map", "build"))
		default:
			g.rows = append(g.rows, least(name+"/map", what, 3, "map", "build"))
		}
		groups = append(groups, g)
	}
	groups = append(groups, group{name: "build on two cores", open: twoCores(2_000_000), rows: []row{{
		name: "build/2000000/cores", what: "a build's gain from a second processor, to that of as long a run of bare", bound: report.Shown,
		over: []string{"build on 1", "bare on 2"}, under: []string{"build on 2", "bare on 1"}, unit: "x",
	}}})
	for _, keys := range []int{40_000, 400_000, 2_000_000} {
		name := fmt.Sprintf("memory/%d", keys)
		groups = append(groups, group{name: name, count: memory(name, keys), rows: []row{
			{name: name + "/index", what: "what the table keeps beside its entries", bound: report.AtMost, limit: 3, unit: "bits/key"},
			{name: name + "/load", what: "keys per slot", bound: report.AtLeast, limit: 0.97},
		}})
	}
	return append(groups,
		group{name: "arena", often: often, prime: measure.Primed, open: buffers, rows: []row{
			most("arena/64/bare", "take and free 64 bytes, newest first, to the call of a handler", 0.6, "arena", "bare"),
			least("arena/64/pool", "sync.Pool, to the arena", 6, "pool", "arena"),
		}},
		group{name: "arena make", open: buffers, rows: []row{
			least("arena/64/make", "make and the garbage collector, to the arena", 15, "make", "arena"),
		}},
		group{name: "events", often: often, prime: measure.Primed, open: events, rows: []row{
			shown("events/10000/generate", "signal one of 10,000 enabled events and take the signal, to the call of a handler", "generate", "bare"),
			shown("events/10000/enable", "enable and disable an event beside 10,000, to the call of a handler", "enable and disable", "bare"),
		}},
		group{name: "event allocations", count: eventAllocations, rows: []row{
			{name: "events/10000/allocations", what: "heap allocations of both", bound: report.AtMost},
		}},
		group{name: "cores", often: often, prime: measure.Primed, open: cores, rows: []row{{
			name: "cores/2/irp", what: "gain from a second core with a handle of its own, to bare's gain", bound: report.AtLeast, limit: 0.97,
			over: []string{"irp on 1", "bare on 2"}, under: []string{"irp on 2", "bare on 1"}, unit: "x",
		}}},
		group{name: "more goroutines than cores", often: often, prime: measure.Primed, open: crowd, rows: []row{
			shown("cores/8/irp", "a request of 8 goroutines, each with a handle of its own, to one alone on its core, a core's time each",
				"irp by 8", "irp alone"),
			shown("cores/8/bare", "the same of the call of a handler", "bare by 8", "bare alone"),
		}},
		group{name: "collector", count: collector, rows: []row{
			{name: "collector/allocations", what: fmt.Sprintf("heap allocations in %d million mixed requests", counted(quick)/1_000_000),
				bound: report.AtMost},
			{name: "collector/cycles", what: "collections that they caused", bound: report.AtMost},
		}},
	), nil
}
