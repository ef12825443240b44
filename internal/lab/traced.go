package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// TracedStand is the prepared requests of one object, by name: "irp", each sent on a plain handle; "recorded", on one of a recorder that
// drops none and whose file is nowhere; "replay", sent from a trace that has them in memory, which is checked as it is read; "verify",
// replayed with each answer compared. A replay is always of all requests, so that theirs is the number of a loop. The workload must have
// one object, and requests that all hit; each is tried before, in all ways.
func (w Workload) TracedStand(seed uint64) (loops map[string]func(n int), release func() error, err error) {
	b, err := w.single(seed, "a device is one")
	if err != nil {
		return nil, nil, err
	}
	if err := b.addEngine(b.objects[0].compile(timed)); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	b.ask(w, seed)
	var text bytes.Buffer
	t := &traced{bed: b, dispatcher: b.dispatchers[0]}
	sum, err := t.record(&text)
	if err == nil {
		t.reader, err = trace.NewReader(trace.Memory(text.Bytes()), int64(text.Len()), w.Name)
	}
	if want := b.irpEngine(Requests); err == nil && sum != want {
		err = fmt.Errorf("before timing: the checksum of recorded requests is %#x, of plain ones %#x", sum, want)
	}
	if err == nil {
		err = t.replay(true)
	}
	if err == nil {
		err = t.open(io.Discard)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", w.Name, err), b.close())
	}
	repeat := func(verify bool) func(n int) {
		return func(n int) {
			for ; n > 0; n -= Requests {
				if err := t.replay(verify); err != nil {
					panic(err) // the same trace was replayed before
				}
			}
		}
	}
	loops = map[string]func(int){
		"irp":      func(n int) { sink.Add(b.irpEngine(n)) },
		"recorded": func(n int) { sink.Add(t.send(n)) },
		"replay":   repeat(false),
		"verify":   repeat(true),
	}
	return loops, func() error { return errors.Join(t.close(), b.close()) }, nil
}

// traced is a handle of a recorder, and a trace.
type traced struct {
	bed        *bed
	dispatcher *engine.Dispatcher
	recorder   *trace.Recorder
	handle     *trace.Handle
	reader     *trace.Reader
}

// open begins to record to a writer.
func (t *traced) open(to io.Writer) (err error) {
	if t.recorder, err = trace.NewRecorder(to, trace.Config{Wait: true}); err != nil {
		return err
	}
	if t.handle, err = t.recorder.Open(device.New(t.dispatcher), "object"); err != nil {
		return errors.Join(err, t.recorder.Close())
	}
	return nil
}

func (t *traced) close() error { return errors.Join(t.handle.Close(), t.recorder.Close()) }

// record sends all requests once.
func (t *traced) record(to io.Writer) (sum uint64, err error) {
	if err := t.open(to); err != nil {
		return 0, err
	}
	sum = t.send(Requests)
	return sum, t.close()
}

// send is irpEngine through a recorder.
func (t *traced) send(n int) (sum uint64) {
	reqs, out, h := t.bed.requests, t.bed.out, t.handle
	for i := range n {
		r := &reqs[i&(Requests-1)]
		returned, status := h.IoControl(ks.IoctlProperty, r.in, out[:r.out])
		sum += uint64(returned) + uint64(status)
	}
	return sum
}

// replay sends the trace to a new device.
func (t *traced) replay(verify bool) error {
	open := func(string, uint32) (*device.Device, error) { return device.New(t.dispatcher), nil }
	r, err := trace.Replay(context.Background(), t.reader, open, trace.ReplayOptions{Verify: verify})
	if err != nil {
		return err
	}
	if r.Requests != Requests || r.Differences != 0 {
		return fmt.Errorf("%d of %d requests were replayed, of which %d are answered otherwise", r.Requests, Requests, r.Differences)
	}
	return nil
}
