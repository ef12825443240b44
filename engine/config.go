package engine

// Config is what Compile compiles.
type Config struct {
	PropertySets []PropertySet
	// PropertyItemSize is 0, or the size of an extended item: a multiple of 8 of at least 72. What exceeds 72 bytes is
	// private storage of each item, reached with IRP.ItemStorage (P-3, P-22).
	PropertyItemSize uint32

	MethodSets []MethodSet
	// MethodItemSize is PropertyItemSize for methods: 0, or a multiple of 8 of at least 40 (M-1).
	MethodItemSize uint32

	EventSets []EventSet
	// EventItemSize is PropertyItemSize for events: 0, or a multiple of 8 of at least 40.
	EventItemSize uint32

	// Nodes are those of the filter that the sets, a filter's or a pin's, belong to: a request with the bit TOPOLOGY is then for the
	// sets of the node whose NodeId it has, and STATUS_INVALID_PARAMETER if there is none (AT-11). nil: the bit selects nothing.
	Nodes *NodeList

	// Control answers control codes beyond the four of KS; nil answers them with STATUS_INVALID_DEVICE_REQUEST (AS-28).
	Control ControlHandler

	// OnPanic is told the value and stack of a panic in a handler, a support handler or an allocator (P-21).
	// nil logs once per item through slog. A panic in a Remove handler or a callback of a generate is told with the lock of the
	// list held. A panic of its own is logged.
	OnPanic func(value any, stack []byte)

	// OnRefuse is told of what the dispatcher itself refuses: requests of IoControl, a Ref or a batch that end with an error and that
	// no handler had. A size answer is none. It is called on the goroutine of the request, before the answer is given, and must not send
	// on the same IRP. A panic in it is logged. nil costs nothing.
	OnRefuse func(Refusal)

	// Compat overrides single rules that no public source pins down. The zero value overrides none.
	Compat Compat
}
