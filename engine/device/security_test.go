package device_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestS25_CreateNames: names of every length about a boundary, with zeros and odd lengths in them and sizes that lie. What is behind
// the slice is never looked at.
func TestS25_CreateNames(t *testing.T) {
	_, h := openFilter(t, withNodes(volume(20), volume(21)))
	whole := name(pinClass+`\`, connect(0, format(1))...) // 78 + 72 + 64 bytes
	for n, want := range map[int]ks.Status{
		0: ks.StatusObjectNameNotFound, 1: ks.StatusObjectNameNotFound, 75: ks.StatusObjectNameNotFound, 76: ks.StatusInvalidBufferSize,
		77: ks.StatusObjectNameNotFound, 78: ks.StatusInvalidBufferSize, 78 + 71: ks.StatusInvalidBufferSize,
		78 + 72: ks.StatusInvalidBufferSize, 78 + 135: ks.StatusInvalidBufferSize, 78 + 136: ks.StatusSuccess,
	} {
		made, status := h.Create(whole[:n]) // the rest lies behind it
		if status != want {
			t.Errorf("%d bytes: %v, want %v", n, status, want)
		}
		if made != nil {
			_ = made.Close()
		}
	}
	const formatAt = 78 + 72
	put := func(at int, value uint32) []byte {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[at:], value)
		return b
	}
	list := func(size uint32) []byte { return slices.Concat(put(formatAt+4, 2), word(size), word(0)) }
	for what, c := range map[string]struct {
		name   []byte
		status ks.Status
	}{
		"an odd length":                 {append(bytes.Clone(whole), 0), ks.StatusSuccess},
		"zeros in the class":            {put(20, 0), ks.StatusObjectNameNotFound},
		"a zero for the backslash":      {put(76, 0), ks.StatusObjectNameNotFound},
		"FormatSize 0":                  {put(formatAt, 0), ks.StatusInvalidBufferSize},
		"FormatSize 63":                 {put(formatAt, 63), ks.StatusInvalidBufferSize},
		"FormatSize of one byte more":   {put(formatAt, 65), ks.StatusInvalidBufferSize},
		"FormatSize 0xFFFFFFFF":         {put(formatAt, 0xFFFFFFFF), ks.StatusInvalidBufferSize},
		"FormatSize 0xFFFFFFF9":         {put(formatAt, 0xFFFFFFF9), ks.StatusInvalidBufferSize},
		"attributes that are not there": {put(formatAt+4, 2), ks.StatusInvalidBufferSize},
		"attributes":                    {list(8), ks.StatusSuccess},
		"attributes behind the end":     {list(9), ks.StatusInvalidBufferSize},
		"attributes 0xFFFFFFFF":         {list(0xFFFFFFFF), ks.StatusInvalidBufferSize},
	} {
		made, status := h.Create(c.name[:len(c.name):len(c.name)])
		if status != c.status {
			t.Errorf("%s: %v, want %v", what, status, c.status)
		}
		if made != nil {
			_ = made.Close()
		}
	}
}

// classOf reads the class of a name from scratch: the text before the first backslash. ok is false if that is no text.
func classOf(name []byte) (class string, parameters []byte, ok bool) {
	var text []rune
	for i := 0; ; i += 2 {
		switch {
		case i == len(name):
			return string(text), nil, true
		case i+1 == len(name):
			return "", nil, false
		case name[i] == '\\' && name[i+1] == 0:
			return string(text), name[i+2:], true
		}
		text = append(text, rune(name[i])|rune(name[i+1])<<8)
	}
}

// FuzzCreate: whatever a name is, what comes of it is what a reading from scratch says, nothing outside of it is read, nothing of
// it is written, and no place is lost.
func FuzzCreate(f *testing.F) {
	for _, seed := range [][]byte{
		name(pinClass+`\`, connect(0, format(1))...), name(pinClass+`\`, connectTo(4, 1)...), name(pinClass),
		name(strings.ToLower(nodeClass)+`\`, 0, 0, 0, 0, 1, 0, 0, 0), name(nodeClass+`\`, make([]byte, 9)...), name(clockClass + `\`),
	} {
		f.Add(seed)
	}
	w := withNodes(volume(20), volume(21))
	w.Pins = append(w.Pins, source(9))
	dev, err := device.NewFilter(w)
	if err != nil {
		f.Fatal(err)
	}
	h, err := dev.Open()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name []byte) {
		all := append(bytes.Clone(name), connect(0, format(1))...) // what would be read too much
		given := all[:len(name)]
		before := bytes.Clone(all)
		made, status := h.Create(given)
		if (made != nil) != (status == ks.StatusSuccess) || !bytes.Equal(all, before) {
			t.Fatalf("%v, %v", made, status)
		}
		class, parameters, ok := classOf(name)
		var possible []ks.Status
		switch {
		case len(name) > 65534:
			possible = []ks.Status{ks.StatusInvalidParameter}
		case ok && strings.EqualFold(class, pinClass) && len(parameters) < 136:
			possible = []ks.Status{ks.StatusInvalidBufferSize}
		case ok && strings.EqualFold(class, pinClass):
			possible = []ks.Status{ks.StatusSuccess, ks.StatusInvalidParameter, ks.StatusNoMatch, ks.StatusInvalidBufferSize, ks.StatusInvalidHandle}
		case ok && strings.EqualFold(class, nodeClass) && len(parameters) < 8:
			possible = []ks.Status{ks.StatusInvalidBufferSize}
		case ok && strings.EqualFold(class, nodeClass):
			possible = []ks.Status{ks.StatusInvalidParameter}
			if bytes.Equal(parameters[:4], make([]byte, 4)) && binary.LittleEndian.Uint32(parameters[4:]) < 2 {
				possible = []ks.Status{ks.StatusSuccess}
			}
		default:
			possible = []ks.Status{ks.StatusObjectNameNotFound}
		}
		if !slices.Contains(possible, status) {
			t.Fatalf("%v, want one of %v", status, possible)
		}
		if made != nil {
			if p := made.Pin(); p != nil && !bytes.HasPrefix(parameters[72:], p.Format()) {
				t.Fatalf("the format is % x", p.Format())
			}
			_ = made.Close()
		}
		for pin := range uint32(2) {
			if n := instances(t, h, 0, pin); n.CurrentCount != 0 {
				t.Fatalf("%d of pin %d are left", n.CurrentCount, pin)
			}
		}
	})
}

// TestS41_NotificationEvents: an event of a pin keeps its object once, is let go once however often it is disabled, and is not signalled
// any more when its pin's handle has been closed while it was being signalled.
func TestS41_NotificationEvents(t *testing.T) {
	for round := range 200 {
		pin := factory(1)
		pin.Config.EventSets = []engine.EventSet{{Set: testSet, Items: []engine.EventItem{{ID: 1}}}}
		dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
		p := createPin(t, h, connect(0, format(1)))
		var signals, gone atomic.Int32
		var closed atomic.Bool
		object := engine.NewCallback(engine.ObjectTypeEvent, func(int32) {
			if closed.Load() {
				t.Error("a signal after Close")
			}
			signals.Add(1)
		}, func() { gone.Add(1) })
		number := dev.Handles().Open(object, engine.ModifyState, engine.UserMode)
		data := device.NewEventData(ks.EventData{NotificationType: ks.NotificationEventHandle, Object: number}, 0)
		enable := func() ks.Status {
			_, status := p.IoControl(ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data)
			return status
		}
		disable := func() ks.Status { _, status := p.IoControl(ks.IoctlDisableEvent, data, nil); return status }
		if enable() != ks.StatusSuccess || disable() != ks.StatusSuccess {
			t.Fatal("cannot enable and disable")
		}
		if status := disable(); !status.IsError() {
			t.Errorf("disabled twice: %v", status)
		}
		if enable() != ks.StatusSuccess || dev.Handles().Close(number) != ks.StatusSuccess || gone.Load() != 0 {
			t.Fatal("the event does not keep its object")
		}
		var wg sync.WaitGroup
		begun := make(chan struct{})
		wg.Go(func() {
			for i := 0; !closed.Load(); i++ {
				dev.Events().Generate(&testSet, 1)
				if i == round%7 {
					close(begun)
				}
				runtime.Gosched()
			}
		})
		<-begun
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		closed.Store(true)
		wg.Wait()
		if signals.Load() == 0 || gone.Load() != 1 || dev.Events().Len() != 0 {
			t.Fatalf("%d signals, let go %d times, %d events left", signals.Load(), gone.Load(), dev.Events().Len())
		}
	}
}
