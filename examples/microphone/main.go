// Microphone is a virtual microphone: a topology filter with a jack, a volume for each channel and a mute switch; a wave filter whose
// capture pin gives samples and has a position register; and a device of its own for what no standard set has. Reads pend until there are
// samples, and closing the pin cancels them. The wave filter is swapped for one with a second capture pin while clients are connected.
//
//	go run ./examples/microphone
//
// examples/README.md walks through it. tables.go has what is data.
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
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// microphone is the driver.
type microphone struct {
	wave, topology, control *device.Device
	volume                  [channels]knob // in 1/65536 dB
	mute                    knob
	gain                    atomic.Int32               // of the second edition
	position                atomic.Uint64              // bytes that were captured
	pin                     atomic.Pointer[device.Pin] // that captures
	counts                  []*device.Observation      // requests by item
}

// knob is a value that clients are told of.
type knob struct {
	atomic.Int32
	changed func(v int32)
}

// Store is called by a SET.
func (k *knob) Store(v int32) {
	k.Int32.Store(v)
	k.changed(v)
}

func newMicrophone() (m *microphone, err error) {
	m = new(microphone)
	for _, k := range []*knob{&m.volume[0], &m.volume[1], &m.mute} {
		k.changed = m.changed
	}
	if m.topology, err = m.newTopology(); err != nil {
		return nil, err
	}
	wave, err := m.declareWave(false)
	if err != nil {
		return nil, err
	}
	if m.wave, err = device.NewFilter(wave); err != nil {
		return nil, err
	}
	m.control, err = m.newControl()
	return m, err
}

// observed counts the requests to each item.
func (m *microphone) observed(config engine.Config) engine.Config {
	m.counts = append(m.counts, device.Observe(&config, device.ObserveConfig{Name: kssets.PropertyName}))
	return config
}

// newTopology declares the jack and the nodes.
func (m *microphone) newTopology() (*device.Device, error) {
	cells := make([]typed.Cell[int32], channels)
	for i := range cells {
		cells[i] = &m.volume[i]
	}
	volume, err := typed.PropertySet(kssets.KSPROPSETID_Audio,
		typed.ScalarPer(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, typed.PerChannel, cells...).Step(-96<<16, 0, 1<<15))
	if err != nil {
		return nil, err
	}
	mute, err := typed.PropertySet(kssets.KSPROPSETID_Audio, typed.ScalarVar(kssets.KSPROPERTY_AUDIO_MUTE, &m.mute).Range(0, 1))
	if err != nil {
		return nil, err
	}
	jack := func(irp *engine.IRP, _, data []byte) ks.Status {
		return engine.HandleSizedListQuery(irp, data, 1, 28, func(_ uint32, b []byte) { b[24] = 1 /* IsConnected */ })
	}
	return device.NewFilter(device.Filter{
		Config: m.observed(engine.Config{PropertySets: []engine.PropertySet{
			{Set: kssets.KSPROPSETID_Jack, Items: []engine.PropertyItem{{ID: kssets.KSPROPERTY_JACK_DESCRIPTION, Get: jack}}}}}),
		Pins:     topologyPins(),
		Topology: &topologyTable,
		Nodes: []engine.Config{m.observed(engine.Config{PropertySets: []engine.PropertySet{volume}}),
			m.observed(engine.Config{PropertySets: []engine.PropertySet{mute}})},
		PinName: func(ks.GUID) (string, ks.Status) { return "Internal Microphone Array", ks.StatusSuccess },
	})
}

// declareWave declares what captures. The second edition has one more pin, and a gain.
func (m *microphone) declareWave(second bool) (decl device.Filter, err error) {
	component := func(irp *engine.IRP, _, data []byte) ks.Status { return answer(irp, data, make([]byte, 4)) } // it has no id
	ranges, err := typed.PropertySet(kssets.KSPROPSETID_Pin,
		typed.BlobFunc(kssets.KSPROPERTY_PIN_DATARANGES, 128, offered, nil).MinProperty(32))
	if err != nil {
		return decl, err
	}
	sets := []engine.PropertySet{ranges, {Set: kssets.KSPROPSETID_General,
		Items: []engine.PropertyItem{{ID: kssets.KSPROPERTY_GENERAL_COMPONENTID, MinData: 4, Get: component}}}}
	decl.Pins, decl.Topology = []device.PinFactory{bridge(), m.capturing()}, &waveTable
	if second {
		gain, err := typed.PropertySet(setMicrophone, typed.ScalarVar(itemGain, &m.gain))
		if err != nil {
			return decl, err
		}
		sets, decl.Pins = append(sets, gain), append(decl.Pins, m.capturing())
	}
	decl.Config = m.observed(engine.Config{PropertySets: sets})
	return decl, nil
}

// capturing declares a capture pin: its position, the register that has it, and its reads.
func (m *microphone) capturing() device.PinFactory {
	position := func(irp *engine.IRP, _, data []byte) ks.Status { // KSAUDIO_POSITION: both offsets are those of the next sample
		at := binary.LittleEndian.AppendUint64(nil, m.position.Load())
		return answer(irp, data, append(at, at...))
	}
	register := func(irp *engine.IRP, _, data []byte) ks.Status { // KSRTAUDIO_HWREGISTER: where a client would map the position
		b := make([]byte, 40)
		binary.LittleEndian.PutUint64(b, 0x1000)    // Register
		binary.LittleEndian.PutUint32(b[8:], 64)    // Width, in bits
		binary.LittleEndian.PutUint64(b[16:], 1)    // Numerator and Denominator: a unit is one byte
		binary.LittleEndian.PutUint64(b[24:], 1)    //
		binary.LittleEndian.PutUint32(b[32:], 4096) // Accuracy
		return answer(irp, data, b)
	}
	return device.PinFactory{
		PinDescriptor: capture(),
		Config: m.observed(engine.Config{
			PropertySets: []engine.PropertySet{
				{Set: kssets.KSPROPSETID_Audio, Items: []engine.PropertyItem{
					{ID: kssets.KSPROPERTY_AUDIO_POSITION, MinData: 16, Get: position}}},
				{Set: kssets.KSPROPSETID_RtAudio, Items: []engine.PropertyItem{
					{ID: kssets.KSPROPERTY_RTAUDIO_POSITIONREGISTER, MinProperty: 32, MinData: 40, Get: register}}}},
			Control: func(irp *engine.IRP, code uint32, _, _ []byte) ks.Status {
				if code != ks.IoctlReadStream {
					return ks.StatusInvalidDeviceRequest
				}
				return device.PinOf(irp).Requests().Add(irp) // pends it; STOP and closing the pin cancel it
			},
		}),
		Create: func(pin *device.Pin, _ engine.ConnectRequest) ks.Status { m.pin.Store(pin); return ks.StatusSuccess },
		Close:  func(pin *device.Pin) { m.pin.CompareAndSwap(pin, nil) },
	}
}

// deliver completes a read, as the converter would when it has samples, and moves the position.
func (m *microphone) deliver(samples string) bool {
	pin := m.pin.Load()
	if pin == nil || pin.State() != ks.StateRun {
		return false
	}
	irp := pin.Requests().Remove()
	if irp == nil {
		return false
	}
	n := uint64(copy(irp.Data(), samples))
	m.position.Add(n)
	return irp.Complete(ks.StatusSuccess, n)
}

// newControl declares what no standard set has.
func (m *microphone) newControl() (*device.Device, error) {
	reset := func(*engine.IRP, []byte, []byte) ks.Status {
		for _, k := range []*knob{&m.volume[0], &m.volume[1], &m.mute} {
			k.Store(0)
		}
		return ks.StatusSuccess
	}
	d, err := engine.Compile(m.observed(engine.Config{
		MethodSets: []engine.MethodSet{{Set: setMicrophone, Items: []engine.MethodItem{{ID: itemReset, Handler: reset}}}},
		EventSets:  []engine.EventSet{{Set: setMicrophone, Items: []engine.EventItem{{ID: itemChanged}}}},
	}))
	if err != nil {
		return nil, err
	}
	return device.New(d), nil
}

// changed tells clients of a new value: those that asked for data get it.
func (m *microphone) changed(v int32) {
	m.control.Events().GenerateData(&setMicrophone, itemChanged, binary.LittleEndian.AppendUint32(nil, uint32(v)), nil)
}

// grow has a second capture pin appear, and a gain, at one moment. What clients have open stays.
func (m *microphone) grow() error {
	decl, err := m.declareWave(true)
	if err != nil {
		return err
	}
	return m.wave.SwapFilter(decl)
}

// close ends it: what is pended is cancelled.
func (m *microphone) close(ctx context.Context) error {
	for _, dev := range []*device.Device{m.wave, m.topology, m.control} {
		if err := dev.Shutdown(ctx); err != nil {
			return err
		}
	}
	return nil
}

// answer answers a GET whose buffer is long enough, as MinData says.
func answer(irp *engine.IRP, data, value []byte) ks.Status {
	irp.IoStatus.Information = uint64(copy(data, value))
	return ks.StatusSuccess
}

// run is a client.
func run(ctx context.Context, w io.Writer) error {
	m, err := newMicrophone()
	if err != nil {
		return err
	}
	if err := talk(ctx, m, w); err != nil {
		return err
	}
	if err := m.close(ctx); err != nil {
		return err
	}
	for _, c := range m.counts {
		for _, it := range c.Items() {
			fmt.Fprintf(w, "%v %d %s: %d\n", it.Set, it.ID, it.Verb, it.Requests)
		}
	}
	return nil
}
