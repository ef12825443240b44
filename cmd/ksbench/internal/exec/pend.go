package exec

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// pend keeps a request until a line completes it. One that no line can name any more is taken back, which is what would
// happen to its memory when its process ends.
func (s *Session) pend(f *slot) {
	if s.q.tag == nil {
		s.drop(f)
		return
	}
	tag := string(s.q.tag)
	if old := s.pended[tag]; old != nil {
		s.drop(old)
		s.release(old)
	}
	f.pended, f.tag = true, tag
	s.pended[tag] = f
}

// drop frees the buffer of a request that nobody will complete.
func (s *Session) drop(f *slot) {
	f.pended = false
	s.finish(f, ks.StatusUnsuccessful)
}

// complete answers op complete: the handler's owner wrote data and ends the request (N-1).
func (s *Session) complete(buf []byte) ([]byte, error) {
	q := &s.q
	f := s.pended[string(q.tag)]
	if f == nil {
		return buf, fmt.Errorf("tag: no pended request has the tag %s", quote(q.tag))
	}
	if uint64(len(q.data)) > uint64(f.out) {
		return buf, fmt.Errorf("data has %d bytes, which is more than the output of the pended request, %d", len(q.data), f.out)
	}
	delete(s.pended, f.tag)
	f.pended = false
	copy(f.data, q.data)
	f.irp.Complete(q.status, q.information)
	status := f.irp.IoStatus.Status
	out := outcome{status: status, information: f.irp.IoStatus.Information, flags: f.irp.Flags, rule: "N-1", hasOutput: true}
	if status != q.status {
		out.rule = "AS-3"
	}
	s.finish(f, status)
	out.bytes(&f.memory, f.out)
	buf = s.append(buf, &out)
	s.release(f)
	return buf, nil
}

// dispatchSpecific answers op dispatch_specific: KsDispatchSpecificProperty or KsDispatchSpecificMethod with
// a program as the handler (P-50, M-9).
func (s *Session) dispatchSpecific(buf []byte) ([]byte, error) {
	q := &s.q
	out := outcome{}
	f := s.pended[string(q.tag)]
	if f == nil {
		irp := engine.IRP{}
		out.status = engine.DispatchSpecificProperty(&irp, q.program.Handler(manifest.VerbGet, manifest.NewValue(0)))
		out.rule = irp.Rule()
		return s.append(buf, &out), nil
	}
	value, ok := f.irp.ItemContext().(*manifest.Value)
	if !ok {
		return buf, errors.New("the pended request belongs to no item")
	}
	if q.program.NeedsLimits(value) {
		return buf, errors.New("program: range needs an item whose values have a list of ranges or of values")
	}
	s.outer = &f.irp
	if f.irp.MethodSet() != nil {
		program := q.program.Handler(f.last.verb, value)
		if f.last.verb == manifest.VerbMethod {
			program = q.program.MethodHandler(f.irp.MethodType(), value)
		}
		out.status = engine.DispatchSpecificMethod(&f.irp, s.observe(f.last.verb, f.last.set, f.last.id, program))
	} else {
		handler := s.observe(f.last.verb, f.last.set, f.last.id, q.program.Handler(f.last.verb, value))
		out.status = engine.DispatchSpecificProperty(&f.irp, handler)
	}
	out.information, out.flags, out.rule = f.irp.IoStatus.Information, f.irp.Flags, f.irp.Rule()
	out.pended = out.status == ks.StatusPending
	return s.append(buf, &out), nil
}
