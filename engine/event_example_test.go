package engine_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A driver declares an event, and a client waits for it: the client registers an event object, enables the driver's event with a
// KSEVENTDATA that names it, and takes the signal when the driver generates.
func ExampleDispatcher_EnableEvent() {
	// The driver.
	set := ks.MustParseGUID("e85e9698-fa2f-11d1-95bd-00c04fb925d3") // KSEVENTSETID_AudioControlChange
	d := mustCompile(engine.Config{EventSets: []engine.EventSet{{Set: set, Items: []engine.EventItem{{ID: 0}}}}})
	events, err := engine.NewEventList(engine.EventListConfig{LockType: engine.EventLockMutex, Lock: new(sync.Mutex)})
	if err != nil {
		panic(err)
	}

	// The client.
	var handles engine.HandleTable
	changed := engine.NewSyncEvent()
	data := make([]byte, ks.SizeEventData)
	ks.EventData{
		NotificationType: ks.NotificationEventHandle,
		Object:           handles.Open(changed, engine.ModifyState, engine.UserMode),
	}.Put(data)
	request := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: set, ID: 0, Flags: ks.EventTypeOneShot}.Put(request)
	irp := &engine.IRP{
		Type3InputBuffer: request, InputBufferLength: uint32(len(request)),
		UserBuffer: data, OutputBufferLength: uint32(len(data)),
		EventData:  0x1000, // what the client calls it
		FileObject: &engine.FileObject{Handles: &handles},
	}
	status := d.EnableEvent(irp, events)
	irp.Finish(status, irp.UserBuffer)
	fmt.Println("enable:", status)

	go events.Generate(&set, 0) // the volume was changed
	if err := changed.Wait(context.Background()); err == nil {
		fmt.Println("changed")
	}

	// It was for one time, so there is nothing left to disable.
	fmt.Println("disable:", d.DisableEvent(&engine.IRP{InputBufferLength: ks.SizeEventData, EventData: 0x1000, FileObject: irp.FileObject},
		events))
	// Output:
	// enable: STATUS_SUCCESS
	// changed
	// disable: STATUS_UNSUCCESSFUL
}
