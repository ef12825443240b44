package benchtext

import (
	"bufio"
	"cmp"
	"io"
	"maps"
	"slices"

	"golang.org/x/perf/benchfmt"
)

// Write writes the results in the format of benchmarks, so that Read reads the same.
func (t *Text) Write(w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	out := benchfmt.NewWriter(buffered)
	byUnit := func(a, b benchfmt.UnitMetadataKey) int {
		return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Key, b.Key))
	}
	for _, key := range slices.SortedFunc(maps.Keys(t.Units), byUnit) {
		if err := out.Write(t.Units[key]); err != nil {
			return err
		}
	}
	for _, r := range t.Results {
		line := benchfmt.Result{Name: benchfmt.Name(r.Name), Iters: r.Iterations}
		for _, p := range append(slices.Clone(r.Config), Pair{"pkg", r.Package}) {
			if p.Value != "" {
				line.Config = append(line.Config, benchfmt.Config{Key: p.Key, Value: []byte(p.Value), File: true})
			}
		}
		for _, v := range r.Values {
			line.Values = append(line.Values, benchfmt.Value{Value: v.Value, Unit: v.Unit})
		}
		if err := out.Write(&line); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
