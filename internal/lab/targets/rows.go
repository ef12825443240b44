package targets

import (
	"fmt"

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

// guarded shows beside a target what P-21 and F-6 let a dispatch take at least.
func guarded(r row) row {
	r.beside = append(r.beside, leastGuarded)
	return r
}

const leastGuarded = "at least, under a recover"

const resolvedWhat = "a request without an IRP through a reference resolved before, to the call of its handler alone"

// all lists the targets.
func all(quick bool) ([]group, error) {
	irp := most("irp/20x12/bare", "a request through a handle, to the call of its handler alone", 6, "irp/engine", "irp/bare")
	irp.stretch = 5
	groups := []group{
		{name: "20x12", often: often, prime: measure.Primed, open: stand(lab.Synthetic(20, 12), 1), rows: []row{
			most("lookup/20x12/floor", "find an item, to reading the request and indexing an array", 2.5, "lookup/engine", "lookup/floor"),
			guarded(most("fast/20x12/bare", "a request without an IRP, to the call of its handler alone", 2.2, "fast/engine", "fast/bare")),
			guarded(most("ref/20x12/bare", resolvedWhat, 1.4, "ref", "irp/bare")),
			guarded(irp),
		}},
		{name: "20x12 linear", open: stand(lab.Synthetic(20, 12), collected), rows: []row{
			least("irp/20x12/linear", "scan and heap buffer, to a request through a handle", 2.5, "irp/linear", "irp/engine"),
		}},
		{name: "2000x20", open: stand(lab.Synthetic(2000, 20), collected), rows: []row{
			least("irp/2000x20/linear", "scan and heap buffer, to a request through a handle", 25, "irp/linear", "irp/engine"),
		}},
	}
	for _, size := range [][2]int{{1, 8}, {2000, 20}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		groups = append(groups, group{name: name + " ref", often: often, prime: measure.Primed, open: stand(lab.Synthetic(size[0], size[1]), 1),
			rows: []row{
				guarded(most("ref/"+name+"/bare", resolvedWhat, 1.4, "ref", "irp/bare")),
			}})
	}
	for _, size := range [][2]int{{1, 8}, {20, 12}, {200, 20}, {2000, 20}, {20_000, 20}, {100_000, 20}} {
		n := fmt.Sprint(size[0] * size[1])
		g := group{name: "lookup " + n, often: often, prime: measure.Primed, open: lookupStand(lab.Synthetic(size[0], size[1])), rows: []row{
			least("lookup/"+n+"/map", "a Go map of that many keys, to the table", 4, "lookup/map", "lookup/engine"),
			least("lookup/"+n+"/nested", "maps of maps, to the table", 3.5, "lookup/nested", "lookup/engine"),
		}}
		switch {
		case size[0] == 2000: // a few times the second-level cache: it takes six cycles until they are no faster (package measure)
			g.prime = 6
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
			groups = append(groups, group{name: w.Name, often: often, prime: measure.Primed, open: lookupStand(w), rows: []row{
				most("lookup/"+w.Name+"/linear", "find an item of a real driver, to a scan of the same object", 1, "lookup/engine", "lookup/linear"),
			}})
		}
	}
	groups = append(groups, group{name: "random", large: true, open: random(2_000_000), rows: []row{
		least("random/2000000/map", "a Go map, every key touched, to the table", 9, "map", "lookup"),
		least("random/2000000/batch", "single lookups, every key touched, to batches", 3, "lookup", "batch"),
	}})
	for _, keys := range []int{240, 40_000, 2_000_000} {
		name := fmt.Sprintf("build/%d", keys)
		g := group{name: name, open: build(keys), rows: []row{
			most(name+"/bare", "a key of a build, to the call of a handler", 30, "build", "bare"),
		}}
		if keys <= 240 {
			g.often = often
		}
		if keys >= 40_000 {
			g.rows = append(g.rows, least(name+"/map", "a key of filling a presized Go map, to one of a build", 1, "map", "build"))
		}
		groups = append(groups, g)
	}
	groups = append(groups, group{name: "build on two cores", open: twoCores(2_000_000), rows: []row{{
		name: "build/2000000/cores", what: "a build's gain from a second processor, to that of as long a run of bare", bound: report.AtLeast,
		limit: 0.6,
		over:  []string{"build on 1", "bare on 2"}, under: []string{"build on 2", "bare on 1"}, unit: "x",
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
			most("arena/64/bare", "take and free 64 bytes, newest first, to the call of a handler", 1.2, "arena", "bare"),
			least("arena/64/pool", "sync.Pool, to the arena", 2, "pool", "arena"),
		}},
		group{name: "arena make", open: buffers, rows: []row{
			least("arena/64/make", "make and the garbage collector, to the arena", 6, "make", "arena"),
		}},
		group{name: "events", often: often, prime: measure.Primed, open: events, rows: []row{
			most("events/10000/generate", "signal one of 10,000 enabled events and take the signal, to the call of a handler", 10, "generate",
				"bare"),
			most("events/10000/enable", "enable and disable an event beside 10,000, to the call of a handler", 80, "enable and disable", "bare"),
		}},
		group{name: "event allocations", count: eventAllocations, rows: []row{
			{name: "events/10000/allocations", what: "heap allocations of both", bound: report.AtMost},
		}},
		group{name: "cores", often: often, prime: measure.Primed, open: cores, rows: []row{{
			name: "cores/2/irp", what: "gain from a second core with a handle of its own, to bare's gain", bound: report.AtLeast, limit: 0.97,
			over: []string{"irp on 1", "bare on 2"}, under: []string{"irp on 2", "bare on 1"}, unit: "x",
		}}},
		group{name: "collector", count: collector, rows: []row{
			{name: "collector/allocations", what: fmt.Sprintf("heap allocations in %d million mixed requests", counted(quick)/1_000_000),
				bound: report.AtMost},
			{name: "collector/cycles", what: "collections that they caused", bound: report.AtMost},
		}},
	), nil
}
