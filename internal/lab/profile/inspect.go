package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	pp "github.com/google/pprof/profile"
	"golang.org/x/exp/trace"

	"github.com/ksdispatch/ksdispatch/internal/input"
)

// inspection is what can be read out of a file.
type inspection struct {
	counts    Counts
	entry     bool            // the workload's function has samples
	functions map[string]bool // of this module, as the runtime names them
}

// inspect parses a file.
func inspect(w workload, kind string, content []byte) (inspection, error) {
	if kind == "trace" {
		return inspectTrace(content)
	}
	content, err := input.Unpack(content, maxProfile)
	if err != nil {
		return inspection{}, err
	}
	p, err := pp.ParseUncompressed(content)
	if err != nil {
		return inspection{}, err
	}
	if err := p.CheckValid(); err != nil {
		return inspection{}, err
	}
	found := inspection{functions: map[string]bool{}}
	for _, s := range p.Sample {
		stack := stackOf(s)
		n := s.Value[0]
		found.counts.Total += n
		switch {
		case stack.has(isDispatch) && !stack.has(isPreemption):
			found.counts.Dispatch += n
		case stack.has(isWitness):
			found.counts.Witness += n
		}
		for _, name := range stack {
			found.entry = found.entry || name == w.entry
			if name = ours(name); name != "" {
				found.functions[name] = true
			}
		}
	}
	return found, nil
}

// stack is the names of the functions on one, inlined ones included.
type stack []string

func stackOf(s *pp.Sample) (names stack) {
	for _, location := range s.Location {
		for _, line := range location.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

func (s stack) has(is func(name string) bool) bool {
	for _, name := range s {
		if is(name) {
			return true
		}
	}
	return false
}

// isDispatch: the engine's packages, and the loops that send requests.
func isDispatch(name string) bool {
	return strings.HasPrefix(name, module+"engine") || strings.HasPrefix(name, module+"internal/lab/profile.(*worker).")
}

func isWitness(name string) bool {
	return strings.HasPrefix(name, module+"internal/lab/profile.witness")
}

func isSnapshot(name string) bool { return name == module+"internal/lab/profile.snapshot" }

func isPreemption(name string) bool {
	return strings.HasPrefix(name, "runtime.asyncPreempt") || name == "runtime.gopreempt_m" || name == "runtime.gosched_m"
}

// ours returns the name if it is of this module or of its command's main package, and "" otherwise.
func ours(name string) string {
	if strings.HasPrefix(name, module) || strings.HasPrefix(name, "main.") {
		return name
	}
	return ""
}

// span is an interval of a trace's clock.
type span struct{ from, to trace.Time }

// inspectTrace finds the task of the requests and the collections before and during it.
func inspectTrace(content []byte) (inspection, error) {
	found := inspection{functions: map[string]bool{}}
	r, err := trace.NewReader(bytes.NewReader(content))
	if err != nil {
		return found, err
	}
	var requests span
	var task trace.TaskID
	var collections []span
	open := map[string]int{} // collections under way, by what they do and for whom: their index
	for {
		e, err := r.ReadEvent()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return found, err
		}
		found.counts.Total++
		for frame := range e.Stack().Frames() {
			if name := ours(frame.Func); name != "" {
				found.functions[name] = true
			}
		}
		switch e.Kind() {
		case trace.EventTaskBegin:
			if t := e.Task(); t.Type == taskName {
				task, requests.from = t.ID, e.Time()
			}
		case trace.EventTaskEnd:
			if e.Task().ID == task {
				requests.to = e.Time()
			}
		case trace.EventRangeBegin, trace.EventRangeActive:
			if r := e.Range(); strings.Contains(r.Name, "GC") {
				if key := fmt.Sprint(r.Name, r.Scope); open[key] == 0 {
					collections = append(collections, span{e.Time(), e.Time()})
					open[key] = len(collections)
				}
			}
		case trace.EventRangeEnd:
			if r := e.Range(); strings.Contains(r.Name, "GC") {
				key := fmt.Sprint(r.Name, r.Scope)
				if i := open[key]; i > 0 {
					collections[i-1].to = e.Time()
				}
				delete(open, key)
			}
		}
		for _, i := range open {
			collections[i-1].to = e.Time() // one that never ends lasts to the end
		}
	}
	if requests.from == 0 || requests.to <= requests.from {
		return found, fmt.Errorf("no task %q from its begin to its end: the trace is not of whole requests", taskName)
	}
	for _, c := range collections {
		if c.to >= requests.from && c.from <= requests.to {
			found.counts.Dispatch++
		} else if c.to < requests.from {
			found.counts.Witness++
		}
	}
	return found, nil
}
