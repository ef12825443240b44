package main

// #cgo CFLAGS: -fvisibility=hidden
// #include "bridge.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// An object is what ksd_object names.
type object struct {
	device    *device.Device
	declared  atomic.Pointer[declaration]
	recording atomic.Pointer[recording] // the last one; nil before the first

	mu    sync.Mutex // of those who change what the object answers
	watch watch
}

// A declaration is what an object answers with.
type declaration struct {
	filter   device.Filter // without who looks at its requests
	isFilter bool          // by its role: one without pins and nodes is one too
	name     string        // of the object in its manifest
	source   trace.Source  // that manifest
	controls *controls
}

var objects = numbers[object]{kind: 1}

//export ksd__object_from_driver
func ksd__object_from_driver(driver, name C.ksd__text, sets C.ksd__sets, count C.uint32_t, err *C.char, errLen C.size_t) C.ksd_object {
	return makeObject(err, errLen, func() (*declaration, error) {
		if driver == nil {
			return nil, errors.New("driver is NULL")
		}
		m, err := drivers.Load(C.GoString(driver))
		if err != nil {
			return nil, err
		}
		return replaced(m, name, sets, count)
	})
}

//export ksd__object_from_json
func ksd__object_from_json(json C.ksd__in, length C.size_t, name C.ksd__text, sets C.ksd__sets, count C.uint32_t, err *C.char,
	errLen C.size_t) C.ksd_object {
	return makeObject(err, errLen, func() (*declaration, error) {
		if json == nil {
			return nil, errors.New("json is NULL or empty")
		}
		if length > manifest.MaxSize {
			return nil, fmt.Errorf("json has %d bytes; a manifest has at most %d", length, manifest.MaxSize)
		}
		m, err := manifest.Parse(C.GoBytes(unsafe.Pointer(json), C.int(length)), "json")
		if err != nil {
			return nil, err
		}
		return replaced(m, name, sets, count)
	})
}

//export ksd__object_new
func ksd__object_new(sets C.ksd__sets, count C.uint32_t, err *C.char, errLen C.size_t) C.ksd_object {
	return makeObject(err, errLen, func() (*declaration, error) {
		config, err := declared(sets, count)
		return &declaration{filter: device.Filter{Config: config}, name: "object"}, err
	})
}

//export ksd_object_free
func ksd_object_free(number C.ksd_object) {
	if o := objects.remove(uint64(number)); o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if r := o.recording.Load(); r != nil {
			_ = r.stop() // nobody is there to be told
		}
	}
}

// makeObject makes an object, or writes what is wrong with it.
func makeObject(text *C.char, size C.size_t, declare func() (*declaration, error)) C.ksd_object {
	d, err := declare()
	if err == nil {
		var o *object
		if o, err = newObject(d); err == nil {
			tell(text, size, "")
			return C.ksd_object(objects.add(o))
		}
	}
	tell(text, size, err.Error())
	return 0
}

func newObject(d *declaration) (*object, error) {
	d.controls = new(controls)
	d.filter.Config.Control = d.controls.answer
	for i := range d.filter.Pins {
		d.filter.Pins[i].Config.Control = d.controls.answer
	}
	o := new(object)
	if err := o.answer(d, watch{}); err != nil {
		return nil, err
	}
	o.device.SetArena(arena.Config{OffHeap: true}) // a handler of C keeps pointers while its request is pended
	return o, nil
}

// answer has the device answer what d declares from now on, with w looking at it; if it has none, it is made. It is called with mu.
func (o *object) answer(d *declaration, w watch) (err error) {
	f := w.around(d)
	switch {
	case d.isFilter && o.device == nil:
		o.device, err = device.NewFilter(f)
	case d.isFilter:
		err = o.device.SwapFilter(f)
	default:
		var table *engine.Dispatcher
		if table, err = engine.Compile(f.Config); err != nil {
			break
		}
		if o.device == nil {
			o.device = device.New(table)
		} else {
			o.device.Swap(table)
		}
	}
	if err == nil {
		o.watch = w
		o.declared.Store(d)
	}
	return err
}

//export ksd_object_swap
func ksd_object_swap(number, replacement C.ksd_object) C.ksd_status {
	o, r := objects.get(uint64(number)), objects.get(uint64(replacement))
	if o == nil || r == nil {
		return result(ks.StatusInvalidHandle)
	}
	d := r.declared.Load()
	if o == r || o.declared.Load().isFilter != d.isFilter {
		return result(ks.StatusInvalidParameter)
	}
	if objects.remove(uint64(replacement)) == nil {
		return result(ks.StatusInvalidHandle) // another took it
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.answer(d, o.watch); err != nil {
		return result(ks.StatusUnsuccessful)
	}
	return result(ks.StatusSuccess)
}

// tell writes a text with its terminating 0, as much of it as there is room for.
func tell(b *C.char, size C.size_t, text string) {
	if b == nil || size == 0 {
		return
	}
	n := len(text)
	if uint64(size) <= uint64(n) {
		n = int(size) - 1
	}
	room := unsafe.Slice((*byte)(unsafe.Pointer(b)), n+1) // not of size, which may be more than there is memory
	for n > 0 && n < len(text) && text[n]&0xc0 == 0x80 {
		n-- // not into a character
	}
	copy(room, text[:n])
	room[n] = 0
}

// replaced is an object of a manifest in which the items of sets take the places of its own.
func replaced(m *manifest.Manifest, name C.ksd__text, sets C.ksd__sets, count C.uint32_t) (*declaration, error) {
	o := &m.Objects[0]
	if name != nil {
		want := C.GoString(name)
		o = nil
		for i := range m.Objects {
			if m.Objects[i].Name == want {
				o = &m.Objects[i]
			}
		}
		if o == nil {
			return nil, fmt.Errorf("%s has no object %q; its objects are %s", m.Driver, want, names(m))
		}
	}
	f := device.Filter{Config: o.Config(manifest.Options{})}
	if o.Role == manifest.RoleFilter {
		var err error
		if f, err = m.Filter(o.Name, manifest.Options{}); err != nil {
			return nil, err
		}
	}
	own, err := declared(sets, count)
	if err != nil {
		return nil, err
	}
	keepDescriptions(&own, &f.Config)
	f.Config, err = engine.MergeSets(own, f.Config)
	source := trace.Source{Name: m.Driver, Digest: m.Digest}
	return &declaration{filter: f, isFilter: o.Role == manifest.RoleFilter, name: o.Name, source: source}, err
}

func names(m *manifest.Manifest) string {
	var s string
	for i := range m.Objects {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%q", m.Objects[i].Name)
	}
	return s
}

// keepDescriptions gives properties of own what C cannot declare, and the description of the same property has.
func keepDescriptions(own, described *engine.Config) {
	for s := range own.PropertySets {
		for i := range own.PropertySets[s].Items {
			item := &own.PropertySets[s].Items[i]
			for _, set := range described.PropertySets {
				for _, d := range set.Items {
					if set.Set == own.PropertySets[s].Set && d.ID == item.ID {
						item.Values, item.Relations, item.SerializedSize = d.Values, d.Relations, d.SerializedSize
					}
				}
			}
		}
	}
}

// declared reads the sets that C declares.
func declared(sets C.ksd__sets, count C.uint32_t) (engine.Config, error) {
	var config engine.Config
	all, ok := memory[C.ksd_set](unsafe.Pointer(sets), count)
	switch {
	case ok:
	case sets == nil:
		return config, fmt.Errorf("sets is NULL, and count %d", count)
	default:
		return config, fmt.Errorf("count is %d; so many sets there cannot be", count)
	}
	for i := range all {
		guid := *(*ks.GUID)(unsafe.Pointer(&all[i].guid))
		if err := declareSet(&config, guid, &all[i]); err != nil {
			return config, fmt.Errorf("set %d, %v: %w", i, guid, err)
		}
	}
	return config, nil
}

func declareSet(config *engine.Config, guid ks.GUID, set *C.ksd_set) error {
	const least = unsafe.Offsetof(C.ksd__item{}.kind)
	if set.count != 0 && set.items == nil {
		return fmt.Errorf("items is NULL, and count %d", set.count)
	}
	if set.count != 0 && (uintptr(set.item_size) < least || set.item_size%8 != 0) {
		return fmt.Errorf("item_size is %d; it is sizeof(ksd_item)", set.item_size)
	}
	properties, methods, events := engine.PropertySet{Set: guid}, engine.MethodSet{Set: guid}, engine.EventSet{Set: guid}
	for i := range uintptr(set.count) {
		at := unsafe.Add(unsafe.Pointer(set.items), i*uintptr(set.item_size))
		size := uintptr(*(*C.uint32_t)(at))
		if size < least || size > uintptr(set.item_size) {
			return fmt.Errorf("item %d: size is %d; it is sizeof(ksd_item), %d", i, size, unsafe.Sizeof(C.ksd__item{}))
		}
		var item C.ksd__item // of a program that was built with another version of the header it lacks members, or has more
		size = min(size, unsafe.Sizeof(item))
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&item)), size), unsafe.Slice((*byte)(at), size))
		if flags := uint32(item.flags); flags != 0 && (item.kind != C.KSD_KIND_METHOD || flags > ks.MethodTypeModify) {
			return fmt.Errorf("item %d: flags is %d; it is 0 to 3 for a method, else 0", i, flags)
		}
		switch item.kind {
		case C.KSD_KIND_PROPERTY:
			properties.Items = append(properties.Items, engine.PropertyItem{ID: uint32(item.id), MinProperty: uint32(item.min_property),
				MinData: uint32(item.min_data), Get: handler(item.get, &item), Set: handler(item.set, &item),
				Support: handler(item.support, &item)})
		case C.KSD_KIND_METHOD:
			methods.Items = append(methods.Items, engine.MethodItem{ID: uint32(item.id), MinMethod: uint32(item.min_property),
				MinData: uint32(item.min_data), Flags: uint32(item.flags), Handler: handler(item.get, &item),
				Support: handler(item.support, &item)})
		case C.KSD_KIND_EVENT:
			events.Items = append(events.Items, engine.EventItem{ID: uint32(item.id), DataInput: uint32(item.min_property),
				Support: handler(item.support, &item)})
		default:
			return fmt.Errorf("item %d: kind is %d; it is one of KSD_KIND_PROPERTY, _METHOD and _EVENT", i, item.kind)
		}
	}
	if properties.Items != nil {
		config.PropertySets = append(config.PropertySets, properties)
	}
	if methods.Items != nil {
		config.MethodSets = append(config.MethodSets, methods)
	}
	if events.Items != nil {
		config.EventSets = append(config.EventSets, events)
	}
	return nil
}
