package traces

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/ksdispatch/ksdispatch/cmd/ksbench/internal/exec"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// FromLines writes the trace of request lines that say how they were answered, with the keys x_status, x_n and x_output or x_digest. Each
// x_handle, or each object and file, is a handle on an object of that name, unless a line opens it. The times of such a trace are 0.
func FromLines(ctx context.Context, from io.Reader, to io.Writer) (requests uint64, err error) {
	header := trace.Header{ID: "lines", OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), Processors: 1,
		Start: time.Unix(0, 0).UTC(), Tick: time.Millisecond, ClockEvery: 1}
	w, err := trace.NewWriter(to, header, 0)
	if err != nil {
		return 0, err
	}
	c := &converting{to: w, open: make(map[string]uint32)}
	if err := each(ctx, from, c.line); err != nil {
		return 0, err
	}
	for _, name := range slices.SortedFunc(maps.Keys(c.open), func(a, b string) int { return cmp.Compare(c.open[a], c.open[b]) }) {
		if err := c.close(name); err != nil {
			return 0, err
		}
	}
	return c.requests, w.Close()
}

// converting makes records of lines.
type converting struct {
	to       *trace.Writer
	open     map[string]uint32 // by the names of handles
	handles  uint32            // that were opened
	order    uint64
	requests uint64
}

func (c *converting) write(rec trace.Record) error {
	c.order++
	rec.Order, rec.Begin = c.order, c.order-1
	return c.to.Write(&rec)
}

func (c *converting) line(l *line) error {
	switch {
	case l.Op == exec.ClientOpen && !l.Overlapped:
		if c.open[l.handle] != 0 {
			return fmt.Errorf("handle: %q is open; close it first, or take another name", l.handle)
		}
		return c.opened(l.handle, l.Object)
	case l.Op == exec.ClientClose:
		if c.open[l.handle] == 0 {
			return fmt.Errorf("handle: no line has opened %q", l.handle)
		}
		return c.close(l.handle)
	case l.Op != exec.ClientRequest || l.Tag != "" || l.Overlapped:
		return errors.New("only requests that do not pend, opens and closes can be converted; record the lines on a manifest: " +
			"ksbench trace record")
	}
	rec, err := l.record()
	if err != nil {
		return err
	}
	if c.open[l.handle] == 0 {
		if err := c.opened(l.handle, l.handle); err != nil {
			return err
		}
	}
	rec.Handle = c.open[l.handle]
	c.requests++
	return c.write(rec)
}

func (c *converting) opened(handle, object string) error {
	c.handles++
	c.open[handle] = c.handles
	return c.write(trace.Record{Kind: trace.KindOpen, Handle: c.handles, Parent: c.handles, In: []byte(object)})
}

func (c *converting) close(handle string) error {
	number := c.open[handle]
	delete(c.open, handle)
	return c.write(trace.Record{Kind: trace.KindClose, Handle: number})
}

// record is a line with its outcome as a record.
func (l *line) record() (rec trace.Record, err error) {
	if l.status == nil {
		return rec, errors.New("the line does not say how it was answered (x_status, x_n, x_output); " +
			"record it on a manifest: ksbench trace record")
	}
	rec = trace.Record{Kind: trace.KindRequest, Code: l.Code, Status: *l.status, Information: uint64(l.n),
		Digest: trace.Digest(l.output, l.n, *l.status), In: l.In, Out: l.Out, OutBytes: uint32(len(l.Out)),
		Flags: trace.FlagExact | trace.FlagCarried}
	switch produced := min(uint64(l.n), uint64(len(l.Out))); {
	case l.digest != nil && len(l.output) == 0:
		rec.Digest = *l.digest
	case l.digest != nil && *l.digest != rec.Digest:
		return rec, fmt.Errorf("x_digest: %016x is not that of x_output, %016x; leave one out", *l.digest, rec.Digest)
	case !l.status.IsError() && uint64(len(l.output)) != produced:
		return rec, fmt.Errorf("x_output: has %s, and x_n and out say %d", doc.Plural(len(l.output), "byte"), produced)
	}
	if l.Kernel {
		rec.Flags |= trace.FlagKernel
	}
	if l.Alias {
		rec.Flags |= trace.FlagAliased
	}
	if l.Code == ks.IoctlEnableEvent || l.Code == ks.IoctlDisableEvent {
		rec.Flags, rec.Event = rec.Flags|trace.FlagEvent, l.Event
	}
	return rec, nil
}

// requestLine is a line that exec answers. Its keys are in the order in which people read them.
type requestLine struct {
	Op           string  `json:"op,omitempty"`
	Handle       string  `json:"handle,omitempty"`
	Object       string  `json:"object,omitempty"`
	Parent       string  `json:"parent,omitempty"`
	Connect      string  `json:"connect,omitempty"`
	Set          string  `json:"set,omitempty"`
	ID           *uint32 `json:"id,omitempty"`
	Flags        *uint32 `json:"flags,omitempty"`
	In           *uint32 `json:"in,omitempty"`
	Out          *uint32 `json:"out,omitempty"`
	Extra        string  `json:"extra,omitempty"`
	Data         string  `json:"data,omitempty"`
	Alias        bool    `json:"alias,omitempty"`
	Mode         string  `json:"mode,omitempty"`
	EventData    uint64  `json:"event_data,omitempty"`
	Notification *uint32 `json:"notification,omitempty"`
	Overlapped   bool    `json:"overlapped,omitempty"`
	Tag          string  `json:"tag,omitempty"`
	Status       string  `json:"status,omitempty"`
	Information  uint64  `json:"information,omitempty"`

	XHandle string  `json:"x_handle,omitempty"`
	XIoctl  string  `json:"x_ioctl,omitempty"`
	XStatus string  `json:"x_status,omitempty"`
	XN      *uint64 `json:"x_n,omitempty"`
	XDigest string  `json:"x_digest,omitempty"`
}

// ToLines writes the lines of a trace, which exec and record answer. With outcomes each request says how it was answered, in keys that
// FromLines takes and exec does not. left is how many records no line can say: other control codes, and nodes that are created.
func ToLines(ctx context.Context, r *trace.Reader, to io.Writer, outcomes bool) (lines, left uint64, err error) {
	w := bufio.NewWriter(to)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	c := newLineMaker(r)
	encode := func(made []requestLine) error {
		for i := range made {
			if err := enc.Encode(&made[i]); err != nil {
				return err
			}
			lines++
		}
		return nil
	}
	for rec, err := range r.Records() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return lines, left, err
		}
		ended := c.ended(rec)
		made := c.make(rec)
		if made == nil {
			left++
		}
		if outcomes && len(made) > 0 && rec.Kind == trace.KindRequest {
			made[0].XHandle, made[0].XIoctl = c.name(rec.Handle), fmt.Sprintf("%08x", rec.Code)
			made[0].XStatus, made[0].XN = hex32(uint32(rec.Status)), &rec.Information
			if rec.Digest != 0 {
				made[0].XDigest = fmt.Sprintf("%016x", rec.Digest)
			}
		}
		if err := encode(append(ended, made...)); err != nil {
			return lines, left, err
		}
	}
	if err := encode(c.ended(nil)); err != nil {
		return lines, left, err
	}
	return lines, left, w.Flush()
}

// lineMaker makes lines of records.
type lineMaker struct {
	reader *trace.Reader
	owners map[uint32]uint32 // handles of lanes
	shared map[uint32]bool   // handles that have lanes
	events map[uint64]uint64 // small numbers for addresses
	tags   int
	pended []pendedLine
}

// pendedLine is a request that is pended, and the line that completes it.
type pendedLine struct {
	handle uint32 // or lane
	order  uint64
	status ks.Status
	done   requestLine
}

func newLineMaker(r *trace.Reader) *lineMaker {
	c := &lineMaker{reader: r, owners: make(map[uint32]uint32), shared: make(map[uint32]bool), events: make(map[uint64]uint64)}
	for _, o := range r.Opened() {
		if o.Lane {
			c.owners[o.Handle], c.shared[o.Parent] = o.Parent, true
		}
	}
	return c
}

// name is that of a handle, or of the one that a lane belongs to.
func (c *lineMaker) name(handle uint32) string {
	if owner, ok := c.owners[handle]; ok {
		handle = owner
	}
	return fmt.Sprintf("h%d", handle)
}

// ended returns the lines of requests that had ended when a record began, or of all for nil. What a cancel or a close ends has no line.
func (c *lineMaker) ended(rec *trace.Record) (lines []requestLine) {
	c.pended = slices.DeleteFunc(c.pended, func(q pendedLine) bool {
		if rec != nil && rec.Begin < q.order &&
			(rec.Kind != trace.KindClose || q.status == ks.StatusCancelled || rec.Order < q.order) {
			return false
		}
		lines = append(lines, q.done)
		return true
	})
	return lines
}

// cancelled returns the lines of a cancel: one for each request that it ended, so that others on the handle go on.
func (c *lineMaker) cancelled(rec *trace.Record) []requestLine {
	lines, others := []requestLine{}, false
	c.pended = slices.DeleteFunc(c.pended, func(q pendedLine) bool {
		if q.handle != rec.Handle && c.owners[q.handle] != rec.Handle {
			return false
		}
		if q.status != ks.StatusCancelled {
			others = true
			return false
		}
		lines = append(lines, requestLine{Op: "cancel", Tag: q.done.Tag})
		return true
	})
	if len(lines) == 0 && !others {
		lines = append(lines, requestLine{Op: "cancel", Handle: c.name(rec.Handle)}) // it found nothing
	}
	return lines
}

// closed returns the line of a close, which ends what the recording has as cancelled.
func (c *lineMaker) closed(rec *trace.Record) []requestLine {
	c.pended = slices.DeleteFunc(c.pended, func(q pendedLine) bool { return q.handle == rec.Handle || c.owners[q.handle] == rec.Handle })
	return []requestLine{{Op: "close", Handle: c.name(rec.Handle)}}
}

func hex32(v uint32) string { return fmt.Sprintf("0x%08x", v) }

// make returns the lines of a record, or nil if no line can say it.
func (c *lineMaker) make(rec *trace.Record) []requestLine {
	switch rec.Kind {
	case trace.KindOpen:
		return []requestLine{{Op: "open", Handle: c.name(rec.Handle), Object: string(rec.In), Overlapped: c.shared[rec.Handle]}}
	case trace.KindCreate:
		if rec.Flags&trace.FlagNamed != 0 {
			return nil
		}
		if rec.Flags&trace.FlagLane != 0 {
			return []requestLine{}
		}
		made := c.name(rec.Handle)
		if rec.Handle == 0 {
			made = fmt.Sprintf("refused%d", rec.Order)
		}
		return []requestLine{{Op: "create_pin", Handle: made, Parent: c.name(rec.Parent), Connect: hex.EncodeToString(rec.In),
			Overlapped: c.shared[rec.Handle]}}
	case trace.KindClose:
		return c.closed(rec)
	case trace.KindCancel:
		return c.cancelled(rec)
	case trace.KindGenerate:
		l := requestLine{Op: "generate", ID: &rec.Code, Data: hex.EncodeToString(rec.Out)}
		if len(rec.In) == len(ks.GUID{}) {
			l.Set = ks.GUID(rec.In).String()
		}
		i := slices.IndexFunc(c.reader.Opened(), func(o trace.Opened) bool { return o.Device == rec.Parent && o.Parent == 0 })
		if i < 0 {
			return nil
		}
		l.Object = c.reader.Opened()[i].Object
		return []requestLine{l}
	}
	return c.request(rec)
}

func (c *lineMaker) request(rec *trace.Record) []requestLine {
	op, ok := traffic.Ops[rec.Code]
	if !ok {
		return nil
	}
	var head [ks.SizeIdentifier]byte
	in := rec.In
	if rec.Code == ks.IoctlDisableEvent {
		in = nil
	}
	copy(head[:], in)
	id, _ := ks.DecodeIdentifier(head[:])
	inBytes := uint32(len(rec.In))
	l := requestLine{Op: op, Handle: c.name(rec.Handle), Set: id.Set.String(), ID: &id.ID, Flags: &id.Flags, In: &inBytes, Out: &rec.OutBytes,
		Extra: hex.EncodeToString(in[min(len(in), len(head)):]), Alias: rec.Flags&trace.FlagAliased != 0}
	if rec.Mode() == engine.KernelMode {
		l.Mode = "kernel"
	}
	data := rec.Out
	if rec.Flags&trace.FlagCarried == 0 {
		data = nil
	}
	if rec.Flags&trace.FlagEvent != 0 && rec.Event != 0 {
		if c.events[rec.Event] == 0 {
			c.events[rec.Event] = uint64(len(c.events) + 1)
		}
		l.EventData = c.events[rec.Event]
	}
	if rec.Code == ks.IoctlEnableEvent && len(data) >= 4 {
		n := binary.LittleEndian.Uint32(data)
		l.Notification, data = &n, data[4:]
	}
	l.Data = hex.EncodeToString(bytes.TrimRight(data, "\x00"))
	if rec.Flags&trace.FlagPended == 0 {
		return []requestLine{l}
	}
	c.tags++
	l.Tag = fmt.Sprintf("t%d", c.tags)
	done := requestLine{Op: "complete", Tag: l.Tag, Status: hex32(uint32(rec.Status)), Information: rec.Information}
	if rec.Flags&trace.FlagProduced != 0 {
		done.Data = hex.EncodeToString(rec.Out)
	}
	c.pended = append(c.pended, pendedLine{rec.Handle, rec.Order, rec.Status, done})
	return []requestLine{l}
}

// Cut says which records to keep.
type Cut struct {
	From, To time.Duration // To 0 is the end
	Handles  []uint32      // none is all
	Sets     []ks.GUID     // none is all; of requests only
}

// Write writes the records of a trace that are kept, with the handles that they need, and returns how many requests there are.
func (c Cut) Write(ctx context.Context, r *trace.Reader, to io.Writer) (requests uint64, err error) {
	w, err := trace.NewWriter(to, r.Header(), r.Dropped())
	if err != nil {
		return 0, err
	}
	handles := c.handles(r)
	for rec, err := range r.Records() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return requests, err
		}
		if !c.keeps(rec, handles) {
			continue
		}
		if rec.Kind == trace.KindRequest {
			requests++
		}
		if err := w.Write(rec); err != nil {
			return requests, err
		}
	}
	return requests, w.Close()
}

// handles are those that are opened, and whether their requests are kept: those that are named, with their lanes. What they were created
// on is opened, too. nil is all.
func (c Cut) handles(r *trace.Reader) map[uint32]bool {
	if len(c.Handles) == 0 {
		return nil
	}
	opened := r.Opened()
	parent := func(h uint32) uint32 {
		i, ok := slices.BinarySearchFunc(opened, h, func(o trace.Opened, h uint32) int { return cmp.Compare(o.Handle, h) })
		if !ok {
			return 0
		}
		return opened[i].Parent
	}
	kept := make(map[uint32]bool)
	for _, h := range c.Handles {
		kept[h] = true
	}
	for _, o := range opened {
		if o.Lane && kept[o.Parent] {
			kept[o.Handle] = true
		}
	}
	for _, h := range slices.Collect(maps.Keys(kept)) {
		for h = parent(h); h != 0; h = parent(h) {
			if !kept[h] {
				kept[h] = false // opened, so that what is kept can be created on it
			}
		}
	}
	return kept
}

func (c Cut) keeps(rec *trace.Record, handles map[uint32]bool) bool {
	switch rec.Kind {
	case trace.KindOpen, trace.KindCreate, trace.KindClose, trace.KindCancel:
		handle := rec.Handle
		if handle == 0 { // a create that was refused
			handle = rec.Parent
		}
		_, opened := handles[handle]
		return handles == nil || opened
	}
	if rec.Time < c.From || c.To > 0 && rec.Time >= c.To {
		return false
	}
	if rec.Kind != trace.KindRequest {
		return len(c.Sets) == 0
	}
	if handles != nil && !handles[rec.Handle] {
		return false
	}
	if len(c.Sets) == 0 {
		return true
	}
	id, ok := rec.Identifier()
	return ok && slices.Contains(c.Sets, id.Set)
}
