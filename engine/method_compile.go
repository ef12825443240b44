package engine

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

var methodKind = kind{"method", "MethodSets", "MethodItemSize", "KSMETHOD_ITEM", SizeMethodItem, firstEvent - firstMethod}

// compileMethods compiles the method sets of config.
func (d *Dispatcher) compileMethods(config *Config) error {
	d.methods.itemSize = config.MethodItemSize
	c := newCompiler(&d.methods, methodSlot{minMethod: ks.SizeIdentifier}, methodKind)
	longest := 0
	for i := range config.MethodSets {
		longest = max(longest, len(config.MethodSets[i].Items))
	}
	if err := c.checkItemSize(c.itemSize, longest); err != nil {
		return err
	}
	for i := range config.MethodSets {
		if err := addMethodSet(c, i, &config.MethodSets[i]); err != nil {
			return err
		}
	}
	return c.build()
}

type methodCompiler = compiler[methodSlot, MethodSet, methodItem]

func addMethodSet(c *methodCompiler, index int, decl *MethodSet) error {
	set := MethodSet{Set: decl.Set, Items: slices.Clone(decl.Items), FastIO: slices.Clone(decl.FastIO)}
	if _, named, err := c.addSet(index, decl.Set, set, len(set.Items)); err != nil || !named {
		return err
	}
	for i := range set.Items {
		it := &set.Items[i]
		e, err := c.addItem(index, decl.Set, it.ID)
		if err != nil {
			return err
		}
		v := &e.Value
		v.handler, v.support, v.minData, v.flags = it.Handler, it.Support, it.MinData, it.Flags
		v.minMethod = max(it.MinMethod, ks.SizeIdentifier)
		c.items = append(c.items, methodItem{decl: it, slot: *v, set: uint32(index)})
	}
	for _, f := range set.FastIO {
		v := &c.entry(decl.Set, f.ID).Value
		if f.Handler != nil && v.fast != nil {
			return c.fail(index, decl.Set, f.ID,
				"FastIO lists a handler for a method that has one already, here or in an earlier set with this GUID")
		}
		if f.Handler != nil {
			v.fast = f.Handler
		}
	}
	return nil
}

// missMethod is M-1: which of set and method is unknown.
func (d *Dispatcher) missMethod(irp *IRP) ks.Status {
	if d.methods.setTable.Lookup(irp.ident.lo, irp.ident.hi, 0) == nil {
		return irp.decide(ruleM1, ks.StatusPropsetNotFound)
	}
	return irp.decide(ruleM1, ks.StatusNotFound)
}
