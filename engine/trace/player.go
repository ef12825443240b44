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
	carried  [batchLength][8]byte // what output buffers of the batch held
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
	m := newMerger(p.reader, p.opened, p.control, true)
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
		p.out = make([]byte, rec.OutBytes)
	}
	out := p.out[:rec.OutBytes]
	if rec.Flags&FlagCarried != 0 {
		copy(out, rec.Out)
	}
	n, status := h.send(rec, rec.In, out)
	p.answered(rec, n, status, out)
}

// burst replays what the handle that was just used has next, as long as these are plain requests that began before limit and lie in
// the same block: what most of a trace is, at a fifth of an ordinary request's time. What is not plain, or wrong, is left to next.
func (p *player) burst(c *cursor, limit uint64) {
	le := binary.LittleEndian
	h, verify, answered := p.handles[c.rec.opened], p.options.Verify, p.options.Answered
	left, batches := c.left, !verify && answered == nil
	r := run{flags: h.kernel, order: c.rec.Order, limit: min(limit, 1<<63)} // a Begin before the first record is a number beyond that
	for {
		if batches {
			left = p.sendBatches(h, left, &r)
		}
		if len(left) < recordHeader {
			break
		}
		b := left
		head := (*[recordHeader]byte)(b)
		code := le.Uint32(head[4:])
		in, room, at, size := extent(head)
		if !r.has(head, r.want(code)) || size > uint64(len(b)) || uint64(room) > uint64(len(p.out)) {
			break
		}
		left, r.order = b[size:], le.Uint64(head[8:])
		request, out := b[recordHeader:recordHeader+uint64(in):recordHeader+uint64(in)], p.out[:room:room]
		if size > at {
			copy(out, b[at:])
		}
		n, status := h.inner.IoControl(code, request, out)
		p.sent++
		differs := verify && (uint64(status)|uint64(n)<<32 != le.Uint64(head[32:]) || Digest(out, n, status) != le.Uint64(head[48:]))
		if differs {
			var rec Record
			rec.decode(b)
			rec.Handle, rec.opened = c.handle, c.rec.opened
			p.compare(&rec, n, status, out)
		}
		if answered != nil {
			answered(code, request, n, status, differs)
		}
	}
	c.left, c.rec.Order = left, r.order
}

// run is what plain requests of a handle have in common that follow each other.
type run struct {
	flags Flags
	order uint64 // of the record before
	limit uint64 // where it is another's turn
}

// want is how the records of plain requests with a code begin, but for what of their flags may vary.
func (r run) want(code uint32) uint64 {
	return uint64(KindRequest) | uint64(r.flags)<<16 | uint64(code)<<32
}

// has reports whether a record is that of a plain request, which begins with want, and of the run. It is inlined, as extent is.
func (r run) has(b *[recordHeader]byte, want uint64) bool {
	const same = ^(uint64(FlagExact|FlagCarried) << 16)
	le := binary.LittleEndian
	begin := le.Uint64(b[8:]) - 1 - uint64(le.Uint32(b[24:]))
	return le.Uint64(b[:])&same == want && begin >= r.order && begin < r.limit && int64(le.Uint64(b[16:])) >= 0
}

// extent returns how long the input and the output buffer of a plain request are, where its record has what that buffer held, if it does,
// and where the record ends.
func extent(b *[recordHeader]byte) (in, room uint32, at, size uint64) {
	le := binary.LittleEndian
	in, room = le.Uint32(b[40:]), le.Uint32(b[44:])
	at = recordHeader + (uint64(in)+7)&^7
	size = at
	if b[2]&byte(FlagCarried) != 0 {
		size += (uint64(room) + 7) &^ 7
	}
	return in, room, at, size
}

// batchLength is how many requests are sent at once where nobody takes the answers.
const batchLength = 64

// sendBatches sends the requests at the start of left in batches, as far as gather takes them, and returns what is left.
func (p *player) sendBatches(h *played, left []byte, r *run) []byte {
	for len(left) >= recordHeader {
		code := binary.LittleEndian.Uint32(left[4:])
		n, size, order := p.gather(left, *r, r.want(code))
		if n == 0 {
			break
		}
		left, r.order = left[size:], order
		p.sendBatch(h, code, p.batch[:n])
	}
	return left
}

// gather makes a batch of the requests at the start of left, as far as they begin with want, are of the run, have an input and carry no
// more than a word. It returns how many, where they end, and the order of the last. It calls nothing, so that what it has stays in
// registers.
func (p *player) gather(left []byte, r run, want uint64) (n int, size, order uint64) {
	le := binary.LittleEndian
	at, end := uint64(0), uint64(len(left))
	for n < batchLength && end-at >= recordHeader {
		b := recordAt(left, at)
		if !r.has(b, want) {
			break
		}
		in, room, data, size := extent(b)
		if in == 0 || size > end-at || uint64(room) > uint64(len(p.out)) {
			break
		}
		out := p.out
		if size > data {
			if room > 8 {
				break
			}
			le.PutUint64(p.carried[n][:], wordAt(left, at+data))
			out = p.carried[n][:]
		}
		q := &p.batch[n]
		q.In, q.Out = cut(left, at+recordHeader, in), cut(out, 0, room)
		r.order = le.Uint64(b[8:])
		at += size
		n++
	}
	return n, at, r.order
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
