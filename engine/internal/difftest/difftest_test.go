package difftest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// objects is how many cases a test runs: some 70 requests each.
func objects() uint64 {
	switch {
	case testing.Short():
		return 300
	case invariants.Enabled:
		return 500
	}
	return 1200
}

// check fails with the smallest case that differs as c does.
func check(t *testing.T, c Case) (compared int) {
	n, d := c.Run()
	if d == nil {
		return n
	}
	run := func(c Case) *Difference { _, d := c.Run(); return d }
	small := Minimize(c, run)
	t.Errorf("%v\n\nwhich comes down to\n\n%v%v", d, small, run(small))
	return n
}

func TestEngineAgainstModel(t *testing.T) {
	s, compared := testkit.Seed(t), 0
	for i := range objects() {
		compared += check(t, Generate(rand.New(rand.NewPCG(s, i))))
		if t.Failed() {
			t.Fatalf("object %d of KSDISPATCH_SEED=%d", i, s)
		}
	}
	t.Logf("%d requests agree", compared)
}

// wrong answers a case with a dispatcher of another object, in which items with MinData 4 have 5: a bug in P-28.
func wrong(c Case) *Difference {
	bad := c
	bad.Object.Sets = slices.Clone(c.Object.Sets)
	for i := range bad.Object.Sets {
		s := &bad.Object.Sets[i]
		s.Items = slices.Clone(s.Items)
		for j := range s.Items {
			if s.Items[j].MinData == 4 {
				s.Items[j].MinData = 5
			}
		}
	}
	s, refused, err := newSubject(&bad)
	if err != nil || refused {
		return nil
	}
	m := model.New(c.Object, c.Compat)
	for i, q := range c.Requests {
		if d := s.compare(m, &q); d != nil {
			d.Index = i
			return d
		}
	}
	return nil
}

// TestNotices is the control: a bug in one rule is found, and brought down to a request or two, of as many sets as a blob
// needs.
func TestNotices(t *testing.T) {
	s := testkit.Seed(t)
	for i := range uint64(100) {
		c := Generate(rand.New(rand.NewPCG(s, i)))
		if c.Compat != (model.Compat{}) || wrong(c) == nil {
			continue
		}
		small := Minimize(c, wrong)
		if wrong(small) == nil {
			t.Fatalf("what is left does not differ:\n%v", small)
		}
		if len(small.Requests) > 2 || len(small.Object.Sets) > 2 {
			t.Fatalf("not small:\n%v", small)
		}
		if _, d := small.Run(); d != nil {
			t.Fatalf("the case differs without the bug: %v", d)
		}
		return
	}
	t.Fatal("no case of 100 finds that MinData is not what was declared")
}

// TestDifferences changes one field of an outcome after the other.
func TestDifferences(t *testing.T) {
	outcome := func() model.Outcome {
		return model.Outcome{Status: ks.StatusBufferOverflow, Information: 5, Handled: true, Flags: model.BufferedIO, BytesReturned: 5,
			Win32: 234, Output: []byte{1, 2}, Rule: "P-28", Allocations: []model.Allocation{{By: "pool", Size: 40}},
			Calls: []model.Call{{Verb: "get", ID: 4, In: 24, Out: 2, Request: []byte{7}, Data: []byte{8}}}}
	}
	property, fast := model.Request{Op: model.Property}, model.Request{Op: model.FastProperty}
	for name, change := range map[string]func(*model.Outcome){
		"status":         func(o *model.Outcome) { o.Status = 0 },
		"Information":    func(o *model.Outcome) { o.Information++ },
		"handled":        func(o *model.Outcome) { o.Handled = false },
		"pended":         func(o *model.Outcome) { o.Pended = true },
		"flags":          func(o *model.Outcome) { o.Flags |= model.InputOperation },
		"bytes":          func(o *model.Outcome) { o.BytesReturned-- },
		"win32":          func(o *model.Outcome) { o.Win32 = 0 },
		"output":         func(o *model.Outcome) { o.Output[1]++ },
		"rule":           func(o *model.Outcome) { o.Rule = "P-20" },
		"no call":        func(o *model.Outcome) { o.Calls = nil },
		"no allocation":  func(o *model.Outcome) { o.Allocations = nil },
		"size":           func(o *model.Outcome) { o.Allocations[0].Size++ },
		"direction":      func(o *model.Outcome) { o.Allocations[0].InputOperation = true },
		"verb":           func(o *model.Outcome) { o.Calls[0].Verb = "set" },
		"set":            func(o *model.Outcome) { o.Calls[0].Set[3]++ },
		"id":             func(o *model.Outcome) { o.Calls[0].ID++ },
		"in":             func(o *model.Outcome) { o.Calls[0].In++ },
		"out":            func(o *model.Outcome) { o.Calls[0].Out++ },
		"request offset": func(o *model.Outcome) { o.Calls[0].RequestOffset += 8 },
		"data offset":    func(o *model.Outcome) { o.Calls[0].DataOffset = -1 },
		"mode":           func(o *model.Outcome) { o.Calls[0].Kernel = true },
		"file":           func(o *model.Outcome) { o.Calls[0].File++ },
		"set slot":       func(o *model.Outcome) { o.Calls[0].SetSlot = true },
		"item slot":      func(o *model.Outcome) { o.Calls[0].ItemSlot = true },
		"result":         func(o *model.Outcome) { o.Calls[0].Status = ks.StatusPending },
		"request":        func(o *model.Outcome) { o.Calls[0].Request[0]++ },
		"data":           func(o *model.Outcome) { o.Calls[0].Data[0]++ },
	} {
		want, got := outcome(), outcome()
		if what := append(differences(&property, &want, &got), differences(&fast, &want, &got)...); what != nil {
			t.Fatalf("equal outcomes differ: %q", what)
		}
		change(&got)
		if len(differences(&property, &want, &got))+len(differences(&fast, &want, &got)) == 0 {
			t.Errorf("%s: no difference", name)
		}
	}
}

// TestCaller shows that each offence against the caller's memory is noticed.
func TestCaller(t *testing.T) {
	two := make([]byte, 2)
	for name, offend := range map[string]func(c *caller){
		"input twice":    func(c *caller) { c.ReadInput(two, 0); c.ReadInput(two, 1) },
		"output twice":   func(c *caller) { c.ReadOutput(two); c.ReadOutput(two) },
		"input beyond":   func(c *caller) { c.ReadInput(two, 31) },
		"probe of less":  func(c *caller) { c.ProbeOutput(7) },
		"early write":    func(c *caller) { c.WriteOutput(two) },
		"long write":     func(c *caller) { c.completing = true; c.WriteOutput(make([]byte, 9)) },
		"captured input": func(c *caller) { c.captured = true; c.ReadInput(two, 0) },
		"captured probe": func(c *caller) { c.captured = true; c.ProbeOutput(8) },
	} {
		c := newCaller(&model.Request{In: 32, Out: 8}, new(engine.IRP))
		if offend(c); c.complaints == nil {
			t.Errorf("%s: no complaint", name)
		}
	}
	c := newCaller(&model.Request{In: 32, Out: 8}, new(engine.IRP))
	c.ReadInput(make([]byte, 24), 0)
	c.ReadInput(make([]byte, 8), 24)
	c.ProbeOutput(8)
	c.ReadOutput(make([]byte, 8))
	c.completing = true
	if c.WriteOutput(two); c.complaints != nil {
		t.Errorf("a well-behaved reader: %q", c.complaints)
	}
}

// source makes a generator of fuzzed bytes: each draw takes one of them, so that changing one changes one decision. Behind
// them come those of a generator that the first eight bytes seed.
type source struct {
	data []byte
	rest *rand.PCG
}

func newSource(data []byte) *source {
	var head [8]byte
	data = data[copy(head[:], data):]
	return &source{data: data, rest: rand.NewPCG(0, uint64(head[0])|uint64(head[1])<<8|uint64(head[2])<<16|uint64(head[3])<<24|
		uint64(head[4])<<32|uint64(head[5])<<40|uint64(head[6])<<48|uint64(head[7])<<56)}
}

func (s *source) Uint64() uint64 {
	if len(s.data) == 0 {
		return s.rest.Uint64()
	}
	b := s.data[0]
	s.data = s.data[1:]
	return uint64(b) * 0x0101010101010101
}

// FuzzEngineAgainstModel wants -fuzzminimizetime 10x: a case takes a millisecond, and Go tries to remove each pair of places in
// an input, so that one would take it a minute. What differs, check makes small.
func FuzzEngineAgainstModel(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		check(t, Generate(rand.New(newSource(data))))
	})
}
