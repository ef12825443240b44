package manifest

import (
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// methodSets binds the method sets. Support handlers are bound as those of properties are.
func (o *Object) methodSets(opt Options) []engine.MethodSet {
	sets := make([]engine.MethodSet, len(o.MethodSets))
	type method struct {
		*MethodItem
		value *Value
	}
	items := make(map[key]method)
	for i := range o.MethodSets {
		from, to := &o.MethodSets[i], &sets[i]
		to.Set = from.Set
		to.Items = make([]engine.MethodItem, len(from.Items))
		for j := range from.Items {
			it := method{&from.Items[j], NewValue(from.Items[j].MinData)}
			items[key{from.Set, it.ID}] = it
			item := engine.MethodItem{ID: it.ID, MinMethod: it.MinMethod, MinData: it.MinData, Flags: it.Flags, Context: it.value}
			if it.Handler != nil {
				item.Handler = opt.wrap(VerbMethod, from.Set, it.ID, it.Handler.MethodHandler(it.Flags, it.value))
			}
			if it.Support != nil {
				item.Support = opt.wrap(VerbSupport, from.Set, it.ID, it.Support.Handler(VerbSupport, it.value))
			}
			to.Items[j] = item
		}
	}
	for i := range o.MethodSets {
		from, to := &o.MethodSets[i], &sets[i]
		for _, id := range from.FastIO {
			// As for properties, another set with this GUID may declare the method, or none.
			it, ok := items[key{from.Set, id}]
			if !ok || it.Handler == nil {
				continue
			}
			h := it.Handler.fastMethodHandler(it.Flags, it.value)
			if opt.WrapFast != nil {
				h = opt.WrapFast(VerbMethod, from.Set, id, h)
			}
			to.FastIO = append(to.FastIO, engine.FastMethodItem{ID: id, Handler: h})
		}
	}
	return sets
}

func (opt *Options) wrap(verb Verb, set ks.GUID, id uint32, h engine.Handler) engine.Handler {
	if opt.Wrap == nil {
		return h
	}
	return opt.Wrap(verb, set, id, h)
}

// methodItemSize is engine.Config.MethodItemSize: methods have as much private storage as the properties of their object. What
// is no size of a property item says nothing about methods.
func (o *Object) methodItemSize() uint32 {
	if o.PropertyItemSize%8 != 0 || o.PropertyItemSize < engine.SizePropertyItem {
		return 0
	}
	return o.PropertyItemSize - engine.SizePropertyItem + engine.SizeMethodItem
}

// run answers a method as store: it takes what the method reads, and then gives what it writes. A method that does neither
// accepts.
func (v *Value) run(flags uint32, data []byte, info *uint64) ks.Status {
	*info = 0
	if flags&ks.MethodTypeRead != 0 {
		v.Set(data, info)
	}
	if flags&ks.MethodTypeWrite != 0 {
		return v.Get(data, info)
	}
	return ks.StatusSuccess
}

// MethodHandler returns the program as the handler of a method with those flags of KSMETHOD_ITEM, as Handler does for a verb
// of a property. store is the value of the item: set by what a method with KSMETHOD_TYPE_READ is sent, and the answer of one
// with KSMETHOD_TYPE_WRITE.
func (p *Program) MethodHandler(flags uint32, v *Value) engine.Handler {
	if p.run != nil {
		return p.Handler(VerbMethod, v)
	}
	return func(irp *engine.IRP, _, data []byte) ks.Status { return v.run(flags, data, &irp.IoStatus.Information) }
}

// fastMethodHandler is MethodHandler for the fast path.
func (p *Program) fastMethodHandler(flags uint32, v *Value) engine.FastHandler {
	if p.run != nil {
		return p.FastHandler(VerbMethod, v)
	}
	return func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
		io.Status = v.run(flags, data, &io.Information)
		return true
	}
}
