package report

import (
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// Stage is a part of the time of a request, the whole of it, or something that the machine does at best in that time.
type Stage struct {
	Name     string    `json:"name"`
	Kind     StageKind `json:"kind"`
	Path     string    `json:"path"`            // the whole that a stage belongs to: "irp"; "" for a limit of the machine
	Method   string    `json:"method"`          // how the number was got
	Bytes    int       `json:"bytes,omitempty"` // the working set of a limit, where it depends on that
	NsPerOp  float64   `json:"ns_per_op"`       // median of the rounds; a difference that is not there may be below zero
	Interval *Interval `json:"interval,omitempty"`
	Samples  []float64 `json:"ns_samples"` // of the rounds
}

// StageKind says whether a stage is a part, a whole, or neither.
type StageKind string

const (
	StagePart  StageKind = "part"  // a part of its path's time
	StageWhole StageKind = "whole" // all of it; parts overlap, so that their sum is another number
	StageLimit StageKind = "limit" // of the machine, measured by the same program
)

// NewStage summarises the rounds of a stage, in nanoseconds.
func NewStage(name string, kind StageKind, path, method string, ns []float64) Stage {
	return Stage{Name: name, Kind: kind, Path: path, Method: method, NsPerOp: stats.Median(ns), Interval: interval(ns), Samples: ns}
}

// stageSections are a table for each path that was taken apart, one of the other wholes, and one of the machine's limits.
func (r *Report) stageSections() (sections []doc.Section) {
	empty := func(title string) doc.Section {
		return doc.Section{Title: title,
			Table: doc.Table{Columns: append(doc.Figures("stage", "ns", "interval"), doc.Column{Name: "how it was got", Words: true})}}
	}
	others, limits := empty("wholes that were not taken apart"), empty("limits of this machine, measured by the same program")
	var paths []string
	parts := map[string]*doc.Table{}
	sum := map[string]float64{}
	for i := range r.Stages {
		s := &r.Stages[i]
		path := s.Path
		switch table := parts[path]; {
		case s.Kind == StageLimit:
			limits.Table.Rows = append(limits.Table.Rows, s.row(s.Name))
		case s.Kind == StagePart:
			if table == nil {
				paths = append(paths, path)
				t := empty("").Table
				table = &t
				parts[path] = table
			}
			table.Rows = append(table.Rows, s.row(s.Name))
			sum[path] += s.NsPerOp
		case table == nil:
			others.Table.Rows = append(others.Table.Rows, s.row(s.Path))
		default:
			table.Rows = append(table.Rows,
				[]string{"sum", doc.Number(sum[path]), "-", "the medians added: not the whole, where the processor works on several stages at once"},
				s.row("whole"))
		}
	}
	for _, path := range paths {
		sections = append(sections, doc.Section{Title: path + ": where the time of a request goes", Table: *parts[path]})
	}
	for _, s := range []doc.Section{others, limits} {
		if len(s.Table.Rows) > 0 {
			sections = append(sections, s)
		}
	}
	return sections
}

func (s *Stage) row(name string) []string {
	return []string{name, doc.Number(s.NsPerOp), s.Interval.between(doc.Number), s.Method}
}
