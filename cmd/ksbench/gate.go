package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/baseline"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// gateCommand fails when something got worse.
type gateCommand struct {
	Current  string `arg:"" optional:"" default:"-" help:"What was measured now; any file that compare reads, or standard input (${default})."`
	Baseline string `placeholder:"NAME|FILE" help:"What to hold it against: a saved baseline, or any file that compare reads."`
	Dir      string `default:"${baselines}" placeholder:"DIR" help:"The folder of saved baselines (${default})."`

	comparisonFlags
	revisionFlags
	Time       string `enum:"hard,soft,off" default:"hard" help:"hard: times fail it, as counts do; soft: they are shown; off: left out."`
	FailOnGone bool   `help:"Fail also if a benchmark, or a metric of one, is no longer there."`

	Again        string        `sep:"none" placeholder:"COMMAND" help:"A shell command that measures again: only what fails again fails."`
	AgainBase    string        `sep:"none" placeholder:"COMMAND" help:"With --again: a command that measures the base again, too."`
	AgainTimeout time.Duration `default:"30m" help:"With --again: how long a command may take (${default})."`
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
	if errors.Is(err, verdict.ErrNothingInCommon) && c.FailOnGone {
		return fmt.Errorf("gate: gone: %s", doc.Listed(names(old)))
	}
	if err != nil {
		return err
	}
	if c.Again != "" && (len(c.failing(comparison)) > 0 || c.Time == "hard" && comparison.Shift != nil) {
		if comparison, err = c.confirm(con, old, comparison); err != nil {
			return err
		}
	}
	times := 0
	for _, r := range comparison.Rows {
		if r.Verdict == verdict.Regressed && !r.Exact() {
			times++
		}
	}
	end := c.outcome(comparison)
	blind := c.blind(comparison, func(verdict.Row) bool { return true })
	if err := c.write(con, out, comparison); err != nil { // drops rows
		return err
	}
	if c.OnlyChanges && len(comparison.OnlyOld) > 0 { // the output of a test run that was killed looks like this
		fmt.Fprintf(con.stderr, "ksbench: gate: gone, and not compared: %s\n", strings.Join(comparison.OnlyOld, ", "))
	}
	if c.Time == "soft" && times > 0 {
		fmt.Fprintf(con.stderr, "ksbench: gate: --time soft let through %s that regressed\n", doc.Plural(times, "time"))
	}
	if end == nil && len(blind) > 0 {
		fmt.Fprintf(con.stderr, "ksbench: gate: blind, as there are too few samples: %s\n", doc.Listed(blind))
	}
	return end
}

// sides are what is held against each other: files, or revisions that are measured now.
func (c *gateCommand) sides(con *console, out *output) (old, new *verdict.Measurements, err error) {
	switch {
	case len(c.Rev) > 0 && c.Again != "":
		return nil, nil, badUsage{errors.New("gate: --again is for --baseline: revisions take turns already")}
	case len(c.Rev) > 0 && c.Baseline == "" && c.Current == "-":
		return c.measure(con, c.Exact)
	case c.Baseline == "" || len(c.Rev) > 0:
		return nil, nil, badUsage{errors.New("gate: say what to hold it against, with --baseline NAME|FILE, or with --rev OLD --rev NEW and " +
			"no file")}
	case c.Again == "" && c.AgainBase != "":
		return nil, nil, badUsage{errors.New("gate: --again-base goes with --again")}
	case c.Current == "-" && isTerminal(con.stdin):
		return nil, nil, badUsage{errors.New("gate: name what was measured now, or send it to standard input")}
	}
	path, err := baseline.Find(baseline.Folder(c.Dir), c.Baseline)
	if err != nil {
		return nil, nil, badInput{err}
	}
	if err := out.distinctFrom(path, c.Current); err != nil {
		return nil, nil, err
	}
	if old, err = c.load(con, path); err == nil {
		new, err = c.load(con, c.Current)
	}
	return old, new, err
}

// outcome is how the gate ends.
func (c *gateCommand) outcome(comparison *verdict.Comparison) error {
	var why []string
	if failed := c.failing(comparison); len(failed) > 0 {
		why = append(why, "regressed: "+doc.Listed(failed))
	}
	if c.FailOnGone && len(comparison.OnlyOld) > 0 {
		why = append(why, "gone: "+doc.Listed(comparison.OnlyOld))
	}
	if len(why) > 0 {
		return fmt.Errorf("gate: %s", strings.Join(why, "; "))
	}
	times, insufficient := 0, 0
	for _, r := range comparison.Rows {
		if !r.Exact() {
			times++
			if r.Verdict == verdict.Insufficient {
				insufficient++
			}
		}
	}
	hard := c.Time == "hard"
	if hard && times > 0 && insufficient == times { // silence would not mean that nothing changed
		return notComparable{errors.New("gate: not comparable: too few samples to find any change of a time; " +
			"measure more often (-count 10), or judge counts alone (--time soft)")}
	}
	if hard && comparison.Shift != nil {
		return notComparable{fmt.Errorf("gate: not comparable: most benchmarks moved together by about %s, "+
			"as another state of the machine makes them; measure both sides again (--again, --again-base), or let them take turns (compare --rev)",
			doc.Percent(*comparison.Shift))}
	}
	if moved := c.blind(comparison, func(r verdict.Row) bool { return r.Worse(float64(c.Floor)) }); len(moved) > 0 {
		return notComparable{fmt.Errorf("gate: not comparable: too few samples to judge what moved by %s or more: %s; "+
			"measure more often (-count 10)",
			strings.TrimPrefix(doc.Percent(float64(c.Floor)), "+"), doc.Listed(moved))}
	}
	return nil
}

// blind names the rows that could fail the gate and have too few samples to, if they are wanted.
func (c *gateCommand) blind(comparison *verdict.Comparison, wanted func(verdict.Row) bool) (names []string) {
	for _, r := range comparison.Rows {
		if r.Verdict == verdict.Insufficient && (r.Exact() || c.Time == "hard") && wanted(r) {
			names = append(names, r.Name+" "+r.Unit)
		}
	}
	return names
}

func names(m *verdict.Measurements) (names []string) {
	for _, s := range m.Series {
		names = append(names, s.Name+" "+s.Unit)
	}
	return names
}

// confirm measures again, and takes back what does not fail again.
func (c *gateCommand) confirm(con *console, old *verdict.Measurements, first *verdict.Comparison) (*verdict.Comparison, error) {
	if c.AgainBase != "" {
		var err error
		if old, err = c.remeasure(con, "--again-base", c.AgainBase); err != nil {
			return nil, err
		}
	}
	new, err := c.remeasure(con, "--again", c.Again)
	if err != nil {
		return nil, err
	}
	again, err := c.compareLike(old, new)
	if err != nil {
		return nil, err
	}
	missing := func(rows []string) error {
		return badInput{fmt.Errorf("gate: --again %q did not measure what would fail: %s", c.Again, doc.Listed(rows))}
	}
	if c.Time == "hard" && first.Shift != nil { // the first measurement was of no use
		if rows := again.Lacks(first); len(rows) > 0 {
			return nil, missing(rows)
		}
		again.Warnings = append(again.Warnings, fmt.Sprintf("measured again by %q, as most benchmarks had moved together by about %s",
			c.Again, doc.Percent(*first.Shift)))
		again.OnlyOld, again.OnlyNew = first.OnlyOld, first.OnlyNew
		return again, nil
	}
	if rows := first.Confirm(again); len(rows) > 0 {
		return nil, missing(rows)
	}
	return first, nil
}

// remeasure runs a command of the shell and reads what it writes to standard output.
func (c *gateCommand) remeasure(con *console, flag, command string) (*verdict.Measurements, error) {
	fmt.Fprintf(con.stderr, "ksbench: gate: measuring again: %s\n", command)
	ctx, cancel := context.WithTimeout(con.ctx, c.AgainTimeout)
	defer cancel()
	shell := []string{"sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C"}
	}
	cmd := exec.CommandContext(ctx, shell[0], shell[1], command)
	killGroup(cmd)
	cmd.WaitDelay = time.Second // for what the shell started and left
	cmd.Stderr = con.stderr
	text, err := cmd.Output()
	switch {
	case con.ctx.Err() != nil:
		return nil, con.ctx.Err()
	case ctx.Err() != nil:
		return nil, badInput{fmt.Errorf("gate: %s %q: not done after %v; give it longer with --again-timeout", flag, command, c.AgainTimeout)}
	case err != nil:
		return nil, badInput{fmt.Errorf("gate: %s %q: %w", flag, command, err)}
	}
	m, err := verdict.Read(bytes.NewReader(text), fmt.Sprintf("%s %q", flag, command), c.Exact)
	if err != nil {
		return nil, badInput{fmt.Errorf("gate: %w", err)}
	}
	return m, nil
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
	return names
}
