package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// BatchRequest is one request of a batch: what IoControl takes and returns.
type BatchRequest struct {
	In, Out       []byte
	BytesReturned uint32
	Status        ks.Status
}

// chunk is how many requests are looked up at a time: four times as many misses as a processor keeps under way, so that few of them wait
// alone for the last.
const chunk = 64

// nearby is up to how many items a table is taken to be in the caches, where looking requests up one by one takes less.
const nearby = 4096

// PropertyBatch answers requests in order, each like IoControl with code ks.IoctlProperty, and sets what they return. A table that
// is larger than the caches is asked for several at once, so that its misses are waited for once; one guard against panics serves
// all requests up to the one whose handler panics (P-21), and neighbours with buffers of one length share it. PropertyBatch returns how
// many it answered: all, or those up to and with one that is pending because irp.UserEvent is not there to wait on.
//
// The requests of a batch must not overlap in memory, in that one's output is another's input.
func (d *Dispatcher) PropertyBatch(irp *IRP, requests []BatchRequest) (answered int) {
	b := batch{dispatcher: d, irp: irp, requests: requests, code: ks.IoctlProperty}
	if d.properties.table.Len() > nearby {
		var a ahead // only here, as it takes long to zero
		b.run(&a)
	} else {
		b.run(nil)
	}
	return b.next
}

// MethodBatch is PropertyBatch for method requests: each is answered like IoControl with code ks.IoctlMethod. Methods are looked up
// one by one, as no object has so many that its table leaves the caches.
func (d *Dispatcher) MethodBatch(irp *IRP, requests []BatchRequest) (answered int) {
	b := batch{dispatcher: d, irp: irp, requests: requests, code: ks.IoctlMethod}
	b.run(nil)
	return b.next
}

// batch is the requests of a PropertyBatch or MethodBatch on their way.
type batch struct {
	dispatcher *Dispatcher
	irp        *IRP
	requests   []BatchRequest
	code       uint32
	next       int // the request that is answered, or the first that is not
	end        int // of those that are answered under one guard
	returned   bool
	pending    bool
	dir        direction // of the request that is answered
	pool       *arena.Arena
	held       uint // length of the buffer at irp.base that the request before left to the next, with the IRP entered; or 0
}

// ahead is the requests of a batch that are looked up, from first to the batch's end.
type ahead struct {
	first int
	keys  [chunk]table.Key // as they were read once (S-2)
	flags [chunk]uint32
	found [chunk]*entry
}

// run answers the requests, up to one that is pending. a is where they are looked up ahead; nil if they are one by one. It is no field of
// the batch, where it would escape.
func (b *batch) run(a *ahead) {
	for b.next < len(b.requests) && !b.pending {
		if b.end = len(b.requests); a != nil {
			b.look(a)
		}
		b.answer(a)
	}
}

// look looks the next requests up.
func (b *batch) look(a *ahead) {
	part := b.requests[b.next:min(b.next+chunk, len(b.requests))]
	for i := range part {
		a.flags[i] = 0
		if in := part[i].In; len(in) >= ks.SizeIdentifier {
			lo, hi, word := words((*[ks.SizeIdentifier]byte)(in))
			a.keys[i], a.flags[i] = table.Key{Lo: lo, Hi: hi, ID: uint32(word)}, uint32(word>>32)
		}
	}
	b.dispatcher.properties.table.LookupBatch(a.keys[:len(part)], a.found[:])
	a.first, b.end = b.next, b.next+len(part)
}

// answer answers the requests from next to the end, or up to one that panics or is pending. Its loop is IoControl's short path, written
// out so that one guard covers all calls of handlers: serve sets up one for each request, and its call alone takes IoControl from 24 ns
// to 25.6.
func (b *batch) answer(a *ahead) {
	b.returned = false
	defer b.guard()
	d, irp := b.dispatcher, b.irp
	requests := b.requests[:b.end]
	for i := b.next; i < len(requests); i++ {
		if b.code == ks.IoctlProperty && b.held == getSize && b.dir == dataOut { // more of them may follow
			b.next = i
			b.gets(a)
			if i = b.next; i >= len(requests) {
				break
			}
		}
		r := &requests[i]
		in, out := r.In[:len(r.In):len(r.In)], r.Out[:len(r.Out):len(r.Out)]
		if len(in) < ks.SizeIdentifier || len(in) >= shortPathLimit || len(out) >= shortPathLimit || !b.ready() {
			if b.single(i); b.pending {
				return
			}
			continue
		}
		var handler Handler
		var dir direction
		var index uint32
		if b.code == ks.IoctlMethod {
			if handler, dir = b.method(i, in, out); handler == nil {
				if b.pending {
					return
				}
				continue
			}
			index = irp.index
		} else {
			var lo, hi, word uint64
			var e *entry
			if a != nil {
				k := &a.keys[i-a.first]
				lo, hi, word, e = k.Lo, k.Hi, uint64(k.ID)|uint64(a.flags[i-a.first])<<32, a.found[i-a.first]
			} else {
				lo, hi, word = words((*[ks.SizeIdentifier]byte)(in))
				if x := &d.properties.direct; x.Ready() {
					e = x.Lookup(lo, hi, uint32(word))
				} else {
					e = d.properties.table.Lookup(lo, hi, uint32(word))
				}
			}
			verb := uint32(word >> 32)
			if verb-1 > 1 {
				if b.single(i); b.pending {
					return
				}
				continue
			}
			irp.setRequest(lo, hi, word, uint32(len(in)), uint32(len(out)))
			if e == nil {
				b.drop()
				r.BytesReturned, r.Status = irp.reject(d, ks.IoctlProperty, d.missProperty(irp, lo, hi), in, out)
				continue
			}
			handler = e.Value.handlers[verb-1]
			if handler == nil || uint32(len(in)) < e.Value.minProperty() || uint32(len(out)) < e.Value.minData {
				b.drop()
				r.BytesReturned, r.Status = irp.reject(d, ks.IoctlProperty, d.rejectProperty(irp, e, handler), in, out)
				continue
			}
			index, dir = e.Tag, direction(verb)
		}
		irp.own(d)
		irp.index, irp.layout.dir = index, dir
		at := (len(out) + 7) &^ 7
		size := uint(at + len(in))
		var buffer []byte
		if b.held == size && !irp.isClosed() {
			b.held = 0
			buffer = irp.base.buffer(size)
			irp.layout.in, irp.layout.out = uint32(len(in)), uint32(len(out))
			irp.rule = ruleP17
			irp.setState(stateShort)
		} else {
			b.drop()
			if invariants.Enabled {
				b.returned = true // who finds another goroutine there has nothing to give up
			}
			irp.enterShort()
			if invariants.Enabled {
				b.returned = false
			}
			if irp.isClosed() {
				r.BytesReturned, r.Status = irp.tooLate(in, out)
				continue
			}
			if size <= keptSize && irp.isKept() {
				irp.reuse(int(size))
			} else if !irp.takeShort(int(size)) {
				b.next = i
				r.BytesReturned, r.Status = irp.serveAny(handler, in, out)
				continue
			}
			b.pool, buffer = irp.Pool, irp.SystemBuffer
			irp.setBuffer(uint32(len(in)), uint32(len(out)))
		}
		var request, data []byte
		if dir == dataOut && at == 8 && len(in) == ks.SizeIdentifier {
			request, data = split(buffer, len(out))
			irp.ident.write(request)
		} else {
			request, data, handler = irp.capture(in, out, handler)
		}
		b.next, b.dir = i, dir
		status := handler(irp, request, data)
		if !irp.plain(status, len(out)) || irp.Pool != b.pool || uint(len(irp.SystemBuffer)) != size || !irp.base.of(irp.SystemBuffer) {
			r.BytesReturned, r.Status = irp.finishChecked(status, b.dir, out)
			continue
		}
		r.BytesReturned, r.Status = irp.answerPlain(irp.SystemBuffer, b.dir, out), ks.StatusSuccess
		b.held = size
		irp.setState(stateEntered | stateServed)
	}
	b.drop()
	b.next, b.returned = b.end, true
}

// gets answers the requests from next on that are as most are: GETs of up to 8 bytes with an identifier and no more, one after the other
// in the buffer that the IRP keeps, while their handlers leave it there. It has the IRP from the request before and leaves it to the one
// behind them. Of the requests of answer these take the fewest instructions only in a function of their own, which has little to keep on
// its stack. The state stays that of a request that its handler has, as nothing is done between two of them.
//
//go:noinline
func (b *batch) gets(a *ahead) {
	irp := b.irp
	if !irp.isKept() {
		return
	}
	requests := b.requests[:b.end]
	b.held = 0
	irp.setState(stateShort)
	for ; uint(b.next) < uint(len(requests)); b.next++ {
		r := &requests[b.next]
		in, out := r.In[:len(r.In):len(r.In)], r.Out[:len(r.Out):len(r.Out)]
		if len(in) != ks.SizeIdentifier || uint(len(out))-1 >= 8 {
			break
		}
		// One condition of these four takes an instruction more of each request.
		if irp.owner != b.dispatcher {
			break
		}
		if irp.Memory != nil {
			break
		}
		if irp.UserEvent == nil {
			break
		}
		if irp.isClosed() {
			break
		}
		var lo, hi, word uint64
		var e *entry
		if a != nil {
			i := b.next - a.first
			k := &a.keys[i]
			lo, hi, word, e = k.Lo, k.Hi, uint64(k.ID)|uint64(a.flags[i])<<32, a.found[i]
			if uint32(word>>32) != ks.PropertyTypeGet || e == nil {
				break
			}
		} else {
			lo, hi, word = words((*[ks.SizeIdentifier]byte)(in))
			if uint32(word>>32) != ks.PropertyTypeGet {
				break
			}
			var ok bool
			if irp.direct.Ready() {
				if e, ok = irp.direct.Find(lo, hi, word); !ok {
					break
				}
			} else if e, ok = b.dispatcher.properties.table.Find(lo, hi, uint32(word)); !ok {
				break
			}
		}
		handler := e.Value.handlers[0]
		if handler == nil || !e.Value.takes(len(out)) {
			break
		}
		irp.setRequest(lo, hi, word, ks.SizeIdentifier, uint32(len(out)))
		irp.index, irp.layout.dir = e.Tag, dataOut
		irp.layout.in, irp.layout.out = ks.SizeIdentifier, uint32(len(out))
		irp.rule = ruleP17
		p := irp.reuse(getSize)
		binary.LittleEndian.PutUint64(p[:], 0)
		putWords((*[ks.SizeIdentifier]byte)(p[8:]), lo, hi, word)
		status := handler(irp, p[8:getSize:getSize], p[:len(out):len(out)])
		if !irp.plain(status, len(out)) || irp.Pool == nil || !irp.isKept() {
			r.BytesReturned, r.Status = irp.finishChecked(status, dataOut, out)
			b.next++
			return
		}
		irp.IoStatus.Status = ks.StatusSuccess
		information := irp.IoStatus.Information
		if information == 4 { // as in finishPlain
			binary.LittleEndian.PutUint32(out, binary.LittleEndian.Uint32(irp.window()[:]))
		} else {
			copy(out, irp.window()[:information])
		}
		r.BytesReturned, r.Status = uint32(information), ks.StatusSuccess
	}
	b.held = getSize
	irp.setState(stateEntered | stateServed)
}

// getSize is the length of the buffer of a GET of gets.
const getSize = 8 + ks.SizeIdentifier

// method looks a method up, and answers the request itself unless a handler with a buffer is to be called. It is no part of answer, where
// its variables would cost each property 9 instructions.
//
//go:noinline
func (b *batch) method(i int, in, out []byte) (Handler, direction) {
	d, irp, r := b.dispatcher, b.irp, &b.requests[i]
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(in))
	var e *table.Entry[methodSlot]
	if x := &d.methods.direct; x.Ready() {
		e = x.Lookup(lo, hi, uint32(word))
	} else {
		e = d.methods.table.Lookup(lo, hi, uint32(word))
	}
	if verb := uint32(word >> 32); verb > sent || e != nil && e.Value.flags&ks.MethodTypeSource != 0 {
		b.single(i)
		return nil, 0
	}
	irp.setRequest(lo, hi, word, uint32(len(in)), uint32(len(out)))
	if e == nil || e.Value.handler == nil || uint32(len(in)) < e.Value.minMethod || uint32(len(out)) < e.Value.minData {
		b.drop()
		r.BytesReturned, r.Status = irp.reject(d, ks.IoctlMethod, d.rejectMethod(irp, e), in, out)
		return nil, 0
	}
	irp.index = firstMethod + e.Tag
	return e.Value.handler, methodDirection(e.Value.flags)
}

// ready is IRP.ready, or that the IRP was entered for the request before and is this batch's still.
func (b *batch) ready() bool {
	irp := b.irp
	mine := irp.loadState() == 0 || b.held != 0
	invariants.Yield()
	return mine && irp.Memory == nil && irp.Pool != nil && irp.UserEvent != nil
}

// drop frees the buffer that is held for the next request and leaves the IRP.
func (b *batch) drop() {
	if b.held != 0 {
		b.free()
	}
}

//go:noinline
func (b *batch) free() {
	irp := b.irp
	defer irp.leave() // also if the arena of a checked build panics
	buffer := irp.base.buffer(b.held)
	if b.held = 0; irp.kept {
		return
	}
	irp.SystemBuffer = nil
	b.pool.Free(buffer)
}

// single answers a request that is no plain GET or SET as IoControl does. One that is pending ends the batch.
//
//go:noinline
func (b *batch) single(i int) {
	b.drop()
	r := &b.requests[i]
	b.next, b.returned = i, true // IoControl gives up what it has by itself
	r.BytesReturned, r.Status = b.dispatcher.IoControl(b.irp, b.code, r.In, r.Out)
	if b.returned = r.Status == ks.StatusPending; b.returned {
		b.next, b.pending = i+1, true
	}
}

// guard answers the request whose handler panicked (P-21), so that the batch goes on with the one behind it.
func (b *batch) guard() {
	if b.returned {
		return
	}
	value := recover()
	status := b.dispatcher.recoveredControl(b.irp, value)
	if value == nil {
		return // the goroutine ends
	}
	r := &b.requests[b.next]
	r.BytesReturned, r.Status = b.irp.finishChecked(status, b.dir, r.Out)
	b.next++
}
