package difftest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Case is an object and requests for it.
type Case struct {
	Object   model.Object
	Compat   model.Compat
	Requests []model.Request
	Seed     uint64 // of the choices that must make no difference
}

// Difference is where the dispatcher and the model disagree.
type Difference struct {
	Index     int      // of the request, -1 for the object
	What      []string // each a field with both values, or an invariant that does not hold
	Want, Got model.Outcome
}

// Generate draws a case from r. Half of the cases have the rules as written, the others some answers replaced.
func Generate(r *rand.Rand) Case {
	c := Case{Seed: r.Uint64(), Compat: compat(r)}
	c.Object, c.Requests = model.Generate(r)
	return c
}

func compat(r *rand.Rand) (c model.Compat) {
	if r.IntN(2) == 0 {
		return c
	}
	status := func() ks.Status {
		if r.IntN(3) != 0 {
			return 0
		}
		of := []ks.Status{ks.StatusNotSupported, ks.StatusInvalidDeviceRequest, ks.StatusNotFound, ks.StatusBufferTooSmall,
			ks.StatusInvalidParameter, ks.StatusBufferOverflow, ks.StatusNoMoreEntries, 0xC000FFFF}
		return of[r.IntN(len(of))]
	}
	c.P25, c.P33, c.P45 = r.IntN(3) == 0, r.IntN(3) == 0, r.IntN(3) == 0
	for _, s := range []*ks.Status{&c.P26, &c.P27, &c.P28Zero, &c.P33Zero, &c.P36, &c.P38, &c.P39, &c.P42Set, &c.P42Entry, &c.P42Item,
		&c.P42Length} {
		*s = status()
	}
	return c
}

// Run answers the requests on both sides. It returns how many were compared, and the first difference.
func (c Case) Run() (compared int, d *Difference) {
	at := -1
	defer func() {
		if v := recover(); v != nil {
			d = &Difference{Index: at, What: []string{fmt.Sprintf("panic: %v", v)}}
		}
	}()
	s, refused, err := newSubject(&c)
	if err != nil {
		return 0, &Difference{Index: -1, What: []string{err.Error()}}
	}
	m := model.New(c.Object, c.Compat)
	for i := range c.Requests {
		at = i
		q := c.Requests[i]
		if refused {
			if o := m.Do(q); q.Op == model.Property && (o.Status != ks.StatusInvalidParameter || o.Information != 0) {
				return i, &Difference{Index: i, What: []string{"Compile refuses the table, and the model answers"}, Want: o}
			}
			continue
		}
		if d := s.compare(m, &q); d != nil {
			d.Index = i
			return i, d
		}
	}
	if s != nil {
		at = len(c.Requests) - 1
		if what := s.close(); what != nil {
			return len(c.Requests), &Difference{Index: at, What: what}
		}
	}
	return len(c.Requests), nil
}

// config mirrors the model's settings.
func config(c model.Compat) engine.Compat {
	return engine.Compat{
		MixedVerbs: c.P25, NoHandler: c.P26, ShortRequest: c.P27, NoDataBuffer: c.P28Zero, StrictDescriptionSize: c.P33,
		NoDescriptionBuffer: c.P33Zero, NoDefaultValues: c.P36, NoRawSerialization: c.P38, ShortSerializeBuffer: c.P39,
		UnserializeWrongSet: c.P42Set, UnserializeTruncated: c.P42Entry, UnserializeWrongItem: c.P42Item, UnserializeWrongLength: c.P42Length,
		PayloadSizeModifier: c.P45, UnknownMethodFlags: c.M2, NoMethodHandler: c.M8,
	}
}

// String is the case as text: the object, its settings and the requests.
func (c Case) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "object with PropertyItemSize %d, seed %d\n", c.Object.ItemSize, c.Seed)
	for v, i := reflect.ValueOf(c.Compat), 0; i < v.NumField(); i++ {
		if !v.Field(i).IsZero() {
			fmt.Fprintf(&b, "  Compat.%s: %v\n", v.Type().Field(i).Name, v.Field(i))
		}
	}
	for _, s := range c.Object.Sets {
		fmt.Fprintf(&b, "  set %v\n", s.GUID)
		for _, it := range s.Items {
			fmt.Fprintf(&b, "    item %d: get %v, set %v, support %v, MinProperty %d, MinData %d, SerializedSize %d\n",
				it.ID, it.Get, it.Set, it.Support, it.MinProperty, it.MinData, it.SerializedSize)
			if v := it.Values; v != nil {
				fmt.Fprintf(&b, "      values of type %v %d\n", v.TypeSet, v.TypeID)
				for _, l := range v.Lists {
					fmt.Fprintf(&b, "        kind %d flags 0x%X: %d x %d bytes %x\n", l.MembersFlags, l.Flags, l.Count, l.Size, l.Data)
				}
			}
			for _, r := range it.Relations {
				fmt.Fprintf(&b, "      related to %v %d\n", r.Set, r.ID)
			}
		}
		for _, f := range s.Fast {
			fmt.Fprintf(&b, "    fast %d: get %t, set %t\n", f.ID, f.Get, f.Set)
		}
	}
	for i := range c.Requests {
		fmt.Fprintf(&b, "request %d: %s\n", i, describe(&c.Requests[i]))
	}
	return b.String()
}

func describe(q *model.Request) string {
	switch q.Op {
	case model.Complete:
		return fmt.Sprintf("complete %s with %v, Information %d, data %x", q.Tag, q.Status, q.Information, q.Data)
	case model.DispatchSpecific:
		return fmt.Sprintf("dispatch %s specifically to %v", q.Tag, q.Program)
	}
	allocator := [...]string{"no allocator", "allocator", "failing allocator", "allocator without a buffer", "allocator with a short buffer",
		"panicking allocator"}[q.Allocator]
	if q.Plain {
		allocator = "plain"
	}
	b := new(strings.Builder)
	fmt.Fprintf(b, "%s: %s set %v id %d, In %d extra %x, Out %d data %x, %s, file %d, Information %d", q.Tag,
		ks.FormatPropertyFlags(q.Flags), q.Set, q.ID, q.In, q.Extra, q.Out, q.Data, allocator, q.File, q.Info0)
	for _, word := range []struct {
		is   bool
		name string
	}{{q.Op == model.FastProperty, "fast"}, {q.Kernel, "kernel"}, {q.Alias, "one memory"}, {q.Fault == model.FaultIn, "input faults"},
		{q.Fault == model.FaultOut, "output faults"}, {q.Prepared == model.PreparedByUs, "prepared"},
		{q.Prepared == model.PreparedForge, "forged"}, {q.AllocStatus != 0, "with " + q.AllocStatus.String()}} {
		if word.is {
			b.WriteString(", " + word.name)
		}
	}
	return b.String()
}

// String lists what differs, and both outcomes.
func (d *Difference) String() string {
	return fmt.Sprintf("at request %d:\n\t%s\nthe model: %s\nthe engine: %s", d.Index, strings.Join(d.What, "\n\t"), outcome(&d.Want),
		outcome(&d.Got))
}

func outcome(o *model.Outcome) string {
	b := new(strings.Builder)
	fmt.Fprintf(b, "%v Information %d", o.Status, o.Information)
	if o.Rule != "" {
		fmt.Fprintf(b, " by %s", o.Rule)
	}
	fmt.Fprintf(b, ", handled %t, pended %t, flags 0x%X, %d bytes returned, output %.80x", o.Handled, o.Pended, o.Flags, o.BytesReturned,
		o.Output)
	for _, c := range o.Calls {
		fmt.Fprintf(b, "\n\tcall %s", call(&c))
	}
	for _, a := range o.Allocations {
		fmt.Fprintf(b, "\n\tallocation %+v", a)
	}
	return b.String()
}

func call(c *model.Call) string {
	return fmt.Sprintf("%s of %v %d: In %d, Out %d, offsets %d and %d, kernel %t, file %d, slots %t %t, request %x, data %x: %v", c.Verb,
		c.Set, c.ID, c.In, c.Out, c.RequestOffset, c.DataOffset, c.Kernel, c.File, c.SetSlot, c.ItemSlot, c.Request, c.Data, c.Status)
}
