package model

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Arm is a cancel routine.
type Arm uint8

const (
	Unarmed   Arm = iota // there is none
	Completes            // completes the request with STATUS_CANCELLED
	Keeps                // leaves the request to somebody who completes it later
)

// AsyncOp is one step of a script about pended requests and queues of them. Requests, queues and files have numbers.
type AsyncOp struct {
	Verb        AsyncVerb
	Request     int
	Queue, To   int // To: where Move moves
	File        int
	Arm         Arm // that Send, SetRoutine and Release set
	Queued      bool
	First       bool      // Send: Cancel is called before the handler arms the request
	Tail        bool      // the end of the queue
	Only        bool      // Take: acquire, and leave it in the queue
	Single      bool      // Take: look at one alone
	Status      ks.Status // that Send's handler returns, or Complete's
	Information uint64
	Moves       []ks.Status // what Move's callback says of each request, and of none
	Elsewhere   bool        // the step is another goroutine's
	Within      AsyncVerb   // what Send's handler does with its own request before it returns: Send, Finish, Cancel, Abort, Close, or nothing
}

// AsyncVerb says what a step does.
type AsyncVerb uint8

const (
	Send       AsyncVerb = iota // a handler arms its request and returns Status
	Finish                      // Complete, by whoever has the request or not
	Cancel                      // IoCancelIrp
	SetRoutine                  // IoSetCancelRoutine
	Take                        // KsRemoveIrpFromCancelableQueue
	Release                     // KsReleaseIrpOnCancelableQueue
	RemoveOne                   // KsRemoveSpecificIrpFromCancelableQueue
	CancelFile                  // KsCancelIo for one file
	CancelAll                   // KsCancelIo
	Move                        // KsMoveIrpsOnCancelableQueue
	Abort                       // cleanup: ends what is pended, and what pends later
	Close                       // of the handle; once more, if it has closed, opens another in its place
	asyncVerbs
)

// AsyncVerbs is how many verbs there are.
const AsyncVerbs = int(asyncVerbs)

// AsyncOutcome is what a step comes to: a number or truth that the call returns, and the requests that end.
type AsyncOutcome struct {
	Value int64
	Asked []int // by Move's callback
	Inner int64 // the Value of Within
	Ended []Ended
	Freed []int // requests whose handles have closed: nothing is in flight on them
}

// Ended is a request that ended, with what its caller gets.
type Ended struct {
	Request     int
	Status      ks.Status
	Information uint64
}

// Async is requests, each with an IRP of its own that serves one after another, and queues. Request n is of file n%3 and has
// AsyncOut(n) bytes of output.
type Async struct {
	requests []asyncIRP
	queues   [][]int
	ended    []Ended
}

type asyncIRP struct {
	live, cancelled, aborted bool
	running                  bool // its handler has not returned
	closed, freed            bool
	cancelable               bool // it has had a routine
	arm                      Arm
	acquired                 bool
}

// AsyncOut is how many bytes of output a request has.
func AsyncOut(request int) uint32 { return uint32(request%2) * 8 }

// NewAsync returns a model of idle requests and empty queues.
func NewAsync(requests, queues int) *Async {
	return &Async{requests: make([]asyncIRP, requests), queues: make([][]int, queues)}
}

// Len returns how many requests are in a queue.
func (a *Async) Len(queue int) int { return len(a.queues[queue]) }

// Do does one step.
func (a *Async) Do(op AsyncOp) (o AsyncOutcome) {
	a.ended = nil
	x := &a.requests[op.Request]
	switch op.Verb {
	case Send:
		var status ks.Status
		status, o.Inner = a.send(op, x)
		o.Value = int64(status)
	case Finish:
		o.Value = truth(x.live && op.Status != ks.StatusPending)
		if o.Value != 0 {
			a.end(op.Request, op.Status, op.Information)
		}
	case Cancel:
		o.Value = truth(a.cancel(op.Request))
	case SetRoutine:
		if x.live { // AS-7
			o.Value, x.arm = int64(x.arm), op.Arm
			x.cancelable = x.cancelable || op.Arm != Unarmed
		}
	case Take:
		o.Value = int64(a.take(op))
	case Release: // AS-13
		if x.live && slices.Contains(a.queues[op.Queue], op.Request) && x.acquired {
			x.acquired, x.arm, x.cancelable = false, max(op.Arm, Completes), true
			if x.cancelled {
				a.cancel(op.Request)
			}
		}
	case RemoveOne:
		if x.live && slices.Contains(a.queues[op.Queue], op.Request) && (x.acquired || x.arm != Unarmed) {
			x.arm, o.Value = Unarmed, 1
			a.unlink(op.Request)
		}
	case CancelFile, CancelAll: // AS-14
		for _, n := range slices.Clone(a.queues[op.Queue]) {
			if op.Verb == CancelAll || n%3 == op.File {
				o.Value += truth(a.cancel(n))
			}
		}
	case Move:
		o.Value, o.Asked = a.move(op)
	case Abort:
		if x.aborted = true; x.live {
			a.abort(op.Request)
		}
	case Close:
		if x.freed {
			*x = asyncIRP{}
			break
		}
		if x.closed {
			break
		}
		if x.closed, x.aborted = true, true; x.live {
			a.abort(op.Request)
		}
		o.Value = truth(!x.live)
	}
	o.Ended = a.ended
	for n := range a.requests {
		if x := &a.requests[n]; x.closed && !x.live && !x.freed {
			x.freed = true
			o.Freed = append(o.Freed, n)
		}
	}
	return o
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// send is a handler that arms its request and returns, and what comes of it: AS-1, AS-9, AS-25.
func (a *Async) send(op AsyncOp, x *asyncIRP) (status ks.Status, inner int64) {
	switch {
	case x.live:
		return ks.StatusDeviceBusy, 0 // S-15
	case x.closed:
		return ks.StatusInvalidHandle, 0
	}
	*x = asyncIRP{live: true, running: true, cancelled: op.First, aborted: x.aborted}
	if op.Arm != Unarmed {
		x.arm, x.cancelable = op.Arm, true
		if op.Queued { // AS-11
			a.insert(op.Queue, op.Request, op.Tail)
			if op.First {
				a.cancel(op.Request)
			}
		}
	}
	inner = a.within(op, x)
	x.running = false
	switch {
	case !x.live: // completed, so it was pended (AS-1)
	case op.Status != ks.StatusPending:
		a.unlink(op.Request)
		x.live = false
		return op.Status, inner
	case x.aborted:
		a.abort(op.Request)
	case x.cancelled:
		a.cancel(op.Request)
	}
	return ks.StatusPending, inner
}

// within is what a handler does with its own request, which may have ended meanwhile but keeps its IRP.
func (a *Async) within(op AsyncOp, x *asyncIRP) (value int64) {
	switch op.Within {
	case Send:
		return int64(ks.StatusDeviceBusy) // S-15
	case Cancel:
		return truth(a.cancel(op.Request))
	case Finish:
		if value = truth(x.live); x.live {
			a.end(op.Request, op.Moves[0], op.Information)
		}
	case Abort, Close:
		x.aborted, x.closed = true, op.Within == Close
		if x.live {
			a.abort(op.Request)
		}
	}
	return value
}

// cancel is AS-6 and AS-8: it marks the request, and runs its routine if it has one.
func (a *Async) cancel(n int) bool {
	x := &a.requests[n]
	if !x.live {
		return false
	}
	x.cancelled = true
	arm := x.arm
	if arm == Unarmed {
		return false
	}
	x.arm = Unarmed
	a.unlink(n) // AS-15
	if arm == Completes {
		a.end(n, ks.StatusCancelled, 0)
	}
	return true
}

// abort is AS-24: a request that never had a routine is ended, any other is cancelled, or its owner's.
func (a *Async) abort(n int) {
	if !a.cancel(n) && !a.requests[n].cancelable && !a.requests[n].running {
		a.end(n, ks.StatusCancelled, 0)
	}
}

// end completes a request (AS-2, AS-3).
func (a *Async) end(n int, status ks.Status, info uint64) {
	a.unlink(n)
	a.requests[n].live, a.requests[n].arm = false, Unarmed
	x := ended(&Request{Status: status, Information: info}, true, AsyncOut(n))
	a.ended = append(a.ended, Ended{Request: n, Status: x.status, Information: x.info})
}

func (a *Async) insert(queue, n int, tail bool) {
	if tail {
		a.queues[queue] = append(a.queues[queue], n)
	} else {
		a.queues[queue] = slices.Insert(a.queues[queue], 0, n)
	}
}

func (a *Async) unlink(n int) {
	for q := range a.queues {
		a.queues[q] = slices.DeleteFunc(a.queues[q], func(m int) bool { return m == n })
	}
	a.requests[n].acquired = false
}

// from is a queue as it is seen from an end.
func (a *Async) from(queue int, tail bool) []int {
	list := slices.Clone(a.queues[queue])
	if tail {
		slices.Reverse(list)
	}
	return list
}

// take is AS-12; -1 is none.
func (a *Async) take(op AsyncOp) int {
	for _, n := range a.from(op.Queue, op.Tail) {
		if x := &a.requests[n]; x.arm != Unarmed {
			x.arm = Unarmed
			if op.Only {
				x.acquired = true
			} else {
				a.unlink(n)
			}
			return n
		}
		if op.Single {
			break
		}
	}
	return -1
}

// move is AS-16.
func (a *Async) move(op AsyncOp) (value int64, asked []int) {
	for _, n := range a.from(op.Queue, op.Tail) {
		asked = append(asked, n)
		switch status := op.Moves[n]; status {
		case ks.StatusSuccess:
			acquired := a.requests[n].acquired
			a.unlink(n)
			a.insert(op.To, n, !op.Tail)
			a.requests[n].acquired = acquired
		case ks.StatusNoMatch:
		default:
			return int64(status), asked
		}
	}
	asked = append(asked, -1)
	if last := op.Moves[len(a.requests)]; last != ks.StatusNoMatch {
		return int64(last), asked
	}
	return 0, asked
}
