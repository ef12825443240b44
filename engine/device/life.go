package device

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// life is how a device lives and dies: which handles it has, and whether requests are dispatched.
type life struct {
	mu      sync.Mutex
	phase   phase
	open    map[*Handle]struct{}
	held    []*holding // in the order in which they came; some are gone
	maxHeld int
	lost    func() // OnRemove
}

type phase int

const (
	running  phase = iota
	stopped        // requests are held (AS-36)
	deleting       // requests are refused, and what is in flight ends in its time (AS-35)
	removed        // requests are refused, and what is in flight was ended (AS-34)
)

// refusal is what requests, opens and creates are answered with in a phase.
func (p phase) refusal() ks.Status {
	switch p {
	case deleting:
		return ks.StatusDeletePending
	case removed:
		return ks.StatusDeviceRemoved
	}
	return ks.StatusSuccess
}

// refusal is what creates on a handle are answered with.
func (h *Handle) refusal() ks.Status {
	l := &h.device.life
	l.mu.Lock()
	status := l.refusal(h)
	l.mu.Unlock()
	if o := h.object; o != nil {
		switch status {
		case ks.StatusDeletePending:
			o.decide(&ruleAS35, status)
		case ks.StatusDeviceRemoved:
			o.decide(&ruleAS34, status)
		}
	}
	return status
}

// refusal is what requests of a handle are answered with.
func (l *life) refusal(h *Handle) ks.Status {
	if status := l.phase.refusal(); status != ks.StatusSuccess || !h.gone {
		return status
	}
	return ks.StatusDeviceRemoved
}

// holding is a request that is held.
type holding struct {
	over atomic.Bool
	done func(ks.Status) // starts it, for STATUS_SUCCESS, or ends it with another status
}

// end calls done, once.
func (x *holding) end(status ks.Status) bool {
	if !x.over.CompareAndSwap(false, true) {
		return false
	}
	x.done(status)
	return true
}

// DefaultHeld is how many requests a device that is stopped holds if SetHold says nothing else.
const DefaultHeld = 1 << 16

// SetHold bounds how many requests the device holds while it is stopped; more than n get STATUS_INSUFFICIENT_RESOURCES (S-37). With
// 0 the device has no queue for them, and while it is stopped requests get STATUS_DEVICE_NOT_READY.
func (dev *Device) SetHold(n int) {
	dev.life.mu.Lock()
	defer dev.life.mu.Unlock()
	dev.life.maxHeld = n
}

// hold queues a request that comes while the device is stopped. STATUS_SUCCESS is that it is not, STATUS_PENDING that the request is
// held, and others are answers.
func (l *life) hold(h *Handle, x *holding) ks.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.phase != stopped || h.gone:
		return l.refusal(h)
	case l.maxHeld <= 0:
		return ks.StatusDeviceNotReady
	case len(l.held) >= l.maxHeld:
		kept := l.held[:0]
		for _, x := range l.held {
			if !x.over.Load() {
				kept = append(kept, x)
			}
		}
		clear(l.held[len(kept):])
		if l.held = kept; len(kept) >= l.maxHeld {
			return ks.StatusInsufficientResources
		}
	}
	l.held = append(l.held, x)
	return ks.StatusPending
}

// add makes h one of the handles, unless none are opened any more.
func (l *life) add(h *Handle) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if status := l.phase.refusal(); status != ks.StatusSuccess {
		return fmt.Errorf("device: it cannot be opened: %v", status)
	}
	if l.open == nil {
		l.open = make(map[*Handle]struct{})
	}
	l.open[h] = struct{}{}
	h.irp.SetGate(h.gated)
	if l.phase != running {
		h.irp.Gate(true)
	}
	return nil
}

func (l *life) drop(h *Handle) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, h)
}

// enter goes to a phase, unless the present one is as late, and returns the handles that there are and what is to be told.
func (l *life) enter(to phase) (handles []*Handle, held []*holding, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase >= to {
		return nil, nil, false
	}
	l.phase = to
	if to != stopped {
		held, l.held = l.held, nil
	}
	for h := range l.open {
		handles = append(handles, h)
		h.irp.Gate(true)
		if a := h.overlapped.Load(); a != nil {
			bits := uint32(gatePhase)
			if to == removed {
				bits |= gateGone
			}
			a.gate.Or(bits)
		}
	}
	return handles, held, true
}

// idle waits until none of the handles has a request in flight, but for those that are held.
func idle(ctx context.Context, handles []*Handle) error {
	if engine.InsideHandler() {
		return errors.New("device: a handler cannot wait for the end of requests, as its own is one")
	}
	for _, h := range handles {
		if err := await(ctx, h.inFlight); err != nil {
			return err
		}
	}
	return nil
}

// await waits while something is busy, unless ctx ends first.
func await(ctx context.Context, busy func() bool) error {
	for pause := time.Duration(0); busy(); pause = min(pause+10*time.Microsecond, time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return nil
}

// Remove is the surprise removal of the device, as when it is unplugged (AS-34). It ends pended and held requests of all handles
// with STATUS_CANCELLED, and so it ends a request that a running handler leaves pending. Later requests, opens and creates get
// STATUS_DEVICE_REMOVED, before every other check; handles can still be closed. Then the hook of OnRemove is told. Remove may be called
// from anywhere, and waits for no handler. The first call counts.
func (dev *Device) Remove() {
	handles, held, ok := dev.life.enter(removed)
	if !ok {
		return
	}
	all(
		func() { each(held, func(x *holding) { x.end(ks.StatusCancelled) }) },
		func() { each(handles, (*Handle).abort) },
		func() {
			dev.life.mu.Lock()
			lost := dev.life.lost
			dev.life.mu.Unlock()
			if lost != nil {
				lost()
			}
		})
}

// each calls f for all of a list, also if one of the callbacks that f calls, such as a cancel routine, ends the goroutine or panics.
func each[T any](list []T, f func(T)) {
	for i, x := range list {
		if !returns(func() { f(x) }, func() { each(list[i+1:], f) }) {
			return
		}
	}
}

// all is each for calls.
func all(calls ...func()) { each(calls, func(f func()) { f() }) }

// returns reports that f has returned. If it does not, rest is called as it unwinds.
func returns(f, rest func()) (returned bool) {
	defer func() {
		if !returned {
			rest()
		}
	}()
	f()
	return true
}

// OnRemove has lost called once by Remove, on its goroutine, when requests are refused and what was pended has ended; nil removes the hook.
// The handles are still open and their events enabled, so that a camera generates KSEVENT_DEVICE_LOST there (AS-34). The hooks for
// cleanup and close come later, as handles are closed.
func (dev *Device) OnRemove(lost func()) {
	dev.life.mu.Lock()
	defer dev.life.mu.Unlock()
	dev.life.lost = lost
}

// abort ends what is pended on a handle, or will be, and what its pin has queued, whichever IRPs those are.
func (h *Handle) abort() {
	all(
		func() {
			if p := h.Pin(); p != nil {
				p.lost.Store(true)
				p.requests.CancelAll()
			}
		},
		func() { h.cancelHeld() },
		h.irp.Abort,
		func() {
			if a := h.overlapped.Load(); a != nil {
				a.abort(a.all())
			}
		})
}

// Shutdown is the orderly removal of the device (AS-35). Held requests, and requests, opens and creates from now on, get
// STATUS_DELETE_PENDING, and Shutdown waits until all requests in flight have ended. The handles still have to be closed. If ctx
// ends first, Remove ends the remaining requests and Shutdown returns the error of ctx. Inside a handler it does not wait, and
// returns an error.
func (dev *Device) Shutdown(ctx context.Context) error {
	handles, held, ok := dev.life.enter(deleting)
	if !ok {
		handles = dev.life.handles()
	}
	each(held, func(x *holding) { x.end(ks.StatusDeletePending) })
	return idle(ctx, handles)
}

// strand refuses the requests of a handle from now on, as what it is open on is gone.
func (l *life) strand(h *Handle) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.gone = true
	h.irp.Gate(true)
	if a := h.overlapped.Load(); a != nil {
		a.gate.Or(gateGone)
	}
}

func (l *life) handles() (all []*Handle) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for h := range l.open {
		all = append(all, h)
	}
	return all
}

// Stop stops the device, to give it other resources: IRP_MN_STOP_DEVICE (AS-36). It waits until the requests in flight have ended.
// Requests from now on are held until Start, in order: on overlapped handles they pend, on others their senders wait. Handles can
// be opened and closed, and held requests can be cancelled. If ctx ends first, the device goes on as if it had been started, and
// Stop returns the error of ctx. It also returns an error if the device is not running.
func (dev *Device) Stop(ctx context.Context) error {
	handles, _, ok := dev.life.enter(stopped)
	if !ok {
		return errors.New("device: it is not running")
	}
	if err := idle(ctx, handles); err != nil {
		dev.Start()
		return err
	}
	return nil
}

// Start starts a device that was stopped: this goroutine dispatches the held requests in the order in which they came. Start does
// nothing on a device that is not stopped. A device that cannot be started again has to be removed: call Remove.
func (dev *Device) Start() {
	l := &dev.life
	start := func() {
		l.mu.Lock()
		held := l.held
		l.held = nil
		l.mu.Unlock()
		each(held, func(x *holding) { x.end(ks.StatusSuccess) })
	}
	all(
		start, // what comes meanwhile queues up behind it
		func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.phase == stopped {
				l.phase = running
				for h := range l.open {
					h.irp.Gate(h.gone)
					if a := h.overlapped.Load(); a != nil {
						a.gate.And(^uint32(gatePhase))
					}
				}
			}
		},
		start)
}

// pass lets the requests of a handle through, now that one that was held is started.
func (l *life) pass(h *Handle) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase <= stopped && !h.gone {
		h.irp.Gate(false)
	}
}

// gated is asked by requests of a handle that come while its device is not running: who answers, or with what status.
func (h *Handle) gated() (*engine.Dispatcher, ks.Status) {
	result := make(chan ks.Status, 1)
	x := &holding{done: func(status ks.Status) {
		if status == ks.StatusSuccess {
			h.device.life.pass(h)
		}
		result <- status
	}}
	if !h.holding.CompareAndSwap(nil, x) {
		return nil, ks.StatusDeviceBusy // S-15
	}
	defer h.holding.Store(nil)
	status := h.device.life.hold(h, x)
	if status == ks.StatusPending {
		if h.closing.Load() {
			x.end(ks.StatusCancelled)
		}
		status = <-result
	}
	if status != ks.StatusSuccess {
		return nil, status
	}
	return h.Dispatcher(), status
}

// inFlight reports that a request is in flight on the handle, and not held.
func (h *Handle) inFlight() bool {
	if h.irp.Busy() {
		return true
	}
	if a := h.overlapped.Load(); a != nil {
		for _, o := range a.all() {
			if r := o.req.Load(); a.inFlight(o) && r.holding.Load() == nil {
				return true
			}
		}
	}
	return false
}

// Cancel requests the end of the requests that are in flight on the handle, and returns their number: CancelIoEx. A request that
// its driver holds as cancelable, or that a stopped device holds, ends with STATUS_CANCELLED; any other ends as its driver decides
// (AS-8, AS-18). Cancel waits for nothing and may be called from any goroutine.
//
// https://learn.microsoft.com/windows-hardware/drivers/kernel/canceling-irps
func (h *Handle) Cancel() (n int) {
	all(
		func() { n = h.cancelOne() },
		func() {
			if a := h.overlapped.Load(); a != nil {
				n += a.cancelEach(anyThread)
			}
		})
	return n
}

// cancelOne is Cancel for the request that IoControl waits for.
func (h *Handle) cancelOne() int {
	if h.cancelHeld() || h.irp.CancelIo() || h.cancelHeld() {
		return 1
	}
	return 0 // there is none, or it is on its way from its IRP to where it is held
}

// cancelHeld ends a request that is held.
func (h *Handle) cancelHeld() bool {
	return cancelHeld(&h.holding)
}

// cancelHeld ends the request that is held there, if one is.
func cancelHeld(at *atomic.Pointer[holding]) bool {
	x := at.Load()
	return x != nil && x.end(ks.StatusCancelled)
}

// IoControlContext is IoControl for a request that is cancelled when ctx ends, as by Cancel: if the request is pended and
// cancelable, its status is ks.StatusCancelled. IoControlContext waits for a request that is not cancelable. If ctx has already
// ended, it sends no request.
func (h *Handle) IoControlContext(ctx context.Context, code uint32, in, out []byte) (n uint32, status ks.Status) {
	if ctx.Err() != nil {
		return 0, ks.StatusCancelled
	}
	var answered atomic.Bool // or it will never be: a panic, or runtime.Goexit, comes by
	gone := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(gone)
		for !answered.Load() && h.cancelOne() == 0 { // it may not have been dispatched yet
			time.Sleep(10 * time.Microsecond)
		}
	})
	defer func() {
		answered.Store(true)
		if !stop() {
			<-gone // it must not meet the next request
		}
	}()
	return h.IoControl(code, in, out)
}
