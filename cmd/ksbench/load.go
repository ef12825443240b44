package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/input"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/load"
	"github.com/ksdispatch/ksdispatch/internal/lab/page"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// loadCommand puts clients on the devices of a manifest.
type loadCommand struct {
	traceTarget
	Clients  int           `default:"1000" placeholder:"N" help:"How many there are at once (${default})."`
	Duration time.Duration `default:"10s" placeholder:"TIME" help:"How long they send (${default})."`
	Rate     rate          `placeholder:"N" help:"Send N requests a second, done or not, and show response times too."`
	Mix      string        `placeholder:"FILE" help:"How often each session and each request is drawn; see docs/load.md."`
	Seed     *uint64       `help:"Seed of the random sessions (default: another each time, which is printed)."`
	Trace    string        `placeholder:"FILE" help:"Record what is asked as a trace."`
	HTML     string        `name:"html" placeholder:"FILE" help:"Write the report as a page, too."`
	writing
}

// Run is called by kong.
func (c *loadCommand) Run(con *console) error {
	switch {
	case c.Clients < 1 || c.Clients > load.MaxClients:
		return badUsage{fmt.Errorf("--clients %d: must be 1 to %d", c.Clients, load.MaxClients)}
	case c.Duration < 10*time.Millisecond:
		return badUsage{fmt.Errorf("--duration %v: must be at least 10ms", c.Duration)}
	}
	target, source, err := c.load(con.ctx)
	if err != nil {
		return err
	}
	opt := load.Options{Manifest: target.Manifest, Clients: c.Clients, Duration: c.Duration, Rate: float64(c.Rate)}
	if c.Mix != "" {
		if opt.Mix, err = readMix(con.ctx, c.Mix); err != nil {
			return badInput{err}
		}
	}
	out, html, kst, err := c.outputs(con)
	if err != nil {
		return err
	}
	opt.Seed = con.seed(c.Seed)
	line := newProgress(con.stderr)
	line.note(out, c.Format)
	opt.Progress = func(l load.Live) {
		line.show(int(l.Elapsed.Milliseconds()), int(c.Duration.Milliseconds()), fmt.Sprintf("%s/s, p50 %s, p99 %s, errors %s",
			doc.Short(l.PerSecond), doc.Nanoseconds(float64(l.P50)), doc.Nanoseconds(float64(l.P99)), doc.Short(float64(l.Errors))))
	}
	var rep *report.Report
	if kst == nil {
		opt.Device = plainDevices(target.Open)
		target.Wrap = load.Completing
		rep, err = load.Run(con.ctx, opt)
	} else {
		err = grow(kst, func(w io.Writer) error {
			r, err := trace.NewRecorder(w, trace.Config{Wait: true, Pends: &target.Pends, Sources: []trace.Source{source}})
			if err != nil {
				return err
			}
			opt.Device = recordedDevices(target.Open, r)
			rep, err = load.Run(con.ctx, opt)
			if rep != nil {
				err = nil // what was recorded is a trace
			}
			return errors.Join(err, r.Close())
		})
	}
	line.clear()
	switch {
	case rep == nil && con.ctx.Err() != nil:
		return con.ctx.Err()
	case rep == nil:
		return badInput{fmt.Errorf("%s: %w", c.Manifest, err)}
	case err != nil && con.ctx.Err() == nil:
		return err
	}
	rep.Settings.Command = con.command
	if err := con.write(out, rep, c.Format); err != nil {
		return err
	}
	if html != nil {
		if err := html.write(func(w io.Writer) error { return page.Write(w, page.Of(c.HTML, rep)) }); err != nil {
			return err
		}
	}
	if con.ctx.Err() != nil {
		return errors.New("interrupted; the report holds what ran until then")
	}
	return nil
}

// outputs are where the report, the page and the trace go; what is not asked for is nil.
func (c *loadCommand) outputs(con *console) (out, html, kst *output, err error) {
	if out, err = newOutput(c.Out, con.stdout); err != nil {
		return nil, nil, nil, err
	}
	all := []*output{out}
	for _, of := range []struct {
		flag, path string
		to         **output
	}{{"--html", c.HTML, &html}, {"--trace", c.Trace, &kst}} {
		if of.path == "" {
			continue
		}
		if *of.to, err = newOutputOf(of.flag, of.path, nil); err != nil {
			return nil, nil, nil, err
		}
		all = append(all, *of.to)
	}
	for _, o := range all {
		err = cmp.Or(err, o.distinctFrom(c.Manifest))
		if c.Mix != "" {
			err = cmp.Or(err, o.distinctFrom(c.Mix))
		}
	}
	return out, html, kst, cmp.Or(err, distinct(all...))
}

func readMix(ctx context.Context, path string) (*load.Mix, error) {
	f, err := input.OpenNamed(ctx, path, manifest.MaxSize)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return load.ReadMix(f, path)
}

// plainDevices opens devices that nobody records.
func plainDevices(open trace.Opener) func(string) (func() (load.Handle, error), error) {
	return func(object string) (func() (load.Handle, error), error) {
		dev, err := open(object, 0)
		return func() (load.Handle, error) {
			h, err := dev.Open()
			return plainHandle{h}, err
		}, err
	}
}

// recordedDevices opens devices through a recorder.
func recordedDevices(open trace.Opener, r *trace.Recorder) func(string) (func() (load.Handle, error), error) {
	return func(object string) (func() (load.Handle, error), error) {
		dev, err := open(object, 0)
		return func() (load.Handle, error) {
			h, err := r.Open(dev, object)
			if err != nil {
				return nil, err
			}
			return newRecordedHandle(h), nil
		}, err
	}
}

type plainHandle struct{ *device.Handle }

// CreatePin is called by a client.
func (h plainHandle) CreatePin(connect []byte) (load.Handle, ks.Status) {
	pin, status := h.Handle.CreatePin(connect)
	if pin == nil {
		return nil, status
	}
	return plainHandle{pin}, status
}

type recordedHandle struct{ *trace.Handle }

// newRecordedHandle completes what is pended, as load.Completing does where nobody records.
func newRecordedHandle(h *trace.Handle) recordedHandle {
	h.OnPend(func(irp *engine.IRP, _ []byte) { irp.Complete(ks.StatusSuccess, 0) })
	return recordedHandle{h}
}

// CreatePin is called by a client.
func (h recordedHandle) CreatePin(connect []byte) (load.Handle, ks.Status) {
	pin, status := h.Handle.CreatePin(connect)
	if pin == nil {
		return nil, status
	}
	return newRecordedHandle(pin), status
}
