package exec

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// pend keeps a request until a line ends it. One that no line can end any more is taken back, which is what would happen to its
// memory when its process ends: one without a tag and a handle, and one without a handle whose tag another takes.
func (s *Session) pend(f *slot, h *handle) {
	f.i, f.tag = bytes.Clone(s.q.i), bytes.Clone(s.q.tag)
	f.handle = h
	if f.tag == nil && h == nil {
		s.drop(f)
		return
	}
	f.pended = true
	s.number++
	f.number = s.number
	if h != nil {
		h.pended[f] = struct{}{}
	}
	if f.tag == nil {
		return
	}
	tag := string(f.tag)
	if old := s.pended[tag]; old != nil {
		if old.tag = nil; old.handle == nil {
			s.drop(old)
			s.release(old)
		}
	}
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
	copy(f.data, q.data)
	return s.end(buf, f, q.status, q.information, &outcome{rule: "N-1"}), nil
}

// end ends a pended request and appends its outcome.
func (s *Session) end(buf []byte, f *slot, status ks.Status, information uint64, out *outcome) []byte {
	if f.handle != nil {
		delete(f.handle.pended, f)
	}
	if f.tag != nil {
		delete(s.pended, string(f.tag))
	}
	f.pended = false
	f.irp.Complete(status, information)
	out.status, out.information, out.flags = f.irp.IoStatus.Status, f.irp.IoStatus.Information, f.irp.Flags
	if out.status != status {
		out.rule = "AS-3"
	}
	s.finish(f, out.status)
	out.bytes(&f.memory, f.out)
	buf = s.append(buf, out)
	s.release(f)
	return buf
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
