package trace

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
)

// Device returns a reader of what the trace has of one device: the handles that were opened on it, and what was created on those.
// Devices share nothing, so what they answer to a replay of one after the other is what they answer to a replay of all.
func (r *Reader) Device(number uint32) *Reader {
	d := *r
	d.opened, d.control = nil, nil
	for _, o := range r.opened {
		if o.Device == number {
			d.opened = append(d.opened, o)
		}
	}
	n := 0
	for i := range r.control {
		if r.deviceOf(&r.control[i]) == number {
			n++
		}
	}
	d.control = make([]Record, 0, n)
	for i := range r.control {
		if rec := &r.control[i]; r.deviceOf(rec) == number {
			d.control = append(d.control, *rec)
			d.control[len(d.control)-1].opened = d.indexOf(rec.Handle)
		}
	}
	return &d
}

// deviceOf is the number of the device that a record of no handle is about, 0 if that is on a handle that nobody opened.
func (r *Reader) deviceOf(rec *Record) uint32 {
	i := rec.opened
	switch {
	case rec.Kind == KindOpen, rec.Kind == KindGenerate:
		return rec.Parent
	case rec.Kind == KindCreate && i < 0: // it was refused
		i = r.indexOf(rec.Parent)
	}
	if i < 0 {
		return 0
	}
	return r.opened[i].Device
}

// Locate returns the block that a record of the trace is in, and the offset of that block's header.
func (r *Reader) Locate(rec *Record) (block int, offset int64) {
	handle := rec.Handle
	if rec.Kind != KindRequest {
		handle = 0
	}
	for n := range r.blocks {
		if b := &r.blocks[n]; b.kind == blockRecords && b.handle == handle && b.first <= rec.Order {
			block, offset = n, b.offset
		}
	}
	return block, offset
}

// Sum is the sum of the hashes of all payloads: of traces whose sums are the same, the records are too. Those of several traces add.
func (r *Reader) Sum() (sum uint64) {
	for n := range r.blocks {
		sum += r.blocks[n].payload
	}
	return sum
}

// ReadHeader reads how a trace, or a part of one, was recorded, and no more than that.
func ReadHeader(from io.Reader) (h Header, err error) {
	var head [blockHeader]byte
	var b block
	if _, err := io.ReadFull(from, head[:]); err != nil || !b.read(head[:]) || b.kind != blockStart || b.length > maxPayload {
		return h, fmt.Errorf("block 0 at offset 0: this is no trace, or its first block is damaged; name a .kst file")
	}
	text, err := io.ReadAll(io.LimitReader(from, int64(b.length)))
	if err != nil || len(text) != int(b.length) || xxhash.Sum64(text) != b.payload {
		return h, fmt.Errorf("block 0 at offset 0: its bytes are not those that were written: get the file anew")
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, fmt.Errorf("block 0 at offset 0: the header of the trace cannot be read: %w", err)
	}
	return h, nil
}
