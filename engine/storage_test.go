package engine_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestShareStorage: items that two dispatchers have in common share what they store if it has the same size, and all others keep their own.
func TestShareStorage(t *testing.T) {
	compile := func(size uint32, ids ...uint32) *engine.Dispatcher {
		set := engine.PropertySet{Set: ks.GUID{1}}
		for _, id := range ids {
			set.Items = append(set.Items, engine.PropertyItem{ID: id, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
				b := irp.ItemStorage()
				if b != nil {
					b[0]++
					data[0] = b[0]
				}
				data[1] = byte(len(b))
				irp.IoStatus.Information = 2
				return ks.StatusSuccess
			}, MinData: 2})
		}
		d, err := engine.Compile(engine.Config{PropertyItemSize: size, PropertySets: []engine.PropertySet{set}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	ask := func(d *engine.Dispatcher, id uint32, count, size byte) {
		t.Helper()
		irp := &engine.IRP{Type3InputBuffer: ks.Identifier{Set: ks.GUID{1}, ID: id, Flags: ks.PropertyTypeGet}.Bytes(),
			InputBufferLength: ks.SizeIdentifier, UserBuffer: make([]byte, 2), OutputBufferLength: 2}
		out := irp.UserBuffer
		if status := d.Property(irp); irp.Finish(status, out) != 2 || out[0] != count || out[1] != size {
			t.Errorf("item %d: %v, %d in %d bytes; want %d in %d", id, status, out[0], out[1], count, size)
		}
	}
	old := compile(80, 1, 2)
	ask(old, 1, 1, 8)
	same, larger, none := compile(80, 1, 3), compile(88, 1), compile(0, 1)
	for _, d := range []*engine.Dispatcher{same, larger, none, old} {
		d.ShareStorage(old)
	}
	ask(same, 1, 2, 8)
	ask(old, 1, 3, 8) // one storage
	ask(same, 3, 1, 8)
	ask(larger, 1, 1, 16)
	ask(none, 1, 0, 0)
	ask(old, 1, 4, 8)
	late := compile(80, 1)
	ask(late, 1, 1, 8)
	late.ShareStorage(old)
	ask(late, 1, 2, 8) // it was asked for its own before
	one, three, both := compile(80, 1), compile(80, 3), compile(80, 1, 3)
	for range 2 {
		both.ShareStorage(one)
		both.ShareStorage(three)
	}
	ask(one, 1, 1, 8)
	ask(three, 3, 1, 8)
	ask(both, 1, 2, 8)
	ask(both, 3, 2, 8)
	if n := testkit.Allocs(func() { both.ShareStorage(one); both.ShareStorage(three) }); n != 0 {
		t.Errorf("sharing again takes %v allocations", n)
	}
}

// TestShareStorage_Families: items of methods and events share what they store as those of properties do, each with those of its family.
func TestShareStorage_Families(t *testing.T) {
	var seen []*byte // property, method and event of one dispatcher, then of the other
	see := func(irp *engine.IRP, _, _ []byte) ks.Status {
		seen = append(seen, &irp.ItemStorage()[0])
		return ks.StatusSuccess
	}
	compile := func() *engine.Dispatcher {
		d, err := engine.Compile(engine.Config{PropertyItemSize: 80, MethodItemSize: 48, EventItemSize: 48,
			PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: see}}}},
			MethodSets:   []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: see}}}},
			EventSets:    []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1, Support: see}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	old, now := compile(), compile()
	now.ShareStorage(old)
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*engine.Dispatcher{old, now} {
		irp := &engine.IRP{Pool: pool, FileObject: new(engine.FileObject), UserEvent: make(chan struct{}, 1)}
		for _, r := range []struct{ code, flags uint32 }{
			{ks.IoctlProperty, get},
			{ks.IoctlMethod, 0},
			{ks.IoctlEnableEvent, ks.EventTypeBasicSupport},
		} {
			d.IoControl(irp, r.code, request{set: setA, id: 1, flags: r.flags}.bytes(), make([]byte, 4))
		}
	}
	if len(seen) != 6 {
		t.Fatalf("%d handlers were called", len(seen))
	}
	if seen[0] != seen[3] || seen[1] != seen[4] || seen[2] != seen[5] {
		t.Errorf("not all is shared: %v", seen)
	}
	if seen[0] == seen[1] || seen[1] == seen[2] || seen[0] == seen[2] {
		t.Errorf("families share: %v", seen)
	}
}
