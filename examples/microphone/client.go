package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// identifier is a KSPROPERTY, KSMETHOD or KSEVENT, and what follows it.
func identifier(set ks.GUID, id, flags uint32, more ...uint32) []byte {
	b := ks.Identifier{Set: set, ID: id, Flags: flags}.Bytes()
	for _, v := range more {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// sender is an open handle of any of the devices.
type sender interface {
	IoControl(code uint32, in, out []byte) (uint32, ks.Status)
}

// talk is a client of the microphone: it changes the volume and is told of it, captures, and sees a pin appear.
func talk(ctx context.Context, m *microphone, w io.Writer) error {
	var opened []*device.Handle
	for _, dev := range []*device.Device{m.topology, m.wave, m.control} {
		h, err := dev.Open()
		if err != nil {
			return err
		}
		defer h.Close()
		opened = append(opened, h)
	}
	topology, wave, control := opened[0], opened[1], opened[2]
	send := func(what string, h sender, code uint32, in, out []byte) {
		n, status := h.IoControl(code, in, out)
		fmt.Fprintf(w, "%s: %v, %d bytes\n", what, status, n)
	}

	// It wants to be told of changes, and to have the new values queued.
	signal := engine.NewSyncEvent()
	data := ks.EventData{NotificationType: ks.NotificationEventHandle,
		Object: m.control.Handles().Open(signal, engine.ModifyState, engine.UserMode)}
	event, queue := device.NewEventData(data, 0), device.NewEventData(data, 0)
	send("enable", control, ks.IoctlEnableEvent, identifier(setMicrophone, itemChanged, ks.EventTypeEnable), event)
	send("enable queue", control, ks.IoctlEnableEvent, identifier(setMicrophone, itemChanged, ks.EventTypeEnableBuffered), queue)

	// The right channel of the volume node goes to -6 dB: node 0, channel 1.
	level := identifier(kssets.KSPROPSETID_Audio, kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, ks.PropertyTypeSet|ks.PropertyTypeTopology, 0, 0, 1, 0)
	send("volume", topology, ks.IoctlProperty, level, []byte{0, 0, 0xFA, 0xFF})
	if err := signal.Wait(ctx); err != nil {
		return err
	}
	var query [ks.SizeQueryBuffer]byte
	ks.QueryBuffer{Event: ks.Identifier{Set: setMicrophone, ID: itemChanged, Flags: ks.EventTypeQueryBuffer},
		EventData: uint64(uintptr(unsafe.Pointer(&queue[0])))}.Put(query[:]) // the address is the name of the event
	value := make([]byte, 4)
	send("changed", control, ks.IoctlEnableEvent, query[:], value)
	fmt.Fprintf(w, "to %d dB\n", int32(binary.LittleEndian.Uint32(value))>>16)
	mute := identifier(kssets.KSPROPSETID_Audio, kssets.KSPROPERTY_AUDIO_MUTE, ks.PropertyTypeSet|ks.PropertyTypeTopology, 1, 0)
	send("mute", topology, ks.IoctlProperty, mute, []byte{1, 0, 0, 0})
	send("jack", topology, ks.IoctlProperty, identifier(kssets.KSPROPSETID_Jack, kssets.KSPROPERTY_JACK_DESCRIPTION, ks.PropertyTypeGet), nil)
	send("reset", control, ks.IoctlMethod, identifier(setMicrophone, itemReset, ks.MethodTypeSend), nil)

	// It captures: of two reads one is answered, the other is pended until the pin is closed.
	pin, status := wave.CreatePin(fromHex(captureConnect))
	if pin == nil {
		return fmt.Errorf("capture: %v", status)
	}
	port := device.NewPort()
	reads, err := pin.Overlapped(port)
	if err != nil {
		return err
	}
	for state := uint32(ks.StateAcquire); state <= ks.StateRun; state++ {
		set := identifier(kssets.KSPROPSETID_Connection, kssets.KSPROPERTY_CONNECTION_STATE, ks.PropertyTypeSet)
		send("state", pin, ks.IoctlProperty, set, binary.LittleEndian.AppendUint32(nil, state))
	}
	var first, second device.Overlapped
	samples := make([]byte, 8)
	for _, o := range []*device.Overlapped{&first, &second} {
		_, status := reads.IoControl(o, ks.IoctlReadStream, nil, samples)
		fmt.Fprintf(w, "read: %v\n", status)
	}
	m.deliver("8 bytes!")
	done := make([]*device.Overlapped, 1)
	if _, err := port.Wait(ctx, done); err != nil {
		return err
	}
	fmt.Fprintf(w, "delivered: %v, %q\n", first.Status(), samples)
	out := make([]byte, 40)
	send("position", pin, ks.IoctlProperty, identifier(kssets.KSPROPSETID_Audio, kssets.KSPROPERTY_AUDIO_POSITION, ks.PropertyTypeGet), out)
	fmt.Fprintf(w, "it is %d\n", out[0])
	send("register", pin, ks.IoctlProperty,
		identifier(kssets.KSPROPSETID_RtAudio, kssets.KSPROPERTY_RTAUDIO_POSITIONREGISTER, ks.PropertyTypeGet, 0, 0), out)
	if err := reads.Close(); err != nil {
		return err
	}
	fmt.Fprintf(w, "closed: %v\n", second.Status())

	// A pin appears while it is connected: its handles and its event stay.
	m.wave.OnSwap(func(c device.Change) {
		fmt.Fprintf(w, "swap: %d items added, %d removed, %d pins changed\n", len(c.Added), len(c.Removed), len(c.Pins))
	})
	gain := identifier(setMicrophone, itemGain, ks.PropertyTypeGet)
	send("gain", wave, ks.IoctlProperty, gain, out)
	if err := m.grow(); err != nil {
		return err
	}
	send("gain", wave, ks.IoctlProperty, gain, out)
	send("pins", wave, ks.IoctlProperty, identifier(kssets.KSPROPSETID_Pin, kssets.KSPROPERTY_PIN_CTYPES, ks.PropertyTypeGet), out)
	fmt.Fprintf(w, "there are %d\n", out[0])
	return nil
}
