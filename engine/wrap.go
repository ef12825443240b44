package engine

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Wrap puts middleware around every handler that config declares: the GET, SET and support handlers of properties, the handlers and
// support handlers of methods, and the Add and support handlers of events. The first of several is the outermost. Each middleware is
// called once per handler and returns a handler in its place, which may look at the request, answer it, or call next and look at the
// result; STATUS_PENDING means that the request goes on. A handler for which it returns nil stays as it is. IRP.ItemContext and its
// kin have the same values as in the wrapped handler, and a panic counts as a panic of the handler (P-21).
//
// For an event without an Add handler, next enables the event as usual, on the list of the request (E-12). Middleware gets the
// request and the KSEVENTDATA as request and data, and the entry is IRP.EventEntry. A verb without a handler stays without.
//
// Wrap leaves fast handlers, which have no IRP, Remove handlers, Config.Control and the dispatchers of Nodes as they are: a driver
// that counts requests declares no fast handlers. Call Wrap when the declaration is complete. It changes config alone, and none of
// the slices that config may share with others.
func (config *Config) Wrap(middleware ...func(next Handler) Handler) {
	for _, wrap := range middleware {
		required(wrap != nil, "Wrap: middleware")
	}
	config.WrapEach(func(_ HandlerOf, handler Handler) Handler {
		for _, wrap := range slices.Backward(middleware) {
			if wrapped := wrap(handler); wrapped != nil {
				handler = wrapped
			}
		}
		return handler
	})
}

// HandlerOf says what a handler of a declaration is for.
type HandlerOf struct {
	Code uint32 // ks.IoctlProperty, ks.IoctlMethod or ks.IoctlEnableEvent
	Set  ks.GUID
	ID   uint32
	Verb string // "get", "set", "method", "enable", or "support"
}

// WrapEach is Wrap for middleware that is told what each handler is for.
func (config *Config) WrapEach(middleware func(of HandlerOf, next Handler) Handler) {
	required(middleware != nil, "WrapEach: middleware")
	config.wrapEach(func(of HandlerOf, next Handler) (Handler, *meter) { return middleware(of, next), nil })
}

// wrapEach is WrapEach for middleware that may leave it to a meter to be around the handler that it returns.
func (config *Config) wrapEach(middleware func(of HandlerOf, next Handler) (Handler, *meter)) {
	metered := func(of HandlerOf, verb string, next Handler, by *meter) (Handler, *meter) {
		if next == nil {
			return nil, nil
		}
		of.Verb = verb
		if handler, outer := middleware(of, by.around(next)); handler != nil {
			return handler, outer
		}
		return next, by
	}
	wrapped := func(of HandlerOf, verb string, next Handler) Handler {
		handler, by := metered(of, verb, next, nil)
		return by.around(handler)
	}
	config.PropertySets = slices.Clone(config.PropertySets)
	config.MethodSets = slices.Clone(config.MethodSets)
	config.EventSets = slices.Clone(config.EventSets)
	for i := range config.PropertySets {
		set := &config.PropertySets[i]
		set.Items = slices.Clone(set.Items)
		for j := range set.Items {
			it := &set.Items[j]
			of := HandlerOf{Code: ks.IoctlProperty, Set: set.Set, ID: it.ID}
			it.Get, it.meters[0] = metered(of, "get", it.Get, it.meters[0])
			it.Set, it.meters[1] = metered(of, "set", it.Set, it.meters[1])
			it.Support = wrapped(of, "support", it.Support)
		}
	}
	for i := range config.MethodSets {
		set := &config.MethodSets[i]
		set.Items = slices.Clone(set.Items)
		for j := range set.Items {
			it := &set.Items[j]
			of := HandlerOf{Code: ks.IoctlMethod, Set: set.Set, ID: it.ID}
			it.Handler, it.Support = wrapped(of, "method", it.Handler), wrapped(of, "support", it.Support)
		}
	}
	for i := range config.EventSets {
		set := &config.EventSets[i]
		set.Items = slices.Clone(set.Items)
		for j := range set.Items {
			it := &set.Items[j]
			of := HandlerOf{Code: ks.IoctlEnableEvent, Set: set.Set, ID: it.ID, Verb: "enable"}
			if handler, by := middleware(of, enableNext(it.add())); handler != nil {
				it.around = around(by.around(handler))
			}
			it.Support = wrapped(of, "support", it.Support)
		}
	}
}

// enableNext is a handler that enables an event as add does, or as usual if that is nil.
func enableNext(add AddEvent) Handler {
	if add == nil {
		add = addToList
	}
	return func(irp *IRP, _, data []byte) ks.Status { return add(irp, data, irp.EventEntry()) }
}

// around is the Add handler that asks a handler.
func around(handler Handler) AddEvent {
	return func(irp *IRP, data []byte, _ *EventEntry) ks.Status {
		at, n := irp.layout.requestOffset(), irp.layout.in
		return handler(irp, irp.SystemBuffer[at:at+n:at+n], data)
	}
}

// addToList is what an event without an Add handler does within middleware.
func addToList(irp *IRP, _ []byte, entry *EventEntry) ks.Status {
	return irp.decide(ruleE12, irp.extra.list.Add(entry))
}

// add is the Add handler with what is around it, or nil for the default.
func (it *EventItem) add() AddEvent {
	if it.around != nil {
		return it.around
	}
	return it.Add
}
