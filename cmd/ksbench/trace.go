package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/cmd/ksbench/internal/traces"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/input"
	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/soak"
	"github.com/ksdispatch/ksdispatch/internal/recordings"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// traceCommand records what clients ask, and asks it again.
type traceCommand struct {
	Record  traceRecord  `cmd:"" help:"Send request lines to a manifest's objects, and record them."`
	Replay  traceReplay  `cmd:"" help:"Send what was recorded again, at full or at recorded speed."`
	Verify  traceVerify  `cmd:"" help:"Replay, and compare each answer with the recorded one; exit with 1 if one differs."`
	Show    traceShow    `cmd:"" help:"Say what a trace has: handles, items, statuses, the slowest requests."`
	Convert traceConvert `cmd:"" help:"Make request lines of a trace, or a trace of request lines that say how they were answered."`
	Cut     traceCut     `cmd:"" help:"Keep some of a trace: by time, handle, set."`
}

// traceFiles are the traces that a command reads.
type traceFiles struct {
	Files []string `arg:"" name:"file" help:"A trace (.kst), or its parts in order."`
}

// open opens the trace, and says what is missing.
func (t *traceFiles) open(con *console) (*traffic.File, error) {
	f, err := traffic.Open(t.Files...)
	if err != nil {
		return nil, badInput{err}
	}
	if err := f.Torn(); err != nil {
		fmt.Fprintf(con.stderr, "ksbench: %v\n", err)
	}
	if n := f.Dropped(); n > 0 {
		fmt.Fprintf(con.stderr, "ksbench: %s is incomplete: its recorder lost %s\n", t.Files[0], doc.Plural(n, "record"))
	}
	return f, nil
}

// openFor is open for a command that writes what a flag names, which is none of what it reads.
func (t *traceFiles) openFor(con *console, flag, path string, stdout io.Writer) (*traffic.File, *output, error) {
	out, err := traceOutput(flag, path, stdout, t.Files...)
	if err != nil {
		return nil, nil, err
	}
	f, err := t.open(con)
	return f, out, err
}

// traceTarget is what answers.
type traceTarget struct {
	Manifest string `placeholder:"FILE" help:"The manifest whose objects answer; the trace of a soak needs none."`
	Object   string `placeholder:"NAME" help:"The object that stands for those that have no name, or that the manifest does not have."`
}

// load loads the manifest, and the name by which a trace knows it.
func (t *traceTarget) load(ctx context.Context) (*traffic.Target, trace.Source, error) {
	if t.Manifest == "" {
		return nil, trace.Source{}, badUsage{errors.New("missing flags: --manifest=FILE")}
	}
	m, err := lab.LoadManifest(ctx, t.Manifest)
	if err != nil {
		return nil, trace.Source{}, badInput{err}
	}
	if t.Object != "" && !slices.ContainsFunc(m.Objects, func(o manifest.Object) bool { return o.Name == t.Object }) {
		return nil, trace.Source{}, badInput{fmt.Errorf("%s: there is no object %q", t.Manifest, t.Object)}
	}
	f, err := input.OpenNamed(ctx, t.Manifest, manifest.MaxSize)
	if err != nil {
		return nil, trace.Source{}, badInput{err}
	}
	defer f.Close()
	sum := xxhash.New()
	if _, err := io.Copy(sum, f); err != nil {
		return nil, trace.Source{}, badInput{fmt.Errorf("%s: %w", t.Manifest, err)}
	}
	return &traffic.Target{Manifest: m, Object: t.Object}, trace.Source{Name: m.Driver, Digest: fmt.Sprintf("%016x", sum.Sum64())}, nil
}

type traceRecord struct {
	traceTarget
	Requests   string `placeholder:"FILE" xor:"lines" help:"Read the request lines, those of exec, from a file instead of standard input."`
	Client     string `placeholder:"NAME" xor:"lines" help:"Do what a real client did that is recorded in ksbench: ${clients}."`
	Out        string `required:"" placeholder:"FILE" help:"The trace to write."`
	ClockEvery int    `default:"1" placeholder:"N" help:"Read the clock for one request in N (${default})."`
}

// Run is called by kong.
func (c *traceRecord) Run(con *console) error {
	if c.ClockEvery < 1 {
		return badUsage{fmt.Errorf("--clock-every %d: must be at least 1", c.ClockEvery)}
	}
	target, source, err := c.load(con.ctx)
	if err != nil {
		return err
	}
	out, err := traceOutput("--out", c.Out, nil, c.Requests, c.Manifest)
	if err != nil {
		return err
	}
	from, done, err := c.lines(con)
	if err != nil {
		return err
	}
	defer done()
	var played traces.Played
	err = grow(out, func(w io.Writer) error {
		config := trace.Config{Wait: true, ClockEvery: c.ClockEvery, Pends: &target.Pends, Sources: []trace.Source{source}}
		r, err := trace.NewRecorder(w, config)
		if err != nil {
			return err
		}
		played, err = traces.Play(con.ctx, from, r, target)
		if con.ctx.Err() != nil {
			err = nil // what was recorded is a trace
		}
		return errors.Join(err, r.Close())
	})
	if err != nil {
		return traceFault(con, cmp.Or(c.Requests, c.Client), err)
	}
	if con.ctx.Err() != nil {
		return fmt.Errorf("interrupted; %s has what was recorded until then: %s", c.Out, doc.Plural(played.Requests, "request"))
	}
	fmt.Fprintf(con.stderr, "ksbench: %s: recorded %s\n", c.Out, doc.Plural(played.Requests, "request"))
	if played.Refused > 0 {
		fmt.Fprintf(con.stderr, "ksbench: left out %s whose handle was refused\n", doc.Plural(played.Refused, "request"))
	}
	return nil
}

// lines are the request lines that are to be sent.
func (c *traceRecord) lines(con *console) (io.Reader, func(), error) {
	if c.Client == "" {
		return con.lines(c.Requests)
	}
	text, err := recordings.Lines(c.Client)
	if err != nil {
		return nil, nil, badUsage{fmt.Errorf("--client: %w", err)}
	}
	return bytes.NewReader(text), func() {}, nil
}

// grow writes a file that is there while it is written, so that what was recorded is not lost if the process is killed. A file that was
// there before is replaced when the new one is whole. Nothing is left if record fails.
func grow(out *output, record func(w io.Writer) error) error {
	f, err := os.OpenFile(out.target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, os.ErrExist) {
		return out.write(record)
	}
	if err != nil {
		return out.fault(err)
	}
	w := &watched{w: f}
	if err = cmp.Or(record(w), f.Close()); err != nil {
		err = cmp.Or(err, os.Remove(out.target))
	}
	if w.err != nil {
		return out.fault(w.err)
	}
	return err
}

// traceOutput is where what a flag names is written, which is none of what is read. Without stdout it is a file.
func traceOutput(flag, path string, stdout io.Writer, inputs ...string) (*output, error) {
	out, err := newOutputOf(flag, path, stdout)
	if err == nil {
		err = out.distinctFrom(inputs...)
	}
	return out, err
}

// traceFault is an error of what was read: the lines are at fault, if it is not Ctrl-C or the output.
func traceFault(con *console, path string, err error) error {
	if err := con.ctx.Err(); err != nil {
		return err
	}
	switch {
	case errors.As(err, new(badInput)):
		return err
	case errors.As(err, new(*trace.BlockError)): // names its file
		return badInput{err}
	}
	if path == "" {
		path = "standard input"
	}
	return badInput{fmt.Errorf("%s: %w", path, err)}
}

// traceReplaying are the flags of those that replay.
type traceReplaying struct {
	traceFiles
	traceTarget
	Goroutines int `default:"1" placeholder:"N" help:"Send from N goroutines: each handle in order; 1 keeps the order of all (${default})."`
}

func (c *traceReplaying) replay(con *console, opt trace.ReplayOptions) (*traces.Differences, error) {
	if c.Goroutines < 1 {
		return nil, badUsage{fmt.Errorf("--goroutines %d: must be at least 1", c.Goroutines)}
	}
	f, err := c.open(con)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	opt.Goroutines = c.Goroutines
	if plant, ok := soak.Of(f.Header()); ok && c.Manifest == "" {
		return c.replayed(con, f, opt.Verify, func() (*trace.Result, error) { return replaySoak(con.ctx, f.Reader, plant, opt) })
	}
	target, source, err := c.load(con.ctx)
	if err != nil {
		return nil, err
	}
	if sources := f.Header().Sources; len(sources) > 0 && !slices.Contains(sources, source) {
		fmt.Fprintf(con.stderr, "ksbench: %s is not the manifest that the trace was recorded on\n", c.Manifest)
	}
	opt.Pends = &target.Pends
	return c.replayed(con, f, opt.Verify, func() (*trace.Result, error) { return trace.Replay(con.ctx, f.Reader, target.Open, opt) })
}

// replayed is what came of a replay. With a *soak.Fault there is a result, too.
func (c *traceReplaying) replayed(con *console, f *traffic.File, verified bool, replay func() (*trace.Result, error)) (
	*traces.Differences, error) {
	res, err := replay()
	switch {
	case con.ctx.Err() != nil:
		return nil, errors.New("interrupted")
	case errors.As(err, new(*soak.Fault)):
		err = fmt.Errorf("%s: %w", c.Files[0], err)
	case err != nil:
		return nil, badInput{err}
	}
	return &traces.Differences{Name: c.Files[0], Result: res, Verified: verified, Reordered: c.Goroutines > 1,
		Incomplete: f.Torn() != nil || f.Dropped() > 0}, err
}

type traceReplay struct {
	traceReplaying
	Speed float64 `placeholder:"X" help:"X times the speed of the recording; without it as fast as possible."`
}

// Run is called by kong.
func (c *traceReplay) Run(con *console) error {
	if !(c.Speed >= 0) {
		return badUsage{fmt.Errorf("--speed %g: must not be negative", c.Speed)}
	}
	d, fault := c.replay(con, trace.ReplayOptions{Speed: c.Speed})
	if d == nil {
		return fault
	}
	return cmp.Or(written(doc.Write(con.stdout, d, "text", con.width)), fault)
}

type traceVerify struct {
	traceReplaying
	Differences int `default:"10" placeholder:"N" help:"Show the first N (${default})."`
}

// Run is called by kong.
func (c *traceVerify) Run(con *console) error {
	if c.Differences < 1 {
		return badUsage{fmt.Errorf("--differences %d: must be at least 1", c.Differences)}
	}
	d, fault := c.replay(con, trace.ReplayOptions{Verify: true, Differences: c.Differences})
	if d == nil {
		return fault
	}
	if err := doc.Write(con.stdout, d, "text", con.width); err != nil {
		return written(err)
	}
	if n := d.Result.Differences; n > 0 {
		return errors.Join(fmt.Errorf("%s: answers that differ: %d", c.Files[0], n), fault)
	}
	return fault
}

// written is the error of a writer of standard output.
func written(err error) error {
	if err != nil {
		return badInput{fmt.Errorf("standard output: %w", err)}
	}
	return nil
}

type traceShow struct {
	traceFiles
	HTML string `name:"html" placeholder:"FILE" help:"Write one page that needs nothing else: a timeline for each handle."`
}

// Run is called by kong.
func (c *traceShow) Run(con *console) error {
	f, page, err := c.openFor(con, "--html", c.HTML, nil)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := traces.Summarize(con.ctx, c.Files[0], f.Reader)
	switch {
	case con.ctx.Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return badInput{err}
	}
	if c.HTML != "" {
		return page.write(s.WriteHTML)
	}
	return written(doc.Write(con.stdout, s, "text", con.width))
}

type traceConvert struct {
	From     string `arg:"" help:"A trace, or request lines with x_status, x_n and x_output or x_digest."`
	Out      string `placeholder:"FILE" help:"Write to a file; a trace needs one. Lines go to standard output without it."`
	Outcomes bool   `help:"Say in each line how the request was answered, in keys that convert takes and exec does not."`
}

// Run is called by kong.
func (c *traceConvert) Run(con *console) error {
	head, err := headOf(con.ctx, c.From)
	if err != nil {
		return badInput{err}
	}
	if bytes.HasPrefix(head, []byte("\x8Akst")) {
		return c.lines(con)
	}
	if c.Out == "" {
		return badUsage{errors.New("--out is missing; a trace is written to a file")}
	}
	out, err := traceOutput("--out", c.Out, nil, c.From)
	if err != nil {
		return err
	}
	from, done, err := con.lines(c.From)
	if err != nil {
		return err
	}
	defer done()
	err = out.write(func(w io.Writer) error {
		_, err := traces.FromLines(con.ctx, from, w)
		return err
	})
	if err != nil {
		return traceFault(con, c.From, err)
	}
	return nil
}

// lines converts a trace.
func (c *traceConvert) lines(con *console) error {
	files := traceFiles{[]string{c.From}}
	f, out, err := files.openFor(con, "--out", c.Out, con.stdout)
	if err != nil {
		return err
	}
	defer f.Close()
	var left uint64
	err = out.write(func(w io.Writer) (err error) {
		_, left, err = traces.ToLines(con.ctx, f.Reader, w, c.Outcomes)
		return err
	})
	if err != nil {
		return traceFault(con, c.From, err)
	}
	if left > 0 {
		return fmt.Errorf("%s: records that no request line can say, and that were left out: %d", c.From, left)
	}
	return nil
}

// headOf is what a file begins with. It is opened again to be read, so that a pipe will not do.
func headOf(ctx context.Context, path string) ([]byte, error) {
	f, err := input.Open(ctx, path, input.NoLimit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 8)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

type traceCut struct {
	traceFiles
	Out    string        `required:"" placeholder:"FILE" help:"The trace to write."`
	From   time.Duration `placeholder:"TIME" help:"Leave out what began before this time of the recording: 1.5s."`
	To     time.Duration `placeholder:"TIME" help:"Leave out what began at this time or after."`
	Handle []uint32      `placeholder:"N" help:"Keep the requests of this handle, whose number show says; may be given several times."`
	Set    []string      `placeholder:"SET" help:"Keep the requests for this set: its GUID, or KSPROPSETID_Audio; may be given several times."`
}

// Run is called by kong.
func (c *traceCut) Run(con *console) error {
	cut := traces.Cut{From: c.From, To: c.To, Handles: c.Handle}
	for _, at := range []struct {
		flag string
		time time.Duration
	}{{"--from", c.From}, {"--to", c.To}} {
		if at.time < 0 {
			return badUsage{fmt.Errorf("%s %v: must not be negative", at.flag, at.time)}
		}
	}
	if c.To > 0 && c.To <= c.From {
		return badUsage{fmt.Errorf("--from %v --to %v: there is nothing between", c.From, c.To)}
	}
	for _, text := range c.Set {
		g, err := lab.ParseSet([]byte(text))
		if err != nil {
			return badUsage{fmt.Errorf("--set: %w", err)}
		}
		cut.Sets = append(cut.Sets, g)
	}
	f, out, err := c.openFor(con, "--out", c.Out, nil)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, h := range c.Handle {
		if !slices.ContainsFunc(f.Opened(), func(o trace.Opened) bool { return o.Handle == h }) {
			return badInput{fmt.Errorf("--handle %d: the trace has no such handle; ksbench trace show lists them", h)}
		}
	}
	var requests uint64
	err = out.write(func(w io.Writer) (err error) {
		requests, err = cut.Write(con.ctx, f.Reader, w)
		return err
	})
	if err != nil {
		return traceFault(con, c.Files[0], err)
	}
	fmt.Fprintf(con.stderr, "ksbench: %s: kept %s\n", c.Out, doc.Plural(requests, "request"))
	return nil
}
