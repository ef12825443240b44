// Events is an event client: it asks a device to signal it whenever a control changes, waits for three changes, and disables the
// event again.
//
//	go run ./examples/events
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

func main() {
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// newDevice declares one event, KSEVENT_CONTROL_CHANGE.
func newDevice() (*device.Device, error) {
	d, err := engine.Compile(engine.Config{EventSets: []engine.EventSet{{
		Set:   kssets.KSEVENTSETID_AudioControlChange,
		Items: []engine.EventItem{{ID: kssets.KSEVENT_CONTROL_CHANGE}},
	}}})
	if err != nil {
		return nil, err
	}
	return device.New(d), nil
}

// changes is the driver's part: it generates the event as often as turns has values, and waits for the client in between, because
// an event that is signalled twice before somebody waits is one signal.
func changes(dev *device.Device, turns <-chan struct{}) {
	set := kssets.KSEVENTSETID_AudioControlChange
	for range turns {
		dev.Events().Generate(&set, kssets.KSEVENT_CONTROL_CHANGE)
	}
}

func run(ctx context.Context, w io.Writer) error {
	dev, err := newDevice()
	if err != nil {
		return err
	}
	h, err := dev.Open()
	if err != nil {
		return err
	}
	defer h.Close() // would disable the event, too

	changed := engine.NewSyncEvent()
	data := device.NewEventData(ks.EventData{
		NotificationType: ks.NotificationEventHandle,
		Object:           dev.Handles().Open(changed, engine.ModifyState, engine.UserMode),
	}, 0)
	in := ks.Identifier{
		Set:   kssets.KSEVENTSETID_AudioControlChange,
		ID:    kssets.KSEVENT_CONTROL_CHANGE,
		Flags: ks.EventTypeEnable,
	}.Bytes()
	_, status := h.IoControl(ks.IoctlEnableEvent, in, data)
	fmt.Fprintln(w, "enable:", status)
	if status.IsError() {
		return fmt.Errorf("enable: %v", status)
	}

	turns := make(chan struct{})
	defer close(turns)
	go changes(dev, turns)
	for i := range 3 {
		turns <- struct{}{}
		if err := changed.Wait(ctx); err != nil {
			return fmt.Errorf("change %d: %w", i+1, err)
		}
		fmt.Fprintln(w, "change", i+1)
	}

	// The address of data names the enabled event, so that the same slice disables it, once.
	for range 2 {
		_, status = h.IoControl(ks.IoctlDisableEvent, data, nil)
		fmt.Fprintln(w, "disable:", status)
	}
	return nil
}
