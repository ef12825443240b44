package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// blocks writes the blocks of a trace.
type blocks struct {
	to       io.Writer
	sequence uint64
}

// put writes a block whose payload follows the room for its header.
func (w *blocks) put(b *block, room []byte) error {
	b.sequence = w.sequence
	w.sequence++
	b.put(room, room[blockHeader:])
	n, err := w.to.Write(room)
	if err == nil && n < len(room) {
		err = io.ErrShortWrite
	}
	return err
}

// begin writes the first block of a part.
func (w *blocks) begin(h *Header) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return w.put(&block{kind: blockStart}, append(make([]byte, blockHeader), text...))
}

// end writes the last block of a part.
func (w *blocks) end(order, dropped uint64) error {
	return w.put(&block{kind: blockEnd, first: order, dropped: dropped}, make([]byte, blockHeader))
}

// Writer writes records that are there already, such as some of those that a Reader has. A Recorder is what records. It belongs to one
// goroutine.
type Writer struct {
	out     blocks
	rooms   map[uint32][]byte // payloads by handle, behind the room for a header; 0 has what is no request
	last    map[uint32]uint64 // order of the latest record of each
	dropped uint64
	order   uint64
	err     error
}

// pieceLength is how many bytes of a handle make a block.
const pieceLength = 64 << 10

// NewWriter begins a trace with a header, whose Version and Part are set. dropped is how many records are known to be missing. The error
// is that of w.
func NewWriter(w io.Writer, header Header, dropped uint64) (*Writer, error) {
	header.Version, header.Part = Version, 0
	if header.Sources == nil {
		header.Sources = []Source{}
	}
	t := &Writer{out: blocks{to: w}, rooms: make(map[uint32][]byte), last: make(map[uint32]uint64), dropped: dropped}
	if err := t.out.begin(&header); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return t, nil
}

// Write writes a record with the order and the times that it has. The requests of a handle come in the order
// in which they ended, and a handle is opened before anything is created on it. After an error nothing more is written.
func (w *Writer) Write(rec *Record) error {
	handle := rec.Handle
	if rec.Kind != KindRequest {
		handle = 0
	}
	switch size := rec.size(); {
	case w.err != nil:
		return w.err
	case size > maxPayload-pieceLength:
		return fmt.Errorf("trace: a record of %d bytes is longer than a block", size)
	case handle != 0 && rec.Order <= w.last[handle]:
		return fmt.Errorf("trace: record %d of handle %d comes after %d", rec.Order, handle, w.last[handle])
	}
	room := w.rooms[handle]
	if room == nil {
		room = make([]byte, blockHeader, blockHeader+pieceLength)
	}
	w.last[handle] = rec.Order
	w.order = max(w.order, rec.Order)
	if room = rec.appendTo(room); len(room) >= pieceLength {
		return w.flush(handle, room)
	}
	w.rooms[handle] = room
	return nil
}

// flush writes what a handle has, behind what has no handle.
func (w *Writer) flush(handle uint32, room []byte) error {
	if control := w.rooms[0]; handle != 0 && len(control) > blockHeader {
		if err := w.flush(0, control); err != nil {
			return err
		}
	}
	b := block{kind: blockRecords, handle: handle, first: firstOrder(room[blockHeader:])}
	if err := w.out.put(&b, room); err != nil {
		w.err = fmt.Errorf("trace: %w", err)
		return w.err
	}
	w.rooms[handle] = room[:blockHeader]
	return nil
}

// Close writes what is left, and the end.
func (w *Writer) Close() error {
	for _, handle := range slices.Sorted(maps.Keys(w.rooms)) {
		if room := w.rooms[handle]; len(room) > blockHeader && w.err == nil {
			_ = w.flush(handle, room)
		}
	}
	if w.err != nil {
		return w.err
	}
	if err := w.out.end(w.order, w.dropped); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}
