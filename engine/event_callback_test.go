package engine_test

import (
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// foreign resolves every handle to a callback that writes down what happens to it.
type foreign struct{ log []string }

func (f *foreign) Resolve(_ uint64, want engine.ObjectType, _ uint32, _ engine.Mode) (engine.Object, ks.Status) {
	signal := func(count int32) { f.log = append(f.log, "signal "+string('0'+rune(count))) }
	return engine.NewCallback(want, signal, func() { f.log = append(f.log, "gone") }), ks.StatusSuccess
}

func TestE21_Callback(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	f := &foreign{}
	h.file.Handles = f
	for _, test := range []struct {
		data []byte
		want []string
	}{
		{eventData(ks.NotificationEventHandle, 0x1234), []string{"signal 1", "signal 1", "gone"}},
		{semaphoreData(0x1238, 3), []string{"signal 3", "signal 3", "gone"}},
	} {
		f.log = nil
		h.enable(1, enable, 0x1000, test.data, ks.StatusSuccess)
		h.generate(1, ks.StatusSuccess)
		h.generate(1, ks.StatusSuccess)
		h.disable(0x1000, ks.StatusSuccess)
		h.generate(1, ks.StatusSuccess)
		if !slices.Equal(f.log, test.want) {
			t.Errorf("the callback saw %q, want %q", f.log, test.want)
		}
	}
}

// A one-shot event lets its object go when it fires, and a refused enable never keeps it.
func TestE21_CallbackGone(t *testing.T) {
	refused := ks.StatusUnsuccessful
	h := newEventHost(t, engine.EventItem{ID: 1}, engine.EventItem{ID: 2,
		Add: func(*engine.IRP, []byte, *engine.EventEntry) ks.Status { return refused }})
	f := &foreign{}
	h.file.Handles = f
	h.enable(1, oneShot, 0x1000, eventData(ks.NotificationEventHandle, 4), ks.StatusSuccess)
	h.generate(1, ks.StatusSuccess)
	h.enable(2, enable, 0x2000, eventData(ks.NotificationEventHandle, 4), refused)
	if want := []string{"signal 1", "gone", "gone"}; !slices.Equal(f.log, want) {
		t.Errorf("the callbacks saw %q, want %q", f.log, want)
	}
}

func TestE8_CallbackKind(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a callback for a work item was made")
		}
	}()
	engine.NewCallback(engine.ObjectTypeWorkItem, func(int32) {}, nil)
}
