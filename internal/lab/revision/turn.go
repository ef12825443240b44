package revision

import (
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// benchmark is one of a package, by the full name with its parents.
type benchmark struct {
	pkg  int // index of the package
	name string
}

// list runs everything once and returns what both revisions have. What one alone has becomes series of it without values.
func (r *run) list(sides [2]*verdict.Measurements) ([]benchmark, error) {
	var both []benchmark
	var matched [2]bool
	for p, pkg := range r.cfg.Packages {
		var series [2][]verdict.Series
		for side := range r.sides {
			if !r.sides[side].has[p] {
				continue
			}
			r.progress(2*p+side, 2*len(r.cfg.Packages), "listing "+r.sides[side].rev)
			if err := r.build(side, p, 1); err != nil {
				return nil, err
			}
			text, err := r.test(side, 0, p, r.cfg.Bench, "1x", 1)
			if err != nil {
				return nil, r.orDone(input("--rev %s: %w", r.sides[side].rev, err))
			}
			if !strings.Contains(text, "\nBenchmark") && !strings.HasPrefix(text, "Benchmark") {
				continue
			}
			matched[side] = true
			m, err := verdict.ReadGoBench(strings.NewReader(text+"\n"), pkg, r.cfg.Exact)
			if err != nil {
				return nil, err
			}
			series[side] = m.Series
		}
		first := len(both)
		var names [2][]string
		for side := range r.sides {
			for _, s := range series[side] {
				if s.Unit == "ns/op" {
					names[side] = append(names[side], nameOf(s))
				}
			}
		}
		for _, name := range names[0] {
			if slices.Contains(names[1], name) {
				both = append(both, benchmark{p, name})
			}
		}
		for side := range r.sides {
			for _, s := range series[side] {
				if !slices.Contains(names[1-side], nameOf(s)) {
					s.Values = nil
					sides[side].Series = append(sides[side].Series, s)
				}
			}
		}
		if len(both) == first { // nothing to link again
			continue
		}
		for side := range r.sides {
			if err := r.build(side, p, r.cfg.Layouts); err != nil {
				return nil, err
			}
		}
	}
	for side, any := range matched {
		if !any {
			return nil, input("--bench %s: revision %s has no such benchmark in --package %s", r.cfg.Bench, r.sides[side].rev,
				strings.Join(r.patterns, ","))
		}
	}
	if len(both) == 0 {
		return nil, input("--bench %s: no such benchmark is in both revisions", r.cfg.Bench)
	}
	return both, nil
}

// pieces is how many measurements make a turn, of which the least counts: what a neighbour does to a processor only ever adds
// time, for both sides alike, and leaves a piece of some milliseconds alone now and then. At a load of six on two cores the
// medians of the pieces wandered by 14 %, the least by 4 %.
const pieces = 10

// turn runs one benchmark of one side. The pattern also matches whatever has the name and more behind a slash.
func (r *run) turn(side, layout int, b benchmark) (*verdict.Measurements, error) {
	var parts []string
	for i, part := range strings.Split(b.name, "/") {
		if i == 0 {
			part = "Benchmark" + part
		}
		parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
	}
	text, err := r.test(side, layout, b.pkg, strings.Join(parts, "/"), (r.cfg.Benchtime / pieces).String(), pieces)
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", r.sides[side].rev, err)
	}
	m, err := verdict.ReadGoBench(strings.NewReader(text+"\n"), r.sides[side].rev, r.cfg.Exact)
	if err != nil {
		return nil, err
	}
	m.Series = slices.DeleteFunc(m.Series, func(s verdict.Series) bool { return nameOf(s) != b.name })
	for i := range m.Series {
		s := &m.Series[i]
		if s.Better == verdict.Higher {
			s.Values = []float64{slices.Max(s.Values)}
		} else {
			s.Values = []float64{slices.Min(s.Values)}
		}
	}
	return m, nil
}

// nameOf is a benchmark's name without the GOMAXPROCS that test asks for.
func nameOf(s verdict.Series) string {
	if procs := runtime.GOMAXPROCS(0); procs > 1 {
		return strings.TrimSuffix(s.Benchmark.Name, "-"+strconv.Itoa(procs))
	}
	return s.Benchmark.Name
}

// test runs a test binary in its package's folder, as go test would.
func (r *run) test(side, layout, pkg int, bench, benchtime string, count int) (string, error) {
	s := r.sides[side]
	return r.command(filepath.Join(s.worktree, r.prefix, r.cfg.Packages[pkg]), s.binaries[pkg][layout],
		"-test.run=^$", "-test.bench="+bench, "-test.benchtime="+benchtime, "-test.benchmem", fmt.Sprintf("-test.count=%d", count),
		"-test.cpu="+strconv.Itoa(runtime.GOMAXPROCS(0)))
}
