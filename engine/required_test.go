package engine_test

import (
	"testing"
	"testing/fstest"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestNilFunctions gives nil for each function that is called: the call that is given it says so, and leaves all as it was.
func TestNilFunctions(t *testing.T) {
	s := serve(t, nines)
	told := func(*engine.IRP) {}
	var declared engine.Config
	worker := engine.NewWorker()
	defer worker.Close()
	for _, c := range []struct {
		want string
		call func()
	}{
		{"Detach: pended", func() { s.irp.Detach(nil, told) }},
		{"Detach: ended", func() { s.irp.Detach(told, nil) }},
		{"SetGate: gate", func() { s.irp.SetGate(nil) }},
		{"Gate: the gate of SetGate", func() { s.irp.Gate(true) }},
		{"Gate: the gate of SetGate", func() { new(engine.IRP).Gate(true) }},
		{"SetRoute: route", func() { s.irp.SetRoute(nil) }},
		{"Close: release", func() { s.irp.Close(nil) }},
		{"Do: work", func() { new(engine.EventList).Do(nil) }},
		{"NewCallback: signal", func() { engine.NewCallback(engine.ObjectTypeEvent, nil, nil) }},
		{"NewWorkItem: routine", func() { worker.NewWorkItem(nil) }},
		{"HandleSizedListQuery: put", func() { engine.HandleSizedListQuery(s.irp, nil, 0, 4, nil) }},
		{"Move: move", func() { new(engine.CancelQueue).Move(new(engine.CancelQueue), engine.Head, nil) }},
		{"UnserializeObjectProperties: send", func() { _ = engine.UnserializeObjectProperties(map[string][]byte{}, nil) }},
		{"UnserializeObjectPropertiesFS: send", func() { _ = engine.UnserializeObjectPropertiesFS(fstest.MapFS{}, ".", nil) }},
		{"Wrap: middleware", func() { declared.Wrap(nil) }},
		{"WrapEach: middleware", func() { declared.WrapEach(nil) }},
	} {
		func() {
			defer func() {
				if got := recover(); got != "engine: "+c.want+" is nil" {
					t.Errorf("%s: %v", c.want, got)
				}
			}()
			c.call()
		}()
		s.idle()
	}
	if s.irp.Gate(false); !s.irp.Close(func() {}) {
		t.Error("Close of an IRP that refused nil has released nothing")
	}
}

// TestWrapNilHandler: middleware that returns nil leaves the handler as it is, for those around it too.
func TestWrapNilHandler(t *testing.T) {
	config := engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{nines}}}}
	around := 0
	config.Wrap(func(next engine.Handler) engine.Handler {
		return func(irp *engine.IRP, request, data []byte) ks.Status {
			around++
			return next(irp, request, data)
		}
	}, func(engine.Handler) engine.Handler { return nil })
	s := serveConfig(t, config)
	if s.idle(); around != 1 {
		t.Errorf("the outer middleware was called %d times", around)
	}
}
