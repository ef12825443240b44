package trace

import (
	"time"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// taken is the request of a stream that is being recorded. It stays where it is from take to finish: to return it would copy it, and a
// copy that waits for the words it is made of takes as long as a fifth of recording.
type taken struct {
	size  int // of its record, for which there is room and which has what is known so far; 0: it is dropped
	flags Flags
	begin uint64
	at    time.Duration
}

// take begins the record of a request. It reports false if the record is dropped.
func (s *stream) take(code uint32, in, out []byte, flags Flags) bool {
	size := recordHeader + pad(len(in))
	if carries(code, in) {
		flags |= FlagCarried
		size += pad(len(out))
		if code == ks.IoctlEnableEvent || code == ks.IoctlDisableEvent {
			flags |= FlagEvent
			size += 8
		}
	}
	if (uint64(len(in))|uint64(len(out)))>>32 != 0 {
		size = maxPayload + 1 // refused by the device, and too long for a trace
	}
	t := &s.taken
	to := s.reserve(size)
	if to == nil {
		t.size = 0
		return false
	}
	if len(in) != 0 && len(out) != 0 && &in[0] == &out[0] {
		flags |= FlagAliased
	}
	end := putBytes(to, recordHeader, in)
	if flags&FlagCarried != 0 {
		carry(to, end, code, flags, in, out)
	}
	r := s.recorder
	begin, at := r.order.Load(), time.Duration(r.now.Load())
	if s.count++; s.count&r.every == 0 {
		flags |= FlagExact
		at = time.Since(r.start)
	}
	t.size, t.flags, t.begin, t.at = size, flags, begin, at
	putBegin((*[recordHeader]byte)(to), KindRequest, flags, code, at, uint32(len(in)), uint32(len(out)))
	return true
}

// finish ends it.
func (s *stream) finish(out []byte, n uint32, status ks.Status) {
	r, t := s.recorder, &s.taken
	took := time.Duration(r.now.Load()) - t.at
	if t.flags&FlagExact != 0 {
		took = time.Since(r.start) - t.at
	}
	if t.flags&FlagPended != 0 && !s.produce(out, n, status) {
		return
	}
	to := (*[recordHeader]byte)(s.memory[s.at:])
	putResult(to, status, n, Digest(out, n, status))
	putFlags(to, t.flags) // that it was pended or produced something is known only now
	putEnd(to, r.order.Add(1), t.begin, putDuration(took, t.flags))
	s.at += t.size
	s.show()
}

// plainRecord is how long the record of a plain request is.
const plainRecord = recordHeader + ks.SizeIdentifier

// isPlain reports that a request is plain, which most are: an identifier to a property, with a verb that only produces, whose times are
// those of the last tick, and for whose record there is room. Handle.IoControl puts its record together.
func (s *stream) isPlain(code uint32, in, out []byte) bool {
	return code == ks.IoctlProperty && len(in) == ks.SizeIdentifier && uint64(len(out))>>32 == 0 && len(s.memory)-s.at >= plainRecord &&
		(s.count+1)&s.recorder.every != 0 && !carriesProperty(in) && (len(out) == 0 || &in[0] != &out[0])
}

// takenPlain is what take leaves of a plain request, for finish.
func (s *stream) takenPlain(code uint32, out []byte, flags Flags, begin uint64, at time.Duration) {
	t := &s.taken
	t.size, t.flags, t.begin, t.at = plainRecord, flags, begin, at
	putBegin((*[recordHeader]byte)(s.memory[s.at:]), KindRequest, flags, code, at, ks.SizeIdentifier, uint32(len(out)))
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
func (s *stream) produce(out []byte, n uint32, status ks.Status) bool {
	t := &s.taken
	if t.flags&FlagCarried != 0 || n == 0 || status.IsError() {
		return true
	}
	out = out[:min(uint64(n), uint64(len(out)))]
	begun, whole := s.memory[s.at:s.at+t.size], t.size+pad(len(out))
	more := s.reserve(whole)
	if more == nil {
		return false
	}
	copy(more, begun) // in another chunk, or onto itself
	putBytes(more, t.size, out)
	t.size, t.flags = whole, t.flags|FlagProduced
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
