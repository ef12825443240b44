package trace

import (
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// A stream has at least a few chunks, of which the requests of a handle fill one while the writer has the others, and many if they are not
// too small for that: the writer is woken for half of them, and that takes the request that wakes it as long as hundreds of others.
const (
	fewChunks  = 4
	manyChunks = 16
)

// split returns how many chunks a buffer has, and their size.
func split(buffer int) (chunks, size int) {
	chunks = min(max(buffer/minChunk, fewChunks), manyChunks)
	return chunks, max(buffer/chunks, minChunk) &^ 7
}

// stream is the buffer between the requests of a handle and the writer. The goroutine that has the handle writes to the chunks in
// turn and seals those that are full; the writer takes what is in them and gives them back.
type stream struct {
	recorder *Recorder
	handle   uint32
	chunk    int // bytes

	// Of the goroutine that has the handle.
	count   uint32         // requests
	memory  []byte         // of the chunk that is being filled
	at      int            // up to where it is filled
	used    *atomic.Uint32 // where the writer sees that
	filling int            // its index
	dropped uint64
	taken   taken

	// Of the writer.
	draining int
	block    block // that is being written: one on the stack would be moved to the heap

	// Under mu of the recorder.
	listed bool          // the writer looks at the stream
	idleAt time.Duration // since when it is idle

	idle     atomic.Bool // the writer does not look at the stream any more, or soon will not
	finished atomic.Bool // the handle is closed
	waiting  atomic.Bool // a request waits for a chunk
	space    chan struct{}
	chunks   []chunk
}

// chunk is some of the memory of a stream. Its first bytes are left for the header of the block that it becomes.
type chunk struct {
	memory  []byte
	dropped uint64        // records of the stream that were lost before this chunk
	hash    uint64        // of its records, if it is sealed and not long
	written int           // up to where the writer has taken it
	used    atomic.Uint32 // up to where it is filled
	sealed  atomic.Bool   // it is the writer's
}

// init makes a stream that of a new handle, with mu of the recorder held.
func (s *stream) init(r *Recorder, buffer int) {
	r.handles++
	chunks, size := split(buffer)
	s.recorder, s.handle, s.chunk, s.space, s.chunks = r, r.handles, size, make(chan struct{}, 1), make([]chunk, chunks)
	for i := range s.chunks {
		s.chunks[i].written = blockHeader
	}
}

// isLong reports that a chunk was made for one long record.
func (s *stream) isLong(c *chunk) bool { return len(c.memory) > s.chunk }

// reserve returns room for a record, or nil if it is to be dropped.
func (s *stream) reserve(size int) []byte {
	if s.at+size <= len(s.memory) {
		return s.memory[s.at:]
	}
	return s.next(size)
}

// next is reserve in another chunk.
//
//go:noinline
func (s *stream) next(size int) []byte {
	if size > maxPayload {
		return s.drop()
	}
	if c := &s.chunks[s.filling]; s.at > blockHeader {
		long := s.isLong(c) // asked while the chunk is not the writer's yet
		if !long {
			// By who has the lines in its caches: the writer would wait for each (docs/rationale.md).
			c.hash = xxhash.Sum64(c.memory[blockHeader:s.at])
		}
		s.at, s.memory = 0, nil
		c.sealed.Store(true)
		s.filling = (s.filling + 1) % len(s.chunks)
		if s.filling%(len(s.chunks)/2) == 0 || long {
			s.recorder.kick()
		}
	}
	c := &s.chunks[s.filling]
	if !s.await(c) {
		return s.drop()
	}
	if size > s.chunk-blockHeader && !s.await(&s.chunks[(s.filling+len(s.chunks)-fewChunks)%len(s.chunks)]) {
		return s.drop() // else as many long ones would wait as there are chunks
	}
	if len(c.memory) < blockHeader+size {
		c.memory = make([]byte, max(s.chunk, blockHeader+size))
	}
	c.dropped = s.dropped
	c.used.Store(blockHeader)
	s.at, s.memory, s.used = blockHeader, c.memory, &c.used
	return s.memory[blockHeader:]
}

// await reports that the writer has given a chunk back. If requests wait, it waits for that.
func (s *stream) await(c *chunk) bool {
	for c.sealed.Load() {
		s.recorder.kick()
		if !s.recorder.config.Wait || !s.wait(c) {
			return false
		}
	}
	return true
}

// wait waits until the writer gives a chunk back, or reports that it never will.
func (s *stream) wait(c *chunk) bool {
	s.waiting.Store(true)
	defer s.waiting.Store(false)
	if !c.sealed.Load() {
		return true
	}
	select {
	case <-s.space:
		return true
	case <-s.recorder.ended:
		return false
	}
}

// drop counts a record that is lost.
func (s *stream) drop() []byte {
	s.dropped++
	s.recorder.dropped.Add(1)
	return nil
}

// show shows the writer the records up to at.
func (s *stream) show() {
	publish(s.used, uint32(s.at))
	if s.idle.Load() {
		s.register()
	}
}

// drain gives the writer what the stream has: all of it, or the chunks that are full. The payload has the room of a header before it.
func (s *stream) drain(all bool, write func(b *block, room []byte) error) error {
	for {
		c := &s.chunks[s.draining]
		sealed := c.sealed.Load()
		if !sealed && !all {
			return nil
		}
		if used := int(c.used.Load()); used > c.written {
			s.block = block{kind: blockRecords, handle: s.handle, dropped: c.dropped}
			if sealed && c.written == blockHeader && !s.isLong(c) {
				s.block.payload, s.block.hashed = c.hash, true
			}
			if err := write(&s.block, c.memory[c.written-blockHeader:used]); err != nil {
				return err
			}
			c.written = used
		}
		if !sealed {
			return nil
		}
		s.giveBack(c)
	}
}

// giveBack gives a chunk to the requests again.
func (s *stream) giveBack(c *chunk) {
	if s.isLong(c) {
		c.memory = nil
	}
	c.written = blockHeader
	c.used.Store(0)
	c.sealed.Store(false)
	s.draining = (s.draining + 1) % len(s.chunks)
	if s.waiting.Load() {
		select {
		case s.space <- struct{}{}:
		default:
		}
	}
}

// empty reports that the writer has taken all there is.
func (s *stream) empty() bool {
	c := &s.chunks[s.draining]
	return !c.sealed.Load() && int(c.used.Load()) <= c.written
}
