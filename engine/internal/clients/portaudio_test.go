package clients

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// portAudio is what the WDM-KS host of PortAudio does with a device from finding it to closing a stream.
type portAudio struct {
	waveRT bool // known to the client from the interface that the device registers
	mux    bool // a capture device with a mux
}

func (pa portAudio) work(s *session) {
	pins := s.send(1, pinID(0)).word(0)
	s.send(2)
	s.send(3)
	s.send(4)
	s.send(5)
	s.send(6)
	for p := range pins {
		if c := s.send(7, pinID(p)).word(0); c != sink && c != both {
			continue
		}
		s.send(8, pinID(p))
		for step := 9; step <= 15; step++ { // interfaces, mediums and ranges, each by size and content; instances
			s.send(step, pinID(p))
		}
		if pa.waveRT {
			s.send(16)
		}
		pa.name(s, 1-p) // of two pins, the other is the bridge
	}
	if s.err == nil {
		s.open("pin")
	}
	notified := pa.open(s)
	pa.stream(s, notified)
}

// name finds out what to call the device: by the topology filter behind the bridge pin, or by the pin itself.
func (pa portAudio) name(s *session, bridgePin uint32) {
	if !s.send(17, pinID(bridgePin)).ok {
		if !s.send(19, pinID(bridgePin)).ok {
			s.send(20, pinID(bridgePin))
		}
		return
	}
	s.send(18, pinID(bridgePin))
	s.send(21, pinID(0))
	for step := 22; step <= 26; step++ {
		s.send(step)
	}
	if s.send(27, pinID(0)).ok && pa.mux { // a renderer is called by its category
		s.send(28, pinID(0))
	}
}

func (pa portAudio) open(s *session) (notified bool) {
	if !pa.waveRT && !s.send(30).ok {
		s.send(31)
	}
	if pa.mux {
		s.send(32, param{extra: words(0, 0), data: words(1)})
	}
	if !pa.waveRT {
		return false
	}
	for size := uint32(1000); ; size = (size + 127) / 128 * 128 {
		buffer := param{extra: append(make([]byte, 8), words(size, 2)...)} // base address, size, notifications
		if notified = s.send(33, buffer).ok; notified || s.send(34, buffer).ok || s.err != nil {
			break
		}
		if size%128 == 0 {
			s.err = fmt.Errorf("step 34, no buffer of %d bytes", size)
		}
	}
	s.send(35)
	if notified {
		s.send(36, param{extra: words(0x1234, 0)}) // an event handle
	}
	if !s.send(37).ok {
		s.send(38)
	}
	return notified
}

func (pa portAudio) stream(s *session, notified bool) {
	const stop, acquire, pause, run = 0, 1, 2, 3
	s.send(39, param{data: words(acquire)})
	s.send(40, param{data: words(pause)})
	if pa.waveRT && !pa.mux { // a renderer fills its buffer before it runs
		s.send(42)
	}
	s.send(41, param{data: words(run)})
	if pa.waveRT {
		s.send(42)
	}
	s.send(43, param{data: words(pause)})
	s.send(44, param{data: words(stop)})
	if notified {
		s.send(45, param{extra: words(0x1234, 0)})
	}
	s.send(46, param{data: words(pause)})
	s.send(47, param{data: words(stop)})
}

// pinObject is a streaming pin and what it was told.
type pinObject struct {
	states     []uint32
	registered []uint64 // handles
	register   []uint64 // the same, as the data of the request has them
}

func (o *pinObject) config(sets ...engine.PropertySet) engine.Config {
	return engine.Config{PropertySets: append(sets, engine.PropertySet{Set: kssets.KSPROPSETID_Connection, Items: []engine.PropertyItem{
		{ID: kssets.KSPROPERTY_CONNECTION_STATE, MinData: 4, Set: func(_ *engine.IRP, _, data []byte) ks.Status {
			o.states = append(o.states, binary.LittleEndian.Uint32(data))
			return ks.StatusSuccess
		}},
		fixed(kssets.KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX, 24, make([]byte, 112)),
	}})}
}

// rtAudio is what a WaveRT pin has. Its buffers must be a multiple of granularity bytes.
func (o *pinObject) rtAudio(granularity uint32) (rt, audio engine.PropertySet) {
	buffer := func(irp *engine.IRP, request, data []byte) ks.Status {
		size := binary.LittleEndian.Uint32(request[32:])
		if size == 0 || size%granularity != 0 {
			return ks.StatusUnsuccessful
		}
		return give(irp, data, append(words(0x10000, 0), words(size, 0)...))
	}
	register := func(_ *engine.IRP, request, data []byte) ks.Status {
		o.registered = append(o.registered, binary.LittleEndian.Uint64(request[24:]))
		o.register = append(o.register, binary.LittleEndian.Uint64(data[24:]))
		return ks.StatusSuccess
	}
	position := fixed(kssets.KSPROPERTY_RTAUDIO_POSITIONREGISTER, 32, make([]byte, 40)) // no Set
	rt = engine.PropertySet{Set: kssets.KSPROPSETID_RtAudio, Items: []engine.PropertyItem{
		{ID: kssets.KSPROPERTY_RTAUDIO_BUFFER, MinProperty: 40, MinData: 16, Get: buffer},
		{ID: kssets.KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION, MinProperty: 40, MinData: 16, Get: buffer},
		fixed(kssets.KSPROPERTY_RTAUDIO_HWLATENCY, 24, make([]byte, 12)),
		{ID: kssets.KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT, MinProperty: 32, Set: register},
		{ID: kssets.KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT, MinProperty: 32, Set: register},
		position,
	}}
	audio = engine.PropertySet{Set: kssets.KSPROPSETID_Audio, Items: []engine.PropertyItem{
		fixed(kssets.KSPROPERTY_AUDIO_POSITION, 24, make([]byte, 16))}}
	return rt, audio
}

// muxSource is KSPROPERTY_AUDIO_MUX_SOURCE of a topology filter.
func muxSource() engine.PropertySet {
	return engine.PropertySet{Set: kssets.KSPROPSETID_Audio, Items: []engine.PropertyItem{
		{ID: kssets.KSPROPERTY_AUDIO_MUX_SOURCE, MinProperty: 32, MinData: 4, Set: accept}}}
}

// wavePins is a streaming pin and a bridge pin.
func wavePins(behind pin) engine.PropertySet {
	behind.communication, behind.flow = bridge, flowOut
	return pinSet(pin{communication: sink, flow: flowIn}, behind)
}

// waveRT is a capture device with a topology filter, whose pin notifies.
func waveRT(o *pinObject) map[string]engine.Config {
	rt, audio := o.rtAudio(4)
	return map[string]engine.Config{
		"wave filter":     filter(wavePins(pin{connection: connection})),
		"topology filter": filter(pinSet(pin{category: category, name: utf16z("Microphone")}, pin{}), muxSource()),
		"pin":             o.config(rt, audio),
	}
}

var captured = portAudio{waveRT: true, mux: true}

// TestC1_PortAudio sends every request of the host, on three devices that lead it along every branch.
func TestC1_PortAudio(t *testing.T) {
	var whole, plain, polled pinObject
	rt := run(t, "portaudio.json", waveRT(&whole), captured.work)
	require.NoError(t, rt.err)
	rt.transcript("portaudio-wavert.txt")
	require.Equal(t, []uint32{1, 2, 3, 2, 0, 2, 0}, whole.states)
	require.Equal(t, []uint64{0x1234, 0x1234}, whole.registered)
	require.Equal(t, whole.registered, whole.register, "one buffer for both: captured before anything is written")

	objects := map[string]engine.Config{"wave filter": filter(wavePins(pin{category: category})), "pin": plain.config()}
	cyclic := run(t, "portaudio.json", objects, portAudio{}.work)
	require.NoError(t, cyclic.err)
	cyclic.transcript("portaudio-wavecyclic.txt")

	rtSet, audio := polled.rtAudio(128)
	objects = map[string]engine.Config{"wave filter": filter(wavePins(pin{name: utf16z("Speakers")})), "pin": polled.config(rtSet, audio)}
	remove(objects["pin"], kssets.KSPROPSETID_RtAudio, kssets.KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION)
	again := run(t, "portaudio.json", objects, portAudio{waveRT: true}.work)
	require.NoError(t, again.err)
	again.transcript("portaudio-polled.txt")
	require.Equal(t, 2, again.sent[34], "a refused buffer size is rounded up and sent again")
	require.Empty(t, polled.registered)

	everyStep(t, rt, cyclic, again)
}

// strict is what the WMME and DirectSound hosts of PortAudio do to count channels.
func strict(s *session) {
	for p := range s.send(1, pinID(0)).word(0) {
		if s.send(2, pinID(p)).word(0) != flowIn {
			continue
		}
		if c := s.send(3, pinID(p)).word(0); c != sink && c != both {
			continue
		}
		for _, step := range []int{4, 5, 4, 5, 6, 7, 8, 9} { // the interfaces twice, for two kinds of streaming
			s.send(step, pinID(p))
		}
	}
}

// TestC2_PortAudioStrict wants every BytesReturned to be exact.
func TestC2_PortAudioStrict(t *testing.T) {
	s := run(t, "portaudio-strict.json", map[string]engine.Config{"wave filter": filter(wavePins(pin{}))}, strict)
	require.NoError(t, s.err)
	s.transcript("portaudio-strict.txt")
	everyStep(t, s)
}

// TestC3_SetWhereGetIsRight shows why a verb without a handler must fail: with a driver that accepts the SET, the host takes
// what it has in memory for the address of the position register, and never asks for a position.
func TestC3_SetWhereGetIsRight(t *testing.T) {
	objects := waveRT(new(pinObject))
	s := run(t, "portaudio.json", objects, captured.work)
	require.NoError(t, s.err)
	require.Equal(t, 1, s.sent[38])

	item(objects["pin"], kssets.KSPROPSETID_RtAudio, kssets.KSPROPERTY_RTAUDIO_POSITIONREGISTER).Set = accept
	s = run(t, "portaudio.json", objects, captured.work)
	require.NoError(t, s.err)
	require.Zero(t, s.sent[38])
}

// TestPortAudioRefuses is the control of the sessions above: with a fault in one handler of the device, the host gives up
// where it meets it.
func TestPortAudioRefuses(t *testing.T) {
	const interfaces = kssets.KSPROPERTY_PIN_INTERFACES
	sizeAnswer := func(status ks.Status, size uint64) engine.Handler {
		return func(irp *engine.IRP, _, data []byte) ks.Status {
			if len(data) == 0 {
				irp.IoStatus.Information = size
				return status
			}
			return give(irp, data, streaming)
		}
	}
	size := uint64(len(streaming))
	for _, c := range []struct {
		name         string
		get          engine.Handler
		loose, exact string // where each host gives up, "" if it does not
	}{
		{"BUFFER_TOO_SMALL carries no size", sizeAnswer(ks.StatusBufferTooSmall, size), "step 9,", "step 4,"},
		{"a success is a size answer", sizeAnswer(ks.StatusSuccess, size), "", ""},
		{"a success that says no size", sizeAnswer(ks.StatusSuccess, 0), "step 9,", "step 4,"},
		{"a success with a size that is too small", sizeAnswer(ks.StatusSuccess, size-8), "step 10,", "step 5,"},
		{"a size that is too small", sizeAnswer(ks.StatusBufferOverflow, size-8), "step 10,", "step 5,"},
		{"a size that is too large", sizeAnswer(ks.StatusBufferOverflow, size+8), "", "step 5,"},
		{"no interfaces", nil, "step 9,", "step 4,"},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects := waveRT(new(pinObject))
			item(objects["wave filter"], kssets.KSPROPSETID_Pin, interfaces).Get = c.get
			refusedAt(t, c.loose, run(t, "portaudio.json", objects, captured.work))
			refusedAt(t, c.exact, run(t, "portaudio-strict.json", objects, strict))
		})
	}

	objects := waveRT(new(pinObject))
	item(objects["pin"], kssets.KSPROPSETID_Connection, kssets.KSPROPERTY_CONNECTION_STATE).MinData = 8
	refusedAt(t, "step 39,", run(t, "portaudio.json", objects, captured.work))
}

// refusedAt requires that a client gave up at a step and sent nothing after that, or that it did not give up.
func refusedAt(t *testing.T, step string, s *session) {
	t.Helper()
	if step == "" {
		require.NoError(t, s.err)
		return
	}
	require.ErrorContains(t, s.err, step)
}
