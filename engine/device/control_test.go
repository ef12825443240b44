package device_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// code returns a control code of one's own with that transfer method.
func code(method uint32) uint32 { return 0x00222000 | method }

// openControl returns a handle of a device whose codes f answers.
func openControl(t *testing.T, f engine.ControlHandler) *device.Handle {
	t.Helper()
	return openAgain(t, device.New(compile(t, engine.Config{Control: f, OnPanic: func(any, []byte) {}})))
}

// TestAS28_TransferMethods: the method of a code says what a handler gets of the caller's buffers, and what the caller gets back.
func TestAS28_TransferMethods(t *testing.T) {
	for _, c := range []struct {
		method  uint32
		status  ks.Status
		sees    string // in out, when the handler starts
		written string // the caller's output afterwards, where the handler wrote xyz and said 2
	}{
		{ks.MethodBuffered, ks.StatusSuccess, "in\x00", "xyt"},
		{ks.MethodInDirect, ks.StatusSuccess, "out", "out"},
		{ks.MethodOutDirect, ks.StatusSuccess, "out", "xyz"},
		{ks.MethodNeither, ks.StatusSuccess, "out", "xyt"},
		{ks.MethodBuffered, ks.StatusUnsuccessful, "in\x00", "out"},
		{ks.MethodInDirect, ks.StatusUnsuccessful, "out", "out"},
		{ks.MethodOutDirect, ks.StatusUnsuccessful, "out", "xyz"},
		{ks.MethodNeither, ks.StatusUnsuccessful, "out", "out"},
	} {
		for _, pends := range []bool{false, true} {
			h := openControl(t, func(irp *engine.IRP, got uint32, in, out []byte) ks.Status {
				if got != code(c.method) || string(in) != "in" || string(out) != c.sees || cap(in) != 2 || cap(out) != 3 {
					t.Errorf("method %d: code %#x, in %q, out %q", c.method, got, in, out)
				}
				copy(out, "xyz")
				if same := in[0] == 'x'; same != (c.method == ks.MethodBuffered) {
					t.Errorf("method %d: in and out are the same memory: %v", c.method, same)
				}
				if pends {
					go irp.Complete(c.status, 2)
					return ks.StatusPending
				}
				irp.IoStatus.Information = 2
				return c.status
			})
			in, out := []byte("in"), []byte("out")
			n, status := h.IoControl(code(c.method), in, out)
			want := map[bool]uint32{true: 0, false: 2}[c.status.IsError()]
			if n != want || status != c.status || string(in) != "in" || string(out) != c.written {
				t.Errorf("method %d, pends %v: %d bytes, %v, in %q, out %q, want %q", c.method, pends, n, status, in, out, c.written)
			}
		}
	}
}

// TestAS28_ControlCodes: who answers no codes refuses all but the four of KS; those are never asked about.
func TestAS28_ControlCodes(t *testing.T) {
	for _, handler := range []engine.ControlHandler{nil, func(_ *engine.IRP, code uint32, _, _ []byte) ks.Status {
		if code == ks.IoctlProperty || code == ks.IoctlMethod || code == ks.IoctlEnableEvent || code == ks.IoctlDisableEvent {
			t.Errorf("asked about %#x", code)
		}
		return ks.StatusInvalidDeviceRequest
	}} {
		h := openControl(t, handler)
		for _, code := range []uint32{0, code(0), ks.IoctlReadStream, ks.IoctlWriteStream, ks.IoctlResetState} {
			if n, status := h.IoControl(code, make([]byte, 4), make([]byte, 4)); n != 0 || status != ks.StatusInvalidDeviceRequest {
				t.Errorf("%#x: %d bytes, %v", code, n, status)
			}
		}
		for _, code := range []uint32{ks.IoctlProperty, ks.IoctlMethod, ks.IoctlEnableEvent, ks.IoctlDisableEvent} { // AS-28
			in := append(ks.Identifier{Set: testSet, Flags: 1}.Bytes(), make([]byte, 8)...)
			if _, status := h.IoControl(code, in, make([]byte, 32)); status == ks.StatusInvalidDeviceRequest || !status.IsError() {
				t.Errorf("%#x: %v", code, status)
			}
		}
	}
}

// TestS30_InformationOfControlCodes: no code says that there is more than the output holds, and a size answer needs none.
func TestS30_InformationOfControlCodes(t *testing.T) {
	for method := range uint32(4) {
		for _, out := range []int{0, 1, 4, 5, -1, -4, -5} {
			pends := out < 0
			out = max(out, -out)
			h := openControl(t, func(irp *engine.IRP, _ uint32, _, out []byte) ks.Status {
				if pends {
					irp.Complete(ks.StatusSuccess, 5)
					return ks.StatusPending
				}
				irp.IoStatus.Information = 5
				if len(out) == 0 {
					return ks.StatusBufferOverflow
				}
				return ks.StatusSuccess
			})
			n, status := h.IoControl(code(method), nil, make([]byte, out))
			want, wantN := ks.StatusBufferTooSmall, uint32(0)
			switch out {
			case 0:
				want, wantN = ks.StatusBufferOverflow, 5
			case 5:
				want, wantN = ks.StatusSuccess, 5
			}
			if n != wantN || status != want {
				t.Errorf("method %d, out %d, pends %v: %d bytes, %v; want %d, %v", method, out, pends, n, status, wantN, want)
			}
		}
	}
}

// TestP21_ControlCodesThatPanic: the request fails, whatever its method, and the next one finds the handle as it was.
func TestP21_ControlCodesThatPanic(t *testing.T) {
	for method := range uint32(4) {
		fails := true
		h := openControl(t, func(irp *engine.IRP, _ uint32, in, out []byte) ks.Status {
			if fails {
				panic(ks.StatusDeviceNotReady)
			}
			irp.IoStatus.Information = uint64(len(out))
			return ks.StatusSuccess
		})
		for _, want := range []ks.Status{ks.StatusDeviceNotReady, ks.StatusSuccess} {
			if _, status := h.IoControl(code(method), []byte("in"), make([]byte, 100)); status != want {
				t.Errorf("method %d: %v, want %v", method, status, want)
			}
			fails = false
		}
	}
}
