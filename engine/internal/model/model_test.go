package model

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// What the recorded expectations do not reach: memory faults, prepared requests, pending, and what follows it.

var volume = ks.GUID{0xA0, 0xFA, 0xFF, 0x45, 0x1B, 0x6E, 0xD0, 0x11, 0xBC, 0xF2, 0x44, 0x45, 0x53, 0x54, 0, 0}

func one(it Item) *Model {
	return New(Object{Sets: []Set{{GUID: volume, Items: []Item{it}}}}, Compat{})
}

func ask(verb, out uint32) Request {
	return Request{Set: volume, ID: 4, Flags: verb, In: 24, Out: out, Allocator: AllocGood}
}

var (
	store = Program{Kind: Store}
	pend  = Program{Kind: Pend}
	level = Item{ID: 4, Get: store, Set: store, MinData: 4, MinProperty: 24}
)

// expect compares what the tests of this file are about.
func expect(t *testing.T, name string, o Outcome, rule string, status ks.Status, info uint64, calls, allocations int, flags uint32) {
	t.Helper()
	if o.Rule != rule || o.Status != status || o.Information != info || len(o.Calls) != calls || len(o.Allocations) != allocations ||
		o.Flags != flags {
		t.Errorf("%s: %s 0x%08X, Information %d, %d calls, %d allocations, flags 0x%02X; want %s 0x%08X, %d, %d, %d, 0x%02X", name,
			o.Rule, uint32(o.Status), o.Information, len(o.Calls), len(o.Allocations), o.Flags,
			rule, uint32(status), info, calls, allocations, flags)
	}
}

func TestP9Faults(t *testing.T) {
	const av = ks.StatusAccessViolation
	with := func(q Request, f Fault, kernel, plain bool) Request {
		q.Fault, q.Kernel, q.Plain = f, kernel, plain
		return q
	}
	get, set := ks.PropertyTypeGet, ks.PropertyTypeSet
	m := one(level)
	expect(t, "input", m.Do(with(ask(get, 4), FaultIn, false, false)), "P-9", av, 0, 0, 0, 0)
	expect(t, "input, bad flags", m.Do(with(ask(0, 4), FaultIn, false, false)), "P-9", av, 0, 0, 0, 0)
	short := with(ask(get, 4), FaultIn, false, false)
	short.In = 23
	expect(t, "short input", m.Do(short), "P-4", ks.StatusInvalidBufferSize, 0, 0, 0, 0)
	expect(t, "output of get", m.Do(with(ask(get, 4), FaultOut, false, true)), "P-9", av, 0, 0, 1, 0)
	expect(t, "output of get, allocator", m.Do(with(ask(get, 4), FaultOut, false, false)), "P-9", av, 0, 0, 1, 0)
	expect(t, "output of set", m.Do(with(ask(set, 4), FaultOut, false, true)), "P-9", av, 0, 0, 1, 0)
	expect(t, "kernel set", m.Do(with(ask(set, 4), FaultOut, true, true)), "P-9", av, 0, 0, 1, 0)
	expect(t, "no output", m.Do(with(ask(get, 0), FaultOut, false, true)), "P-28", ks.StatusBufferOverflow, 4, 0, 0, 0)

	m.values[m.item(volume, 4)].Bytes[0] = 7
	q := with(ask(get, 4), FaultOut, true, true)
	q.Data = []byte{9, 9, 9, 9}
	o := m.Do(q)
	expect(t, "kernel get", o, "P-17", ks.StatusSuccess, 4, 1, 1, BufferedIO|DeallocateBuffer|InputOperation)
	if !bytes.Equal(o.Output, q.Data) {
		t.Errorf("memory that faults was written: %x", o.Output)
	}
}

func TestP16AllocatorLies(t *testing.T) {
	q := ask(ks.PropertyTypeGet, 4)
	for kind, want := range map[Allocator]struct {
		rule   string
		status ks.Status
	}{
		AllocFail:     {"P-16", ks.StatusBufferOverflow},
		AllocNoBuffer: {"P-16", ks.StatusInsufficientResources},
		AllocShort:    {"P-16", ks.StatusInsufficientResources},
		AllocPanic:    {"P-21", ks.StatusAccessViolation},
	} {
		q.Allocator, q.AllocStatus, q.Info0 = kind, ks.StatusBufferOverflow, 77
		expect(t, strconv.Itoa(int(kind)), one(level).Do(q), want.rule, want.status, 0, 0, 1, 0)
	}
}

func TestP15Prepared(t *testing.T) {
	const pool = BufferedIO | DeallocateBuffer
	q := ask(ks.PropertyTypeGet, 4)
	q.Prepared = PreparedByUs
	expect(t, "allocator", one(level).Do(q), "P-17", ks.StatusSuccess, 4, 1, 0, 0)
	q.Plain = true
	expect(t, "pool", one(level).Do(q), "P-17", ks.StatusSuccess, 4, 1, 0, pool|InputOperation)
	q.Fault = FaultIn
	expect(t, "memory is not read again", one(level).Do(q), "P-17", ks.StatusSuccess, 4, 1, 0, pool|InputOperation)
	q.ID = 5
	expect(t, "unknown id", one(level).Do(q), "P-24", ks.StatusNotFound, 0, 0, 0, pool|InputOperation)
	q.Flags = 0
	expect(t, "never prepared", one(level).Do(q), "P-25", ks.StatusInvalidParameter, 0, 0, 0, 0)

	set := ask(ks.PropertyTypeSet, 4)
	set.Prepared, set.Data = PreparedByUs, []byte{1, 2, 3, 4}
	if o := one(level).Do(set); !bytes.Equal(o.Calls[0].Data, set.Data) {
		t.Errorf("a prepared SET carries %x", o.Calls[0].Data)
	}
}

func TestS15Forged(t *testing.T) {
	q := ask(ks.PropertyTypeGet, 4)
	q.Prepared = PreparedForge
	expect(t, "forged", one(level).Do(q), "S-15", ks.StatusInvalidParameter, 0, 0, 0, 0)
	q.Fault = FaultOut
	expect(t, "before the probe", one(level).Do(q), "S-15", ks.StatusInvalidParameter, 0, 0, 0, 0)
	q.Fault = FaultIn
	expect(t, "after the identifier", one(level).Do(q), "P-9", ks.StatusAccessViolation, 0, 0, 0, 0)
	q.Fault, q.Set = FaultNone, ks.GUID{1}
	expect(t, "after existence", one(level).Do(q), "P-24", ks.StatusPropsetNotFound, 0, 0, 0, 0)
	q.In = 23
	expect(t, "after lengths", one(level).Do(q), "P-4", ks.StatusInvalidBufferSize, 0, 0, 0, 0)
}

func TestP11Alias(t *testing.T) {
	q := ask(ks.PropertyTypeSet, 40)
	q.Alias, q.Data, q.In = true, bytes.Repeat([]byte{0xEE}, 40), 32
	o := one(level).Do(q)
	want := append(q.input(32), 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE)
	if !bytes.Equal(o.Calls[0].Data, want) || !bytes.Equal(o.Output, want) {
		t.Errorf("SET carries %x and leaves %x, want %x", o.Calls[0].Data, o.Output, want)
	}
}

func TestP3S14ItemSize(t *testing.T) {
	for _, c := range []struct {
		size  uint32
		items int
		bad   bool
	}{
		{0, 2, false},
		{1, 1, true},
		{8, 1, true},
		{64, 0, true},
		{71, 1, true},
		{72, 1, false},
		{76, 1, true},
		{80, 2, false},
		{0xFFFFFFF8, 1, false},
		{0xFFFFFFF8, 2, true},
		{0x80000000, 2, true},
	} {
		m := New(Object{ItemSize: c.size, Sets: []Set{{Items: make([]Item, c.items)}}}, Compat{})
		q := ask(ks.PropertyTypeGet, 0)
		q.In = 0 // P-3 comes before P-4
		if o := m.Do(q); (o.Rule == "P-3") != c.bad || (o.Status == ks.StatusInvalidParameter) != c.bad {
			t.Errorf("%d items of %d bytes: %s 0x%08X", c.items, c.size, o.Rule, uint32(o.Status))
		}
	}
	m := New(Object{ItemSize: 80, Sets: []Set{{GUID: volume, Items: []Item{level}}}}, Compat{})
	if o := m.Do(ask(ks.PropertyTypeGet, 4)); !o.Calls[0].ItemSlot { // P-22
		t.Error("no item in DriverContext")
	}
}

func TestP21Panic(t *testing.T) {
	for status, want := range map[ks.Status]ks.Status{0: ks.StatusAccessViolation, ks.StatusDatatypeMisalignment: 0x80000002} {
		m := one(Item{ID: 4, Get: Program{Kind: Panic, Status: status, Information: 3, HasInformation: true}})
		expect(t, "panic", m.Do(ask(ks.PropertyTypeGet, 8)), "P-21", want, 0, 1, 1, 0)
	}
}

func TestP50P51DispatchSpecific(t *testing.T) {
	m := one(Item{ID: 4, Get: pend})
	specific := func(p Program) Outcome { return m.Do(Request{Op: DispatchSpecific, Tag: "a", Program: p}) }
	if o := specific(store); o.Status != ks.StatusInvalidParameter || len(o.Calls) != 0 { // unprepared
		t.Errorf("unprepared: %+v", o)
	}
	q := ask(ks.PropertyTypeGet, 2)
	q.Tag = "a"
	if o := m.Do(q); !o.Pended || len(o.Calls) != 1 || len(o.Allocations) != 1 || o.Output != nil {
		t.Fatalf("pended: %+v", o)
	}
	expect(t, "overflow", specific(Program{Kind: Return, HasInformation: true, Information: 3}), "P-20", ks.StatusBufferTooSmall, 0, 1, 0, 0)
	expect(t, "not mapped", specific(Program{Kind: Return, Status: ks.StatusSomeNotMapped}), "P-51", ks.StatusNotFound, 0, 1, 0, 0)
	expect(t, "panic", specific(Program{Kind: Panic}), "P-21", ks.StatusAccessViolation, 0, 1, 0, 0)
	expect(t, "answer", specific(Program{Kind: Emit, Bytes: []byte{5, 6}}), "P-50", ks.StatusSuccess, 2, 1, 0, 0)

	o := m.Do(Request{Op: Complete, Tag: "a", Status: ks.StatusBufferOverflow, Information: 9, Data: []byte{4}})
	expect(t, "complete", o, "AS-3", ks.StatusBufferTooSmall, 0, 0, 0, 0)
	if !bytes.Equal(o.Output, []byte{0, 0}) || o.BytesReturned != 0 || o.Win32 != 122 {
		t.Errorf("complete: output %x, %d bytes, error %d", o.Output, o.BytesReturned, o.Win32)
	}
	if o := m.Do(Request{Op: Complete, Tag: "a"}); !o.Unknown {
		t.Errorf("completed twice: %+v", o)
	}
}

func TestP25Mixtures(t *testing.T) {
	for flags, want := range map[uint32]uint32{
		0x301: 1, 0x303: 2, 0xF00: 0x200, 0xD00: 0x100, 0x10010400: 0x400, 0x10010000: 0x10000, // in order of preference
		0: 0, 0x10000000: 0, 7: 0, 0x20: 0, 0x80000021: 0, // none, or a stranger among them
	} {
		if got := verbOf(flags, true); got != want {
			t.Errorf("flags 0x%X: verb 0x%X, want 0x%X", flags, got, want)
		}
		if n := flags &^ modifiers; n&(n-1) != 0 && verbOf(flags, false) != 0 {
			t.Errorf("flags 0x%X pass without Compat", flags)
		}
	}
}

func TestP43PendingInner(t *testing.T) {
	m := one(Item{ID: 4, Get: pend, SerializedSize: 4})
	expect(t, "pending", m.Do(ask(ks.PropertyTypeSerializeSet, 56)), "P-43", ks.StatusUnsuccessful, 0, 1, 1,
		BufferedIO|DeallocateBuffer|InputOperation)
}

func TestS18SecondReadDiffers(t *testing.T) {
	sized := func(n byte) Program {
		return Program{Kind: EmitUpTo, Bytes: []byte{n, 0, 0, 0, 1, 0, 0, 0, 5, 5, 5, 5, 5}}
	}
	m := one(Item{ID: 4, Get: Program{Kind: Turns, Steps: []Program{sized(12), sized(13)}}, SerializedSize: 1})
	expect(t, "size changes", m.Do(ask(ks.PropertyTypeSerializeSet, 64)), "P-40", ks.StatusInvalidBufferSize, 0, 2, 1,
		BufferedIO|DeallocateBuffer|InputOperation)
}

func TestP60ToP62Topology(t *testing.T) {
	a, b := ks.GUID{1}, ks.GUID{2}
	topology := &Topology{Categories: []ks.GUID{a, b}, Nodes: []ks.GUID{a, a}, NodeNames: []ks.GUID{{}, b}}
	lookup := func(g ks.GUID) (string, ks.Status) {
		if g == a {
			return "", ks.StatusNotFound
		}
		return "Vol", ks.StatusSuccess
	}
	for _, c := range []struct {
		id, flags, node, in, out uint32
		status                   ks.Status
		info                     uint64
	}{
		{TopologyCategories, 1, 0, 24, 0, ks.StatusBufferOverflow, 40},
		{TopologyCategories, 1, 0, 24, 4, ks.StatusSuccess, 4},
		{TopologyNodes, 1, 0, 24, 39, ks.StatusBufferTooSmall, 0},
		{TopologyConnections, 1, 0, 24, 8, ks.StatusSuccess, 8},
		{TopologyName, 1, 1, 32, 0, ks.StatusBufferOverflow, 8},
		{TopologyName, 1, 1, 32, 7, ks.StatusBufferTooSmall, 0},
		{TopologyName, 1, 1, 32, 8, ks.StatusSuccess, 8},
		{TopologyName, 1, 0, 32, 8, ks.StatusNotFound, 0},
		{TopologyName, 1, 2, 32, 8, ks.StatusInvalidParameter, 0},
		{TopologyName, 1, 1, 31, 8, ks.StatusInvalidBufferSize, 0},
		{TopologyName, 2, 1, 32, 8, ks.StatusInvalidDeviceRequest, 0},
		{4, 1, 0, 24, 8, ks.StatusNotFound, 0},
	} {
		q := &Request{ID: c.id, Flags: c.flags, Extra: appendU32(nil, c.node), In: c.in, Out: c.out}
		status, info, data := topology.Property(q, lookup)
		if status != c.status || info != c.info || status.IsSuccess() && uint64(len(data)) != info {
			t.Errorf("%+v: 0x%08X, %d, %x", c, uint32(status), info, data)
		}
		if c.id == TopologyName && status == 0 && string(data) != "V\x00o\x00l\x00\x00\x00" {
			t.Errorf("name %q", data)
		}
	}
}

func TestP70ToP73Registry(t *testing.T) {
	blob := func(n int) RegistryValue {
		return RegistryValue{Binary: true, Data: append([]byte{byte(n)}, make([]byte, n-1)...)}
	}
	run := func(parent, path bool, opened ks.Status, values ...RegistryValue) (ks.Status, int) {
		sent := 0
		return UnserializeFromRegistry(parent, path, func() ([]RegistryValue, ks.Status) { return values, opened },
			func(set ks.GUID, b []byte) ks.Status {
				if sent++; set[0] == 40 {
					return ks.StatusPropsetNotFound
				}
				return ks.StatusSuccess
			}), sent
	}
	for i, c := range []struct {
		parent, path bool
		opened       ks.Status
		values       []RegistryValue
		status       ks.Status
		sent         int
	}{
		{false, false, 0, nil, ks.StatusInvalidParameter, 0},
		{true, false, 0, nil, ks.StatusSuccess, 0},
		{false, true, 0xC0000034, nil, 0xC0000034, 0},
		{true, true, 0, []RegistryValue{blob(20), blob(19), blob(20)}, ks.StatusInvalidParameter, 1},
		{true, true, 0, []RegistryValue{blob(20), {Data: make([]byte, 20)}}, ks.StatusInvalidParameter, 1},
		{true, true, 0, []RegistryValue{blob(20), blob(40), blob(20)}, ks.StatusPropsetNotFound, 2},
		{true, true, 0, []RegistryValue{blob(20), blob(21)}, ks.StatusSuccess, 2},
	} {
		if status, sent := run(c.parent, c.path, c.opened, c.values...); status != c.status || sent != c.sent {
			t.Errorf("case %d: 0x%08X after %d sets", i, uint32(status), sent)
		}
	}
}

func TestProgramText(t *testing.T) {
	for _, text := range []string{"store", "accept", "emit:", "emit:0a0b", "emitupto:ff", "status:0xC0000010", "status:0x80000005:7", "panic",
		"pend"} {
		if p, err := ParseProgram(text); err != nil || p.String() != text {
			t.Errorf("%q is read as %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "stores", "emit:0", "emitupto:zz", "status:", "status:0x100000000", "status:1:x"} {
		if p, err := ParseProgram(text); err == nil {
			t.Errorf("%q is read as %v", text, p)
		}
	}
}

// TestGenerated holds every outcome of random requests against what must be true of all of them, and proves that the
// generator reaches every rule.
func TestGenerated(t *testing.T) {
	s := testkit.Seed(t)
	decided, total := map[string]int{}, 0
	for i := range uint64(1000) {
		obj, requests := Generate(rand.New(rand.NewPCG(s, i)))
		m := New(obj, Compat{})
		for n, q := range requests {
			o := m.Do(q)
			if o.Unknown {
				t.Fatalf("object %d, request %d completes nothing", i, n)
			}
			decided[o.Rule]++
			total++
			if text := violation(q, o); text != "" {
				t.Fatalf("object %d, request %d: %s\n%+v\n%+v", i, n, text, q, o)
			}
		}
	}
	for _, rule := range []string{"P-3", "P-4", "P-5", "P-9", "P-16", "P-17", "P-18", "P-20", "P-21", "P-24", "P-25", "P-26", "P-27", "P-28",
		"P-31", "P-32", "P-33", "P-35", "P-36", "P-37", "P-38", "P-39", "P-40", "P-42", "P-43", "P-50", "P-51", "S-15", "F-2", "F-4", "F-6",
		"N-1"} {
		if decided[rule] == 0 {
			t.Errorf("no request was decided by %s", rule)
		}
	}
	t.Logf("%d requests, decided by %v", total, decided)
}

// violation says what is wrong with an outcome whatever the request was.
func violation(q Request, o Outcome) string {
	custom, verb := 0, verbOf(q.Flags, false)
	for _, a := range o.Allocations {
		if a.By == "custom" {
			custom++
		}
	}
	switch {
	case q.Op == Property && !o.Pended && o.Status.IsError() && o.Information != 0:
		return "P-17: an error with Information"
	case q.Op == Property && o.Status == ks.StatusSomeNotMapped:
		return "P-18: SOME_NOT_MAPPED left the dispatcher"
	case q.Op != Complete && verb&inVerbs == 0 && q.Out > 0 && !o.Pended && q.Op == Property && o.Information > uint64(q.Out):
		return "P-20: Information exceeds the buffer"
	case len(o.Allocations) > 1:
		return "P-23: more than one buffer"
	case custom > 0 && (o.Flags != 0 || q.Plain || verb&getSet == 0):
		return "P-13, P-14: the allocator and the flags"
	case q.Op == Property && q.Prepared == Fresh && len(o.Calls) > 0 && len(o.Allocations) == 0:
		return "P-23: a handler without a buffer"
	case q.Out == 0 && q.Op == Property && o.Flags&InputOperation != 0:
		return "S-12: a copy to a buffer of no length"
	case o.BytesReturned != 0 && o.Status.IsError():
		return "N-1: an error with bytes returned"
	case q.Op == Property && verb&inVerbs != 0 && o.Output != nil && !bytes.Equal(o.Output, q.output()):
		return "P-8: an in-verb wrote to its caller"
	case q.Op == FastProperty && !o.Handled && o.Information != q.Info0:
		return "F-4: IoStatus changed"
	}
	for _, c := range o.Calls {
		if q.Op == Property && (c.RequestOffset%8 != 0 || uint32(len(c.Request)) != q.In || uint32(len(c.Data)) != c.Out ||
			c.Kernel != q.Kernel) {
			return "P-6, S-1: what a handler saw"
		}
	}
	return ""
}

// TestGeneratedTwice shows that nothing but the seed decides, and that a model leaves what it is given alone.
func TestGeneratedTwice(t *testing.T) {
	s := testkit.Seed(t)
	for i := range uint64(50) {
		obj, requests := Generate(rand.New(rand.NewPCG(s, i)))
		again, _ := Generate(rand.New(rand.NewPCG(s, i)))
		a, b := New(obj, Compat{}), New(again, Compat{})
		for _, q := range requests {
			if x, y := a.Do(q), b.Do(q); !reflect.DeepEqual(x, y) {
				t.Fatalf("object %d: %+v\n%+v\n%+v", i, q, x, y)
			}
		}
		if !reflect.DeepEqual(obj, again) {
			t.Fatalf("object %d changed", i)
		}
	}
}
