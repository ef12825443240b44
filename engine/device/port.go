package device

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// ErrPortClosed is what Port.Wait returns once the port is closed: ERROR_ABANDONED_WAIT_0.
var ErrPortClosed = errors.New("device: the port is closed")

// Port queues the completed requests of overlapped handles: an I/O completion port (AS-21). It is safe for concurrent use, and serves
// any number of handles. An Overlapped is its own packet, so that queueing takes no memory.
//
// Whoever completes a request posts it with one locked instruction, on a stack, and Wait takes all of that at once.
type Port struct {
	posted  atomic.Pointer[Overlapped] // the newest of the stack; closedPort in the end
	waiting atomic.Int32               // calls of Wait that found nothing
	woken   atomic.Bool                // one of them is being woken
	ready   chan struct{}              // wakes it

	mu          sync.Mutex
	first, last *Overlapped // that were posted, in the order of completion
}

// closedPort is in Port.posted when the port is closed.
var closedPort = new(Overlapped)

// NewPort returns an empty port.
func NewPort() *Port { return &Port{ready: make(chan struct{}, 1)} }

// Wait takes completed requests out of the port, in the order of their completion, and puts as many as it has and as fit into done:
// GetQueuedCompletionStatusEx. If there are none it waits for one. n is at least 1 unless there is an error: that of ctx if it ends
// first, or has already ended when the port is empty, or ErrPortClosed. The Overlappeds in done may be used for other requests.
//
// https://learn.microsoft.com/windows/win32/fileio/getqueuedcompletionstatusex-func
func (p *Port) Wait(ctx context.Context, done []*Overlapped) (n int, err error) {
	if len(done) == 0 {
		return 0, errors.New("device: Port.Wait needs room for at least one Overlapped")
	}
	if n, err = p.take(done); n != 0 || err != nil {
		return n, err
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	for {
		n, err = p.take(done) // what was posted by one who saw nobody wait
		switch {
		case err != nil:
			p.wake() // the others
			return 0, err
		case n != 0:
			return n, nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		}
		select {
		case <-p.ready:
			p.woken.Store(false)
		case <-ctx.Done():
		}
	}
}

// take moves packets to done.
func (p *Port) take(done []*Overlapped) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.collect() {
		return 0, ErrPortClosed
	}
	o := p.first
	for ; o != nil && n < len(done); n++ {
		done[n] = o
		next := o.next
		o.next = nil
		o.goOn(stateIdle)
		o = next
	}
	if p.first = o; o != nil {
		p.wake() // another can take the rest
	}
	return n, nil
}

// collect appends to the packets what was posted since, with mu held. It returns false if the port is closed.
func (p *Port) collect() bool {
	switch p.posted.Load() {
	case nil:
		return true
	case closedPort:
		return false
	}
	newest := p.posted.Swap(nil)
	var oldest *Overlapped
	for o := newest; o != nil; {
		next := o.next
		o.next = oldest
		o.goOn(stateListed)
		oldest, o = o, next
	}
	if p.first == nil {
		p.first = oldest
	} else {
		p.last.next = oldest
	}
	p.last = newest
	return true
}

// post queues a completed request. Its status is seen from now on, and it may not be used before it is taken out.
func (p *Port) post(o *Overlapped) {
	o.goOn(stateQueued)
	for {
		newest := p.posted.Load()
		if newest == closedPort {
			o.next = nil
			o.become(stateIdle)
			return
		}
		o.next = newest
		if p.posted.CompareAndSwap(newest, o) {
			break
		}
	}
	p.wake()
}

// isPosting reports that somebody is about to queue the request of o, whose status is seen.
func (p *Port) isPosting(o *Overlapped) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.collect()
	return o.state.Load()%oneRequest == stateQueued
}

// wake wakes one that waits, unless one is being woken: that one takes what there is, and wakes another for what it leaves.
func (p *Port) wake() {
	if p.waiting.Load() != 0 && !p.woken.Load() && p.woken.CompareAndSwap(false, true) {
		p.ready <- struct{}{}
	}
}

// Close ends all calls of Wait with ErrPortClosed and drops the queued packets: those requests are complete, and their Overlappeds
// may be used again. Requests that complete later queue nothing. Close may be called twice.
func (p *Port) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.collect()
	drop(p.posted.Swap(closedPort))
	drop(p.first)
	p.first, p.last = nil, nil
	p.wake()
}

// drop frees packets of a port that is closed.
func drop(o *Overlapped) {
	for o != nil && o != closedPort {
		next := o.next
		o.next = nil
		o.become(stateIdle)
		o = next
	}
}
