package manifest

import (
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Options says how an object is bound. The zero value binds the plain programs.
type Options struct {
	// Wrap replaces each handler by the one that it returns, to observe it or to change it. It is called once for every verb
	// of every item; nil leaves handlers as they are.
	Wrap func(verb Verb, set ks.GUID, id uint32, h engine.Handler) engine.Handler

	// WrapFast does so for the handlers of the fast path.
	WrapFast func(verb Verb, set ks.GUID, id uint32, h engine.FastHandler) engine.FastHandler
}

// Config returns the object's own sets as declarations for engine.Compile, with synthetic handlers; what a filter answers for its pins
// and its topology is added by Manifest.Filter. Each call makes a new instance: its values start at zero and belong to it
// alone. The context of an item, engine.IRP.ItemContext in a handler, is its *Value, which every item has whatever its programs.
func (o *Object) Config(opt Options) engine.Config {
	items := make(map[key]bound)
	c := engine.Config{
		PropertySets:     make([]engine.PropertySet, len(o.PropertySets)),
		PropertyItemSize: o.PropertyItemSize,
		MethodSets:       o.methodSets(opt),
		MethodItemSize:   o.methodItemSize(),
		EventSets:        o.eventSets(),
	}
	for i := range o.PropertySets {
		from, to := &o.PropertySets[i], &c.PropertySets[i]
		to.Set = from.Set
		to.Items = make([]engine.PropertyItem, len(from.Items))
		for j := range from.Items {
			it := bound{&from.Items[j], newValue(&from.Items[j])}
			items[key{from.Set, it.ID}] = it
			to.Items[j] = engine.PropertyItem{
				ID:             it.ID,
				Get:            opt.handler(it.Get, VerbGet, from.Set, it),
				Set:            opt.handler(it.Set, VerbSet, from.Set, it),
				MinProperty:    it.MinProperty,
				MinData:        it.MinData,
				Values:         it.Values,
				Relations:      it.Relations,
				Support:        opt.handler(it.Support, VerbSupport, from.Set, it),
				SerializedSize: it.SerializedSize,
				Context:        it.value,
			}
		}
	}
	for i := range o.PropertySets {
		from, to := &o.PropertySets[i], &c.PropertySets[i]
		for _, f := range from.FastIO {
			// The property may be declared by another set with this GUID. If it is declared by none, nothing can answer.
			it, ok := items[key{from.Set, f.ID}]
			if !ok {
				continue
			}
			fast := engine.FastPropertyItem{ID: f.ID}
			if f.Get {
				fast.Get = opt.fastHandler(it.Get, VerbGet, from.Set, it)
			}
			if f.Set {
				fast.Set = opt.fastHandler(it.Set, VerbSet, from.Set, it)
			}
			to.FastIO = append(to.FastIO, fast)
		}
	}
	return c
}

// bound is an item and its value in one instance.
type bound struct {
	*PropertyItem
	value *Value
}

func (opt *Options) handler(p *Program, verb Verb, set ks.GUID, it bound) engine.Handler {
	if p == nil {
		return nil
	}
	h := p.Handler(verb, it.value)
	if opt.Wrap != nil {
		h = opt.Wrap(verb, set, it.ID, h)
	}
	return h
}

func (opt *Options) fastHandler(p *Program, verb Verb, set ks.GUID, it bound) engine.FastHandler {
	if p == nil {
		return nil
	}
	h := p.FastHandler(verb, it.value)
	if opt.WrapFast != nil {
		h = opt.WrapFast(verb, set, it.ID, h)
	}
	return h
}
