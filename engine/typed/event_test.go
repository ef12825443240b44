package typed_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// position is LOOPEDSTREAMING_POSITION_EVENT_DATA without its KSEVENTDATA: where in a stream a client wants to be told.
type position uint64

func (p position) Put(b []byte) { binary.LittleEndian.PutUint64(b[:8:8], uint64(p)) }

func decodePosition(b []byte) (position, bool) {
	p := position(binary.LittleEndian.Uint64(b))
	return p, p < 1000
}

var positionSet = ks.MustParseGUID("4682b940-c6ef-11d0-96d8-00aa0051e51d") // KSEVENTSETID_LoopedStreaming

func positions(t testing.TB) (*typed.Event[position], func(at position) (*engine.SyncEvent, ks.Status)) {
	list, err := engine.NewEventList(engine.EventListConfig{LockType: engine.EventLockMutex, Lock: new(sync.Mutex)})
	if err != nil {
		t.Fatal(err)
	}
	event, err := typed.NewEvent(positionSet, 1, 8, decodePosition, list)
	if err != nil {
		t.Fatal(err)
	}
	d, err := engine.Compile(engine.Config{EventSets: []engine.EventSet{{Set: positionSet, Items: []engine.EventItem{event.Item()}}}})
	if err != nil {
		t.Fatal(err)
	}
	var handles engine.HandleTable
	return event, func(at position) (*engine.SyncEvent, ks.Status) {
		e := engine.NewSyncEvent()
		data := make([]byte, ks.SizeEventData+8)
		ks.EventData{NotificationType: ks.NotificationEventHandle, Object: handles.Open(e, engine.ModifyState, engine.UserMode)}.Put(data)
		at.Put(data[ks.SizeEventData:])
		in := make([]byte, ks.SizeIdentifier)
		ks.Identifier{Set: positionSet, ID: 1, Flags: ks.EventTypeEnable}.Put(in)
		irp := engine.IRP{Type3InputBuffer: in, InputBufferLength: ks.SizeIdentifier, UserBuffer: data, OutputBufferLength: uint32(len(data)),
			FileObject: &engine.FileObject{Handles: &handles}}
		status := d.EnableEvent(&irp, list)
		irp.Finish(status, nil)
		return e, status
	}
}

func TestEvent(t *testing.T) {
	event, enable := positions(t)
	var clients []*engine.SyncEvent
	for at := range position(10) {
		e, status := enable(at * 100)
		if status != ks.StatusSuccess {
			t.Fatal(status)
		}
		clients = append(clients, e)
	}
	if _, status := enable(1000); status != ks.StatusInvalidParameter {
		t.Errorf("parameters that are refused: %v", status)
	}
	event.Generate(func(at position) bool { return at < 350 })
	for i, e := range clients {
		if got := e.TryWait(); got != (i < 4) {
			t.Errorf("client of %d: %v", i*100, got)
		}
	}
	event.Generate(nil)
	for _, e := range clients {
		if !e.TryWait() {
			t.Error("not signalled")
		}
	}
}

func TestEventMistakes(t *testing.T) {
	list, err := engine.NewEventList(engine.EventListConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for want, size := range map[string]int{"0 to 65536 are kept": -1, "parameters of 65537 bytes": 1<<16 + 1, "is the size right": 7} {
		if _, err := typed.NewEvent(positionSet, 1, size, decodePosition, list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("size %d: %v, want %q", size, err, want)
		}
	}
	if _, err := typed.NewEvent(positionSet, 1, 8, decodePosition, nil); err == nil {
		t.Error("an event without a list")
	}
}

func ExampleEvent() {
	event, enable := positions(nil)
	client, status := enable(480)
	fmt.Println("enabled at 480:", status)
	for at := position(0); at < 1000; at += 240 {
		event.Generate(func(wanted position) bool { return wanted == at })
		fmt.Println(at, client.TryWait())
	}
	// Output:
	// enabled at 480: STATUS_SUCCESS
	// 0 false
	// 240 false
	// 480 true
	// 720 false
	// 960 false
}
