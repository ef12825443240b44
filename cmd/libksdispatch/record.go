package main

// #include "bridge.h"
import "C"

import (
	"errors"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// A recording is the trace of an object.
type recording struct {
	*trace.Recorder
	name  string // of the object
	file  *os.File
	bytes atomic.Uint64
	ended atomic.Bool
}

// Write is how the recorder writes.
func (r *recording) Write(b []byte) (int, error) {
	n, err := r.file.Write(b)
	r.bytes.Add(uint64(n))
	return n, err
}

// stop ends the trace: once.
func (r *recording) stop() error {
	if !r.ended.CompareAndSwap(false, true) {
		return nil
	}
	return errors.Join(r.Close(), r.file.Close())
}

// open opens the object.
func (o *object) open() (opened, error) {
	if r := o.recording.Load(); r != nil && !r.ended.Load() {
		h, err := r.Open(o.device, r.name)
		if err != nil {
			return opened{}, err
		}
		return opened{h.Device(), h}, nil
	}
	h, err := o.device.Open()
	return opened{h, nil}, err
}

// opened is an open handle, and itself as it is recorded, or nil.
type opened struct {
	*device.Handle
	recorded *trace.Handle
}

func (o *opened) SetMode(mode engine.Mode) {
	if o.recorded != nil {
		o.recorded.SetMode(mode)
	} else {
		o.Handle.SetMode(mode)
	}
}

func (o *opened) CreatePin(connect []byte) (opened, ks.Status) {
	if o.recorded != nil {
		pin, status := o.recorded.CreatePin(connect)
		if pin == nil {
			return opened{}, status
		}
		return opened{pin.Device(), pin}, status
	}
	pin, status := o.Handle.CreatePin(connect)
	return opened{pin, nil}, status
}

func (o *opened) Cancel() int {
	if o.recorded != nil {
		return o.recorded.Cancel()
	}
	return o.Handle.Cancel()
}

func (o *opened) Close() error {
	if o.recorded != nil {
		return o.recorded.Close()
	}
	return o.Handle.Close()
}

// overlapped is what opened is for many requests at once.
type overlapped struct {
	*device.OverlappedHandle
	recorded *trace.OverlappedHandle
}

func (o *opened) Overlapped(port *device.Port) (*overlapped, error) {
	if o.recorded != nil {
		h, err := o.recorded.Overlapped(port)
		return &overlapped{recorded: h}, err
	}
	h, err := o.Handle.Overlapped(port)
	return &overlapped{OverlappedHandle: h}, err
}

func (h *overlapped) IoControl(o *device.Overlapped, code uint32, in, out []byte) (n uint32, status ks.Status) {
	if h.recorded != nil {
		return h.recorded.IoControl(o, code, in, out)
	}
	return h.OverlappedHandle.IoControl(o, code, in, out)
}

func (h *overlapped) Cancel(o *device.Overlapped) int {
	if h.recorded != nil {
		return h.recorded.Cancel(o)
	}
	return h.OverlappedHandle.Cancel(o)
}

func (h *overlapped) OnComplete(f func(o *device.Overlapped, n uint32, status ks.Status, pended bool)) {
	if h.recorded != nil {
		h.recorded.OnComplete(f)
	} else {
		h.OverlappedHandle.OnComplete(f)
	}
}

//export ksd__trace_start
func ksd__trace_start(number C.ksd_object, path C.ksd__text, flags C.uint32_t, text *C.char, size C.size_t) C.ksd_status {
	tell(text, size, "")
	o := objects.get(uint64(number))
	switch {
	case o == nil:
		return result(ks.StatusInvalidHandle)
	case path == nil:
		tell(text, size, "path is NULL")
		return result(ks.StatusInvalidParameter)
	}
	status, err := o.record(C.GoString(path), flags&C.KSD_TRACE_DROP == 0)
	if err != nil {
		tell(text, size, err.Error())
	}
	return result(status)
}

// record has a trace of the object written.
func (o *object) record(path string, wait bool) (ks.Status, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.recording.Load(); r != nil && !r.ended.Load() {
		return ks.StatusInvalidDeviceState, errors.New("the object has a trace; stop that first")
	}
	d := o.declared.Load()
	next := o.watch
	if next.pends == nil {
		next.pends = new(trace.Pends)
		if err := o.answer(d, next); err != nil {
			return ks.StatusUnsuccessful, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return ks.StatusUnsuccessful, err
	}
	r := &recording{name: d.name, file: f}
	config := trace.Config{Wait: wait, Pends: next.pends}
	if d.source.Name != "" {
		config.Sources = []trace.Source{d.source}
	}
	if r.Recorder, err = trace.NewRecorder(r, config); err != nil {
		return ks.StatusUnsuccessful, errors.Join(err, f.Close(), os.Remove(path))
	}
	o.recording.Store(r)
	return ks.StatusSuccess, nil
}

//export ksd_trace_read
func ksd_trace_read(number C.ksd_object, counters *C.ksd_trace_counters) C.ksd_status {
	o := objects.get(uint64(number))
	switch {
	case o == nil:
		return result(ks.StatusInvalidHandle)
	case counters == nil:
		return result(ks.StatusAccessViolation)
	case uintptr(counters.size) < unsafe.Sizeof(*counters):
		return result(ks.StatusInvalidParameter)
	}
	r := o.recording.Load()
	if r == nil {
		return result(ks.StatusNotFound)
	}
	counters.running = 0
	if !r.ended.Load() {
		counters.running = 1
	}
	counters.bytes, counters.dropped = C.uint64_t(r.bytes.Load()), C.uint64_t(r.Dropped())
	return result(ks.StatusSuccess)
}

//export ksd__trace_stop
func ksd__trace_stop(number C.ksd_object, text *C.char, size C.size_t) C.ksd_status {
	tell(text, size, "")
	o := objects.get(uint64(number))
	if o == nil {
		return result(ks.StatusInvalidHandle)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.recording.Load()
	if r == nil || r.ended.Load() {
		return result(ks.StatusNotFound)
	}
	if err := r.stop(); err != nil {
		tell(text, size, err.Error())
		return result(ks.StatusUnsuccessful)
	}
	return result(ks.StatusSuccess)
}
