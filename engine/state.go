package engine

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The state of an IRP says who has it: nobody, the dispatcher and the handler that it called, whoever the handler handed it to, or
// the one that completes it. Only the goroutine that sends the request writes it while it is in none but that one's hands, with
// plain stores; from stateOpen on others write it too, with compare and swap, so that one completion of several counts (AS-2).
const (
	stateEntered    = 1 << iota // IoControl has the request: another is refused (S-15)
	stateServed                 // IoControl waits for the request if it is pended, and finishes it: nobody else does
	stateLaid                   // SystemBuffer is laid out (P-15)
	stateOpen                   // a handler has the request, or whoever it handed it to: a completion counts
	statePended                 // the handler returned STATUS_PENDING and IoControl waits
	stateNested                 // a request of P-43 is pended
	stateCompleting             // somebody completes the request
	stateCompleted              // it is completed, and not finished yet
	stateClosing                // Close was called inside the handler
	stateLong                   // the request takes the long path, on which others may write the state before stateOpen too
	stateCancel                 // Cancel was called
	stateCancelable             // the request has, or has had, a cancel routine
	stateLocked                 // somebody exchanges the cancel routine or the queue

	// oneHold is what each one adds who holds the request (cancel.go).
	oneHold = 1 << 16

	// stateShort is that of a request on the short path while its handler has it.
	stateShort = stateEntered | stateServed | stateLaid | stateOpen
)

// loadState and setState are for the goroutine that sends the request. Where the race detector or a checked build looks on they
// are atomic; else they are plain, which costs nothing: Close makes up for it with fence.
func (irp *IRP) loadState() uint32 {
	if invariants.Enabled {
		return atomic.LoadUint32(&irp.state)
	}
	return irp.state
}

func (irp *IRP) setState(s uint32) {
	if invariants.Enabled {
		atomic.StoreUint32(&irp.state, s)
	} else {
		irp.state = s
	}
}

// open lets a completion count from now on: a handler is about to get the request, unless it is one that was completed.
func (irp *IRP) open() {
	if s := irp.loadState(); s&(stateOpen|stateCompleting|stateCompleted) == 0 {
		irp.ending.begin()
		irp.mark(s, stateOpen)
	}
}

// mark adds a bit to the state s of a request that nobody can complete yet. Cancel may change that of one on the long path.
func (irp *IRP) mark(s, bit uint32) {
	if s&stateLong != 0 {
		irp.change(bit, 0)
	} else {
		irp.setState(s | bit)
	}
}

// enterShort is enter on the short path, which has found the IRP idle. It comes before anything is touched that Close ends.
// Checked builds see who else enters.
func (irp *IRP) enterShort() {
	if !invariants.Enabled {
		irp.state = stateEntered | stateServed
	} else if !atomic.CompareAndSwapUint32(&irp.state, 0, stateEntered|stateServed) {
		panic(invariants.Violation("engine: two goroutines send requests on one IRP or Handle at once; " +
			"each belongs to one goroutine at a time (S-15)"))
	}
}

// leaveShort is leave on the short path, for a request that is as its handler got it. A build with the tag invariants sees a
// completion that began since.
func (irp *IRP) leaveShort() {
	if !invariants.Enabled {
		irp.state = 0
	} else if s := atomic.SwapUint32(&irp.state, 0); s&(stateCompleting|stateCompleted) != 0 {
		irp.handedOver().Raise()
	}
}

// change sets and clears bits of a state that others may change meanwhile, and returns the new one.
func (irp *IRP) change(set, reset uint32) uint32 {
	for {
		s := atomic.LoadUint32(&irp.state)
		if next := s&^reset | set; atomic.CompareAndSwapUint32(&irp.state, s, next) {
			return next
		}
	}
}

// enter takes an idle IRP for IoControl, or reports that a request is in flight on it (S-15).
func (irp *IRP) enter() bool {
	s, event := uint32(stateEntered|stateLong), irp.UserEvent
	if x := irp.extra; event == nil && x != nil {
		event = x.event
	}
	if irp.loadState() == 0 && event != nil {
		s |= stateServed
	}
	if !atomic.CompareAndSwapUint32(&irp.state, 0, s) {
		return false
	}
	if irp.UserEvent == nil {
		irp.UserEvent = event
	}
	return true
}

// leave ends the request that IoControl has: the IRP is idle. It closes if a handler asked for that. The result is that the request
// was cancelled.
func (irp *IRP) leave() bool {
	s := atomic.SwapUint32(&irp.state, 0)
	if s&stateClosing != 0 {
		irp.onClose.run()
	}
	return s&stateCancel != 0
}

// settled ends the time in which a completion counts, for a handler that has not left its request pending, and returns the
// status of the request: that of a completion which counted before, as a request that was completed has been pended (AS-1).
// before is the state in which the dispatcher got the IRP. One that IoControl has is settled by finishControl; one that a handler passed
// on is that handler's.
func (irp *IRP) settled(status ks.Status, before uint32) ks.Status {
	if status == ks.StatusPending || before&(stateEntered|stateOpen) != 0 {
		return status
	}
	if !invariants.Enabled && irp.state == stateLaid|stateOpen {
		irp.state = stateLaid
	} else if !irp.shut() {
		irp.handedOver().Raise()
		return ks.StatusPending // its owner is told by Completion or UserEvent
	}
	return status
}

// isCompleted reports that a completion has counted: whatever the handler returns, there is nothing left to answer (AS-1).
func (irp *IRP) isCompleted() bool { return irp.loadState()&(stateCompleting|stateCompleted) != 0 }

// shut ends the time in which a completion counts, and reports that none has.
func (irp *IRP) shut() bool {
	for {
		s := atomic.LoadUint32(&irp.state)
		if s&(stateCompleting|stateCompleted) != 0 {
			return false
		}
		if s&stateOpen == 0 || atomic.CompareAndSwapUint32(&irp.state, s, s&^stateOpen) {
			if s&(stateCancelable|stateLocked) != 0 {
				irp.disarm()
				irp.awaitHolds()
			}
			return true
		}
	}
}

// await waits until the request that its handler left pending is completed, and returns the result. root is the IRP that Close
// closes: irp, or the outer one of a request of P-43.
func (irp *IRP) await(root *IRP) ks.Status {
	irp.latch(^uint32(0))
	x := irp.more()
	irp.change(0, stateLocked)
	if x.completed == nil {
		x.completed = make(chan struct{}, 1)
	}
	for {
		s := atomic.LoadUint32(&irp.state)
		if s&stateOpen == 0 {
			return irp.outcome() // it is being completed by one who saw nobody wait, and wakes nobody
		}
		if atomic.CompareAndSwapUint32(&irp.state, s, s|statePended) {
			break
		}
	}
	irp.cancelEarly(root)
	for !irp.ended() {
		<-x.completed
	}
	return irp.outcome()
}

// ended reports that the request was completed, and that nobody holds it.
func (irp *IRP) ended() bool {
	s := atomic.LoadUint32(&irp.state)
	return s&stateCompleted != 0 && s < oneHold
}

// awaitHolds waits for those who hold a request that its handler has ended.
func (irp *IRP) awaitHolds() {
	for atomic.LoadUint32(&irp.state) >= oneHold {
		runtime.Gosched()
	}
}

// outcome is the result of a request that was completed while IoControl had it.
func (irp *IRP) outcome() ks.Status {
	for !irp.ended() {
		runtime.Gosched() // it is being completed
	}
	irp.IoStatus.Information = irp.information
	return irp.IoStatus.Status
}

// conclude completes the request if its state has the bits of need and none of those of refuse, once (AS-2), with what P-17 and
// P-20 would have made of the result (AS-3).
func (irp *IRP) conclude(need, refuse uint32, status ks.Status, information uint64) bool {
	need |= stateOpen
	s, alone := atomic.LoadUint32(&irp.state), false
	for ; ; s = atomic.LoadUint32(&irp.state) {
		if s&need != need || s&refuse != 0 {
			return false
		}
		next := s&^stateOpen | stateCompleting
		// Nobody waits or looks. A checked build takes the way of the others, on which who comes too late waits for the name of who did not.
		if alone = !invariants.Enabled && irp.detached && s&(stateServed|stateCancelable|stateLocked) == 0 && s < oneHold; alone {
			next = s&^stateOpen | stateCompleted
		}
		if atomic.CompareAndSwapUint32(&irp.state, s, next) {
			break
		}
	}
	irp.ending.note(status)
	if s&(stateCancelable|stateLocked) != 0 {
		irp.disarm()
	}
	l, dir := &irp.layout, irp.layout.dir
	if l.source {
		if dir = methodDirection(irp.MethodType()); irp.index == noItem {
			dir = dataOut // of a control code
		}
	}
	switch {
	case status == ks.StatusSomeNotMapped:
		status, information = ks.StatusNotFound, 0
	case status.IsError():
		information = 0
	case dir&dataOut != 0 && l.out != 0 && information > uint64(l.out):
		status, information = ks.StatusBufferTooSmall, 0
	}
	irp.IoStatus.Status, irp.information = status, information
	if alone {
		irp.IoStatus.Information = information
		irp.extra.ended(irp)
		return true
	}
	completion, waiter := irp.waiting(s)
	if s&stateServed == 0 {
		irp.IoStatus.Information = information
	} else if irp.Completion != nil && !irp.detached { // IoControl finishes the request, whatever else the handler asked for
		counted := false
		func() {
			defer func() { counted = irp.concluded(completion, waiter) }() // also if Completion panics
			irp.Completion(irp)
		}()
		return counted
	}
	return irp.concluded(completion, waiter)
}

// concluded ends the time in which the request is being completed. The sender may not have waited: its handler ended otherwise.
func (irp *IRP) concluded(completion func(*IRP), waiter chan struct{}) bool {
	for s := atomic.LoadUint32(&irp.state); s&stateCompleting != 0; s = atomic.LoadUint32(&irp.state) {
		if atomic.CompareAndSwapUint32(&irp.state, s, s&^stateCompleting|stateCompleted) {
			if s < oneHold {
				irp.tell(completion, waiter)
			}
			return true
		}
	}
	return false
}

// signal wakes who waits on c. It never blocks: one signal is enough, and the state says what it was about.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// The bits of IRP.closed: what was called.
const (
	closedClose = 1 << iota
	closedAbort
	closedGate
	closedKeeps   // nothing was: the IRP keeps its buffer, and may have a tally
	closedCounted // and it has one
)

// isClosed reports that requests are not simply answered: refusal tells more.
func (irp *IRP) isClosed() bool { return atomic.LoadUint32(&irp.closed)&(closedClose|closedGate) != 0 }

// isEnded reports that what is pended on the IRP is to be ended.
func (irp *IRP) isEnded() bool { return atomic.LoadUint32(&irp.closed)&(closedClose|closedAbort) != 0 }

// SetGate has gate asked, while Gate is on, by each request that IoControl is sent on the IRP, before every other check but that of
// Close: for the dispatcher that answers it, or the status that it is refused with. gate may block. It is called on the goroutine
// of IoControl, when no request is in flight on the IRP. Set it before the first request, with UserEvent, which stays what it is then.
func (irp *IRP) SetGate(gate func() (*Dispatcher, ks.Status)) {
	required(gate != nil, "SetGate: gate")
	x := irp.more()
	x.gate, x.event = gate, irp.UserEvent
}

// SetRoute has route asked by each request that the IoControl of a nil Dispatcher is sent on the IRP: for the dispatcher that answers it.
// It is called on the goroutine of IoControl, and names one always. Set it before the first request.
func (irp *IRP) SetRoute(route func() *Dispatcher) {
	required(route != nil, "SetRoute: route")
	irp.more().route = route
}

// Gate turns the gate on and off. Requests that are not in flight when Gate returns ask it. It may be called from any goroutine,
// after SetGate.
func (irp *IRP) Gate(on bool) {
	if !on {
		atomic.AndUint32(&irp.closed, ^uint32(closedGate))
		return
	}
	required(irp.extra != nil && irp.extra.gate != nil, "Gate: the gate of SetGate")
	atomic.OrUint32(&irp.closed, closedGate)
	fence()
}

// Busy reports that a request is in flight on the IRP.
func (irp *IRP) Busy() bool { return atomic.LoadUint32(&irp.state) != 0 }

// refusal is what a request is refused with that comes after Close or while the gate is on, or who answers it all the same.
func (irp *IRP) refusal() (*Dispatcher, ks.Status) {
	if atomic.LoadUint32(&irp.closed)&closedClose != 0 {
		return nil, ks.StatusInvalidHandle
	}
	return irp.extra.gate()
}

// Abort ends with STATUS_CANCELLED what is pended on an IRP that IoControl has, and what a handler leaves pending on it later (AS-25,
// AS-34). It waits for nothing and may be called from any goroutine. Handlers run on, and other requests are answered as ever.
func (irp *IRP) Abort() {
	atomic.OrUint32(&irp.closed, closedAbort)
	irp.end()
}

// closing is what Close leaves behind.
type closing struct {
	release func()
	once    sync.Once
}

// run releases, once. It returns when that is done, whoever does it.
func (c *closing) run() { c.once.Do(c.release) }

// Close ends the use of an IRP by IoControl: a request that IoControl waits for is cancelled, a handler that runs is waited for, and
// what is sent afterwards is STATUS_INVALID_HANDLE. Then release is called, once. A pended request that never had a cancel
// routine is completed with STATUS_CANCELLED there and then. Of one that has, the routine is called, and one whose routine somebody has
// taken is waited for: its owner completes it, and has its memory until then (AS-24, AS-25). Close may be called
// from any goroutine. It reports whether it has called release: not if it was called before, and not inside a handler that
// IoControl called, of this or any other IRP, as that might wait for itself. Then release is called as soon as the request
// that is in flight has ended.
func (irp *IRP) Close(release func()) (released bool) {
	required(release != nil, "Close: release")
	c := &closing{release: func() {
		irp.dropTally()
		release()
	}}
	if atomic.OrUint32(&irp.closed, closedClose)&closedClose != 0 {
		return false
	}
	irp.onClose = c
	ended := false
	defer func() {
		if !ended { // a cancel routine has ended the goroutine
			go irp.closeIdle(c)
		}
	}()
	fence()
	irp.end()
	ended = true
	if atomic.LoadUint32(&irp.state) != 0 && insideRequest() {
		for s := atomic.LoadUint32(&irp.state); s != 0 && !atomic.CompareAndSwapUint32(&irp.state, s, s|stateClosing); {
			s = atomic.LoadUint32(&irp.state)
		}
		go irp.closeIdle(c) // the request in flight is another goroutine's and may have ended without a look at its state
		return false
	}
	irp.closeIdle(c)
	return true
}

// closeIdle waits until no request is in flight and closes. It looks again and again, as a request that ends tells nobody: that
// would be paid for by all requests.
func (irp *IRP) closeIdle(c *closing) {
	for pause := time.Duration(0); atomic.LoadUint32(&irp.state) != 0; pause = min(pause+10*time.Microsecond, time.Millisecond) {
		time.Sleep(pause)
	}
	fence()
	c.run()
}

// senders are the functions below which a handler has an IRP that IoControl, a Ref or a batch sent, or a cancel routine one that does
// not end before it returns.
var senders = []string{"engine.(*Dispatcher).IoControl", "engine.(*Dispatcher).control", "engine.(*IRP).serve", "engine.(*batch).answer",
	"engine.(*IRP).callRoutine"}

// InsideHandler reports that a handler which IoControl called, or a cancel routine, is among the callers of this goroutine: it must not
// wait for requests to end, as its own is one. It walks the stack, which takes microseconds.
func InsideHandler() bool { return insideRequest() }

// insideRequest is InsideHandler.
func insideRequest() bool {
	pcs := make([]uintptr, 64)
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs)
		frames := runtime.CallersFrames(pcs[:n])
		for more := n > 0; more; {
			var f runtime.Frame
			f, more = frames.Next()
			if slices.ContainsFunc(senders, func(name string) bool { return strings.HasSuffix(f.Function, name) }) {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}
