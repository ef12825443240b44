package clients

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

// cameraControls are the extended controls that the sample asks for: of the last, this camera has none.
var cameraControls = []uint32{30, 40, 41, 43, 44, 46}

// camera is the property helper of the Windows-Camera samples. A control that is not there is a null, not an error.
func camera(s *session) {
	for _, id := range cameraControls {
		if a := s.send(1, param{id: id}); a.status.IsSuccess() {
			s.send(6, param{id: id, data: a.out})
		}
	}
	s.send(2)
	procAmp := param{extra: make([]byte, 16)} // value, flags, capabilities
	if a := s.send(3, procAmp); a.status.IsSuccess() && s.err == nil {
		m, ok := ks.DecodeMembersHeader(a.out[ks.SizePropertyDescription:])
		require.True(s.t, ok)
		require.Equal(s.t, ks.MembersHeader{MembersFlags: ks.MemberSteppedRanges, MembersSize: 16, MembersCount: 1}, m)
		r, ok := ks.DecodeSteppingLong(a.out[ks.SizePropertyDescription+ks.SizeMembersHeader:])
		require.True(s.t, ok)
		require.Equal(s.t, ks.SteppingLong{SteppingDelta: 1, Bounds: ks.BoundsLong{SignedMinimum: -64, SignedMaximum: 64}}, r)
	}
	s.send(5, param{extra: words(7, 0, 0, 0)})
	if a := s.send(4, procAmp); s.err == nil {
		require.Equal(s.t, uint32(7), a.word(24))
	}
}

// cameraObject has five extended controls and a brightness.
func cameraObject(more ...engine.PropertySet) map[string]engine.Config {
	var controls []engine.PropertyItem
	for _, id := range cameraControls[:5] {
		control := fixed(id, 24, words(1, 0, 40, 0, 0, 0, 0, 0, 0, 0)) // a header of 32 bytes and a value
		control.Set = accept
		controls = append(controls, control)
	}
	brightness := uint32(0)
	stepping := make([]byte, ks.SizeSteppingLong)
	ks.SteppingLong{SteppingDelta: 1, Bounds: ks.BoundsLong{SignedMinimum: -64, SignedMaximum: 64}}.Put(stepping)
	procAmp := engine.PropertyItem{ID: kssets.KSPROPERTY_VIDEOPROCAMP_BRIGHTNESS, MinProperty: 40, MinData: 40,
		Get: func(irp *engine.IRP, request, data []byte) ks.Status {
			copy(data, request[:24])
			binary.LittleEndian.PutUint32(data[24:], brightness)
			irp.IoStatus.Information = 40
			return ks.StatusSuccess
		},
		Set: func(_ *engine.IRP, _, data []byte) ks.Status {
			brightness = binary.LittleEndian.Uint32(data[24:])
			return ks.StatusSuccess
		},
		Values: &engine.PropertyValues{PropTypeSet: ks.Identifier{Set: kssets.KSPROPTYPESETID_General, ID: 3}, MembersList: []engine.MembersList{
			{MembersHeader: ks.MembersHeader{MembersFlags: ks.MemberSteppedRanges, MembersSize: 16, MembersCount: 1}, Members: stepping}}}}
	return map[string]engine.Config{"camera": {PropertySets: append(more,
		engine.PropertySet{Set: ks.MustParseGUID("1cb79112-c0d2-4213-9ca6-cd4fdb927972"), Items: controls},
		engine.PropertySet{Set: ks.MustParseGUID("c6e13360-30ac-11d0-a18c-00a0c9118956"), Items: []engine.PropertyItem{procAmp}})}}
}

// TestC6_Camera is the session with a camera that has Windows Studio effects and one that has not: its absence is a set
// that is not there, that of a control an item.
func TestC6_Camera(t *testing.T) {
	studio := engine.PropertySet{Set: ks.MustParseGUID("1666d655-21a6-4982-9728-52c39e869f90"),
		Items: []engine.PropertyItem{fixed(0, 24, make([]byte, 40))}}
	with := run(t, "camera.json", cameraObject(studio), camera)
	require.NoError(t, with.err)
	with.transcript("camera.txt")
	everyStep(t, with)
	require.Equal(t, 6, with.sent[1])
	require.Equal(t, 5, with.sent[6])

	without := run(t, "camera.json", cameraObject(), camera)
	require.NoError(t, without.err)
	require.Contains(t, without.log.String(),
		"a Windows Studio effect                           GET         in 24 out 256: STATUS_PROPSET_NOT_FOUND 1170")

	// The control: any other refusal throws.
	broken := cameraObject()
	broken["camera"].PropertySets[0].Items[0].MinData = 48
	require.ErrorContains(t, run(t, "camera.json", broken, camera).err, "step 1,")
}

// procAmpRange asks a camera for a control's range as its clients do, with room for the description and one list (step 3),
// and decodes what came. Room that nothing was written to has no range.
func procAmpRange(s *session, id uint32) (r ks.SteppingLong, ok bool) {
	a := s.send(3, param{extra: make([]byte, 16), id: id})
	if !a.ok || a.n != uint32(len(a.out)) {
		return r, false
	}
	m, ok := ks.DecodeMembersHeader(a.out[ks.SizePropertyDescription:])
	if !ok || m.MembersFlags != ks.MemberSteppedRanges || m.MembersSize != ks.SizeSteppingLong || m.MembersCount != 1 {
		return r, false
	}
	return ks.DecodeSteppingLong(a.out[ks.SizePropertyDescription+ks.SizeMembersHeader:])
}

// TestP33_CameraRange is the question for a range put to a real driver's controls. Their values have a second list, the
// default, which has no room: the range is to come without it.
func TestP33_CameraRange(t *testing.T) {
	m, err := drivers.Load("wds-avscamera")
	require.NoError(t, err)
	procAmp := ks.MustParseGUID("c6e13360-30ac-11d0-a18c-00a0c9118956")
	asked := 0
	for i := range m.Objects {
		config := m.Objects[i].Config(manifest.Options{})
		for _, set := range config.PropertySets {
			if set.Set != procAmp {
				continue
			}
			for _, it := range set.Items {
				if it.Values == nil || len(it.Values.MembersList) < 2 || it.Values.MembersList[0].MembersHeader.MembersFlags != ks.MemberSteppedRanges {
					continue
				}
				want, ok := ks.DecodeSteppingLong(it.Values.MembersList[0].Members)
				require.True(t, ok)
				for _, compat := range []engine.Compat{{}, {StrictDescriptionSize: true}} {
					config.Compat = compat
					run(t, "camera.json", map[string]engine.Config{"camera": config}, func(s *session) {
						got, ok := procAmpRange(s, it.ID)
						// The control: a dispatcher that gives all the lists or none is noticed.
						require.Equal(t, !compat.StrictDescriptionSize, ok, "%s, id %d", m.Objects[i].Name, it.ID)
						if ok {
							require.Equal(t, want, got, "%s, id %d", m.Objects[i].Name, it.ID)
							require.NotEqual(t, got.Bounds.SignedMinimum, got.Bounds.SignedMaximum)
						}
					})
				}
				asked++
			}
		}
	}
	require.GreaterOrEqual(t, asked, 10)
}

// virtualCamera is a custom control with a value of 4 bytes.
func virtualCamera(compat engine.Compat, value []byte) map[string]engine.Config {
	coloring := fixed(0, 24, value)
	coloring.Set = func(_ *engine.IRP, _, data []byte) ks.Status {
		copy(value, data)
		return ks.StatusSuccess
	}
	return map[string]engine.Config{"camera": {Compat: compat, PropertySets: []engine.PropertySet{
		{Set: ks.MustParseGUID("0b1f2a5e-3c49-4d86-8f7a-51d2c6e4903b"), Items: []engine.PropertyItem{coloring}}}}}
}

// cameraTests are the unit tests of the virtual camera sample.
func cameraTests(s *session) {
	for step := 1; step <= 4; step++ {
		s.send(step)
	}
	s.send(5, param{data: []byte{1, 2, 3, 4}})
}

// TestContradictionFlags3: the unit test sets a property with GET|SET, left over from the GET before, and the server that it
// was written for looks at SET first. P-25 wants one verb: "exactly one" say the documents. Compat.MixedVerbs takes SET.
func TestContradictionFlags3(t *testing.T) {
	value := make([]byte, 4)
	s := run(t, "camera-tests.json", virtualCamera(engine.Compat{}, value), cameraTests)
	require.ErrorContains(t, s.err,
		"step 5, KSPROPERTY_SIMPLEMEDIASOURCE_CUSTOMCONTROL_COLORING with 4 bytes of output: STATUS_INVALID_PARAMETER")
	require.Equal(t, make([]byte, 4), value)
	everyStep(t, s)

	s = run(t, "camera-tests.json", virtualCamera(engine.Compat{MixedVerbs: true}, value), cameraTests)
	require.NoError(t, s.err)
	s.transcript("camera-tests.txt")
	require.Equal(t, []byte{1, 2, 3, 4}, value)
	everyStep(t, s)
}

// TestContradictionUserModeServers holds the dispatcher against the answers of media sources in user mode that say they do
// as AVStream does. They fail where it fails and tell a size where it does, with codes of their own in three cases: none of
// these has a setting, and none of the clients here looks at the difference.
func TestContradictionUserModeServers(t *testing.T) {
	config := virtualCamera(engine.Compat{}, make([]byte, 4))["camera"]
	d, err := engine.Compile(config)
	require.NoError(t, err)
	h, err := device.New(d).Open()
	require.NoError(t, err)
	defer h.Close()
	set := config.PropertySets[0].Set
	const getFlag, setFlag = ks.PropertyTypeGet, ks.PropertyTypeSet
	for _, c := range []struct {
		name         string
		q            ks.Identifier
		in           int
		out          []byte
		server, ours uint32 // Win32 codes; E_INVALIDARG is 87
		n            uint32
		why          string
	}{
		{"a request shorter than KSPROPERTY", ks.Identifier{Set: set, Flags: getFlag}, 23, make([]byte, 4), 87, 1784, 0, "P-4"},
		{"an unknown set", ks.Identifier{Set: ks.GUID{1}, Flags: getFlag}, 24, make([]byte, 4), 1170, 1170, 0, ""},
		{"an unknown id", ks.Identifier{Set: set, ID: 9, Flags: getFlag}, 24, make([]byte, 4), 1170, 1168, 0, "P-24"},
		{"no output", ks.Identifier{Set: set, Flags: getFlag}, 24, nil, 234, 234, 4, ""},
		{"an output of length 0", ks.Identifier{Set: set, Flags: getFlag}, 24, []byte{}, 122, 234, 4, "P-28 sees lengths, not pointers"},
		{"a short output", ks.Identifier{Set: set, Flags: getFlag}, 24, make([]byte, 3), 122, 122, 0, ""},
		{"neither GET nor SET", ks.Identifier{Set: set}, 24, make([]byte, 4), 87, 87, 0, ""},
		{"a SET reports no bytes", ks.Identifier{Set: set, Flags: setFlag}, 24, make([]byte, 4), 0, 0, 0, ""},
	} {
		in := make([]byte, ks.SizeIdentifier)
		c.q.Put(in)
		n, status := h.IoControl(ks.IoctlProperty, in[:c.in], c.out)
		require.Equal(t, c.ours, status.Win32(), c.name)
		require.Equal(t, c.n, n, c.name)
		require.Equal(t, c.why == "", c.server == c.ours, c.name)
		require.Equal(t, c.server == 0, status.IsSuccess(), c.name)
	}
}
