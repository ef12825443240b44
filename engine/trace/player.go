package trace

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// player is one goroutine of a replay, and what it replays.
type player struct {
	*replay
	load     int
	opened   []int // indexes of Reader.opened
	control  []Record
	out      []byte // the buffer of requests
	pendings []*pending
	batch    [batchLength]engine.BatchRequest
	sent     uint64
}

// pending is a request that the recording has as pended. It is in flight on a goroutine of its own.
type pending struct {
	rec        Record
	out        []byte
	overlapped device.Overlapped // of a lane
	left       chan left         // it was left pending, says its handler
	going      chan struct{}     // it goes on, says the lane
	done       chan struct{}     // n and status are there
	n          uint32
	status     ks.Status
}

// send sends the request through a handle, and waits for it.
func (q *pending) send(h *played, in []byte) {
	defer close(q.done)
	if h.parent == nil {
		q.n, q.status = h.inner.IoControl(q.rec.Code, in, q.out)
		return
	}
	if q.n, q.status = h.lanes.IoControl(&q.overlapped, q.rec.Code, in, q.out); q.status == ks.StatusPending {
		close(q.going)
		_ = q.overlapped.Wait(context.Background())
		q.n, q.status = q.overlapped.BytesReturned(), q.overlapped.Status()
	}
}

// left is a request that a handler left pending.
type left struct {
	irp  *engine.IRP
	data []byte
}

// left is told that the request of the handle was left pending. One that the recording does not have as pended ends: there is nobody
// who completes it.
func (h *played) left(irp *engine.IRP, data []byte) {
	if q := h.sending; q != nil {
		q.left <- left{irp, data}
		return
	}
	irp.Complete(ks.StatusCancelled, 0)
}

// run replays.
func (p *player) run(ctx context.Context) error {
	m := newMerger(p.reader, p.opened, p.control)
	defer m.release()
	defer func() { p.requests.Add(p.sent) }()
	done := ctx.Done()
	for {
		rec, err := m.next()
		if err != nil {
			return err
		}
		select {
		case <-done:
			return ctx.Err()
		default:
		}
		if len(p.pendings) > 0 {
			if err := p.settle(ctx, rec); err != nil {
				return err
			}
		}
		if rec == nil {
			return nil
		}
		if p.options.Speed > 0 {
			if err := p.wait(ctx, rec.Time); err != nil {
				return err
			}
		}
		if rec.Kind == KindRequest {
			p.request(rec)
			if h := p.handles[rec.opened]; p.options.Speed == 0 && len(p.pendings) == 0 && h != nil && h.parent == nil {
				p.burst(m.used, m.limit())
			}
		} else if err := p.other(rec); err != nil {
			return err
		}
	}
}

// wait waits until it is time for a record. A timer that is later than a tick of the recording's clock is of no use.
func (p *player) wait(ctx context.Context, at time.Duration) error {
	d := time.Duration(float64(at)/p.options.Speed) - time.Since(p.start)
	if d < tick/2 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// request replays a request.
func (p *player) request(rec *Record) {
	h := p.handles[rec.opened]
	switch {
	case h == nil:
		p.missed(rec, "its handle could not be opened")
		return
	case rec.OutBytes > p.options.MaxOut:
		p.missed(rec, "its output buffer is too long")
		return
	}
	h.setMode(rec)
	p.sent++
	if rec.Flags&(FlagPended|FlagEvent|FlagAliased) != 0 {
		p.rare(h, rec)
		return
	}
	if int(rec.OutBytes) > len(p.out) {
		p.out = make([]byte, max(int(rec.OutBytes), 4<<10))
	}
	out := p.out[:rec.OutBytes]
	if rec.Flags&FlagCarried != 0 {
		copy(out, rec.Out)
	}
	n, status := h.send(rec, rec.In, out)
	p.answered(rec, n, status, out)
}

// batchLength is how many requests are sent at once where nobody takes the answers.
const batchLength = 64

// burst replays what the handle that was just used has next, as long as these are plain requests that began before limit and lie in
// the same block: what most of a trace is, at a fifth of an ordinary request's time. What is not plain, or wrong, is left to next.
func (p *player) burst(c *cursor, limit uint64) {
	const plain = uint64(0xFFFF&^(FlagExact|FlagCarried))<<16 | 0xFFFF // of head
	le := binary.LittleEndian
	h, verify, answered, buffer := p.handles[c.rec.opened], p.options.Verify, p.options.Answered, p.out
	left, order, taken := c.left, c.rec.Order, verify || answered != nil
	want := uint64(KindRequest) | uint64(h.kernel)<<16
	limit = min(limit, 1<<63) // a Begin before the first record is a number beyond that
	code, batch := uint32(0), p.batch[:0]
	for len(left) >= recordHeader {
		b := left
		head, lengths, now := le.Uint64(b), le.Uint64(b[40:]), le.Uint64(b[8:])
		in, room := lengths&(1<<32-1), lengths>>32
		at := recordHeader + (in+7)&^7
		size := at
		if head&(uint64(FlagCarried)<<16) != 0 {
			size += (room + 7) &^ 7
		}
		begin := now - 1 - uint64(le.Uint32(b[24:]))
		if head&plain != want || begin < order || begin >= limit || int64(le.Uint64(b[16:])) < 0 || size > uint64(len(b)) ||
			room > uint64(len(buffer)) {
			break
		}
		left, order = b[size:], now
		request, out := b[recordHeader:recordHeader+in:recordHeader+in], buffer[:room:room]
		if !taken {
			if size > at {
				out = b[at : at+room : at+room]
			}
			if asked := uint32(head >> 32); len(batch) == cap(batch) || asked != code {
				p.sendBatch(h, code, batch)
				code, batch = asked, batch[:0]
			}
			batch = batch[:len(batch)+1]
			q := &batch[len(batch)-1]
			q.In, q.Out = request, out
			continue
		}
		if size > at {
			copy(out, b[at:])
		}
		n, status := h.inner.IoControl(uint32(head>>32), request, out)
		p.sent++
		differs := verify && (uint64(status)|uint64(n)<<32 != le.Uint64(b[32:]) || Digest(out, n, status) != le.Uint64(b[48:]))
		if differs {
			var rec Record
			rec.decode(b)
			rec.Handle, rec.opened = c.handle, c.rec.opened
			p.compare(&rec, n, status, out)
		}
		if answered != nil {
			answered(uint32(head>>32), request, n, status, differs)
		}
	}
	p.sendBatch(h, code, batch)
	c.left, c.rec.Order = left, order
}

// sendBatch sends requests with a code, whose answers nobody takes.
func (p *player) sendBatch(h *played, code uint32, requests []engine.BatchRequest) {
	p.sent += uint64(len(requests))
	switch code {
	case ks.IoctlProperty:
		h.inner.PropertyBatch(requests)
	case ks.IoctlMethod:
		h.inner.MethodBatch(requests)
	default:
		for i := range requests {
			h.inner.IoControl(code, requests[i].In, requests[i].Out)
		}
	}
}

// rare replays a request that is more than its bytes.
func (p *player) rare(h *played, rec *Record) {
	in, out := rec.In, make([]byte, rec.OutBytes)
	if rec.Flags&FlagCarried != 0 {
		copy(out, rec.Out)
	}
	if rec.Flags&FlagAliased != 0 {
		both := make([]byte, max(len(in), len(out)))
		copy(both, out)
		copy(both, in)
		in, out = both[:len(in)], both[:len(out)]
	}
	if rec.Flags&FlagEvent != 0 {
		in, out = p.event(h, rec, in, out)
	}
	if rec.Flags&FlagPended != 0 {
		p.pend(h, rec, in, out)
		return
	}
	n, status := h.send(rec, in, out)
	p.answered(rec, n, status, out)
}

// event returns the buffers of a request for an event. The memory that was at an address in the recording is the same memory each
// time, and the object that is to be signalled is one of the device that is here.
func (p *player) event(h *played, rec *Record, in, out []byte) ([]byte, []byte) {
	if rec.Event == 0 {
		return in, out
	}
	if h.events == nil {
		h.events = make(map[uint64][]byte)
	}
	data := eventData(rec.Code, in, out)
	kept := h.events[rec.Event]
	if cap(kept) < len(data) || kept == nil {
		kept = make([]byte, len(data), len(data)+64) // an enable may have more of it than the disable
		h.events[rec.Event] = kept
	}
	kept = kept[:len(data)]
	copy(kept, data)
	if rec.Code == ks.IoctlDisableEvent {
		return kept, out
	}
	if id, ok := ks.DecodeIdentifier(in); ok && id.Flags&ks.EventTypeQueryBuffer != 0 && len(in) >= ks.SizeIdentifier+8 {
		asked := append([]byte(nil), in...)
		putAddress(asked, ks.SizeIdentifier, h.events[binary.LittleEndian.Uint64(in[ks.SizeIdentifier:])])
		return asked, kept
	}
	if d, ok := ks.DecodeEventData(kept); ok && !rec.Status.IsError() {
		handles := p.device(p.reader.opened[rec.opened].Device).Handles()
		switch d.NotificationType {
		case ks.NotificationEventHandle:
			d.Object = handles.Open(engine.NewSyncEvent(), engine.ModifyState, rec.Mode())
		case ks.NotificationSemaphoreHandle:
			d.Object = handles.Open(engine.NewSemaphore(1<<31-1), engine.ModifyState, rec.Mode())
		}
		d.Put(kept)
	}
	return in, kept
}

// pend sends a request that the recording has as pended, and goes on when it is left pending.
func (p *player) pend(h *played, rec *Record, in, out []byte) {
	q := &pending{rec: rec.clone(), out: out, left: make(chan left, 1), going: make(chan struct{}), done: make(chan struct{})}
	in = append([]byte(nil), in...)
	h.owner().sending = q
	p.pendings = append(p.pendings, q)
	started := make(chan struct{})
	go func() {
		close(started)
		q.send(h, in)
	}()
	<-started
	if p.options.Pends == nil && h.parent == nil {
		return
	}
	select {
	case l := <-q.left:
		q.left <- l
	case <-q.going:
	case <-q.done:
	}
	h.owner().sending = nil
}

// settle ends the pended requests that had ended when a record began, or all for nil. A close ends
// those alone that the recording has as cancelled.
func (p *player) settle(ctx context.Context, rec *Record) error {
	kept := p.pendings[:0]
	for _, q := range p.pendings {
		if rec != nil && rec.Begin < q.rec.Order &&
			(rec.Kind != KindClose || q.rec.Status == ks.StatusCancelled || rec.Order < q.rec.Order) {
			kept = append(kept, q)
			continue
		}
		select {
		case <-q.done: // cancelled by what came before
		case l := <-q.left:
			if q.rec.Flags&FlagProduced != 0 {
				copy(l.data, q.rec.Out)
			}
			l.irp.Complete(q.rec.Status, q.rec.Information)
		default:
		}
		select {
		case <-q.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		p.answered(&q.rec, q.n, q.status, q.out)
	}
	p.pendings = kept
	return nil
}

// other replays what is no request.
func (p *player) other(rec *Record) error {
	var status ks.Status
	var n uint64
	rule := func() string { return "" }
	switch rec.Kind {
	case KindOpen:
		object := string(rec.In)
		dev, err := p.make(object, rec.Parent)
		if err != nil {
			return err
		}
		inner, err := dev.Open()
		if err != nil {
			p.missed(rec, err.Error())
			return nil
		}
		p.add(rec.opened, &played{inner: inner})
		return nil
	case KindCreate:
		h := p.handles[p.reader.indexOf(rec.Parent)]
		if h == nil {
			p.missed(rec, "the handle that it is created on could not be opened")
			return nil
		}
		if rec.Flags&FlagLane != 0 {
			return p.lane(h, rec)
		}
		h.setMode(rec)
		create := h.inner.CreatePin
		rule = h.inner.CreateRule
		if rec.Flags&FlagNamed != 0 {
			create = h.inner.Create
		}
		var inner *device.Handle
		if inner, status = create(rec.In); inner != nil {
			if rec.opened < 0 {
				_ = inner.Close()
			} else {
				p.add(rec.opened, &played{inner: inner, kernel: h.kernel})
			}
		}
	case KindClose:
		if h := p.handles[rec.opened]; h != nil {
			_ = h.inner.Close()
		}
		return nil
	case KindCancel:
		if h := p.handles[rec.opened]; h != nil {
			p.cancel(h)
		}
		return nil // what came of it is how the requests end
	case KindGenerate:
		if dev := p.device(rec.Parent); dev != nil {
			var set *ks.GUID
			if len(rec.In) == len(ks.GUID{}) {
				set = (*ks.GUID)(rec.In)
			}
			status, n = generate(dev, set, rec.Code, rec.Out)
		}
	}
	if p.options.Verify && (status != rec.Status || n != rec.Information) {
		p.differ(Difference{Record: *rec, Status: status, Information: n, Rule: rule()}, rec.opened)
	}
	return nil
}

// cancel cancels what is pended on a handle or a lane. Where the replay says how requests end, that is what the recording has as
// cancelled: another was about to be completed when the cancel came.
func (p *player) cancel(h *played) {
	for _, q := range p.pendings {
		of := p.handles[q.rec.opened]
		switch {
		case of != h && of.parent != h, p.options.Pends != nil && q.rec.Status != ks.StatusCancelled:
		case of.parent == nil:
			of.inner.Cancel()
		default:
			of.lanes.Cancel(&q.overlapped)
		}
	}
}

// lane opens a lane of a handle.
func (p *player) lane(h *played, rec *Record) (err error) {
	if h.lanes == nil {
		if h.lanes, err = h.inner.Overlapped(nil); err != nil {
			p.missed(rec, err.Error())
			return nil
		}
	}
	if rec.opened >= 0 {
		p.add(rec.opened, &played{inner: h.inner, lanes: h.lanes, parent: h, kernel: h.kernel})
	}
	return nil
}

// answered takes the answer to a request.
func (p *player) answered(rec *Record, n uint32, status ks.Status, out []byte) {
	differs := p.options.Verify && p.compare(rec, n, status, out)
	if p.options.Answered != nil {
		p.options.Answered(rec.Code, rec.In, n, status, differs)
	}
}

// compare notes whether an answer is another than that of the recording.
func (p *player) compare(rec *Record, n uint32, status ks.Status, out []byte) (differs bool) {
	sum := Digest(out, n, status)
	differs = status != rec.Status || uint64(n) != rec.Information || sum != rec.Digest
	if differs {
		produced := out[:min(uint64(n), uint64(len(out)))]
		d := Difference{Record: *rec, Status: status, Information: uint64(n), Digest: sum, Output: produced, Rule: p.rule(rec)}
		if status.IsError() {
			d.Output = nil
		}
		p.differ(d, rec.opened)
	}
	return differs
}

// rule is that by which the handle decided, if a dispatcher did.
func (p *player) rule(rec *Record) string {
	h := p.handles[rec.opened]
	if h.parent != nil {
		return "" // others may have sent requests since
	}
	switch rec.Code {
	case ks.IoctlProperty, ks.IoctlMethod, ks.IoctlEnableEvent, ks.IoctlDisableEvent:
		return h.inner.Rule()
	}
	return ""
}

// missed notes what could not be replayed.
func (p *player) missed(rec *Record, why string) {
	if p.options.Verify {
		p.differ(Difference{Record: *rec, Why: why}, rec.opened)
	}
}
