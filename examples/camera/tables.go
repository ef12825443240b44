package main

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// limits are the values of a control: from, to, in steps, and as the camera comes.
type limits struct{ min, max, step, usual int32 }

// controls are those of KSPROPSETID_VIDCAP_VIDEOPROCAMP that the camera has, by id.
var controls = map[uint32]limits{
	kssets.KSPROPERTY_VIDEOPROCAMP_BRIGHTNESS: {-64, 64, 1, 0},
	kssets.KSPROPERTY_VIDEOPROCAMP_CONTRAST:   {0, 100, 5, 50},
	kssets.KSPROPERTY_VIDEOPROCAMP_SATURATION: {0, 128, 1, 64},
}

// The layout of KSPROPERTY_VIDEOPROCAMP_S, which is request and data, and of KSCAMERA_EXTENDEDPROP_HEADER with a value behind it.
const (
	procAmpSize, procAmpValue, procAmpFlags, procAmpCapabilities = 40, 24, 28, 32
	extendedSize, extendedResult, extendedFlags, extendedCaps    = 40, 12, 16, 24
)

// Flags of controls.
const (
	procAmpManual   = 2       // KSPROPERTY_VIDEOPROCAMP_FLAGS_MANUAL
	focusAuto       = 1 << 1  // KSCAMERA_EXTENDEDPROP_FOCUS_AUTO
	focusContinuous = 1 << 7  // KSCAMERA_EXTENDEDPROP_FOCUS_CONTINUOUS
	capsAsync       = 1 << 63 // KSCAMERA_EXTENDEDPROP_CAPS_ASYNCCONTROL: a change takes time, and an event tells of its end
)

// values describes limits: stepped ranges, and the default.
func (l limits) values() *engine.PropertyValues {
	stepping := make([]byte, ks.SizeSteppingLong)
	ks.SteppingLong{SteppingDelta: uint32(l.step), Bounds: ks.BoundsLong{SignedMinimum: l.min, SignedMaximum: l.max}}.Put(stepping)
	list := func(kind, flags uint32, members []byte) engine.MembersList {
		head := ks.MembersHeader{MembersFlags: kind, MembersSize: uint32(len(members)), MembersCount: 1, Flags: flags}
		return engine.MembersList{MembersHeader: head, Members: members}
	}
	return &engine.PropertyValues{
		PropTypeSet: ks.Identifier{Set: kssets.KSPROPTYPESETID_General, ID: kssets.VT_I4},
		MembersList: []engine.MembersList{
			list(ks.MemberSteppedRanges, 0, stepping),
			list(ks.MemberValues, ks.MemberFlagDefault, binary.LittleEndian.AppendUint32(nil, uint32(l.usual))),
		},
	}
}
