package typed_test

import (
	"fmt"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// A volume in steps of half a decibel, a mute switch and a name: one line each.
func Example() {
	var (
		level atomic.Int32
		mute  atomic.Bool
		name  typed.Text
	)
	set, err := typed.PropertySet(kssets.KSPROPSETID_Audio,
		typed.ScalarVar(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, &level).Step(-96<<16, 0, 1<<15).Default(0),
		typed.ScalarVar(kssets.KSPROPERTY_AUDIO_MUTE, &mute),
		typed.StringVar(100, 64, &name),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{set}})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := device.New(d).Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()

	send := func(verb uint32, out []byte) {
		in := ks.Identifier{Set: kssets.KSPROPSETID_Audio, ID: kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, Flags: verb}
		n, status := h.IoControl(ks.IoctlProperty, in.Bytes(), out)
		fmt.Println(status, n, out[:min(int(n), len(out))])
	}
	send(ks.PropertyTypeSet, []byte{0, 0, 0xFA, 0xFF}) // -6 dB
	fmt.Println(level.Load() >> 16)
	send(ks.PropertyTypeGet, make([]byte, 4))
	send(ks.PropertyTypeGet, nil)                   // how long is it?
	send(ks.PropertyTypeSet, []byte{0, 0, 1, 0})    // +1 dB is not allowed
	send(ks.PropertyTypeSet, []byte{1, 0, 0xFA, 0}) // nor is what lies between two steps

	b := make([]byte, 256)
	in := ks.Identifier{Set: kssets.KSPROPSETID_Audio, ID: kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, Flags: ks.PropertyTypeBasicSupport}
	n, status := h.IoControl(ks.IoctlProperty, in.Bytes(), b)
	about, _ := ks.DecodePropertyDescription(b)
	list, _ := ks.DecodeMembersHeader(b[ks.SizePropertyDescription:])
	steps, _ := ks.DecodeSteppingLong(b[ks.SizePropertyDescription+ks.SizeMembersHeader:])
	fmt.Println(status, n, about.MembersListCount, about.PropTypeSet.ID == kssets.VT_I4, list.MembersFlags == ks.MemberSteppedRanges)
	fmt.Println(steps.Bounds.SignedMinimum>>16, steps.Bounds.SignedMaximum>>16, steps.SteppingDelta)
	// Output:
	// STATUS_SUCCESS 0 []
	// -6
	// STATUS_SUCCESS 4 [0 0 250 255]
	// STATUS_BUFFER_OVERFLOW 4 []
	// STATUS_INVALID_PARAMETER 0 []
	// STATUS_INVALID_PARAMETER 0 []
	// STATUS_SUCCESS 92 2 true true
	// -96 0 32768
}

// Every mistake in the declarations is reported at once.
func ExamplePropertySet_error() {
	var level atomic.Int32
	_, err := typed.PropertySet(kssets.KSPROPSETID_Audio,
		typed.ScalarVar(4, &level).Step(0, 10, 0).Range(3, 1),
		typed.ScalarVar(5, &level).Range(0, 10).Default(11),
	)
	fmt.Println(err)
	// Output:
	// typed: set 45ffaaa0-6e1b-11d0-bcf2-444553540000, property 4: stepped range 0 to 10: step 0; it must be positive
	// typed: set 45ffaaa0-6e1b-11d0-bcf2-444553540000, property 4: range 3 to 1: the low end is above the high end
	// typed: set 45ffaaa0-6e1b-11d0-bcf2-444553540000, property 5: the default 11 is not one of the values that are allowed
}

// A volume for each channel of a node.
func ExampleScalarPer() {
	var levels [2]atomic.Int32
	set, err := typed.PropertySet(kssets.KSPROPSETID_Audio,
		typed.ScalarPer(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, typed.PerChannel, typed.Each[int32](levels[:])...).Range(-96<<16, 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{set}})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := device.New(d).Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()

	for channel := range int32(3) {
		in := ks.NodePropertyAudioChannel{
			Node: ks.Node{Identifier: ks.Identifier{
				Set: kssets.KSPROPSETID_Audio, ID: kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, Flags: ks.PropertyTypeSet}},
			Channel: channel,
		}
		_, status := h.IoControl(ks.IoctlProperty, in.Bytes(), []byte{0, 0, 0xFA, 0xFF}) // -6 dB
		fmt.Println(channel, status)
	}
	fmt.Println(levels[0].Load()>>16, levels[1].Load()>>16)
	// Output:
	// 0 STATUS_SUCCESS
	// 1 STATUS_SUCCESS
	// 2 STATUS_INVALID_PARAMETER
	// -6 -6
}

// A volume of each node, computed from the request.
func ExampleScalarFunc() {
	var levels [8]atomic.Int32
	node := func(r typed.Request) (uint32, bool) {
		n, ok := ks.DecodeNode(r.Property)
		return n.NodeID, ok && n.NodeID < uint32(len(levels))
	}
	get := func(r typed.Request) (int32, ks.Status) {
		n, ok := node(r)
		if !ok {
			return 0, ks.StatusInvalidParameter
		}
		return levels[n].Load(), ks.StatusSuccess
	}
	set := func(r typed.Request, v int32) ks.Status {
		n, ok := node(r)
		if !ok {
			return ks.StatusInvalidParameter
		}
		levels[n].Store(v)
		return ks.StatusSuccess
	}
	s, err := typed.PropertySet(kssets.KSPROPSETID_Audio,
		typed.ScalarFunc(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, get, set).Range(-96<<16, 0).MinProperty(ks.SizeNode))
	fmt.Println(s.Items[0].MinProperty, s.Items[0].MinData, err)
	// Output: 32 4 <nil>
}
