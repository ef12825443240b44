package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Program is what a synthetic handler does. It is immutable; the value that store works on is a Value.
type Program struct {
	text string

	// run answers one request. data is the OutputBufferLength bytes of the request, info its Information. nil is store or
	// range, which need a Value and differ by verb.
	run func(data []byte, info *uint64) ks.Status
	// support, if not nil, takes the place of run in a support handler.
	support func(data []byte, info *uint64) ks.Status
}

// store is the program of a supported verb that names none.
var store = &Program{text: "store"}

// ranged is store with the limits of the item.
var ranged = &Program{text: "range"}

// ParseProgram returns the program of a text:
//
//	store                 the value of the item: see Value
//	range                 the same, but a SET of what the item's values do not allow is STATUS_INVALID_PARAMETER
//	accept                Information 0, success
//	emit:HEX              with room for all the bytes writes them, Information their number; else Information 0; success
//	emitupto:HEX          writes as many of the bytes as there is room for, Information their number; success
//	sized:HEX             those bytes; for no room at all STATUS_BUFFER_OVERFLOW with their number, for too little
//	                      STATUS_BUFFER_TOO_SMALL; as a support handler with room for 4 bytes the first 4 of more
//	status:0xHEX          that status; Information as it was
//	status:0xHEX:N        that status, Information N
//	panic                 panics with ks.StatusAccessViolation, the modelled access fault (P-21)
//	pend                  ks.StatusPending: whoever started the request completes it later
//
// Hexadecimal digits may be in either case. A status has one to eight of them; N is decimal and fits in 64 bits.
func ParseProgram(text string) (*Program, error) {
	name, args, hasArgs := strings.Cut(text, ":")
	var run, support func([]byte, *uint64) ks.Status
	var err error
	switch {
	case text == "store":
		return store, nil
	case text == "range":
		return ranged, nil
	case text == "accept":
		run = accept
	case text == "panic":
		run = fault
	case text == "pend":
		run = pend
	case name == "emit" && hasArgs:
		run, err = emit(args)
	case name == "emitupto" && hasArgs:
		run, err = emitUpTo(args)
	case name == "sized" && hasArgs:
		run, support, err = sized(args)
	case name == "status" && hasArgs:
		run, err = status(args)
	default:
		return nil, fmt.Errorf("unknown program %s; use store, range, accept, emit:HEX, emitupto:HEX, sized:HEX, status:0xHEX, "+
			"status:0xHEX:N, panic or pend", quote(text))
	}
	if err != nil {
		return nil, fmt.Errorf("program %s: %w", quote(text), err)
	}
	return &Program{text, run, support}, nil
}

// String returns the text that the program was parsed from.
func (p *Program) String() string { return p.text }

func accept(_ []byte, info *uint64) ks.Status {
	*info = 0
	return ks.StatusSuccess
}

func fault([]byte, *uint64) ks.Status { panic(ks.StatusAccessViolation) }

func pend([]byte, *uint64) ks.Status { return ks.StatusPending }

func emit(args string) (func([]byte, *uint64) ks.Status, error) {
	answer, err := decodeHex(args)
	return func(data []byte, info *uint64) ks.Status {
		*info = 0
		if len(data) >= len(answer) {
			*info = uint64(copy(data, answer))
		}
		return ks.StatusSuccess
	}, err
}

func emitUpTo(args string) (func([]byte, *uint64) ks.Status, error) {
	answer, err := decodeHex(args)
	return func(data []byte, info *uint64) ks.Status {
		*info = uint64(copy(data, answer))
		return ks.StatusSuccess
	}, err
}

// sized is the two-call answer of a value. Support handlers of real drivers answer 4 bytes with the first of a description.
func sized(args string) (run, support func([]byte, *uint64) ks.Status, err error) {
	answer, err := decodeHex(args)
	run = func(data []byte, info *uint64) ks.Status {
		switch {
		case len(data) == 0:
			*info = uint64(len(answer))
			return ks.StatusBufferOverflow
		case len(data) < len(answer):
			*info = 0
			return ks.StatusBufferTooSmall
		}
		*info = uint64(copy(data, answer))
		return ks.StatusSuccess
	}
	support = func(data []byte, info *uint64) ks.Status {
		if len(data) == 4 && len(answer) > 4 {
			*info = uint64(copy(data, answer))
			return ks.StatusSuccess
		}
		return run(data, info)
	}
	return run, support, err
}

func status(args string) (func([]byte, *uint64) ks.Status, error) {
	code, count, hasCount := strings.Cut(args, ":")
	digits, isHex := strings.CutPrefix(code, "0x")
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || !isHex || len(digits) > 8 {
		return nil, fmt.Errorf("a status is 0x and one to eight hexadecimal digits, found %s", quote(code))
	}
	s := ks.Status(v)
	if !hasCount {
		return func([]byte, *uint64) ks.Status { return s }, nil
	}
	n, err := strconv.ParseUint(count, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the Information of a status program is a whole number of 64 bits in decimal digits, found %s", quote(count))
	}
	return func(_ []byte, info *uint64) ks.Status {
		*info = n
		return s
	}, nil
}

// Verb is what a handler is declared for, in the words of an outcome.
type Verb string

const (
	VerbGet     Verb = "get"
	VerbSet     Verb = "set"
	VerbSupport Verb = "support"
	VerbMethod  Verb = "method"
)

// NeedsLimits reports whether the program is range, which checks a SET against the values of the item, and v is of an item
// without any. Such an item refuses every SET.
func (p *Program) NeedsLimits(v *Value) bool { return p == ranged && v.limits == nil }

// Handler returns the program as the handler of a verb. Only store and range use v, which must not be nil then. On every path a
// program sees the data slice alone, and of the request no more than the number that an item keeps values for, so the handler takes
// any IRP and may be given one that the dispatcher prepared before (P-50).
func (p *Program) Handler(verb Verb, v *Value) engine.Handler {
	run := p.run
	if verb == VerbSupport && p.support != nil {
		run = p.support
	}
	switch {
	case run != nil:
		return func(irp *engine.IRP, _, data []byte) ks.Status { return run(data, &irp.IoStatus.Information) }
	case v.keyed != nil:
		return v.keyed.handler(verb, p == ranged)
	// store is the handler that is measured, so it is called directly: through run as above it took 1.5 ns more.
	case verb == VerbSet && p == ranged:
		return func(irp *engine.IRP, _, data []byte) ks.Status { return v.setWithin(data, &irp.IoStatus.Information) }
	case verb == VerbSet:
		return func(irp *engine.IRP, _, data []byte) ks.Status { return v.Set(data, &irp.IoStatus.Information) }
	}
	return func(irp *engine.IRP, _, data []byte) ks.Status { return v.Get(data, &irp.IoStatus.Information) }
}

// FastHandler is Handler for the fast path: the same program on the caller's own data. It always answers; the dispatcher
// takes back the answer of pend (F-6).
func (p *Program) FastHandler(verb Verb, v *Value) engine.FastHandler {
	run := p.run
	switch {
	case run != nil:
		return func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
			io.Status = run(data, &io.Information)
			return true
		}
	case v.keyed != nil:
		return v.keyed.fastHandler(verb, p == ranged)
	case verb == VerbSet && p == ranged:
		return func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
			io.Status = v.setWithin(data, &io.Information)
			return true
		}
	case verb == VerbSet:
		return func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
			io.Status = v.Set(data, &io.Information)
			return true
		}
	}
	return func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
		io.Status = v.Get(data, &io.Information)
		return true
	}
}
