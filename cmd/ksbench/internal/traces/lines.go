package traces

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/cmd/ksbench/internal/exec"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// line is a request line, with what a recording adds: keys that begin with x_.
type line struct {
	*exec.Client
	number int
	handle string     // which one; "" for none
	status *ks.Status // nil: the line does not say how it was answered
	n      uint32
	output []byte
	digest *uint64 // in place of the output, which a trace does not have
}

// outcome are the keys of a recording.
type outcome struct {
	handle, ioctl, status, output, digest string
	n                                     uint32
}

// take takes them out of the keys of a line.
func (o *outcome) take(keys map[string]json.RawMessage) error {
	known := map[string]any{"x_handle": &o.handle, "x_ioctl": &o.ioctl, "x_status": &o.status, "x_n": &o.n, "x_output": &o.output,
		"x_digest": &o.digest}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !strings.HasPrefix(key, "x_") {
			continue
		}
		to, ok := known[key]
		if !ok {
			return fmt.Errorf("unknown key %q; those of a recording are %s", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if err := json.Unmarshal(keys[key], to); err != nil {
			want := "a string"
			if key == "x_n" {
				want = "a whole number from 0 to 4294967295"
			}
			return fmt.Errorf("%s: expected %s, found %s", key, want, keys[key])
		}
		delete(keys, key)
	}
	return nil
}

const maxLine = 64 << 20

// each calls f for each line.
func each(ctx context.Context, from io.Reader, f func(l *line) error) error {
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, maxLine)
	n := 1
	for ; scanner.Scan(); n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l, err := decode(scanner.Bytes())
		if err == nil {
			l.number = n
			err = f(l)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d: longer than %d bytes (64 MiB)", n, maxLine)
	} else if err != nil {
		return err
	}
	return nil
}

func decode(text []byte) (*line, error) {
	l := new(line)
	var o outcome
	var keys map[string]json.RawMessage
	if strings.Contains(string(text), `"x_`) {
		if err := json.Unmarshal(text, &keys); err != nil {
			return nil, fmt.Errorf("not an object: %w", err)
		}
		if err := o.take(keys); err != nil {
			return nil, err
		}
		var err error
		if text, err = json.Marshal(keys); err != nil {
			return nil, err
		}
		if err := l.answered(&o); err != nil {
			return nil, err
		}
	}
	c, err := exec.DecodeClient(text)
	if err != nil {
		return nil, err
	}
	if code, err := strconv.ParseUint(o.ioctl, 16, 32); o.ioctl != "" && (err != nil || uint32(code) != c.Code) {
		return nil, fmt.Errorf("x_ioctl: %q is not %08x, the code of what the line asks; op says what that is", o.ioctl, c.Code)
	}
	l.Client = c
	if l.handle == "" {
		if l.handle = c.Handle; l.handle == "" {
			l.handle = c.Object + "#" + strconv.FormatUint(c.File, 10)
		}
	}
	return l, nil
}

// answered notes how a line says that it was answered.
func (l *line) answered(o *outcome) (err error) {
	l.handle, l.n = o.handle, o.n
	if o.status != "" {
		v, err := strconv.ParseUint(o.status, 0, 32)
		if err != nil {
			return fmt.Errorf("x_status: %q is no status; write 0x and 8 hexadecimal digits", o.status)
		}
		status := ks.Status(v)
		l.status = &status
	}
	if o.digest != "" {
		v, err := strconv.ParseUint(o.digest, 16, 64)
		if err != nil {
			return fmt.Errorf("x_digest: %q is no digest; write 16 hexadecimal digits", o.digest)
		}
		l.digest = &v
	}
	if l.output, err = hex.DecodeString(o.output); err != nil {
		return errors.New("x_output: not hexadecimal; write two digits for each byte and nothing between")
	}
	return nil
}

// Played is how many requests were sent, and how many were not, as the device refused to create their handle.
type Played struct{ Requests, Refused uint64 }

// Play sends request lines to devices through handles that r records. A handle is opened by the first line that uses it, unless a line
// opens it. Handles that no line closes are closed at the end.
func Play(ctx context.Context, from io.Reader, r *trace.Recorder, t *traffic.Target) (Played, error) {
	p := &playing{recorder: r, target: t, handles: make(map[string]*handle), refused: make(map[string]bool),
		devices: make(map[string]*device.Device), pended: make(map[string]*asked), events: make(map[string][]byte)}
	err := each(ctx, from, p.play)
	for _, name := range slices.Sorted(maps.Keys(p.handles)) {
		err = errors.Join(err, p.close(name))
	}
	return p.played, err
}

// playing is what lines have opened, and left pended.
type playing struct {
	recorder *trace.Recorder
	target   *traffic.Target
	handles  map[string]*handle
	devices  map[string]*device.Device
	pended   map[string]*asked
	events   map[string][]byte
	refused  map[string]bool // handles that were to be created
	played   Played
}

// handle is what lines have opened under one name.
type handle struct {
	*trace.Handle
	many *trace.OverlappedHandle // of one for many requests at once
}

// newHandle returns a handle as a line wants it.
func newHandle(h *trace.Handle, l *line) (*handle, error) {
	if !l.Overlapped {
		return &handle{Handle: h}, nil
	}
	many, err := h.Overlapped(nil)
	return &handle{h, many}, err
}

// send sends a request, and returns when it has ended.
func (h *handle) send(a *asked, code uint32, in, out []byte) {
	defer close(a.done)
	if h.many == nil {
		h.IoControl(code, in, out)
	} else if _, status := h.many.IoControl(&a.overlapped, code, in, out); status == ks.StatusPending {
		_ = a.overlapped.Wait(context.Background())
	}
}

// setMode sets the requestor mode of the requests that follow.
func (h *handle) setMode(mode engine.Mode) {
	if h.many != nil {
		h.many.SetMode(mode)
	} else {
		h.SetMode(mode)
	}
}

// asked is a request that is pended.
type asked struct {
	handle     string
	overlapped device.Overlapped
	irp        *engine.IRP
	data       []byte
	done       chan struct{}
}

func (p *playing) play(l *line) error {
	switch l.Op {
	case exec.ClientOpen:
		if p.handles[l.handle] != nil {
			return fmt.Errorf("handle: %q is open; close it first, or take another name", l.handle)
		}
		return p.open(l)
	case exec.ClientCreate:
		parent := p.handles[l.Parent]
		if parent == nil && p.refused[l.Parent] {
			p.refused[l.handle] = true
			return nil
		}
		if parent == nil {
			return fmt.Errorf("parent: no line has opened %q", l.Parent)
		}
		if p.handles[l.handle] != nil {
			return fmt.Errorf("handle: %q is open; close it first, or take another name", l.handle)
		}
		pin, _ := parent.CreatePin(l.In)
		if p.refused[l.handle] = pin == nil; pin == nil {
			return nil
		}
		h, err := newHandle(pin, l)
		p.handles[l.handle] = h
		return err
	case exec.ClientClose:
		return p.close(l.handle)
	case exec.ClientGenerate:
		dev, err := p.device(l.Object)
		if err != nil {
			return err
		}
		var set *ks.GUID
		if l.Set != (ks.GUID{}) {
			set = &l.Set
		}
		for range l.Count {
			p.recorder.Generate(dev, set, l.ID, l.Data)
		}
		return nil
	case exec.ClientCancel:
		return p.cancel(l)
	case exec.ClientComplete:
		return p.complete(l)
	}
	return p.request(l)
}

// close closes a handle, which ends what is pended on it.
func (p *playing) close(name string) error {
	h := p.handles[name]
	if h == nil {
		return nil
	}
	delete(p.handles, name)
	err := h.Close()
	p.ended(func(_ string, a *asked) bool { return a.handle == name })
	return err
}

// ended waits for the end of requests that were pended, and forgets them.
func (p *playing) ended(which func(tag string, a *asked) bool) {
	maps.DeleteFunc(p.pended, func(tag string, a *asked) bool {
		if !which(tag, a) {
			return false
		}
		a.irp.Complete(ks.StatusCancelled, 0) // a program that pends holds nothing, and is not told of a cancel
		<-a.done
		return true
	})
}

// cancel cancels what a line names: a request by its tag, or all of a handle.
func (p *playing) cancel(l *line) error {
	a := p.pended[l.Tag]
	name := l.handle
	switch {
	case a != nil:
		name = a.handle
	case l.Tag != "":
		return fmt.Errorf("tag: no pended request has the tag %q", l.Tag)
	}
	h := p.handles[name]
	switch {
	case h == nil:
		return fmt.Errorf("handle: no line has opened %q", name)
	case a != nil && h.many != nil:
		h.many.Cancel(&a.overlapped)
	default:
		h.Cancel()
	}
	p.ended(func(tag string, other *asked) bool { return other.handle == name && (a == nil || other == a) })
	return nil
}

func (p *playing) open(l *line) error {
	object := l.Object
	dev, err := p.device(object)
	if err != nil {
		return err
	}
	if object == "" {
		object = p.target.First()
	}
	h, err := p.recorder.Open(dev, object)
	if err != nil {
		return err
	}
	p.handles[l.handle], err = newHandle(h, l)
	return err
}

// device is one for all handles of an object.
func (p *playing) device(object string) (*device.Device, error) {
	dev := p.devices[object]
	if dev == nil {
		var err error
		if dev, err = p.target.Open(object, 0); err != nil {
			return nil, err
		}
		p.devices[object] = dev
		if object == "" {
			p.devices[p.target.First()] = dev
		}
	}
	return dev, nil
}

func (p *playing) request(l *line) error {
	h := p.handles[l.handle]
	if h == nil {
		if p.refused[l.handle] {
			p.played.Refused++
			return nil
		}
		if l.Handle != "" {
			return fmt.Errorf("handle: no line has opened %q", l.Handle)
		}
		if err := p.open(l); err != nil {
			return err
		}
		h = p.handles[l.handle]
	}
	for tag, a := range p.pended {
		if a.handle == l.handle && h.many == nil {
			return fmt.Errorf("the request %q is pended on the handle, which is synchronous; complete it first, use another file, "+
				"or open the handle overlapped", tag)
		}
	}
	h.setMode(engine.UserMode)
	if l.Kernel {
		h.setMode(engine.KernelMode)
	}
	in, out := p.event(h.Handle, l)
	a := &asked{handle: l.handle, done: make(chan struct{})}
	left := make(chan struct{})
	h.OnPend(func(irp *engine.IRP, data []byte) {
		a.irp, a.data = irp, data
		close(left)
	})
	p.played.Requests++
	go h.send(a, l.Code, in, out)
	select {
	case <-a.done:
		return nil
	case <-left:
	}
	if l.Tag == "" {
		a.irp.Complete(ks.StatusCancelled, 0) // no line can name it
		<-a.done
		return nil
	}
	p.pended[l.Tag] = a
	return nil
}

// complete ends a request that is pended, as the owner of its handler does.
func (p *playing) complete(l *line) error {
	a := p.pended[l.Tag]
	if a == nil {
		return fmt.Errorf("tag: no pended request has the tag %q", l.Tag)
	}
	delete(p.pended, l.Tag)
	copy(a.data, l.Data)
	a.irp.Complete(l.Status, l.Information)
	<-a.done
	return nil
}

// event gives a request for an event the memory of its KSEVENTDATA, and something to signal: any number is a handle in a line.
func (p *playing) event(h *trace.Handle, l *line) (in, out []byte) {
	if l.Code != ks.IoctlEnableEvent && l.Code != ks.IoctlDisableEvent {
		return l.In, l.Out
	}
	name := l.handle + " " + strconv.FormatUint(l.Event, 10)
	data := l.Out
	if l.Code == ks.IoctlDisableEvent {
		data = l.In
	}
	kept := p.events[name]
	if kept == nil || cap(kept) < len(data) {
		kept = make([]byte, len(data), len(data)+64)
		p.events[name] = kept
	}
	kept = kept[:len(data)]
	if l.Code == ks.IoctlDisableEvent {
		return kept, l.Out
	}
	copy(kept, data)
	if d, ok := ks.DecodeEventData(kept); ok {
		handles := h.Device().File().Handles
		if table, ok := handles.(*engine.HandleTable); ok {
			switch d.NotificationType {
			case ks.NotificationEventHandle:
				d.Object = table.Open(engine.NewSyncEvent(), engine.ModifyState, engine.UserMode)
			case ks.NotificationSemaphoreHandle:
				d.Object = table.Open(engine.NewSemaphore(1<<31-1), engine.ModifyState, engine.UserMode)
			}
			d.Put(kept)
		}
	}
	return l.In, kept
}
