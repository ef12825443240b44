// Camera is a virtual camera: picture controls with ranges, steps and defaults, and an extended control, the focus, that is set at
// once and done later, when an event tells of it.
//
//	go run ./examples/camera
//
// tables.go has what is data.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// camera is the driver.
type camera struct {
	device *device.Device
	turn   chan struct{} // the lens: each value lets it arrive

	mu          sync.Mutex
	mode, wants uint64 // of the focus: as it is, and as it was asked for
	moving      bool
}

func newCamera() (*camera, error) {
	c := &camera{mode: focusAuto, turn: make(chan struct{})}
	procAmp := engine.PropertySet{Set: kssets.PROPSETID_VIDCAP_VIDEOPROCAMP}
	for _, id := range slices.Sorted(maps.Keys(controls)) {
		procAmp.Items = append(procAmp.Items, picture(id, controls[id]))
	}
	focus := uint32(kssets.KSPROPERTY_CAMERACONTROL_EXTENDED_FOCUSMODE)
	d, err := engine.Compile(engine.Config{
		PropertySets: []engine.PropertySet{procAmp, {Set: kssets.KSPROPERTYSETID_ExtendedCameraControl, Items: []engine.PropertyItem{
			{ID: focus, Get: c.getFocus, Set: c.setFocus}}}},
		EventSets: []engine.EventSet{{Set: kssets.KSEVENTSETID_ExtendedCameraControl, Items: []engine.EventItem{{ID: focus}}}},
	})
	if err != nil {
		return nil, err
	}
	c.device = device.New(d)
	return c, nil
}

// picture declares a picture control.
func picture(id uint32, l limits) engine.PropertyItem {
	var value atomic.Int32
	value.Store(l.usual)
	return engine.PropertyItem{
		ID: id, MinProperty: procAmpSize, MinData: procAmpSize, Values: l.values(),
		Get: func(irp *engine.IRP, request, data []byte) ks.Status {
			copy(data, request[:procAmpSize])
			binary.LittleEndian.PutUint32(data[procAmpValue:], uint32(value.Load()))
			binary.LittleEndian.PutUint32(data[procAmpFlags:], procAmpManual)
			binary.LittleEndian.PutUint32(data[procAmpCapabilities:], procAmpManual)
			irp.IoStatus.Information = procAmpSize
			return ks.StatusSuccess
		},
		Set: func(_ *engine.IRP, _, data []byte) ks.Status {
			v := int32(binary.LittleEndian.Uint32(data[procAmpValue:]))
			if v < l.min || v > l.max || (v-l.min)%l.step != 0 {
				return ks.StatusInvalidParameter
			}
			value.Store(v)
			return ks.StatusSuccess
		},
	}
}

// getFocus answers with the mode that the lens is in, and STATUS_PENDING as the result while it moves. The size of the value is the
// driver's to tell: an empty buffer asks for it.
func (c *camera) getFocus(irp *engine.IRP, _, data []byte) ks.Status {
	irp.IoStatus.Information = extendedSize
	switch {
	case len(data) == 0:
		return ks.StatusBufferOverflow
	case len(data) < extendedSize:
		return ks.StatusBufferTooSmall
	}
	clear(data[:extendedSize])
	binary.LittleEndian.PutUint32(data, 1) // Version; PinId is 0
	binary.LittleEndian.PutUint32(data[8:], extendedSize)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moving {
		binary.LittleEndian.PutUint32(data[extendedResult:], uint32(ks.StatusPending))
	}
	binary.LittleEndian.PutUint64(data[extendedFlags:], c.mode)
	binary.LittleEndian.PutUint64(data[extendedCaps:], capsAsync|focusAuto|focusContinuous)
	return ks.StatusSuccess
}

// setFocus starts the lens. It refuses while that moves.
func (c *camera) setFocus(_ *engine.IRP, _, data []byte) ks.Status {
	if len(data) < extendedSize {
		return ks.StatusBufferTooSmall
	}
	wants := binary.LittleEndian.Uint64(data[extendedFlags:])
	if wants != focusAuto && wants != focusContinuous {
		return ks.StatusInvalidParameter
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moving {
		return ks.StatusDeviceBusy
	}
	c.moving, c.wants = true, wants
	go c.move()
	return ks.StatusSuccess
}

// move is the lens: when it has arrived, whoever enabled the event is told.
func (c *camera) move() {
	<-c.turn
	c.mu.Lock()
	c.moving, c.mode = false, c.wants
	c.mu.Unlock()
	c.device.Events().Generate(&kssets.KSEVENTSETID_ExtendedCameraControl, kssets.KSPROPERTY_CAMERACONTROL_EXTENDED_FOCUSMODE)
}

// run is a client: an application with sliders.
func run(ctx context.Context, w io.Writer) error {
	c, err := newCamera()
	if err != nil {
		return err
	}
	h, err := c.device.Open()
	if err != nil {
		return err
	}
	defer h.Close()
	send := func(what string, code uint32, set ks.GUID, id, flags uint32, more int, out []byte) {
		in := append(ks.Identifier{Set: set, ID: id, Flags: flags}.Bytes(), make([]byte, more)...)
		n, status := h.IoControl(code, in, out)
		fmt.Fprintf(w, "%s: %v, %d bytes\n", what, status, n)
	}

	// The slider: its range and its default, then a value that fits and one that does not.
	procAmp, brightness := kssets.PROPSETID_VIDCAP_VIDEOPROCAMP, uint32(kssets.KSPROPERTY_VIDEOPROCAMP_BRIGHTNESS)
	out := make([]byte, 256)
	send("range", ks.IoctlProperty, procAmp, brightness, ks.PropertyTypeBasicSupport, 16, out)
	r, ok := ks.DecodeSteppingLong(out[ks.SizePropertyDescription+ks.SizeMembersHeader:])
	fmt.Fprintln(w, ok, r.Bounds.SignedMinimum, r.Bounds.SignedMaximum, r.SteppingDelta)
	send("default", ks.IoctlProperty, procAmp, brightness, ks.PropertyTypeDefaultValues, 16, out)
	for _, v := range []int32{10, 65} {
		value := make([]byte, procAmpSize)
		binary.LittleEndian.PutUint32(value[procAmpValue:], uint32(v))
		send("set", ks.IoctlProperty, procAmp, brightness, ks.PropertyTypeSet, 16, value)
	}
	send("get", ks.IoctlProperty, procAmp, brightness, ks.PropertyTypeGet, 16, out)
	fmt.Fprintln(w, "brightness", int32(binary.LittleEndian.Uint32(out[procAmpValue:])))

	// The focus: enable its event, set it, and ask again when that came.
	extended, focus := kssets.KSPROPERTYSETID_ExtendedCameraControl, uint32(kssets.KSPROPERTY_CAMERACONTROL_EXTENDED_FOCUSMODE)
	done := engine.NewSyncEvent()
	event := device.NewEventData(ks.EventData{NotificationType: ks.NotificationEventHandle,
		Object: c.device.Handles().Open(done, engine.ModifyState, engine.UserMode)}, 0)
	send("enable", ks.IoctlEnableEvent, kssets.KSEVENTSETID_ExtendedCameraControl, focus, ks.EventTypeEnable, 0, event)
	send("size", ks.IoctlProperty, extended, focus, ks.PropertyTypeGet, 0, nil)
	want := make([]byte, extendedSize)
	binary.LittleEndian.PutUint64(want[extendedFlags:], focusContinuous)
	send("focus", ks.IoctlProperty, extended, focus, ks.PropertyTypeSet, 0, want)
	send("again", ks.IoctlProperty, extended, focus, ks.PropertyTypeSet, 0, want)
	state := func() {
		send("state", ks.IoctlProperty, extended, focus, ks.PropertyTypeGet, 0, out)
		result := ks.Status(binary.LittleEndian.Uint32(out[extendedResult:]))
		fmt.Fprintf(w, "%v, mode %#x\n", result, binary.LittleEndian.Uint64(out[extendedFlags:]))
	}
	state()
	c.turn <- struct{}{} // the lens arrives
	if err := done.Wait(ctx); err != nil {
		return err
	}
	state()
	return nil
}
