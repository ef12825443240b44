package device

import (
	"context"
	"errors"
	"sync"
)

// ErrPortClosed is what Port.Wait returns once the port is closed: ERROR_ABANDONED_WAIT_0.
var ErrPortClosed = errors.New("device: the port is closed")

// Port queues the completed requests of overlapped handles: an I/O completion port (AS-21). It is safe for concurrent use, and serves
// any number of handles. An Overlapped is its own packet, so that queueing takes no memory.
type Port struct {
	mu          sync.Mutex
	first, last *Overlapped // in the order of completion
	closed      bool
	waiting     int           // calls of Wait that found nothing
	ready       chan struct{} // wakes one of them
}

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
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.closed {
			return 0, ErrPortClosed
		}
		if n := p.take(done); n != 0 {
			return n, nil
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		p.waiting++
		p.mu.Unlock()
		select {
		case <-p.ready:
		case <-ctx.Done():
		}
		p.mu.Lock()
		p.waiting--
	}
}

// take moves packets to done.
func (p *Port) take(done []*Overlapped) (n int) {
	for o := p.first; o != nil && n < len(done); n++ {
		done[n] = o
		next := o.next
		o.next = nil
		o.become(stateIdle)
		o = next
		p.first = next
	}
	if p.first != nil && p.waiting != 0 {
		p.wake() // another can take the rest
	}
	return n
}

// post queues a completed request. Its status is seen from now on, and it may not be used before it is taken out.
func (p *Port) post(o *Overlapped) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		o.become(stateIdle)
		return
	}
	o.become(stateQueued)
	if p.first == nil {
		p.first = o
	} else {
		p.last.next = o
	}
	p.last = o
	if p.waiting != 0 {
		p.wake()
	}
}

// flush returns when nobody is about to queue a request whose status is seen.
func (p *Port) flush() {
	p.mu.Lock()
	//lint:ignore SA2001 whoever has the lock has queued its request when it is free
	p.mu.Unlock()
}

// wake wakes one that waits.
func (p *Port) wake() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// Close ends all calls of Wait with ErrPortClosed and drops the queued packets: those requests are complete, and their Overlappeds
// may be used again. Requests that complete later queue nothing. Close may be called twice.
func (p *Port) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for o := p.first; o != nil; {
		next := o.next
		o.next = nil
		o.become(stateIdle)
		o = next
	}
	p.first, p.last = nil, nil
	close(p.ready)
}
