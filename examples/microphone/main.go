// Microphone is a virtual microphone: a jack and a pin, volume and mute, a method, an event, requests that wait for the next buffer of
// samples, and a table that is swapped while clients are connected.
//
//	go run ./examples/microphone
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"os"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// setMicrophone is the microphone's own: what no standard set has.
var setMicrophone = ks.MustParseGUID("9a1e7c20-5b0d-4f4e-9d6a-2f0c7be1a001")

// Its items.
const (
	itemSamples = 1 // property: waits for the next buffer
	itemGain    = 2 // property: only since the second table
	itemReset   = 1 // method: volume and mute as they were at first
	itemChanged = 1 // event: a control has changed
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// microphone is the driver.
type microphone struct {
	device  *device.Device
	volume  atomic.Int32
	mute    atomic.Int32
	waiting engine.CancelQueue // requests for samples
	counts  [8]atomic.Uint64   // requests by item
}

// value is a GET handler for a number, change a SET handler, which tells the clients of the event.
func value(v *atomic.Int32) engine.Handler {
	return func(irp *engine.IRP, _, data []byte) ks.Status {
		binary.LittleEndian.PutUint32(data, uint32(v.Load()))
		irp.IoStatus.Information = 4
		return ks.StatusSuccess
	}
}

func (m *microphone) change(v *atomic.Int32) engine.Handler {
	return func(_ *engine.IRP, _, data []byte) ks.Status {
		v.Store(int32(binary.LittleEndian.Uint32(data)))
		m.device.Events().Generate(&setMicrophone, itemChanged)
		return ks.StatusSuccess
	}
}

// counted counts the requests of an item.
func (m *microphone) counted(item int, h engine.Handler) engine.Handler {
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		m.counts[item].Add(1)
		return h(irp, request, data)
	}
}

// samples pends a request until there is a buffer: one line.
func (m *microphone) samples(irp *engine.IRP, _, _ []byte) ks.Status {
	m.waiting.Add(irp)
	return ks.StatusPending
}

// deliver completes one of them: two lines.
func (m *microphone) deliver(buffer string) bool {
	irp := m.waiting.Remove()
	return irp != nil && irp.Complete(ks.StatusSuccess, uint64(copy(irp.Data(), buffer)))
}

func (m *microphone) reset(*engine.IRP, []byte, []byte) ks.Status {
	m.volume.Store(0)
	m.mute.Store(0)
	return ks.StatusSuccess
}

// table declares what the microphone answers. The second edition has one more pin, and a gain for it.
func (m *microphone) table(second bool) (*engine.Dispatcher, error) {
	pin := engine.PinDescriptor{DataFlow: ks.DataFlowOut, Communication: ks.CommunicationSink}
	pins := engine.PinSet{Pins: []engine.PinDescriptor{pin}}
	own := []engine.PropertyItem{{ID: itemSamples, Get: m.counted(2, m.samples), MinData: 8}}
	if second {
		pins.Pins = append(pins.Pins, pin)
		own = append(own, engine.PropertyItem{ID: itemGain, Get: m.counted(3, value(new(atomic.Int32))), MinData: 4})
	}
	jack := func(irp *engine.IRP, _, data []byte) ks.Status {
		return engine.HandleSizedListQuery(irp, data, 1, 28, func(_ uint32, b []byte) { b[24] = 1 /* IsConnected */ })
	}
	return engine.Compile(engine.Config{
		PropertySets: []engine.PropertySet{
			{Set: kssets.KSPROPSETID_Audio, Items: []engine.PropertyItem{
				{ID: kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, Get: m.counted(0, value(&m.volume)), Set: m.counted(0, m.change(&m.volume)), MinData: 4},
				{ID: kssets.KSPROPERTY_AUDIO_MUTE, Get: m.counted(1, value(&m.mute)), Set: m.counted(1, m.change(&m.mute)), MinData: 4},
			}},
			{Set: kssets.KSPROPSETID_Jack, Items: []engine.PropertyItem{{ID: kssets.KSPROPERTY_JACK_DESCRIPTION, Get: m.counted(4, jack)}}},
			pins.PropertySet(),
			{Set: setMicrophone, Items: own},
		},
		MethodSets: []engine.MethodSet{{Set: setMicrophone, Items: []engine.MethodItem{{ID: itemReset, Handler: m.counted(5, m.reset)}}}},
		EventSets:  []engine.EventSet{{Set: setMicrophone, Items: []engine.EventItem{{ID: itemChanged}}}},
	})
}

func newMicrophone() (*microphone, error) {
	m := new(microphone)
	d, err := m.table(false)
	if err != nil {
		return nil, err
	}
	m.device = device.New(d)
	return m, nil
}

// identifier is a KSPROPERTY, KSMETHOD or KSEVENT.
func identifier(set ks.GUID, id, flags uint32) []byte {
	b := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: set, ID: id, Flags: flags}.Put(b)
	return b
}

func run(ctx context.Context, w io.Writer) error {
	m, err := newMicrophone()
	if err != nil {
		return err
	}
	port := device.NewPort()
	h, err := m.device.OpenOverlapped(port)
	if err != nil {
		return err
	}
	defer h.Close()
	send := func(what string, code uint32, in, out []byte) {
		n, status := h.IoControl(nil, code, in, out) // no Overlapped: it is waited for
		fmt.Fprintf(w, "%s: %v, %d bytes\n", what, status, n)
	}

	// A client that is told of changes.
	changed := engine.NewSyncEvent()
	event := device.NewEventData(ks.EventData{NotificationType: ks.NotificationEventHandle,
		Object: m.device.Handles().Open(changed, engine.ModifyState, engine.UserMode)}, 0)
	send("enable", ks.IoctlEnableEvent, identifier(setMicrophone, itemChanged, ks.EventTypeEnable), event)
	out := []byte{1, 0, 0, 0}
	send("mute", ks.IoctlProperty, identifier(kssets.KSPROPSETID_Audio, kssets.KSPROPERTY_AUDIO_MUTE, ks.PropertyTypeSet), out)
	if err := changed.Wait(ctx); err != nil {
		return err
	}
	send("jack", ks.IoctlProperty, identifier(kssets.KSPROPSETID_Jack, kssets.KSPROPERTY_JACK_DESCRIPTION, ks.PropertyTypeGet), nil)
	send("reset", ks.IoctlMethod, identifier(setMicrophone, itemReset, ks.MethodTypeSend), nil)

	// Two requests for samples: one is answered, the other is pended until the handle is closed.
	var first, second device.Overlapped
	samples, in := make([]byte, 8), identifier(setMicrophone, itemSamples, ks.PropertyTypeGet)
	for _, o := range []*device.Overlapped{&first, &second} {
		_, status := h.IoControl(o, ks.IoctlProperty, in, samples)
		fmt.Fprintf(w, "samples: %v\n", status)
	}
	m.deliver("8 bytes!")
	done := make([]*device.Overlapped, 1)
	if _, err := port.Wait(ctx, done); err != nil {
		return err
	}
	fmt.Fprintf(w, "delivered: %v, %q\n", first.Status(), samples)

	// A second pin appears while the client is connected: its handle and its event stay.
	m.device.OnSwap(func(c device.Change) { fmt.Fprintf(w, "swap: %d added, %d removed\n", len(c.Added), len(c.Removed)) })
	gain := identifier(setMicrophone, itemGain, ks.PropertyTypeGet)
	send("gain", ks.IoctlProperty, gain, out)
	d, err := m.table(true)
	if err != nil {
		return err
	}
	m.device.Swap(d)
	send("gain", ks.IoctlProperty, gain, out)
	send("pins", ks.IoctlProperty, identifier(kssets.KSPROPSETID_Pin, kssets.KSPROPERTY_PIN_CTYPES, ks.PropertyTypeGet), out)
	fmt.Fprintf(w, "there are %d\n", out[0])

	if err := h.Close(); err != nil {
		return err
	}
	fmt.Fprintf(w, "closed: %v\n", second.Status())
	if err := m.device.Shutdown(ctx); err != nil {
		return err
	}
	for i, name := range []string{"volume", "mute", "samples", "gain", "jack", "reset"} {
		fmt.Fprintf(w, "%s %d\n", name, m.counts[i].Load())
	}
	return nil
}
