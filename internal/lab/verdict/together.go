package verdict

import (
	"fmt"
	"slices"
	"strings"
)

// Together makes one side of several runs of the same benchmarks, whose series know which values each gave. Runs that cannot be
// compared with the first are an error: how far they lie apart would not be what the machine does by itself. So is one run given twice,
// which would make them seem to lie closer.
func Together(source string, runs ...*Measurements) (*Measurements, error) {
	if len(runs) == 1 {
		return runs[0], nil
	}
	Align(runs...)
	all := *runs[0]
	all.Source, all.Series, all.Warnings, all.aligned = source, nil, nil, nil
	index := map[rowKey]int{}
	for i, run := range runs {
		if reasons := unlike(runs[0], run); len(reasons) > 0 {
			return nil, fmt.Errorf("%s: runs 1 and %d are not comparable: %s", source, i+1, strings.Join(reasons, "; "))
		}
		for k, other := range runs[:i] {
			if sameRun(other, run) {
				return nil, fmt.Errorf("%s: runs %d and %d are the same run: given twice, runs would seem to lie closer together than they do",
					source, k+1, i+1)
			}
		}
		for _, w := range run.Warnings {
			if !slices.Contains(all.Warnings, w) {
				all.Warnings = append(all.Warnings, w)
			}
		}
		for _, s := range run.Series {
			at, ok := index[s.key()]
			if !ok {
				at = len(all.Series)
				index[s.key()] = at
				s.Values, s.control = slices.Clip(s.Values), slices.Clip(s.control)
				all.Series = append(all.Series, s)
			} else {
				first := &all.Series[at]
				first.Values = append(first.Values, s.Values...)
				first.control = append(first.control, s.control...)
				first.Exact = first.Exact || s.Exact
			}
			all.Series[at].Runs = append(all.Series[at].Runs, len(s.Values))
		}
	}
	return &all, nil
}

// sameRun reports whether all values are equal, and some of them are not counts, which may well be.
func sameRun(a, b *Measurements) bool {
	sampled := false
	return slices.EqualFunc(a.Series, b.Series, func(s, t Series) bool {
		sampled = sampled || !s.Exact
		return s.key() == t.key() && slices.Equal(s.Values, t.Values)
	}) && sampled
}
