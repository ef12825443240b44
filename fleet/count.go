package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// every is how many requests there are to one whose time is read from the clock.
const every = 64

// maxCells is how many kinds of answers a piece of work tells apart; a hostile trace could have as many as requests.
const maxCells = 10_000

// cell counts one kind of answer to one kind of request.
type cell struct {
	kind
	tally
	kept tally // what it was after the last device that was whole
}

type tally struct{ n, differ uint64 }

// kind is what a cell counts: the first bytes of the input, which name the item, the lengths of buffers, and how it was answered.
type kind struct {
	item    [3]uint64
	code    uint32
	foreign bool
	status  ks.Status
	in, out uint32
}

// counts are the cells of a piece of work. Most requests find theirs in recent, without the map.
type counts struct {
	recent [512]*cell
	cells  map[kind]*cell
}

func newCounts() *counts { return &counts{cells: make(map[kind]*cell)} }

// answered counts a request.
func (c *counts) answered(code uint32, in []byte, _ uint32, status ks.Status, differs bool) {
	if len(in) >= ks.SizeIdentifier {
		le := binary.LittleEndian
		a, b, x := le.Uint64(in), le.Uint64(in[8:]), le.Uint64(in[16:])
		h := (a ^ b*0x9E3779B97F4A7C15 ^ (x^uint64(status)<<32)*0xC2B2AE3D27D4EB4F) * 0x9E3779B97F4A7C15 >> 55
		at := c.recent[h]
		if at == nil || at.item != [3]uint64{a, b, x} || at.code != code || at.status != status {
			at = c.cell(kind{item: [3]uint64{a, b, x}, code: code, status: status})
			c.recent[h] = at
		}
		at.n++
		if differs {
			at.differ++
		}
		return
	}
	at := c.cell(kind{code: code, foreign: true, status: status})
	at.n++
	if differs {
		at.differ++
	}
}

// cell returns that of a kind. Those that come late are counted together.
func (c *counts) cell(k kind) *cell {
	at := c.cells[k]
	if at == nil && len(c.cells) >= maxCells {
		k = kind{code: k.code, foreign: true, status: k.status}
		at = c.cells[k]
	}
	if at == nil {
		at = &cell{kind: k}
		c.cells[k] = at
	}
	return at
}

// keep keeps what was counted of a device.
func (c *counts) keep() {
	for _, x := range c.cells {
		x.kept = x.tally
	}
}

// drop forgets what was counted since the last keep.
func (c *counts) drop() {
	for k, x := range c.cells {
		if x.tally = x.kept; x.n == 0 {
			delete(c.cells, k)
		}
	}
	clear(c.recent[:])
}

// differing is how many answers differ since the last keep.
func (c *counts) differing() (n uint64) {
	for _, x := range c.cells {
		n += x.differ - x.kept.differ
	}
	return n
}

// asks is the item that the requests of the kind ask for.
func (k *kind) asks() traffic.Item {
	if k.foreign {
		return traffic.Item{Code: k.code, Foreign: true}
	}
	var in [ks.SizeIdentifier]byte
	for i, w := range k.item {
		binary.LittleEndian.PutUint64(in[8*i:], w)
	}
	return traffic.ItemOf(k.code, in[:])
}

// asked is what of the counted requests a mix can say.
func (c *counts) asked() []Ask {
	var all []Ask
	for _, x := range c.cells {
		if a, ok := ask(x.asks()); ok {
			a.Requests = x.n
			all = append(all, a)
		}
	}
	return addAsked(all)
}

// traffic is what was counted.
func (c *counts) traffic(point string, sizes bool) []report.Traffic {
	rows := make([]report.Traffic, 0, len(c.cells))
	for _, x := range c.cells {
		it := x.asks()
		row := report.Traffic{Point: point, Item: it.Name(), Verb: it.Verb(), Requests: x.n, Differ: x.differ,
			Answers: []report.Answer{{Status: traffic.StatusName(x.status), Requests: x.n}}}
		if sizes {
			row.Sizes = []report.Size{{In: x.in, Out: x.out, Requests: x.n}}
		}
		rows = append(rows, row)
	}
	var sum report.Report
	sum.AddTraffic(&report.Report{Traffic: rows})
	return sum.Traffic
}

// maxFaults is how many broken devices a piece of work lists.
const maxFaults = 100

// do does a piece of work. The error is one that another attempt may not have; what is wrong with the trace is a fault of the total.
func do(ctx context.Context, job *Job, target *traffic.Target, w *Work) (*Total, error) {
	t := new(Total)
	f, done, err := open(ctx, w.Parts)
	if err != nil {
		return t, t.blame(ctx, err, w)
	}
	defer done()
	if w.First {
		t.Traces, t.Sum = 1, f.Sum()
		if err := f.Torn(); err != nil {
			t.Notes = append(t.Notes, renamed(err, w.Parts).Error())
		}
		if n := f.Dropped(); n > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("%s: its recorder lost %d records: answers may differ from there on", w.Parts[0].Path, n))
		}
	}
	devices := w.Devices
	if len(devices) == 0 {
		devices = devicesOf(f.Reader)
	}
	u := &unit{job: job, target: target, work: w, total: t, counted: newCounts()}
	for _, d := range devices {
		err := u.device(ctx, f.Device(d))
		if err == nil {
			u.counted.keep()
			continue
		}
		u.counted.drop()
		if err := t.blame(ctx, err, w); err != nil {
			return nil, err
		}
	}
	if n := len(t.Faults) - maxFaults; n > 0 {
		t.Faults = append(t.Faults[:maxFaults], Fault{fmt.Sprintf("%s: %d more devices are broken", w.Parts[0].Path, n)})
	}
	return t, u.end()
}

// blame notes what is wrong with the trace, or returns an error that another attempt may not have.
func (t *Total) blame(ctx context.Context, err error, w *Work) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !faulty(err):
		return err
	}
	t.Faults = append(t.Faults, Fault{renamed(err, w.Parts).Error()})
	return nil
}

// unit is a piece of work that is being done.
type unit struct {
	job     *Job
	target  *traffic.Target
	work    *Work
	total   *Total
	counted *counts

	replayed uint64 // requests that were measured
	elapsed  time.Duration
	service  *hdrhistogram.Histogram
}

func (u *unit) point() *Point { return &u.job.Points[u.work.Point] }

// device does the work on a device. If it fails, the total has nothing of it.
func (u *unit) device(ctx context.Context, r *trace.Reader) error {
	if u.job.Kind == Mine {
		return u.mine(ctx, r)
	}
	opt := trace.ReplayOptions{Verify: u.job.Kind == Verify, Differences: u.job.Differences, Pends: &u.target.Pends,
		Answered: u.counted.answered}
	timed := new(timer)
	if u.job.Kind == Replay {
		timed.service = report.NewHistogram()
		opt.Answered = timed.around(u.counted.answered)
	}
	res, err := trace.Replay(ctx, r, u.target.Open, opt)
	if err != nil {
		return err
	}
	if u.work.Point == 0 {
		u.total.Requests += res.Requests
	}
	if u.job.Kind == Replay {
		u.replayed += res.Requests
		u.elapsed += res.Elapsed
		if u.service != nil {
			timed.service.Merge(u.service)
		}
		u.service = timed.service
		return nil
	}
	if res.Differences == 0 {
		return nil
	}
	more := new(Total)
	if differ := u.counted.differing(); res.Differences > differ { // what is no request, or was not sent
		more.Traffic = []report.Traffic{{Point: u.point().Name, Item: "-", Verb: notSent, Differ: res.Differences - differ,
			Answers: []report.Answer{}}}
	}
	for i := range res.First {
		more.Differences = append(more.Differences, shown(&res.First[i], u.point(), u.work, r))
	}
	u.total.add(more, u.job.Differences)
	return nil
}

// mine counts what was recorded of a device.
func (u *unit) mine(ctx context.Context, r *trace.Reader) error {
	requests := uint64(0)
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		if rec.Kind == trace.KindRequest {
			u.counted.record(rec)
			requests++
		}
	}
	u.total.Requests += requests
	return ctx.Err()
}

// end brings into the total what was counted and measured.
func (u *unit) end() error {
	u.total.add(&Total{Traffic: u.counted.traffic(u.point().Name, u.job.Kind == Mine)}, u.job.Differences)
	if u.job.Kind == Mine {
		u.total.Asked = u.counted.asked()
	}
	if u.replayed == 0 {
		return nil
	}
	if u.service.TotalCount() == 0 {
		u.service = clockOf()
	}
	d, err := report.NewDistribution(u.service)
	if err != nil {
		return err
	}
	u.total.Timings = []Timing{{u.work.key(), u.point().Name, here(), u.replayed, u.elapsed.Nanoseconds(), d.Histogram}}
	return nil
}

// here is this machine.
var here = sync.OnceValue(machine.Describe)

// notSent is the verb of what is no request, such as a create, and of requests that could not be sent.
const notSent = "create, generate, not sent"

// record counts what was recorded of a request.
func (c *counts) record(rec *trace.Record) {
	k := kind{code: rec.Code, foreign: true, status: rec.Status, in: uint32(len(rec.In)), out: rec.OutBytes}
	if len(rec.In) >= ks.SizeIdentifier {
		k.foreign = false
		for i := range k.item {
			k.item[i] = binary.LittleEndian.Uint64(rec.In[8*i:])
		}
	}
	c.cell(k).n++
}

// shown is a difference as a report has it.
func shown(d *trace.Difference, point *Point, w *Work, r *trace.Reader) report.Difference {
	rec := &d.Record
	block, offset := r.Locate(rec)
	part, offset := locate(w.Parts, offset)
	it, verb := traffic.ItemOf(rec.Code, rec.In), ""
	if rec.Kind == trace.KindRequest {
		verb = it.Verb()
	} else {
		it, verb = traffic.Item{Foreign: true}, rec.Kind.String()
	}
	shown := report.Difference{Point: point.Name, File: part.Path, Block: block, Offset: offset, Record: rec.Order, Handle: rec.Handle,
		Object: d.Object, Item: it.Name(), Verb: verb, In: uint32(len(rec.In)), Out: rec.OutBytes, Rule: d.Rule, Why: d.Why,
		Recorded: report.Response{Status: traffic.StatusName(rec.Status), Information: rec.Information, Digest: fmt.Sprintf("%016x", rec.Digest)},
		Answered: report.Response{Status: traffic.StatusName(d.Status), Information: d.Information, Digest: fmt.Sprintf("%016x", d.Digest),
			Output: hex.EncodeToString(d.Output)}}
	if first := w.Parts[0].Path; first != part.Path {
		shown.Trace = first
	}
	return shown
}

// timer times one request in so many: from the end of the one before to its own.
type timer struct {
	service *hdrhistogram.Histogram
	n       int
	begin   time.Time
}

// around returns f with the times of requests taken.
func (t *timer) around(f func(uint32, []byte, uint32, ks.Status, bool)) func(uint32, []byte, uint32, ks.Status, bool) {
	return func(code uint32, in []byte, n uint32, status ks.Status, differs bool) {
		if !t.begin.IsZero() {
			report.Record(t.service, time.Since(t.begin).Nanoseconds())
			t.begin = time.Time{}
		}
		f(code, in, n, status, differs)
		if t.n++; t.n%every == 0 {
			t.begin = time.Now()
		}
	}
}

// clockOf is how long two readings of the clock take with nothing between them.
func clockOf() *hdrhistogram.Histogram {
	h := report.NewHistogram()
	for range 1000 {
		begin := time.Now()
		report.Record(h, time.Since(begin).Nanoseconds())
	}
	return h
}

// alone does a job without a pipeline: what one process does, and what the pipeline must come to.
func alone(ctx context.Context, job *Job, names []string, done func(*Work)) (*Total, error) {
	t, traces := new(Total), make(map[string][]Part)
	for _, name := range names {
		id, part, err := inspect(ctx, name)
		switch {
		case err != nil && faulty(err):
			t.Faults = append(t.Faults, Fault{err.Error()})
			continue
		case err != nil:
			return nil, err
		}
		traces[id] = append(traces[id], part)
	}
	ids := make([]string, 0, len(traces))
	for id, parts := range traces {
		slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Path, b.Path) })
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(traces[a][0].Path, traces[b][0].Path) })
	targets, err := job.targets()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		works, fault, err := plan(ctx, job, traces[id])
		if err != nil {
			return nil, err
		}
		if fault != nil {
			t.Faults = append(t.Faults, *fault)
		}
		for i := range works {
			more, err := do(ctx, job, targets[works[i].Point], &works[i])
			if err != nil {
				return nil, err
			}
			t.add(more, job.Differences)
			done(&works[i])
		}
	}
	return t, nil
}

// plan divides the work on a trace, or says what is wrong with it.
func plan(ctx context.Context, job *Job, parts []Part) ([]Work, *Fault, error) {
	if err := assemble(parts); err != nil {
		return nil, &Fault{err.Error()}, nil
	}
	works, err := divide(ctx, job, parts)
	if err != nil && faulty(err) {
		return nil, &Fault{err.Error()}, nil
	}
	return works, nil, err
}

// targets are those of the points.
func (j *Job) targets() ([]*traffic.Target, error) {
	list := make([]*traffic.Target, len(j.Points))
	for i := range j.Points {
		if j.Kind == Mine {
			continue
		}
		var err error
		if list[i], err = j.Points[i].target(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(j.Points[:i], func(p Point) bool { return p.Name == j.Points[i].Name }) {
			return nil, fmt.Errorf("%s: is there twice", j.Points[i].Name)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("there is no point")
	}
	return list, nil
}
