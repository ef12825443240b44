package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
	"github.com/ksdispatch/ksdispatch/internal/input"
)

// Workload is a table of properties and the kind of requests sent to it. It is a description: tables and requests are
// made when it is measured.
type Workload struct {
	Name        string // as in a report: "20x12", "20x12-miss", "wds-sysvad"
	Description string

	key      string // in the name of a Go benchmark: "sets=20/items=12"
	misses   bool
	generate func(seed uint64) []object
}

// Key is the workload's part of a Go benchmark's name: "sets=20/items=12".
func (w Workload) Key() string { return w.key }

// object is one KS object: what one dispatcher answers for.
type object []engine.PropertySet

// Default returns the built-in workloads: the synthetic sizes, hits and miss mix, and the embedded drivers.
func Default() ([]Workload, error) {
	var all []Workload
	for _, size := range [][2]int{{1, 8}, {20, 12}, {200, 20}, {2000, 20}} {
		all = append(all, synthetic(size[0], size[1], false), synthetic(size[0], size[1], true))
	}
	for _, name := range drivers.Names() {
		m, err := drivers.Load(name)
		if err != nil {
			return nil, err
		}
		w, err := fromManifest(m, name)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// LoadManifest is manifest.Load of a file or pipe that a user names.
func LoadManifest(ctx context.Context, path string) (*manifest.Manifest, error) {
	f, err := input.OpenNamed(ctx, path, manifest.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	defer f.Close()
	return manifest.Load(f, path)
}

// FromManifest returns the workload of a user's driver: its sets, ids, sizes and verbs. Errors name the file.
func FromManifest(ctx context.Context, path string) (Workload, error) {
	m, err := LoadManifest(ctx, path)
	if err != nil {
		return Workload{}, err
	}
	return fromManifest(m, path)
}

func synthetic(sets, items int, misses bool) Workload {
	w := Workload{
		Name:        fmt.Sprintf("%dx%d", sets, items),
		Description: fmt.Sprintf("%d sets of %d items, every request a hit", sets, items),
		key:         fmt.Sprintf("sets=%d/items=%d", sets, items),
		misses:      misses,
	}
	if misses {
		w.Name += "-miss"
		w.Description = fmt.Sprintf("%d sets of %d items, half of the requests fail: unknown sets, unknown ids, wrong sizes", sets, items)
		w.key += "/requests=miss"
	}
	w.generate = func(seed uint64) []object {
		rng := rand.New(rand.NewPCG(seed, uint64(sets)<<32|uint64(items)))
		o := make(object, sets)
		for s := range o {
			o[s].Set = randomGUID(rng)
			o[s].Items = make([]engine.PropertyItem, items)
			for i := range o[s].Items { // consecutive ids from 0, as in nearly every set of ksmedia.h
				o[s].Items[i] = engine.PropertyItem{ID: uint32(i), Get: Answer, MinProperty: ks.SizeIdentifier, MinData: 4}
			}
		}
		return []object{o}
	}
	return w
}

// longestBuffer bounds what one request of a manifest may take: the caller's buffers are really made.
const longestBuffer = 16 << 20

func fromManifest(m *manifest.Manifest, file string) (Workload, error) {
	var objects []object
	items := 0
	for i := range m.Objects {
		config := m.Objects[i].Config(manifest.Options{})
		if _, err := engine.Compile(config); err != nil {
			return Workload{}, fmt.Errorf("manifest %s: object %q: %w", file, m.Objects[i].Name, err)
		}
		o := object(config.PropertySets)
		positions := o.answering()
		for _, at := range positions {
			if it := o[at[0]].Items[at[1]]; max(it.MinProperty, it.MinData) > longestBuffer {
				return Workload{}, fmt.Errorf("manifest %s: object %q: property %v %d: min_property %d, min_data %d: more than %d bytes are not "+
					"measured", file, m.Objects[i].Name, o[at[0]].Set, it.ID, it.MinProperty, it.MinData, longestBuffer)
			}
		}
		if len(positions) > 0 {
			objects = append(objects, o)
			items += len(positions)
		}
	}
	if items == 0 {
		return Workload{}, fmt.Errorf("manifest %s: no property supports GET or SET: there is nothing to measure", file)
	}
	name := m.Driver
	if name == "" {
		name = file
	}
	return Workload{
		Name:        name,
		Description: fmt.Sprintf("driver with %d objects, %d properties; random objects, items and verbs", len(objects), items),
		key:         "driver=" + name,
		generate:    func(uint64) []object { return objects },
	}, nil
}

// compile returns the object's declarations with other handlers, a fast handler for every item, and each property as a method
// too: one that writes if there is a GET, and else one that reads.
func (o object) compile(h handlers) engine.Config {
	sets, methods := make([]engine.PropertySet, len(o)), make([]engine.MethodSet, len(o))
	for s := range o {
		sets[s] = engine.PropertySet{Set: o[s].Set, Items: slices.Clone(o[s].Items)}
		methods[s].Set = o[s].Set
		for i := range sets[s].Items {
			it := &sets[s].Items[i]
			handler, fast := h(s, i)
			f := engine.FastPropertyItem{ID: it.ID}
			if it.Get != nil {
				it.Get, f.Get = handler, fast
			}
			if it.Set != nil {
				it.Set, f.Set = handler, fast
			}
			it.Support = nil
			if it.Get != nil || it.Set != nil {
				flags := ks.MethodTypeWrite
				if it.Get == nil {
					flags = ks.MethodTypeRead
				}
				methods[s].Items = append(methods[s].Items, engine.MethodItem{ID: it.ID, Handler: handler, MinMethod: it.MinProperty,
					MinData: it.MinData, Flags: flags})
			}
			sets[s].FastIO = append(sets[s].FastIO, f)
		}
	}
	// A panic is part of what verify sends through; it needs no log.
	return engine.Config{PropertySets: sets, MethodSets: methods, OnPanic: func(any, []byte) {}}
}

// answering lists the positions of the items that have a handler.
func (o object) answering() (positions [][2]int) {
	for s := range o {
		for i := range o[s].Items {
			if o[s].Items[i].Get != nil || o[s].Items[i].Set != nil {
				positions = append(positions, [2]int{s, i})
			}
		}
	}
	return positions
}

// positions is answering for each object.
func positions(objects []object) [][][2]int {
	all := make([][][2]int, len(objects))
	for i, o := range objects {
		all[i] = o.answering()
	}
	return all
}

func randomGUID(rng *rand.Rand) (g ks.GUID) {
	for i := range g {
		g[i] = byte(rng.Uint32())
	}
	return g
}
