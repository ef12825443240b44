package difftest

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Minimize returns a smaller case that run still finds a difference in, though perhaps elsewhere. A case that does not
// differ is returned as it is.
func Minimize(c Case, run func(Case) *Difference) Case {
	differs := func(c Case) bool { return run(c) != nil }
	d := run(c)
	if d == nil {
		return c
	}
	c.Requests = slices.Clone(c.Requests[:d.Index+1])
	for n := len(c.Requests) / 2; n > 0; n /= 2 { // large pieces first
		for i := len(c.Requests) - n; i >= 0; i -= n {
			try := c
			if try.Requests = slices.Delete(slices.Clone(c.Requests), i, i+n); differs(try) {
				c = try
			}
			i = min(i, len(c.Requests))
		}
	}
	for smaller := true; smaller; {
		smaller = false
		for i := 0; ; i++ {
			try, left := c.without(i)
			if !left {
				break
			}
			if try.String() != c.String() && differs(try) {
				c, smaller = try, true
			}
		}
	}
	return c
}

// without returns the case with the i-th thing in it removed, or false if there are fewer.
func (c Case) without(i int) (Case, bool) {
	c.Object.Sets = slices.Clone(c.Object.Sets)
	c.Requests = slices.Clone(c.Requests)
	took := func(n int) bool { // the i-th thing is among the next n
		if i < n {
			return true
		}
		i -= n
		return false
	}
	if took(len(c.Object.Sets)) {
		c.Object.Sets = slices.Delete(c.Object.Sets, i, i+1)
		return c, true
	}
	for j := range c.Object.Sets {
		s := &c.Object.Sets[j]
		s.Items, s.Fast = slices.Clone(s.Items), slices.Clone(s.Fast)
		if took(len(s.Fast)) {
			s.Fast = slices.Delete(s.Fast, i, i+1)
			return c, true
		}
		if took(len(s.Items)) {
			s.Fast = slices.DeleteFunc(s.Fast, func(f model.Fast) bool { return f.ID == s.Items[i].ID })
			s.Items = slices.Delete(s.Items, i, i+1)
			return c, true
		}
		for k := range s.Items {
			it := &s.Items[k]
			parts := []func(){
				func() { it.Get = model.Program{} }, func() { it.Set = model.Program{} }, func() { it.Support = model.Program{} },
				func() { it.Values = nil }, func() { it.Relations = nil }, func() { it.SerializedSize = 0 }, func() { it.MinData = 0 },
				func() { it.MinProperty = ks.SizeIdentifier },
			}
			if took(len(parts)) {
				parts[i]()
				return c, true
			}
		}
	}
	for j := range c.Requests {
		q := &c.Requests[j]
		parts := []func(){
			func() { q.Extra = nil }, func() { q.Data = nil }, func() { q.Alias = false }, func() { q.Kernel = false }, func() { q.Info0 = 0 },
			func() { q.Fault = model.FaultNone }, func() { q.Prepared = model.Fresh }, func() { q.Allocator = model.AllocGood },
			func() { q.Plain = true }, func() { q.File = 1 }, func() { q.In = ks.SizeIdentifier },
		}
		if took(len(parts)) {
			parts[i]()
			return c, true
		}
	}
	switch i {
	case 0:
		c.Compat = model.Compat{}
		return c, true
	case 1:
		c.Object.ItemSize = 0
		return c, true
	}
	return c, false
}
