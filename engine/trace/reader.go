package trace

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A BlockError says what is wrong with a trace, and where.
type BlockError struct {
	Name   string // of the trace, as NewReader was told
	Block  int    // from 0
	Offset int64  // of the block's header, in bytes
	Err    error
}

// Error names the trace, the block and its offset.
func (e *BlockError) Error() string {
	return fmt.Sprintf("%s: block %d at offset %d: %v", e.Name, e.Block, e.Offset, e.Err)
}

func (e *BlockError) Unwrap() error { return e.Err }

// ErrTorn is wrapped by Reader.Torn: a trace has no end, as its recorder was killed or goes on.
var ErrTorn = errors.New("the trace was not closed")

// ErrBehind is wrapped by Reader.Torn: a trace has its end, and behind it is something else.
var ErrBehind = errors.New("this is behind the end of the trace")

// Opened is a handle of a trace.
type Opened struct {
	Handle uint32
	Object string // that was opened; "" for what was created on another handle
	Parent uint32 // the handle that this one was created on; 0 for one that was opened
	Lane   bool   // it is a lane for overlapped requests of its parent
	Device uint32 // number of the device, from 1
	Blocks int    // blocks with its requests
}

// Reader reads a trace. NewReader looks at the header of every block, so that damage to what lies between is found before anything is
// replayed; the payloads are checked when they are read. It is safe for concurrent use.
type Reader struct {
	name    string
	from    io.ReaderAt
	lender  lender // nil for a trace that is not in memory
	header  Header
	blocks  []block
	streams map[uint32][]int // blocks by handle
	opened  []Opened         // by number
	control []Record         // what is of no handle, in the order of Begin
	end     *block
	torn    error
	dropped uint64
}

// lender has a trace in memory.
type lender interface {
	Slice(at int64, n int) []byte
}

// Memory is a trace in memory, for NewReader.
type Memory []byte

// ReadAt is that of io.ReaderAt.
func (m Memory) ReadAt(b []byte, at int64) (n int, err error) {
	return bytes.NewReader(m).ReadAt(b, at)
}

// Slice returns the n bytes at an offset, or nil if there are fewer.
func (m Memory) Slice(at int64, n int) []byte {
	if at < 0 || n < 0 || at > int64(len(m)) || int64(n) > int64(len(m))-at {
		return nil
	}
	return m[at : at+int64(n) : at+int64(n)]
}

// NewReader reads a trace of size bytes. name is what errors call it. Several parts of a trace that follow each other are one trace. A
// trace that was not closed can be read up to where it ends; see Torn. The error is a *BlockError, or of from.
//
// A from with a method Slice, as Memory has it, lends a replay its bytes, or returns nil for those that have to be read. A replay checks
// them before it uses them and does not write to them; they must stay as they are until it ends.
func NewReader(from io.ReaderAt, size int64, name string) (*Reader, error) {
	r := &Reader{name: name, from: from, streams: make(map[uint32][]int)}
	r.lender, _ = from.(lender)
	if err := r.index(size); err != nil {
		return nil, err
	}
	if err := r.readControl(); err != nil {
		return nil, err
	}
	return r, nil
}

// Header says how the trace was recorded.
func (r *Reader) Header() Header { return r.header }

// Torn is nil for a trace that was closed and has nothing behind its end. Else it says where the trace ends, and wraps ErrTorn, as what
// was recorded after that is lost, or ErrBehind.
func (r *Reader) Torn() error { return r.torn }

// Dropped returns how many records the recorder lost.
func (r *Reader) Dropped() uint64 { return r.dropped }

// Opened returns the handles of the trace, by number.
func (r *Reader) Opened() []Opened { return r.opened }

// Blocks returns how many blocks there are.
func (r *Reader) Blocks() int { return len(r.blocks) }

func (r *Reader) fail(b *block, block int, format string, args ...any) error {
	return &BlockError{Name: r.name, Block: block, Offset: b.offset, Err: fmt.Errorf(format, args...)}
}

// index finds the blocks.
func (r *Reader) index(size int64) error {
	var head [blockHeader]byte
	at, parts := int64(0), 0
	for at < size {
		b := block{offset: at}
		n := len(r.blocks)
		whole := size-at >= blockHeader
		if whole {
			if _, err := r.from.ReadAt(head[:], at); err != nil {
				return r.fail(&b, n, "%w", err)
			}
			whole = b.read(head[:])
		}
		b.offset = at
		if !whole || int64(b.length) > size-at-blockHeader {
			if n == 0 {
				return r.fail(&b, n, "this is no trace, or its first block is damaged; name a .kst file")
			}
			return r.tear(&b, size)
		}
		if n > 0 && b.sequence != r.blocks[n-1].sequence+1 {
			return r.fail(&b, n, "it is number %d and the block before is %d: blocks are missing, or parts are not in order; "+
				"put the parts together in order", b.sequence, r.blocks[n-1].sequence)
		}
		switch b.kind {
		case blockStart:
			if err := r.start(&b, n, parts); err != nil {
				return err
			}
			parts++
			r.end = nil
		case blockRecords:
			if parts == 0 {
				return r.fail(&b, n, "records before the block that says how they were recorded")
			}
			if r.end != nil {
				return r.fail(&b, n, "records behind the end of a part")
			}
			if b.handle != 0 {
				r.streams[b.handle] = append(r.streams[b.handle], n)
			}
		case blockEnd:
			if b.length != 0 {
				return r.fail(&b, n, "an end with %d bytes", b.length)
			}
			r.end, r.dropped = &b, b.dropped
		default:
			return r.fail(&b, n, "a block of kind %d, which this version does not know", b.kind)
		}
		r.blocks = append(r.blocks, b)
		at += blockHeader + int64(b.length)
	}
	if len(r.blocks) == 0 {
		return r.fail(&block{}, 0, "this is no trace: the file is empty")
	}
	if r.end == nil {
		r.torn = r.fail(&block{offset: at}, len(r.blocks), "%w; what was recorded after it is lost", ErrTorn)
		r.countDropped()
	}
	return nil
}

// tear ends the index at a block that is not whole: the last one, or else the file is damaged.
func (r *Reader) tear(b *block, size int64) error {
	n := len(r.blocks)
	if next := r.find(b.offset+1, size); next >= 0 {
		return r.fail(b, n, "its header is damaged; the next block is at offset %d: get the file anew, or cut it before this block", next)
	}
	if r.end != nil {
		text := make([]byte, min(int64(len(magic)), size-b.offset))
		if _, err := r.from.ReadAt(text, b.offset); err != nil && !errors.Is(err, io.EOF) {
			return r.fail(b, n, "%w", err)
		}
		if !strings.HasPrefix(magic, string(text)) { // else it is another part
			r.torn = r.fail(b, n, "%w and no part of it: %d bytes that begin with %q; the trace is whole, cut the file there",
				ErrBehind, size-b.offset, text)
			return nil
		}
	}
	r.torn = r.fail(b, n, "%w: this block is not whole; what was recorded from it on is lost", ErrTorn)
	r.countDropped()
	return nil
}

// find finds the next header from an offset on, or returns -1.
func (r *Reader) find(at, size int64) int64 {
	const window = 64 << 10
	buf := make([]byte, window)
	for at+blockHeader <= size {
		n, err := r.from.ReadAt(buf[:min(window, size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return -1
		}
		for i := 0; i+blockHeader <= n; i++ {
			var b block
			if string(buf[i:i+len(magic)]) == magic && b.read(buf[i:i+blockHeader]) {
				return at + int64(i)
			}
		}
		if n < window {
			return -1
		}
		at += int64(n - blockHeader + 1)
	}
	return -1
}

// countDropped counts what was lost before the blocks of a trace without an end.
func (r *Reader) countDropped() {
	lost := make(map[uint32]uint64)
	for i := range r.blocks {
		if b := &r.blocks[i]; b.kind == blockRecords {
			lost[b.handle] = max(lost[b.handle], b.dropped)
		}
	}
	r.dropped = 0
	for _, n := range lost {
		r.dropped += n
	}
}

// start reads the first block of a part.
func (r *Reader) start(b *block, n, parts int) error {
	text, err := r.payload(nil, b, n)
	if err != nil {
		return err
	}
	var h Header
	if err := json.Unmarshal(text, &h); err != nil {
		return r.fail(b, n, "the header of the trace cannot be read: %w", err)
	}
	switch {
	case h.Version != Version:
		return r.fail(b, n, "the format is of version %d; this program reads version %d", h.Version, Version)
	case parts == 0:
		r.header = h
	case h.ID != r.header.ID:
		return r.fail(b, n, "another trace begins here; read it by itself")
	case r.end == nil:
		return r.fail(b, n, "the part before was not closed; read the parts by themselves")
	}
	return nil
}

// payload reads the payload of a block into buf, or a longer buffer, and checks it.
func (r *Reader) payload(buf []byte, b *block, n int) ([]byte, error) {
	if cap(buf) < int(b.length) {
		buf = make([]byte, b.length)
	}
	buf = buf[:b.length]
	if got, err := r.from.ReadAt(buf, b.offset+blockHeader); got < len(buf) {
		return nil, r.fail(b, n, "%w", err)
	}
	return buf, r.check(buf, b, n)
}

// lend returns the payload of a block where it is in memory, unchecked, or nil if it has to be read.
func (r *Reader) lend(b *block) []byte {
	if r.lender == nil {
		return nil
	}
	return r.lender.Slice(b.offset+blockHeader, int(b.length))
}

// check checks the payload of a block.
func (r *Reader) check(payload []byte, b *block, n int) error {
	if xxhash.Sum64(payload) != b.payload {
		return r.fail(b, n, "its bytes are not those that were written: get the file anew, or cut it before this block")
	}
	return nil
}

// readControl reads what is of no handle.
func (r *Reader) readControl() error {
	known := make(map[uint32]int)
	for n := range r.blocks {
		b := &r.blocks[n]
		if b.kind != blockRecords || b.handle != 0 {
			continue
		}
		buf, err := r.payload(nil, b, n)
		if err != nil {
			return err
		}
		for rec, err := range r.records(b, n, buf) {
			if err != nil {
				return err
			}
			if rec.Kind == KindRequest {
				return r.fail(b, n, "a request of no handle")
			}
			if rec.Flags&FlagContinued != 0 {
				if _, ok := known[rec.Handle]; ok {
					continue // parts that were put together
				}
			}
			if err := r.know(known, rec); err != "" {
				return r.fail(b, n, "%s", err)
			}
			r.control = append(r.control, *rec)
		}
	}
	for handle := range r.streams {
		if _, ok := known[handle]; !ok {
			n := r.streams[handle][0]
			return r.fail(&r.blocks[n], n, "requests of handle %d, which nobody opened", handle)
		}
	}
	slices.SortStableFunc(r.control, func(a, b Record) int { return cmp.Compare(a.Begin, b.Begin) })
	slices.SortFunc(r.opened, func(a, b Opened) int { return cmp.Compare(a.Handle, b.Handle) })
	for i := range r.control {
		r.control[i].opened = r.indexOf(r.control[i].Handle)
	}
	return nil
}

// know notes a handle that is opened, or says what is wrong with that.
func (r *Reader) know(known map[uint32]int, rec *Record) (wrong string) {
	if rec.Kind != KindOpen && rec.Kind != KindCreate || rec.Handle == 0 && rec.Kind == KindCreate {
		return ""
	}
	o := Opened{Handle: rec.Handle, Blocks: len(r.streams[rec.Handle])}
	if rec.Kind == KindOpen {
		o.Object, o.Device = string(rec.In), rec.Parent
	} else {
		o.Parent, o.Lane = rec.Parent, rec.Flags&FlagLane != 0
		p, ok := known[rec.Parent]
		if !ok {
			return fmt.Sprintf("handle %d is created on handle %d, which nobody opened", rec.Handle, rec.Parent)
		}
		o.Device = r.opened[p].Device
	}
	if _, ok := known[rec.Handle]; ok || rec.Handle == 0 {
		return fmt.Sprintf("handle %d is opened twice, or has no number", rec.Handle)
	}
	known[rec.Handle] = len(r.opened)
	r.opened = append(r.opened, o)
	return ""
}

// records are those of a payload. The record is the same each time.
func (r *Reader) records(b *block, n int, payload []byte) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		var rec Record
		for len(payload) > 0 {
			size, wrong := rec.decode(payload)
			if wrong == "" && (rec.Kind == KindRequest) != (b.handle != 0) {
				wrong = "a record that does not belong to the handle of its block"
			}
			if wrong != "" {
				yield(nil, r.fail(b, n, "%s", wrong))
				return
			}
			if b.handle != 0 {
				rec.Handle = b.handle
			}
			if !yield(&rec, nil) {
				return
			}
			payload = payload[size:]
		}
	}
}

// Records yields all records, in the order in which they began. After an error there are no more. The record is the same each time.
func (r *Reader) Records() iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		m := newMerger(r, r.all(), r.control, false)
		for {
			rec, err := m.next()
			if err != nil {
				yield(nil, err)
				return
			}
			if rec == nil || !yield(rec, nil) {
				return
			}
		}
	}
}

// all is all handles, as indexes of opened.
func (r *Reader) all() []int {
	all := make([]int, len(r.opened))
	for i := range all {
		all[i] = i
	}
	return all
}

// indexOf is the index of a handle in opened, or -1.
func (r *Reader) indexOf(handle uint32) int {
	i, ok := slices.BinarySearchFunc(r.opened, handle, func(o Opened, handle uint32) int { return cmp.Compare(o.Handle, handle) })
	if !ok {
		return -1
	}
	return i
}
