package trace

import (
	"cmp"
	"container/heap"
)

// cursor reads the records of one handle.
type cursor struct {
	reader *Reader
	handle uint32
	blocks []int  // of the handle
	used   int    // how many of them were, with the one that is being used
	lent   bool   // blocks stay where the trace has them in memory, if it has
	copied []byte // memory for the others, one at a time
	left   []byte // of the block
	rec    Record
	done   bool
}

// newCursor returns a cursor of the handle that is r.opened[i].
func newCursor(r *Reader, i int, lent bool) *cursor {
	c := &cursor{reader: r, handle: r.opened[i].Handle, lent: lent}
	c.blocks, c.rec.opened = r.streams[c.handle], i
	return c
}

// load returns the payload of the next block, which it checks here: a goroutine that does so ahead costs more than it takes over.
func (c *cursor) load() (payload []byte, err error) {
	n := c.blocks[c.used]
	c.used++
	b := &c.reader.blocks[n]
	if c.lent {
		if payload = c.reader.lend(b); payload != nil {
			return payload, c.reader.check(payload, b, n)
		}
	}
	c.copied, err = c.reader.payload(c.copied, b, n)
	return c.copied, err
}

// next reads the next record into rec, or sets done.
func (c *cursor) next() (err error) {
	for len(c.left) == 0 {
		if c.done = c.used == len(c.blocks); c.done {
			return nil
		}
		if c.left, err = c.load(); err != nil {
			return err
		}
	}
	last := c.rec.Order
	size, wrong := c.rec.decode(c.left)
	if wrong == "" && c.rec.Kind != KindRequest {
		wrong = "a record of a handle that is no request"
	}
	if wrong == "" && c.rec.Begin < last {
		wrong = "a request that began before the one before had ended"
	}
	if wrong != "" {
		n := c.blocks[c.used-1]
		return c.reader.fail(&c.reader.blocks[n], n, "%s", wrong)
	}
	c.rec.Handle = c.handle
	c.left = c.left[size:]
	return nil
}

// before is the order in which records are replayed: that in which they began.
func before(a, b *Record) bool {
	return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.Order, b.Order)) < 0
}

// merger brings the records of several handles, and those of none, into order.
type merger struct {
	cursors cursors // with a record each; the first is next
	control []Record
	used    *cursor // whose record was returned
	err     error
}

// newMerger merges the handles that are r.opened[i] for some i. With lent the bytes of records may be those of the trace, which nobody is
// to change or keep.
func newMerger(r *Reader, opened []int, control []Record, lent bool) *merger {
	m := &merger{control: control}
	for _, i := range opened {
		c := newCursor(r, i, lent)
		if err := c.next(); err != nil {
			m.err = err
		} else if !c.done {
			m.cursors = append(m.cursors, c)
		}
	}
	heap.Init(&m.cursors)
	return m
}

// next returns the next record, or nil at the end.
func (m *merger) next() (*Record, error) {
	if c := m.used; c != nil && m.err == nil {
		m.used = nil
		switch m.err = c.next(); {
		case m.err != nil:
		case c.done:
			heap.Pop(&m.cursors)
		case len(m.cursors) > 1:
			heap.Fix(&m.cursors, 0)
		}
	}
	switch {
	case m.err != nil:
		return nil, m.err
	case len(m.cursors) == 0 && len(m.control) == 0:
		return nil, nil
	case len(m.cursors) == 0 || len(m.control) > 0 && before(&m.control[0], &m.cursors[0].rec):
		rec := &m.control[0]
		m.control = m.control[1:]
		return rec, nil
	}
	m.used = m.cursors[0]
	return &m.used.rec, nil
}

// limit is where a record would be another's turn that begins there, if the record that was returned last is of a handle.
func (m *merger) limit() uint64 {
	limit := uint64(1<<64 - 1)
	for i := 1; i < min(len(m.cursors), 3); i++ { // the least of a heap but for the first
		limit = min(limit, m.cursors[i].rec.Begin)
	}
	if len(m.control) > 0 {
		limit = min(limit, m.control[0].Begin)
	}
	return limit
}

// cursors is a heap.
type cursors []*cursor

func (c cursors) Len() int           { return len(c) }
func (c cursors) Less(i, j int) bool { return before(&c[i].rec, &c[j].rec) }
func (c cursors) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *cursors) Push(x any)        { *c = append(*c, x.(*cursor)) }
func (c *cursors) Pop() any {
	old := *c
	last := old[len(old)-1]
	*c = old[:len(old)-1]
	return last
}
