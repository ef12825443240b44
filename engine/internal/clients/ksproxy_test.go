package clients

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// ksproxy is how ksproxy reads a list of a pin: the constrained ranges, or else the ranges.
func ksproxy(s *session) {
	switch a := s.send(1, pinID(0)); {
	case a.ok:
		s.send(2, pinID(0))
	case a.status.Win32() == 122: // no size came with it: a ULONG is asked for
		size := s.send(3, pinID(0)).word(0)
		s.send(2, param{extra: words(0, 0), size: int(size)})
	case s.send(4, pinID(0)).ok:
		s.send(5, pinID(0))
	}
}

// TestC5_ListSizes reads the list of three drivers: one that answers sizes, one that has the plain ranges only, one that
// answers STATUS_BUFFER_TOO_SMALL but knows the rung of 4 bytes (P-35).
func TestC5_ListSizes(t *testing.T) {
	const constrained = kssets.KSPROPERTY_PIN_CONSTRAINEDDATARANGES
	with := func(get engine.Handler) map[string]engine.Config {
		set := wavePins(pin{})
		set.Items = append(set.Items, engine.PropertyItem{ID: constrained, MinProperty: 32, Get: get})
		return map[string]engine.Config{"wave filter": filter(set)}
	}
	sized := run(t, "ksproxy.json", with(func(irp *engine.IRP, _, data []byte) ks.Status { return give(irp, data, ranges) }), ksproxy)
	require.NoError(t, sized.err)
	require.Equal(t, map[int]int{1: 1, 2: 1}, sized.sent)

	plain := run(t, "ksproxy.json", map[string]engine.Config{"wave filter": filter(wavePins(pin{}))}, ksproxy)
	require.NoError(t, plain.err)
	require.Equal(t, map[int]int{1: 1, 4: 1, 5: 1}, plain.sent)

	old := run(t, "ksproxy.json", with(func(irp *engine.IRP, _, data []byte) ks.Status {
		switch len(data) {
		case 0:
			return ks.StatusBufferTooSmall
		case 4:
			return give(irp, data, words(uint32(len(ranges))))
		}
		return give(irp, data, ranges)
	}), ksproxy)
	require.NoError(t, old.err)
	require.Equal(t, map[int]int{1: 1, 3: 1, 2: 1}, old.sent)
	everyStep(t, sized, plain, old)

	for _, s := range []*session{sized, old} {
		require.Contains(t, s.log.String(), "out 184: STATUS_SUCCESS 0, 184 bytes")
	}

	// The control: without that rung there is no way left.
	lost := run(t, "ksproxy.json", with(func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusBufferTooSmall }), ksproxy)
	require.ErrorContains(t, lost.err, "step 3,")
}

// extension is an extension unit: a set of the vendor's on a node.
func extension(value []byte, more ...engine.PropertyItem) map[string]engine.Config {
	set := func(_ *engine.IRP, _, data []byte) ks.Status {
		copy(value, data)
		return ks.StatusSuccess
	}
	get := fixed(5, 32, value)
	get.Set = set
	return map[string]engine.Config{"filter": {PropertySets: []engine.PropertySet{{
		Set:   ks.MustParseGUID("5b1c9a40-7d3e-4f0a-9c21-6e8d0f4a7b13"),
		Items: append([]engine.PropertyItem{fixed(0, 32, make([]byte, 24)), get}, more...),
	}}}}
}

// plugIn is Microsoft's sample of a plug-in for an extension unit.
func plugIn(s *session) {
	node := param{extra: words(2, 0)}
	for step := 1; step <= 4; step++ {
		s.send(step, node)
	}
	s.send(5, param{extra: words(2, 0), data: []byte("0123456789")})
}

// TestC4_ExtensionUnit wants ERROR_MORE_DATA and nothing else for a size.
func TestC4_ExtensionUnit(t *testing.T) {
	value := make([]byte, 10)
	s := run(t, "extension-unit.json", extension(value), plugIn)
	require.NoError(t, s.err)
	s.transcript("extension-unit.txt")
	require.Equal(t, "0123456789", string(value))
	everyStep(t, s)

	objects := extension(value)
	unit := &objects["filter"].PropertySets[0].Items[0]
	unit.MinData, unit.Get = 0, func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusBufferTooSmall }
	require.ErrorContains(t, run(t, "extension-unit.json", objects, plugIn).err, "step 1,")
}

// mixer is the client that enumerates for wdmaud.
func mixer(s *session) {
	pins := s.send(1).word(0)
	s.send(2)
	s.send(3)
	for p := range pins {
		if s.send(4, pinID(p)).ok {
			s.send(5, pinID(p))
		}
		s.send(8, pinID(p))
	}
	channel := append(words(1, 0), words(0, 0)...) // node, channel
	before := s.send(6, param{extra: channel}).word(0)
	s.send(7, param{extra: channel, data: words(before + 0x10000)})
	require.Equal(s.t, before+0x10000, s.send(6, param{extra: channel}).word(0))
}

// mixed is a filter with a volume.
func mixed() map[string]engine.Config {
	level := words(0xFFFF0000)
	return map[string]engine.Config{"wave filter": filter(wavePins(pin{connection: connection}), engine.PropertySet{
		Set: kssets.KSPROPSETID_Audio, Items: []engine.PropertyItem{{ID: kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, MinProperty: 40, MinData: 4,
			Get: func(irp *engine.IRP, _, data []byte) ks.Status { return give(irp, data, level) },
			Set: func(_ *engine.IRP, _, data []byte) ks.Status { copy(level, data); return ks.StatusSuccess },
		}}})}
}

// TestMixer sends 24 bytes where PortAudio sends 32: MinProperty of CTYPES is a KSPROPERTY.
func TestMixer(t *testing.T) {
	s := run(t, "mmixer.json", mixed(), mixer)
	require.NoError(t, s.err)
	s.transcript("mmixer.txt")
	everyStep(t, s)
}

// TestContradictionNoConnection: the client takes STATUS_UNSUCCESSFUL for "no connection" and any other answer for a size.
// Read as a Win32 code, a pin without the value answers ERROR_NOT_FOUND, since that is what handlers and P-24 and P-26 say.
// There is no setting for it, and none is needed where the client's transport makes one error of all, as the facts' rule
// here does; read literally, the handler has to say it.
func TestContradictionNoConnection(t *testing.T) {
	first := func(get engine.Handler) answer {
		objects := mixed()
		if get != nil {
			item(objects["wave filter"], kssets.KSPROPSETID_Pin, kssets.KSPROPERTY_PIN_PHYSICALCONNECTION).Get = get
		}
		var a answer
		s := run(t, "mmixer.json", objects, func(s *session) { a = s.send(4, pinID(0)) })
		require.NoError(t, s.err)
		return a
	}
	require.Equal(t, uint32(1168), first(nil).status.Win32())
	says := first(func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusUnsuccessful })
	require.Equal(t, uint32(31), says.status.Win32())
	require.False(t, says.ok)
}

// pinHelper is the helper of the HLK's audio tests. Its IKsControl is not DeviceIoControl: see the contradictions.
func pinHelper(s *session) {
	s.send(1, pinID(0))
	s.send(2, pinID(0))
	s.send(3, pinID(0))
	s.send(4, param{extra: make([]byte, 16)})
}

// tested is a filter with signal processing modes and a sound detector.
func tested(modes, detector engine.PropertyItem) map[string]engine.Config {
	return map[string]engine.Config{"wave filter": filter(wavePins(pin{}),
		engine.PropertySet{Set: ks.MustParseGUID("4f67b528-30c9-40de-b2fb-859ddd1f3470"), Items: []engine.PropertyItem{modes}},
		engine.PropertySet{Set: ks.MustParseGUID("fe07e322-450c-4bd5-84ca-a948500ea6aa"), Items: []engine.PropertyItem{detector}})}
}

var (
	modes    = fixed(0, 32, list(make([]byte, 16)))
	patterns = fixed(1, 40, list(make([]byte, 16)))
)

// TestContradictionSizeQuerySucceeds: the test demands success for a query without output and P-28 gives a warning that
// carries the size. No setting changes P-28, because the size answer of every other client here depends on it. A driver
// that must satisfy this test on the bare DeviceIoControl leaves MinData 0 and answers itself; the IKsControl of the system
// does the same to the warning.
func TestContradictionSizeQuerySucceeds(t *testing.T) {
	s := run(t, "pin-helper.json", tested(modes, patterns), pinHelper)
	require.ErrorContains(t, s.err, "step 1, KSPROPERTY_AUDIOSIGNALPROCESSING_MODES with 0 bytes of output: STATUS_BUFFER_OVERFLOW, 24 bytes")

	own := modes
	own.MinData = 0
	own.Get = func(irp *engine.IRP, _, data []byte) ks.Status {
		value := list(make([]byte, 16))
		irp.IoStatus.Information = uint64(len(value))
		if len(data) != 0 {
			return give(irp, data, value)
		}
		return ks.StatusSuccess
	}
	s = run(t, "pin-helper.json", tested(own, patterns), pinHelper)
	require.NoError(t, s.err)
	s.transcript("pin-helper.txt")
	everyStep(t, s)

	// The same success makes an object unusable for a client that waits for ERROR_MORE_DATA: TestPortAudioRefuses.
}

// TestContradictionSupportBit: the test wants the BASICSUPPORT bit among the access flags, GET and that and nothing else,
// and the standard processing of P-33 reports which of GET and SET have a handler. There is no setting; drivers whose
// port reports more than flags set the bit in a support handler (P-34).
func TestContradictionSupportBit(t *testing.T) {
	four := func(support engine.Handler) answer {
		detector := patterns
		detector.Support = support
		var a answer
		run(t, "pin-helper.json", tested(modes, detector), func(s *session) { a = s.send(4, param{extra: make([]byte, 16)}) })
		return a
	}
	standard := four(nil)
	require.False(t, standard.ok)
	require.Equal(t, ks.PropertyTypeGet, standard.word(0))

	own := four(func(irp *engine.IRP, _, data []byte) ks.Status {
		return give(irp, data, words(ks.PropertyTypeGet|ks.PropertyTypeBasicSupport))
	})
	require.True(t, own.ok)
	require.Equal(t, ks.PropertyTypeGet|ks.PropertyTypeBasicSupport, own.word(0))
}

// realSense reads the range and the default of a control, in as many bytes as DescriptionSize says, and its value.
func realSense(s *session) {
	node := param{extra: words(2, 0)}
	for _, step := range []int{1, 3} {
		d, _ := ks.DecodePropertyDescription(s.send(step, node).out)
		b := s.send(step+1, param{extra: words(2, 0), size: int(d.DescriptionSize)}).out
		if s.err != nil {
			return
		}
		m, ok := ks.DecodeMembersHeader(b[ks.SizePropertyDescription:])
		require.True(s.t, ok)
		if step == 1 {
			require.Equal(s.t, ks.MemberSteppedRanges, m.MembersFlags, "the first list is the range")
			continue
		}
		require.Equal(s.t, ks.MembersHeader{MembersFlags: ks.MemberValues, MembersSize: 4, MembersCount: 1, Flags: ks.MemberFlagDefault}, m)
		require.Equal(s.t, uint32(50), binary.LittleEndian.Uint32(b[ks.SizePropertyDescription+ks.SizeMembersHeader:]))
	}
	s.send(5, node)
}

// TestC8_RealSense throws unless BytesReturned is exactly DescriptionSize.
func TestC8_RealSense(t *testing.T) {
	control := fixed(2, 32, words(42))
	control.Values = &engine.PropertyValues{PropTypeSet: ks.Identifier{Set: kssets.KSPROPTYPESETID_General, ID: 3},
		MembersList: []engine.MembersList{
			{MembersHeader: ks.MembersHeader{MembersFlags: ks.MemberSteppedRanges, MembersSize: 16, MembersCount: 1}, Members: words(1, 0, 0, 100)},
			{MembersHeader: ks.MembersHeader{MembersFlags: ks.MemberValues, MembersSize: 4, MembersCount: 1, Flags: ks.MemberFlagDefault},
				Members: words(50)},
		}}
	s := run(t, "realsense.json", extension(make([]byte, 10), control), realSense)
	require.NoError(t, s.err)
	s.transcript("realsense.txt")
	everyStep(t, s)

	control.Values = nil // no defaults: P-36
	require.ErrorContains(t, run(t, "realsense.json", extension(make([]byte, 10), control), func(s *session) {
		s.send(3, param{extra: words(2, 0)})
	}).err, "step 3, default of a control with 40 bytes of output: STATUS_NOT_FOUND")
}
