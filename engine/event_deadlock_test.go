package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestE16_CallbacksThatCallTheirList: checked builds name the deadlock instead of hanging in it, and leave the list unlocked.
func TestE16_CallbacksThatCallTheirList(t *testing.T) {
	if !invariants.Enabled {
		t.Skip("needs a build with -tags invariants or -race: others hang, as documented")
	}
	var inside func()
	h := newEventHostWith(t, engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1,
		Remove: func(*engine.FileObject, *engine.EventEntry) { inside() }}}}}},
		engine.EventListConfig{LockType: engine.EventLockMutex, Lock: new(sync.Mutex)})
	_, data := h.event()
	for name, call := range map[string]func(){
		"Len": func() { h.list.Len() }, "Do": func() { h.list.Do(func() {}) }, "Generate": func() { h.list.Generate(&setA, 1) },
		"Free": func() { h.list.Free(nil) },
	} {
		for from, start := range map[string]func(){
			"a Remove handler": func() { h.disable(1, ks.StatusSuccess) },
			"a match": func() {
				h.list.GenerateData(&setA, 1, nil, func(*engine.EventEntry) bool { inside(); return false })
			},
			"Do": func() { h.list.Do(func() { inside() }) },
		} {
			inside = func() {}
			h.enable(1, enable, 1, data, ks.StatusSuccess)
			inside = call
			func() {
				defer func() {
					if v := fmt.Sprint(recover()); !strings.Contains(v, "deadlock (E-16)") {
						t.Errorf("%s inside %s: %s", name, from, v)
					}
				}()
				start()
			}()
			inside = func() {}
			h.list.Free(nil)
		}
	}
}
