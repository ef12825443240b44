package verdict

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/benchtext"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Join makes one text of several, which has all their samples: what is one benchmark in two of them is one in it. Configuration that
// differs from text to text, as the hour of a run does, would keep them apart; it is left out, and notes say what.
//
// An error is of type *report.Unlike: another machine or GOMAXPROCS, units that are said to be different things, one run given twice.
func Join(texts []*benchtext.Text, sources []string) (joined *benchtext.Text, notes []string, err error) {
	sides := make([]*Measurements, len(texts))
	left := map[string]bool{}
	joined = &benchtext.Text{Units: benchfmt.UnitMetadataMap{}}
	for i, t := range texts {
		sides[i] = measurementsOf(t, sources[i], nil)
		for k, other := range sides[:i] {
			unlike := func(what string) error { return &report.Unlike{A: sources[k], B: sources[i], What: what} }
			if reasons := Incomparable(other, sides[i]); len(reasons) > 0 {
				return nil, nil, unlike(strings.Join(reasons, "; "))
			}
			if reflect.DeepEqual(texts[k].Results, t.Results) {
				return nil, nil, unlike("the same run: adding it twice would make the intervals narrower than they are")
			}
			for _, d := range other.aligned.differ {
				if !left[d.key] {
					left[d.key] = true
					notes = append(notes, "left out, as it differs: "+d.String())
				}
			}
		}
		for key, meta := range t.Units {
			if was := joined.Units[key]; was != nil && was.Value != meta.Value {
				what := fmt.Sprintf("unit %s: %s is %s and %s", key.Unit, key.Key, was.Value, meta.Value)
				return nil, nil, &report.Unlike{A: sources[0], B: sources[i], What: what}
			}
			joined.Units[key] = meta
		}
	}
	packages := map[string]bool{}
	for _, t := range texts {
		for _, r := range t.Results {
			packages[r.Package] = true
		}
	}
	delete(packages, "")
	for _, t := range texts {
		silent := !slices.ContainsFunc(t.Results, func(r benchtext.Result) bool { return r.Package != "" })
		for _, r := range t.Results {
			r.Config = slices.DeleteFunc(slices.Clone(r.Config), func(p benchtext.Pair) bool { return left[p.Key] })
			if silent && len(packages) == 1 { // as Align takes it
				r.Package = slices.Collect(maps.Keys(packages))[0]
			}
			joined.Results = append(joined.Results, r)
		}
	}
	return joined, notes, nil
}
