package selftest

import (
	"fmt"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// kind is one thing to try on every workload.
type kind struct {
	name      string
	repeat    int
	steps     int // 5 % of time each
	allocates bool
	right     []verdict.Verdict
}

var kinds = [...]kind{
	{name: "A/A", repeat: 2, right: []verdict.Verdict{verdict.Same, verdict.Inconclusive}},
	{name: "5 % slower", repeat: 1, steps: 1, right: []verdict.Verdict{verdict.Regressed}},
	{name: "5 % faster", repeat: 1, steps: -1, right: []verdict.Verdict{verdict.Improved}},
	{name: "allocation", repeat: 1, allocates: true, right: []verdict.Verdict{verdict.Regressed}},
}

// Result is what the verdicts were worth.
type Result struct {
	Kinds []Kind `json:"kinds"`
}

// Kind is one thing that was tried on every workload.
type Kind struct {
	Name       string              `json:"name"`
	Right      int                 `json:"right"`  // verdicts that were
	Needed     int                 `json:"needed"` // 19 of 20; of planted allocations all
	Comparison *verdict.Comparison `json:"comparison"`
}

// OK reports whether enough verdicts were right.
func (r *Result) OK() bool {
	for _, k := range r.Kinds {
		if k.Right < k.Needed {
			return false
		}
	}
	return true
}

func (t *tester) result() (*Result, error) {
	r := new(Result)
	for i, kind := range kinds {
		t.old[i].Side, t.new[i].Side = environment(), environment()
		c, err := verdict.New(&t.old[i], &t.new[i], verdict.Options{Paired: true, Effect: t.opt.Effect})
		if err != nil {
			return nil, err
		}
		k := Kind{Name: kind.name, Comparison: c, Needed: (19*len(c.Rows) + 19) / 20}
		if kind.allocates {
			k.Needed = len(c.Rows)
		}
		for _, v := range kind.right {
			k.Right += c.Counts[v]
		}
		r.Kinds = append(r.Kinds, k)
	}
	return r, nil
}

// Document has a line for each kind, and names the rows whose verdict was wrong.
func (r *Result) Document() *doc.Document {
	d := &doc.Document{Summary: []string{"Verdicts on this machine can be believed."}}
	if !r.OK() {
		d.Summary = []string{"Verdicts on this machine cannot be believed now: close other programs and try again."}
	}
	t := doc.Table{Columns: []doc.Column{{Name: "planted", Words: true}, {Name: "right", Words: true}, {Name: "measured change", Words: true},
		{Name: "verdicts", Words: true}}}
	for i, k := range r.Kinds {
		mark := "ok"
		if k.Right < k.Needed {
			mark = "FAILED"
		}
		t.Rows = append(t.Rows, []string{k.Name, fmt.Sprintf("%d of %d %s", k.Right, len(k.Comparison.Rows), mark), k.measured(),
			k.Comparison.Summary()})
		for _, row := range k.Comparison.Rows {
			if slices.Contains(kinds[i].right, row.Verdict) {
				continue
			}
			wrong := fmt.Sprintf("wrong: %s: %s: %s", k.Name, row.Name, row.Verdict)
			if row.Change != nil && row.Interval != nil {
				wrong += fmt.Sprintf(", %+.2f%% [%+.2f%%, %+.2f%%] of %d pairs", 100**row.Change, 100*row.Interval.Low, 100*row.Interval.High,
					row.New.N)
			}
			d.Notes = append(d.Notes, wrong)
		}
	}
	d.Sections = []doc.Section{{Table: t}}
	return d
}

// measured is the range of the estimates, and the widest interval.
func (k Kind) measured() string {
	low, high, wide := math.Inf(1), math.Inf(-1), 0.0
	for _, row := range k.Comparison.Rows {
		if row.Change == nil || row.Interval == nil {
			return fmt.Sprintf("from %s to %s objects a request", doc.Count(row.Old.Center), doc.Count(row.New.Center))
		}
		low, high = min(low, *row.Change), max(high, *row.Change)
		wide = max(wide, (row.Interval.High-row.Interval.Low)/2)
	}
	return fmt.Sprintf("%+.2f%% to %+.2f%%, each ±%.2f%% or less", 100*low, 100*high, 100*wide)
}
