package stages

import "github.com/ksdispatch/ksdispatch/internal/lab/report"

// What both ways to an item have in common.
const (
	hashLoop    = "loop of a lookup up to the hash, less reading the request"
	pilotLoop   = "loop of a lookup up to the pilot, less up to the hash"
	entryLoop   = "Table.Lookup, its key compared, less up to the pilot"
	handlerLoop = "loop that calls the handler by a byte of the request, less reading it"
)

// definitions lists the parts in the order in which a request meets them, and the wholes.
func definitions() []definition {
	part := func(path, name string, plus, minus []string, method string) definition {
		return definition{name: name, kind: report.StagePart, path: path, plus: plus, minus: minus, method: method}
	}
	whole := func(path, name, subject, method string) definition {
		return definition{name: name, kind: report.StageWhole, path: path, plus: []string{subject}, method: method}
	}
	s := func(names ...string) []string { return names }
	return []definition{
		part("irp", "decode", s("read"), nil, "loop that reads 24 bytes of a request"),
		part("irp", "hash", s("hash"), s("read"), hashLoop),
		part("irp", "pilot", s("pilot"), s("hash"), pilotLoop),
		part("irp", "entry", s("lookup"), s("pilot"), entryLoop),
		part("irp", "checks", s("irp checked"), s("lookup"),
			"IoControl refused for a short buffer, less Table.Lookup: with the call and the refusal"),
		part("irp", "allocate", s("arena"), nil, "loop of TryAlloc and TryFree"),
		part("irp", "capture", s("copy"), s("read"), "loop that copies 24 bytes, less one that reads them"),
		part("irp", "zero", s("zero"), s("read"), "loop that clears 8 bytes and reads 24, less one that reads"),
		part("irp", "handler", s("bare"), s("read"), handlerLoop),
		part("irp", "recover", s("guard"), s("plain"), "function with a deferred recover, less one without"),
		part("irp", "complete", s("back"), s("read"), "loop that copies 4 bytes back and reads 24, less one that reads"),
		whole("irp", "irp", "irp", "Handle.IoControl, GET of 4 bytes"),
		{name: "irp from the buffer on", kind: report.StageWhole, path: "irp, after the checks", plus: s("irp"), minus: s("irp checked"),
			method: "the whole, less refused for a short buffer: what allocate to complete take in the request"},
		whole("irp, no data", "irp", "irp empty", "Handle.IoControl, GET of no bytes"),
		whole("irp, 4096 bytes", "irp", "irp long", "Handle.IoControl, GET of 4096 bytes: the difference is clearing and copying them back"),

		part("property", "decode", s("verb"), nil, "PropertyWithBuffers refused for its verb: call, lengths, identifier"),
		part("property", "hash", s("hash"), s("read"), hashLoop),
		part("property", "pilot", s("pilot"), s("hash"), pilotLoop),
		part("property", "entry", s("lookup"), s("pilot"), entryLoop),
		part("property", "checks", s("checked", "read"), s("verb", "lookup"),
			"refused for a short buffer, less refused for its verb, less the lookup"),
		part("property", "recover", s("guarded"), s("checked"), "refused by an allocator, under the guard, less refused for a short buffer"),
		part("property", "allocate", s("buffered"), s("guarded"), "an allocator that takes and frees, less one that does not"),
		part("property", "capture", s("empty", "read"), s("buffered", "bare"),
			"a request without data, less refused with a buffer, less the handler"),
		part("property", "handler", s("bare"), s("read"), handlerLoop),
		part("property", "zero", s("filled"), s("empty"), "4 bytes of data, less none, with the handler's store"),
		whole("property", "property", "filled",
			"Dispatcher.PropertyWithBuffers with an allocator from an arena, GET of 4 bytes, not copied back"),

		part("fast", "find and check", s("fast refused"), nil, "FastProperty left to an IRP for a short buffer"),
		part("fast", "capture, recover, handler", s("fast"), s("fast refused"), "FastProperty, less left to an IRP"),
		whole("fast", "fast", "fast", "Dispatcher.FastProperty, GET of 4 bytes"),
		whole("lookup", "lookup", "lookup", "Table.Lookup with reading the request"),
	}
}

// limits are what the machine does at best, but for loads.
func limits() []definition {
	limit := func(name string, plus, minus []string, method string) definition {
		return definition{name: name, kind: report.StageLimit, plus: plus, minus: minus, method: method}
	}
	return []definition{
		limit("read", []string{"read"}, nil, "loop that reads 24 bytes of a request"),
		limit("indirect call", []string{"call"}, nil, "call through a func value, always predicted"),
		limit("guard", []string{"guard"}, []string{"plain"}, "function with a deferred recover, less one without"),
		limit("multiplication", []string{"multiply"}, nil, "64 by 64 to 128 bits, waiting for the one before"),
		limit("clock", []string{"clock"}, nil, "time.Now"),
	}
}
