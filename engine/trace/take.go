package trace

import (
	"time"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// taken is a request that is being recorded.
type taken struct {
	to    []byte // room for its record, with what is known so far; nil: it is dropped
	size  int
	flags Flags
	begin uint64
	at    time.Duration
}

// take begins the record of a request.
func (s *stream) take(code uint32, in, out []byte, flags Flags) (t taken) {
	t.flags, t.size = flags, recordHeader+pad(len(in))
	if carries(code, in) {
		t.flags |= FlagCarried
		t.size += pad(len(out))
		if code == ks.IoctlEnableEvent || code == ks.IoctlDisableEvent {
			t.flags |= FlagEvent
			t.size += 8
		}
	}
	if (uint64(len(in))|uint64(len(out)))>>32 != 0 {
		t.size = maxPayload + 1 // refused by the device, and too long for a trace
	}
	if t.to = s.reserve(t.size); t.to == nil {
		return t
	}
	if len(in) != 0 && len(out) != 0 && &in[0] == &out[0] {
		t.flags |= FlagAliased
	}
	end := putBytes(t.to, recordHeader, in)
	if t.flags&FlagCarried != 0 {
		carry(t.to, end, code, t.flags, in, out)
	}
	r := s.recorder
	t.begin, t.at = r.order.Load(), time.Duration(r.now.Load())
	if s.count++; s.count&r.every == 0 {
		t.flags |= FlagExact
		t.at = time.Since(r.start)
	}
	putBegin(t.to, KindRequest, code, t.at, uint32(len(in)), uint32(len(out)))
	return t
}

// finish ends it.
func (s *stream) finish(t *taken, out []byte, n uint32, status ks.Status) {
	r := s.recorder
	took := time.Duration(r.now.Load()) - t.at
	if t.flags&FlagExact != 0 {
		took = time.Since(r.start) - t.at
	}
	if t.flags&FlagPended != 0 && !s.produce(t, out, n, status) {
		return
	}
	putEnd(t.to, t.flags, r.order.Add(1), t.begin, took, status, n, Digest(out, n, status))
	s.commit(t.size)
}

// carry records the output buffer of a request as it was sent.
func carry(to []byte, at int, code uint32, flags Flags, in, out []byte) {
	if flags&FlagEvent != 0 {
		putAddress(to, at, eventData(code, in, out))
		at += 8
	}
	putBytes(to, at, out)
}

// eventData is the buffer that has the KSEVENTDATA of a request for an event.
func eventData(code uint32, in, out []byte) []byte {
	if code == ks.IoctlDisableEvent {
		return in
	}
	return out
}

// produce records what a pended request produced, with which a replay completes it. It reports false if the record is dropped.
func (s *stream) produce(t *taken, out []byte, n uint32, status ks.Status) bool {
	if t.flags&FlagCarried != 0 || n == 0 || status.IsError() {
		return true
	}
	out = out[:min(uint64(n), uint64(len(out)))]
	whole := t.size + pad(len(out))
	more := s.reserve(whole)
	if more == nil {
		return false
	}
	copy(more, t.to[:t.size])
	putBytes(more, t.size, out)
	t.to, t.size, t.flags = more, whole, t.flags|FlagProduced
	return true
}

// cancel cancels what is in flight on the handle, by asking its device.
func (s *stream) cancel(ask func() int) int {
	r := s.recorder
	rec := Record{Kind: KindCancel, Begin: r.mark(), Time: time.Since(r.start), Handle: s.handle}
	n := ask()
	rec.Information = uint64(n)
	r.add(rec, nil)
	return n
}
