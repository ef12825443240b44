package trace

import (
	"cmp"
	"container/heap"
	"sync"
)

// cursor reads the records of one handle. While the records of some blocks are used, a goroutine reads and checks those that follow.
type cursor struct {
	reader *Reader
	handle uint32
	loaded *loaded // whose parts are being used
	used   int     // how many of them were
	block  int     // that is being used
	left   []byte
	rec    Record
	done   bool

	most  int           // bytes that are read at a time, if that is more than a block
	ahead chan *loaded  // what was read, closed behind the last
	spare chan *loaded  // whose memory is free
	stop  chan struct{} // closed when there is to be no more
}

// loaded is blocks that were read ahead, in memory that is theirs.
type loaded struct {
	memory []byte
	parts  []part
	err    error // of the block behind them
}

// loadedBefore is the memory of replays that ended: with memory of its own a replay of 65,536 requests took 55 ns each in place of 38.
var loadedBefore sync.Pool

// part is a block of it.
type part struct {
	block   int
	payload []byte
}

// newCursor returns a cursor of the handle that is r.opened[i], which reads ahead: depth times most bytes, or as many blocks. It is to be
// closed.
func newCursor(r *Reader, i, depth, most int) *cursor {
	c := &cursor{reader: r, handle: r.opened[i].Handle, loaded: new(loaded), most: most,
		ahead: make(chan *loaded, depth), spare: make(chan *loaded, depth+2), stop: make(chan struct{})}
	c.rec.opened = i
	go c.read()
	return c
}

// read is the goroutine that reads ahead. It hands over several blocks at once, as waking who waits for one takes as long as using it.
func (c *cursor) read() {
	defer close(c.ahead)
	for blocks := c.reader.streams[c.handle]; len(blocks) > 0; {
		var l *loaded
		select {
		case l = <-c.spare:
		default:
			if l, _ = loadedBefore.Get().(*loaded); l == nil {
				l = new(loaded)
			}
		}
		n := c.load(l, blocks)
		select {
		case c.ahead <- l:
		case <-c.stop:
			return
		}
		if l.err != nil {
			return
		}
		blocks = blocks[n:]
	}
}

// load reads the first of the blocks, and returns how many.
func (c *cursor) load(l *loaded, blocks []int) (n int) {
	size := 0
	for ; n < len(blocks); n++ {
		length := int(c.reader.blocks[blocks[n]].length)
		if n > 0 && size+length > c.most {
			break
		}
		size += length
	}
	if cap(l.memory) < size {
		l.memory = make([]byte, size)
	}
	l.parts, l.err = l.parts[:0], nil
	free := l.memory[:0:size]
	for _, block := range blocks[:n] {
		payload, err := c.reader.payload(free, &c.reader.blocks[block], block)
		if err != nil {
			l.err = err
			break
		}
		l.parts = append(l.parts, part{block, payload})
		free = free[len(payload):len(payload):cap(free)]
	}
	return n
}

// close ends what is read ahead, and waits for that: the file may be closed after it.
func (c *cursor) close() {
	close(c.stop)
	for range c.ahead {
	}
}

// release is close where nobody has the records any more: the memory is for who reads next.
func (c *cursor) release() {
	close(c.stop)
	for l := range c.ahead {
		loadedBefore.Put(l)
	}
	if !c.done { // else it is among the spare
		loadedBefore.Put(c.loaded)
	}
	for len(c.spare) > 0 {
		loadedBefore.Put(<-c.spare)
	}
}

// next reads the next record into rec, or sets done.
func (c *cursor) next() error {
	for len(c.left) == 0 {
		l := c.loaded
		if c.used < len(l.parts) {
			c.block, c.left = l.parts[c.used].block, l.parts[c.used].payload
			c.used++
			continue
		}
		if l.err != nil {
			return l.err
		}
		c.spare <- l // has room for all there are
		var more bool
		if c.loaded, more = <-c.ahead; !more {
			c.loaded, c.done = l, true
			return nil
		}
		c.used = 0
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
		return c.reader.fail(&c.reader.blocks[c.block], c.block, "%s", wrong)
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
	all     []*cursor
	control []Record
	used    *cursor // whose record was returned
	err     error
}

// newMerger merges the handles that are r.opened[i] for some i. It is to be closed.
func newMerger(r *Reader, opened []int, control []Record) *merger {
	const many = 16 // handles, of which each has a buffer or two, not more
	m, depth, most := &merger{control: control}, 4, 128<<10
	if len(opened) > many {
		depth, most = 1, 0
	}
	for _, i := range opened {
		if len(r.streams[r.opened[i].Handle]) == 0 {
			continue
		}
		c := newCursor(r, i, depth, most)
		m.all = append(m.all, c)
		if err := c.next(); err != nil {
			m.err = err
		} else if !c.done {
			m.cursors = append(m.cursors, c)
		}
	}
	heap.Init(&m.cursors)
	return m
}

// close ends what is read ahead, so that the file may be closed.
func (m *merger) close() {
	for _, c := range m.all {
		c.close()
	}
}

// release is close where nobody has the records any more.
func (m *merger) release() {
	for _, c := range m.all {
		c.release()
	}
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
