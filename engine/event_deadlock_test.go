package engine_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestE16_CallbacksThatCallTheirList: checked builds name the deadlock instead of hanging in it, and leave the list unlocked: for each
// call that RemoveEvent's document names, from inside of each callback that runs under the lock.
func TestE16_CallbacksThatCallTheirList(t *testing.T) {
	if !invariants.Enabled {
		t.Skip("needs a build with -tags invariants or -race: others hang, as documented")
	}
	for _, lock := range []engine.EventListConfig{{LockType: engine.EventLockMutex, Lock: new(sync.Mutex)},
		{LockType: engine.EventLockInterrupt, Lock: new(interrupt)}} {
		inside := func() {}
		s := serveConfig(t, engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1,
			Remove: func(*engine.FileObject, *engine.EventEntry) { inside() }}}}}})
		list, err := engine.NewEventList(lock)
		if err != nil {
			t.Fatal(err)
		}
		handles := new(engine.HandleTable)
		file := &engine.FileObject{Handles: handles, Events: list}
		data := eventData(ks.NotificationEventHandle, handles.Open(engine.NewSyncEvent(), engine.ModifyState, engine.UserMode))
		other := bytes.Clone(data)
		send := func(code uint32, in, out []byte) {
			s.d.IoControl(&engine.IRP{Pool: s.pool, FileObject: file, UserEvent: make(chan struct{}, 1)}, code, in, out)
		}
		in := request{set: setA, id: 1, flags: enable}.bytes()
		direct := func() *engine.IRP {
			return &engine.IRP{Type3InputBuffer: in, InputBufferLength: uint32(len(in)), UserBuffer: other,
				OutputBufferLength: uint32(len(other)), FileObject: file}
		}
		for name, call := range map[string]func(){
			"Add":                  func() { list.Add(new(engine.EventEntry)) },
			"Do":                   func() { list.Do(func() {}) },
			"Len":                  func() { list.Len() },
			"Free":                 func() { list.Free(nil) },
			"Generate":             func() { list.Generate(&setA, 1) },
			"GenerateData":         func() { list.GenerateData(&setA, 1, nil, nil) },
			"EnableEvent":          func() { s.d.EnableEvent(direct(), list) },
			"DisableEvent":         func() { s.d.DisableEvent(&engine.IRP{FileObject: file}, list) },
			"IoControl to enable":  func() { send(ks.IoctlEnableEvent, in, other) },
			"IoControl to disable": func() { send(ks.IoctlDisableEvent, data, nil) },
		} {
			for from, start := range map[string]func(){
				"a Remove handler": func() { send(ks.IoctlDisableEvent, data, nil) },
				"a match": func() {
					list.GenerateData(&setA, 1, nil, func(*engine.EventEntry) bool { inside(); return false })
				},
				"Do": func() { list.Do(func() { inside() }) },
			} {
				inside = func() {}
				send(ks.IoctlEnableEvent, in, data)
				inside = call
				if v := string(invariants.Catch(start)); !strings.Contains(v, "deadlock (E-16)") {
					t.Errorf("lock type %d, %s inside %s: %q", lock.LockType, name, from, v)
				}
				inside = func() {}
				if list.Free(file); list.Len() != 0 {
					t.Errorf("lock type %d, %s inside %s: %d entries are left", lock.LockType, name, from, list.Len())
				}
			}
		}
	}
}
