package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/baseline"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// gateCommand fails when something got worse.
type gateCommand struct {
	Current  string `arg:"" optional:"" default:"-" help:"What was measured now: a report, the output of go test -bench, or - for standard input (${default})."`
	Baseline string `placeholder:"NAME|FILE" help:"What to hold it against: a saved baseline, or any file that compare reads."`
	Dir      string `default:"${baselines}" placeholder:"DIR" help:"The folder of saved baselines (${default})."`

	judging
	revising
	Time string `enum:"hard,soft,off" default:"hard" help:"What times may do: fail the gate, be only shown, or be left out (hard, soft, off). Counts always fail it."`
}

// Run is called by kong.
func (c *gateCommand) Run(con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	old, new, err := c.sides(con, out)
	if err != nil {
		return err
	}
	comparison, err := c.compareLike(old, new)
	if err != nil {
		return err
	}
	times := 0
	for _, r := range comparison.Rows {
		if r.Verdict == verdict.Regressed && !r.Exact() {
			times++
		}
	}
	failed, silent := c.failing(comparison), c.Time == "hard" && blind(comparison)
	if err := c.write(con, out, comparison); err != nil { // drops rows
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("gate: regressed: %s", strings.Join(failed, ", "))
	}
	if c.OnlyChanges && len(comparison.OnlyOld) > 0 { // the output of a test run that was killed looks like this
		fmt.Fprintf(con.stderr, "ksbench: gate: gone, and not compared: %s\n", strings.Join(comparison.OnlyOld, ", "))
	}
	if c.Time == "soft" && times > 0 {
		fmt.Fprintf(con.stderr, "ksbench: gate: --time soft let through %s that regressed\n", doc.Plural(times, "time"))
	}
	if silent {
		return notComparable{errors.New("gate: not comparable: too few samples to find any change of a time; measure more often (-count 10), or judge counts alone (--time soft)")}
	}
	return nil
}

// sides are what is held against each other: files, or revisions that are measured now.
func (c *gateCommand) sides(con *console, out *output) (old, new *verdict.Measurements, err error) {
	switch {
	case len(c.Rev) > 0 && c.Baseline == "" && c.Current == "-":
		return c.measure(con, c.Exact)
	case c.Baseline == "" || len(c.Rev) > 0:
		return nil, nil, badUsage{errors.New("gate: say what to hold it against, with --baseline NAME|FILE, or with --rev OLD --rev NEW and no file")}
	case c.Current == "-" && isTerminal(con.stdin):
		return nil, nil, badUsage{errors.New("gate: name what was measured now, or send it to standard input")}
	}
	path, err := baseline.Find(baseline.Folder(c.Dir), c.Baseline)
	if err != nil {
		return nil, nil, badInput{err}
	}
	if err := out.spare(path, c.Current); err != nil {
		return nil, nil, err
	}
	if old, err = c.load(con, path); err == nil {
		new, err = c.load(con, c.Current)
	}
	return old, new, err
}

// blind reports that no time could have failed the gate: silence would not mean that nothing changed.
func blind(c *verdict.Comparison) bool {
	times, insufficient := 0, 0
	for _, r := range c.Rows {
		if !r.Exact() {
			times++
			if r.Verdict == verdict.Insufficient {
				insufficient++
			}
		}
	}
	return times > 0 && insufficient == times
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// compareLike compares if that means something: counts of the same work, times of the same work on the same machine.
func (c *gateCommand) compareLike(old, new *verdict.Measurements) (*verdict.Comparison, error) {
	if c.Time == "off" {
		old.Exact()
		new.Exact()
	}
	other := verdict.Incomparable(old, new)
	hard := other
	if c.Time != "hard" {
		hard = verdict.OtherWork(old, new)
	}
	if len(hard) > 0 {
		return nil, notComparable{fmt.Errorf("gate: not comparable: %s", strings.Join(hard, "; "))}
	}
	comparison, err := c.compare(old, new, verdict.Options{Paired: len(c.Rev) > 0})
	if err != nil {
		return nil, notComparable{fmt.Errorf("gate: not comparable: %w", err)}
	}
	if c.Time == "soft" {
		for _, reason := range other {
			comparison.Warnings = append(comparison.Warnings, "times are not of the same conditions: "+reason)
		}
	}
	return comparison, nil
}

// failing names the rows that fail the gate.
func (c *gateCommand) failing(comparison *verdict.Comparison) (names []string) {
	for _, r := range comparison.Rows {
		if r.Verdict == verdict.Regressed && (r.Exact() || c.Time == "hard") {
			names = append(names, fmt.Sprintf("%q %s", r.Name, r.Unit))
		}
	}
	if len(names) > 5 {
		names = append(names[:5], fmt.Sprintf("and %d more", len(names)-5))
	}
	return names
}
