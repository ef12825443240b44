package trace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// ReplayOptions says how to replay. The zero value sends everything in order from one goroutine, as fast as it can, and compares
// nothing. Where nobody takes the answers, without Speed, Verify and Answered, requests of a handle that follow each other are sent as
// batches (device.Handle.PropertyBatch): another dispatcher that a handler puts in place by a swap answers from the next batch on.
type ReplayOptions struct {
	// Goroutines is how many send; 0 is 1. One sends all requests in the order in which they began. Of several, each has some of the
	// handles that were opened, with what was created on them: their order is kept, that of handles of different goroutines is not.
	Goroutines int
	// Speed is how many times as fast as it was recorded the trace is replayed; 0 is as fast as possible.
	Speed float64
	// Verify compares each answer with that of the recording.
	Verify bool
	// Differences is how many of the first differences are kept; 0 is 10.
	Differences int
	// MaxOut is the longest output buffer that is made, in bytes; 0 is 64 MiB. A request with a longer one is not sent, and differs.
	MaxOut uint32
	// Pends completes requests that the recording has as pended, where and as they were completed there. Its Wrap is around the handlers
	// of the devices. Without it such requests wait for whoever completes them in the devices.
	Pends *Pends
	// Answered is called with each request that was sent and how it was answered, on the goroutine that sent it; differs is false without
	// Verify. in is valid during the call, and not to be changed.
	Answered func(code uint32, in []byte, n uint32, status ks.Status, differs bool)
}

// Result is what came of a replay.
type Result struct {
	Requests    uint64       // that were sent
	Differences uint64       // that there are; 0 without Verify
	First       []Difference // the first of them, in the order of the recording
	Elapsed     time.Duration
}

// Difference is a request, or something else that the recording has, whose answer was another.
type Difference struct {
	Record      Record // with bytes of its own
	Object      string // that the handle was opened on, or what was created on it
	Status      ks.Status
	Information uint64
	Digest      uint64
	Rule        string // that decided, of a request or a create; see device.Handle.Rule
	Output      []byte // what was answered, up to 64 bytes
	Why         string // it was not sent; "" if it was
}

// Opener returns the device that stands for a recorded one. It is called once for each device of a trace, with the name that its first
// handle was opened by and the number of the device, from 1.
type Opener func(object string, number uint32) (*device.Device, error)

// Replay sends what r has recorded to devices. Handles that the recording leaves open are closed at the end.
//
// The error is that of r or open, or of ctx: then the handles are closed, which ends what is pended. Differences are no error.
func Replay(ctx context.Context, r *Reader, open Opener, opt ReplayOptions) (*Result, error) {
	p := &replay{reader: r, options: opt, open: open, devices: make(map[uint32]*device.Device), handles: make([]*played, len(r.opened))}
	if p.options.Differences == 0 {
		p.options.Differences = 10
	}
	if p.options.MaxOut == 0 {
		p.options.MaxOut = 64 << 20
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, p.close)()
	p.start = time.Now()
	var all sync.WaitGroup
	for _, part := range p.divide(max(opt.Goroutines, 1)) {
		all.Go(func() {
			if err := part.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	elapsed := time.Since(p.start)
	p.close()
	slices.SortFunc(p.first, func(a, b Difference) int { return cmp.Compare(a.Record.Order, b.Record.Order) })
	res := &Result{Requests: p.requests.Load(), Differences: p.differences.Load(), First: p.first, Elapsed: elapsed}
	if err := context.Cause(ctx); err != nil {
		return res, err
	}
	return res, nil
}

// replay is what the goroutines of a replay have in common.
type replay struct {
	reader  *Reader
	options ReplayOptions
	open    Opener
	start   time.Time

	requests, differences atomic.Uint64

	mu      sync.Mutex
	devices map[uint32]*device.Device
	handles []*played // by index of Reader.opened; nil for one that is not open. Each belongs to one goroutine
	closing bool
	first   []Difference
}

// played is a handle that stands for a recorded one.
type played struct {
	inner   *device.Handle
	lanes   *device.OverlappedHandle // of a lane, and of a handle that has some
	parent  *played                  // of a lane
	kernel  Flags
	events  map[uint64][]byte // KSEVENTDATA by the address that it had
	sending *pending          // the one that a handler has, on the handle or a lane of it
}

// setMode sets the requestor mode of later requests.
func (h *played) setMode(rec *Record) {
	if h.kernel == rec.Flags&FlagKernel && h.parent == nil {
		return
	}
	h.kernel = rec.Flags & FlagKernel
	if h.parent != nil {
		h.lanes.SetMode(rec.Mode()) // of all lanes
	} else {
		h.inner.SetMode(rec.Mode())
	}
}

// send sends a request, and waits for it.
func (h *played) send(rec *Record, in, out []byte) (n uint32, status ks.Status) {
	if h.parent != nil {
		return h.lanes.IoControl(nil, rec.Code, in, out)
	}
	return h.inner.IoControl(rec.Code, in, out)
}

// owner is the handle whose file object has the requests.
func (h *played) owner() *played {
	if h.parent != nil {
		return h.parent
	}
	return h
}

// divide divides the handles among n goroutines. A handle stays with that on which it was created.
func (p *replay) divide(n int) []*player {
	r := p.reader
	families := make(map[uint32]*player)
	load := make(map[uint32]int)
	root := make([]uint32, len(r.opened))
	var roots []uint32
	for i, o := range r.opened {
		for root[i] = o.Handle; o.Parent != 0; root[i] = o.Handle {
			o = r.opened[r.indexOf(o.Parent)]
		}
		if r.opened[i].Parent == 0 {
			roots = append(roots, o.Handle)
		}
		load[root[i]] += 1 + r.opened[i].Blocks
	}
	slices.SortStableFunc(roots, func(a, b uint32) int { return cmp.Compare(load[b], load[a]) })
	players := make([]*player, max(min(n, len(roots)), 1))
	for i := range players {
		players[i] = &player{replay: p, out: make([]byte, 4<<10)}
	}
	for _, h := range roots {
		least := slices.MinFunc(players, func(a, b *player) int { return cmp.Compare(a.load, b.load) })
		least.load += load[h]
		families[h] = least
	}
	for i := range r.opened {
		of := families[root[i]]
		of.opened = append(of.opened, i)
	}
	first := make(map[uint32]*player) // of each device
	for i, o := range r.opened {
		if first[o.Device] == nil {
			first[o.Device] = families[root[i]]
		}
	}
	for _, rec := range r.control {
		of := first[rec.Parent] // of an event
		if rec.Kind != KindGenerate {
			i := rec.opened
			if rec.Kind == KindCreate {
				i = r.indexOf(rec.Parent)
			}
			if i < 0 {
				continue // a refused create on a handle that is not known, or a close of it
			}
			of = families[root[i]]
		}
		if of != nil {
			of.control = append(of.control, rec)
		}
	}
	return players
}

// device returns the device of a number, or nil if nobody opened it yet.
func (p *replay) device(number uint32) *device.Device {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.devices[number]
}

// make returns the device of a number, which is opened by a name.
func (p *replay) make(object string, number uint32) (*device.Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if dev := p.devices[number]; dev != nil {
		return dev, nil
	}
	dev, err := p.open(object, number)
	if err == nil && dev == nil {
		err = errors.New("there is no device")
	}
	if err != nil {
		return nil, fmt.Errorf("trace: object %q: %w", object, err)
	}
	p.devices[number] = dev
	return dev, nil
}

// add makes a handle that of a recorded one, unless the replay is being closed.
func (p *replay) add(i int, h *played) {
	p.mu.Lock()
	p.handles[i] = h
	closing := p.closing
	p.mu.Unlock()
	if pends := p.options.Pends; pends != nil && h.parent == nil {
		pends.watch(h.inner.File(), h.left)
	}
	if closing {
		_ = h.inner.Close()
	}
}

// close closes all handles, which ends what is in flight.
func (p *replay) close() {
	p.mu.Lock()
	p.closing = true
	handles := slices.Clone(p.handles)
	p.mu.Unlock()
	for _, h := range slices.Backward(handles) {
		if h == nil {
			continue
		}
		_ = h.inner.Close()
		if pends := p.options.Pends; pends != nil {
			pends.forget(h.inner.File())
		}
	}
}

// differ notes a difference.
func (p *replay) differ(d Difference, opened int) {
	p.differences.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	i := len(p.first)
	if i == p.options.Differences {
		latest := slices.MaxFunc(p.first, func(a, b Difference) int { return cmp.Compare(a.Record.Order, b.Record.Order) })
		if latest.Record.Order < d.Record.Order {
			return
		}
		i = slices.IndexFunc(p.first, func(x Difference) bool { return x.Record.Order == latest.Record.Order })
		p.first = slices.Delete(p.first, i, i+1)
	}
	d.Record = d.Record.clone()
	d.Output = slices.Clone(d.Output[:min(len(d.Output), 64)])
	d.Object = p.reader.nameOf(opened)
	p.first = append(p.first, d)
}

// nameOf is the object of a handle, or what that is created on.
func (r *Reader) nameOf(opened int) string {
	for opened >= 0 {
		o := &r.opened[opened]
		if o.Parent == 0 {
			return o.Object
		}
		opened = r.indexOf(o.Parent)
	}
	return ""
}

// clone is a record with bytes of its own.
func (r *Record) clone() Record {
	c := *r
	c.In, c.Out = slices.Clone(r.In), slices.Clone(r.Out)
	return c
}
