package exec

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// handle is an open filter, table or pin that lines name.
type handle struct {
	device     *device.Handle
	object     *object
	overlapped bool
	closed     bool
	file       uint64 // its number, if ownFile
	ownFile    bool
	pended     map[*slot]struct{}
}

// through finds the recipient of a request that names a handle. The error is that of a name never given.
func (s *Session) through(name []byte) (to recipient, err error) {
	h := s.handles[string(name)]
	if h == nil {
		return to, fmt.Errorf("handle: no line has opened %s", quote(name))
	}
	to = recipient{object: h.object.target(&s.q), dispatcher: h.device.Dispatcher(), handle: h}
	switch {
	case h.closed:
		to.refused, to.rule = ks.StatusInvalidHandle, "AS-24"
	case s.q.op == opClose:
	case h.object.root.removed:
		to.refused, to.rule = ks.StatusDeviceRemoved, "AS-34"
	case len(h.pended) > 0 && !h.overlapped:
		to.refused, to.rule = ks.StatusDeviceBusy, "S-15"
	}
	return to, nil
}

// nameable checks that the current line can give its handle and its file.
func (s *Session) nameable() error {
	q := &s.q
	if h := s.handles[string(q.handle)]; h != nil && !h.closed {
		return fmt.Errorf("handle: %s is open; close it first, or take another name", quote(q.handle))
	}
	if q.ownFile && s.files[q.file] != nil {
		return fmt.Errorf("file: %d is open; close it first, or take another number", q.file)
	}
	return nil
}

// name gives a handle to the lines that follow.
func (s *Session) name(d *device.Handle, o *object) {
	q := &s.q
	h := &handle{device: d, object: o, overlapped: q.overlapped, file: q.file, ownFile: q.ownFile, pended: make(map[*slot]struct{})}
	d.File().Handles = &s.notices
	if h.ownFile {
		s.files[h.file] = d.File()
	}
	s.handles[string(q.handle)] = h
}

// open answers op open.
func (s *Session) open(buf []byte, o *object) ([]byte, error) {
	if o.device == nil {
		return buf, fmt.Errorf("object: %s is a node or a pin; open its filter, and send requests with TOPOLOGY or create the pin",
			quote(s.q.object))
	}
	if err := s.nameable(); err != nil {
		return buf, err
	}
	if o.removed {
		return s.appendResult(buf, ks.StatusDeviceRemoved, "AS-34"), nil
	}
	h, err := o.device.Open()
	if err != nil { // no hook refuses it here: there is no memory
		return s.appendResult(buf, ks.StatusInsufficientResources, "S-37"), nil
	}
	s.name(h, o)
	return s.appendResult(buf, ks.StatusSuccess, "OB-2"), nil
}

// createPin answers op create_pin: KsCreatePin.
func (s *Session) createPin(buf []byte) ([]byte, error) {
	q := &s.q
	parent := s.handles[string(q.parent)]
	switch {
	case parent == nil:
		return buf, fmt.Errorf("parent: no line has opened %s", quote(q.parent))
	case parent.object.root != parent.object || parent.object.pins == nil:
		return buf, fmt.Errorf("parent: %s is no handle of a filter with pins", quote(q.parent))
	}
	if err := s.nameable(); err != nil {
		return buf, err
	}
	if parent.closed {
		return s.appendResult(buf, ks.StatusInvalidHandle, "AS-24"), nil
	}
	h, status := parent.device.CreatePin(q.connect)
	if h != nil {
		s.name(h, parent.object.pins[h.Pin().ID()])
	}
	return s.appendResult(buf, status, parent.device.CreateRule()), nil
}

// closeHandle answers op close of a handle: what is pended on it ends (AS-24), its events go (E-19), and then the object closes.
func (s *Session) closeHandle(buf []byte, to *recipient) []byte {
	if to.refused != 0 {
		return s.appendResult(buf, to.refused, to.rule)
	}
	h := to.handle
	cancelled := s.cancelAll(nil, h.requests(), "AS-24")
	s.free(h.device.File())
	if h.ownFile {
		delete(s.files, h.file)
	}
	h.closed = true
	status := ks.StatusSuccess
	if h.device.Close() != nil {
		status = ks.StatusUnsuccessful
	}
	return append(s.appendResult(buf, status, "OB-17"), cancelled...)
}

// requests returns what is pended on the handle.
func (h *handle) requests() (list []*slot) {
	for f := range h.pended {
		list = append(list, f)
	}
	return list
}

// cancel answers op cancel: CancelIoEx (AS-17).
func (s *Session) cancel(buf []byte) ([]byte, error) {
	q := &s.q
	var h *handle
	if q.handle != nil {
		if h = s.handles[string(q.handle)]; h == nil {
			return buf, fmt.Errorf("handle: no line has opened %s", quote(q.handle))
		}
	}
	var list []*slot
	if q.tag == nil {
		list = h.requests()
	} else if f := s.pended[string(q.tag)]; f != nil && (h == nil || f.handle == h) {
		list = []*slot{f}
	}
	buf = s.append(buf, &outcome{cancel: true, found: len(list), rule: "AS-17"})
	return s.cancelAll(buf, list, "AS-8"), nil
}

// cancelAll ends pended requests in the order of their lines, and appends the outcome of each.
func (s *Session) cancelAll(buf []byte, list []*slot, rule string) []byte {
	slices.SortFunc(list, func(a, b *slot) int { return cmp.Compare(a.number, b.number) })
	for _, f := range list {
		buf = s.end(buf, f, ks.StatusCancelled, 0, &outcome{of: f, rule: rule})
	}
	return buf
}

// remove answers op remove: surprise removal (AS-34).
func (s *Session) remove(buf []byte, o *object) ([]byte, error) {
	if o.device == nil {
		return buf, fmt.Errorf("object: %s is a node or a pin, which goes with its filter; remove that", quote(s.q.object))
	}
	o.removed = true
	o.device.Remove()
	var list []*slot
	for _, h := range s.handles {
		if h.object.root == o {
			list = append(list, h.requests()...)
		}
	}
	return s.cancelAll(s.appendResult(buf, ks.StatusSuccess, "AS-34"), list, "AS-34"), nil
}
