package page

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// numbers are the medians and what was allocated, of every row.
func numbers(in Input) (*section, error) {
	r := in.main()
	s := &section{ID: "numbers", Title: "All numbers", Text: []string{
		"The median of the rounds and its 95 % interval, in nanoseconds for one request. Under it, only where it is not zero, what one " +
			"request allocates on the heap: objects and bytes.",
	}}
	for _, path := range r.Paths {
		t := table{Caption: path.Name + ": " + path.Description, Header: []string{"workload"}}
		for _, impl := range r.Impls {
			t.Header = append(t.Header, impl.Name)
		}
		for _, w := range r.Workloads {
			row, found := []cell{{Text: w.Name, Note: w.Description}}, false
			for _, impl := range r.Impls {
				res := r.find(w.Name, path.Name, impl.Name)
				if res == nil {
					row = append(row, cell{Text: "–"})
					continue
				}
				found = true
				c := cell{Text: doc.Nanoseconds(res.NsPerOp), Note: interval(res.Interval, doc.Number)}
				if res.AllocsPerOp != 0 || res.BytesPerOp != 0 {
					c.Note += fmt.Sprintf(" · %s allocs, %s B", doc.Number(res.AllocsPerOp), doc.Number(res.BytesPerOp))
				}
				row = append(row, c)
			}
			if found {
				t.Rows = append(t.Rows, row)
			}
		}
		if len(t.Rows) > 0 {
			s.Folds = append(s.Folds, fold{Title: t.Caption, Tables: []table{t}})
		}
	}
	if len(s.Folds) == 0 {
		return nil, nil
	}
	s.Notes = r.RowWarnings()
	return s, nil
}
