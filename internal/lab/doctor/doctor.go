// Package doctor says whether a machine is fit to measure on, and what to do if it is not.
//
// A number of nanoseconds is only as good as the quiet around it. Many disturbances can be known before an hour is
// spent: a processor that changes its frequency, other programs, a hypervisor that takes the processor away, a clock
// too coarse or too slow for the task. Whatever the cause, the noise itself can be measured: Examine repeats one fixed
// piece of work and looks at how much its time varies.
//
// A finding is good, a warning, or bad. A bad finding makes numbers wrong or verdicts impossible: noise above the
// effects of interest, a stolen processor, a clock with steps of milliseconds. A warning makes a run longer or its
// numbers hard to compare. Where the system gives no information, there is no finding.
//
// The limits come from the project's own measurements. With a spread of the rounds below 3 %, fifteen rounds decide
// differences of 5 %; above 10 %, package report warns about every row. Machines whose governor follows the load run
// the first tens of milliseconds at half speed.
package doctor

import (
	"context"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Grade is how serious a finding is.
type Grade string

const (
	Good    Grade = "good"
	Unknown Grade = "unknown" // the system does not say
	Warning Grade = "warning"
	Bad     Grade = "bad"
)

// Finding is one thing that was looked at.
type Finding struct {
	Name   string `json:"name"`
	Grade  Grade  `json:"grade"`
	Saw    string `json:"saw"`
	Advice string `json:"advice,omitempty"` // what to do; empty if nothing
}

// Diagnosis is all of them.
type Diagnosis struct {
	Environment report.Environment `json:"environment"`
	Findings    []Finding          `json:"findings"`
	Fit         bool               `json:"fit"` // no finding is bad
}

// subject is the machine as the examinations see it; tests put another in its place.
type subject struct {
	root  fs.FS // of the file system
	cores int
	now   func() time.Time
	wait  func(context.Context, time.Duration)
	work  func(n int) // n turns of the fixed work
}

// Examine looks at the machine for about two seconds. It ends early with the context's error.
func Examine(ctx context.Context) (Diagnosis, error) {
	s := subject{root: os.DirFS("/"), cores: runtime.NumCPU(), now: time.Now, wait: wait, work: spin}
	env := machine.Describe()
	findings, err := s.examine(ctx, env)
	d := Diagnosis{Environment: env, Findings: findings, Fit: true}
	for _, f := range findings {
		d.Fit = d.Fit && f.Grade != Bad
	}
	return d, err
}

func (s subject) examine(ctx context.Context, env report.Environment) ([]Finding, error) {
	findings := []Finding{s.governor(), hypervisor(env.Virtualization), s.clockSource(), s.clock()}
	before, counted := s.usage()
	s.wait(ctx, time.Second) // idle: whatever runs now is others
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	after, still := s.usage()
	if counted && still {
		findings = append(findings, load(after.minus(before), s.cores), steal(after.minus(before)))
	} else {
		findings = append(findings, Finding{Name: "other load", Grade: Unknown, Saw: "the system does not say"},
			Finding{Name: "stolen time", Grade: Unknown, Saw: "the system does not say"})
	}
	noise, err := s.noise(ctx)
	return append(findings, noise), err
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
