package engine

import "sync/atomic"

// itemOnce is what happens at most once in the life of an item. It is the only state that a dispatcher changes.
type itemOnce struct {
	storage  atomic.Pointer[[]byte]
	panicked atomic.Bool
}

func (o *itemOnce) bytes(n int) []byte {
	if p := o.storage.Load(); p != nil {
		return *p
	}
	b := make([]byte, n)
	if o.storage.CompareAndSwap(nil, &b) {
		return b
	}
	return *o.storage.Load()
}

// storage returns the private bytes of an item, made when first asked for.
func (d *Dispatcher) storage(index uint32) []byte {
	size, plain := d.itemSize, uint32(SizePropertyItem)
	switch {
	case index >= firstEvent:
		size, plain = d.events.itemSize, SizeEventItem
	case index >= firstMethod:
		size, plain = d.methods.itemSize, SizeMethodItem
	}
	if size <= plain || uint64(size-plain) > largestBuffer {
		return nil
	}
	_, _, once := d.named(index)
	return once.bytes(int(size - plain))
}

// otherContext is ItemContext where there is no property.
func (irp *IRP) otherContext() any {
	if it := irp.method(); it != nil {
		return it.decl.Context
	}
	if it := irp.eventItem(); it != nil {
		return it.decl.Context
	}
	return nil
}
