package traffic

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// Target makes devices of the objects of a manifest.
type Target struct {
	Manifest *manifest.Manifest
	Object   string // what stands for objects without a name, and for those that the manifest does not have; "" is the first, and none
	Pends    trace.Pends

	Wrap      func(engine.Handler) engine.Handler // is around the handlers; nil is Pends.Wrap
	Configure func(*engine.Config)                // changes each table before it is compiled; nil changes none
}

// Open is a trace.Opener. Each call makes a device, whose values are its own.
func (t *Target) Open(object string, _ uint32) (*device.Device, error) {
	if object == "" || t.Object != "" && !t.has(object) {
		object = t.First()
	}
	wrap := t.Wrap
	if wrap == nil {
		wrap = t.Pends.Wrap
	}
	options := manifest.Options{Wrap: func(_ manifest.Verb, _ ks.GUID, _ uint32, h engine.Handler) engine.Handler { return wrap(h) }}
	for i := range t.Manifest.Objects {
		o := &t.Manifest.Objects[i]
		switch {
		case o.Name != object:
			continue
		case o.Role == manifest.RoleFilter:
			f, err := t.Manifest.Filter(object, options)
			if err != nil {
				return nil, err
			}
			f.Config.OnPanic = func(any, []byte) {}
			t.configure(&f.Config)
			for i := range f.Pins {
				t.configure(&f.Pins[i].Config)
			}
			for i := range f.Nodes {
				t.configure(&f.Nodes[i])
			}
			return device.NewFilter(f)
		case o.Role != manifest.RoleTable:
			return nil, fmt.Errorf("%q is a %s of %q, which applications open: name that", object, o.Role, o.Of)
		}
		config := o.Config(options)
		config.OnPanic = func(any, []byte) {} // a program that is to panic is no news
		t.configure(&config)
		d, err := engine.Compile(config)
		if err != nil {
			return nil, fmt.Errorf("object %q: %w", object, err)
		}
		return device.New(d), nil
	}
	return nil, t.missing(object)
}

func (t *Target) configure(c *engine.Config) {
	if t.Configure != nil {
		t.Configure(c)
	}
}

// Check says what is wrong with Object.
func (t *Target) Check() error {
	for i := range t.Manifest.Objects {
		if o := &t.Manifest.Objects[i]; o.Name == t.Object && opens(o) {
			return nil
		}
	}
	if t.Object == "" {
		return nil
	}
	return t.missing(t.Object)
}

// opens reports that applications open an object by its name.
func opens(o *manifest.Object) bool {
	return o.Role == manifest.RoleTable || o.Role == manifest.RoleFilter
}

// maxNames is how many names of objects an error has.
const maxNames = 10

func (t *Target) missing(object string) error {
	var names []string
	for i := range t.Manifest.Objects {
		if o := &t.Manifest.Objects[i]; opens(o) {
			names = append(names, strconv.Quote(o.Name))
		}
	}
	if n := len(names) - maxNames; n > 0 {
		names = append(names[:maxNames], fmt.Sprintf("%d more", n))
	}
	return fmt.Errorf("the manifest of %s has no object %q that applications open; it has %s: name one with --object, or the right manifest",
		t.Manifest.Driver, object, strings.Join(names, ", "))
}

func (t *Target) has(object string) bool {
	return slices.ContainsFunc(t.Manifest.Objects, func(o manifest.Object) bool { return o.Name == object })
}

// First is what stands for an object without a name.
func (t *Target) First() string {
	if t.Object != "" {
		return t.Object
	}
	return t.Manifest.Objects[0].Name
}
