package profile

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Sidecar says how a file was made and what is in it. It lies beside the file, named after it with ".json" at the end.
type Sidecar struct {
	File        string             `json:"file"`
	Workload    string             `json:"workload"`
	Request     string             `json:"request"` // what one request is
	Kind        string             `json:"kind"`    // cpu, heap, mutex, block, trace
	Command     string             `json:"command"`
	Environment report.Environment `json:"environment"`
	Seed        uint64             `json:"seed"`
	Workers     int                `json:"workers"`   // goroutines that sent requests at the same time
	Requests    int64              `json:"requests"`  // all of them together
	WindowNs    int64              `json:"window_ns"` // from the first request to the last
	Bytes       int                `json:"bytes"`
	XXHash64    string             `json:"xxhash64"` // of the file, 16 hexadecimal digits
	Counts      Counts             `json:"counts"`
}

// Counts is what is in a file.
type Counts struct {
	Total    int64 `json:"total"`    // samples of a CPU profile, objects, contentions, waits, or events of a trace
	Dispatch int64 `json:"dispatch"` // of those that belong to the dispatch path; of a trace, collections during the requests
	Witness  int64 `json:"witness"`  // of those that were made on purpose; of a trace, collections before the requests; 0 for cpu
}

// file is a profile in memory with its sidecar.
type file struct {
	sidecar Sidecar
	content []byte
}

func digest(content []byte) string { return fmt.Sprintf("%016x", xxhash.Sum64(content)) }

var kinds = []string{"cpu", "heap", "mutex", "block", "trace"}

func fileName(workload, kind string) string {
	if kind == "trace" {
		return workload + ".trace"
	}
	return workload + "." + kind + ".pb.gz"
}

func (f file) encoded() ([]byte, error) {
	text, err := json.MarshalIndent(f.sidecar, "", "  ")
	return append(text, '\n'), err
}

// newFile describes a recorded profile.
func newFile(opt Options, w workload, kind string, content []byte, sent int64, took time.Duration) (file, error) {
	found, err := inspect(w, kind, content)
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", kind, err)
	}
	return file{Sidecar{File: fileName(w.name, kind), Workload: w.name, Request: w.about, Kind: kind, Command: opt.Command,
		Environment: opt.environment, Seed: opt.Seed, Workers: opt.workers(), Requests: sent, WindowNs: int64(took),
		Bytes: len(content), XXHash64: digest(content), Counts: found.counts}, content}, nil
}

// Says tells the counts in words.
func (s Sidecar) Says() string {
	c := s.Counts
	switch s.Kind {
	case "cpu":
		return fmt.Sprintf("%d samples, %d of them below the loop that sends", c.Total, c.Dispatch)
	case "trace":
		return fmt.Sprintf("%d events, %d phases of collection among the requests, %d before them as a witness", c.Total, c.Dispatch, c.Witness)
	}
	return fmt.Sprintf("%d %s, %d of them by a request, %d by the witness", c.Total, nouns[s.Kind], c.Dispatch, c.Witness)
}

// nouns are what the profiles that must show nothing count.
var nouns = map[string]string{"heap": "allocations", "mutex": "contentions", "block": "waits"}
