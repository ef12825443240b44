package report

import "github.com/ksdispatch/ksdispatch/bench/internal/stats"

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
