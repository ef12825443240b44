package lab

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
)

// A loop sends the first n prepared requests, in a cycle, and returns a checksum. The checksum keeps the compiler from
// leaving out work, and is the same for the engine and its peers on the same path.
//
// The loops are written out, one per path and implementation: a call through a func value or a type parameter inside of
// them would cost as much as the fastest thing that is measured. They are methods, not closures that a common function
// returns: Go 1.26 does not inline calls in a closure whose enclosing function was inlined itself, which made floor
// take 8 ns instead of 1.4. A workload with one object does not load its handle anew for each request; "many" is
// predicted, so that the test for it costs less than the load would.
type loop func(b *bed, n int) uint64

// sink takes the checksums, one a batch.
var sink atomic.Uint64

var paths = []report.Path{
	{Name: "lookup", Description: "find the item of a (GUID, id)"},
	{Name: "fast", Description: "a request without an IRP (FastProperty)"},
	{Name: "irp", Description: "a request through an open handle (IoControl), buffered and copied back"},
	{Name: "method", Description: "the same as a method (IOCTL_KS_METHOD), which reads or writes its buffer as the property would"},
}

var impls = []report.Impl{
	{Name: "engine", Kind: report.Engine, Description: "ksdispatch: exported functions, every check on"},
	{Name: "linear", Kind: report.Peer,
		Description: "scans sets and items in order; on irp it allocates a buffer per request, as ks.sys-like code does"},
	{Name: "map", Kind: report.Peer,
		Description: "the same dispatcher with a Go map keyed by the request's first 20 bytes; on irp with the engine's arena"},
	{Name: "open", Kind: report.Peer, Description: "the same with open addressing: entries of 64 bytes, at most half full"},
	{Name: "dense", Kind: report.Peer, Description: "the same with open addressing on the GUID, then an array by id"},
	{Name: "floor", Kind: report.Limit, Description: "reads GUID and id and indexes an array: less than any lookup"},
	{Name: "bare", Kind: report.Limit, Description: "calls the handler by one byte of the request, unchecked: less than any dispatch"},
	{Name: "guarded", Kind: report.Limit, Description: "bare under a recover, as a call must be that survives a panic"},
}

// loops by path and implementation. The limits are the same on every path; peers have no methods.
var loops = map[[2]string]loop{
	{"lookup", "engine"}: (*bed).lookupEngine,
	{"lookup", "linear"}: (*bed).lookupLinear,
	{"lookup", "map"}:    (*bed).lookupMap,
	{"lookup", "open"}:   (*bed).lookupOpen,
	{"lookup", "dense"}:  (*bed).lookupDense,
	{"lookup", "floor"}:  (*bed).floor,
	{"lookup", "bare"}:   (*bed).bare,

	{"fast", "engine"}:  (*bed).fastEngine,
	{"fast", "linear"}:  func(b *bed, n int) uint64 { return b.fastPeer(rival.ByLinear, n) },
	{"fast", "map"}:     func(b *bed, n int) uint64 { return b.fastPeer(rival.ByMap, n) },
	{"fast", "open"}:    (*bed).fastOpen,
	{"fast", "dense"}:   (*bed).fastDense,
	{"fast", "floor"}:   (*bed).floor,
	{"fast", "bare"}:    (*bed).bare,
	{"fast", "guarded"}: (*bed).guarded,

	{"irp", "engine"}:  (*bed).irpEngine,
	{"irp", "linear"}:  func(b *bed, n int) uint64 { return b.irpPeer(rival.ByLinear, n) },
	{"irp", "map"}:     func(b *bed, n int) uint64 { return b.irpPeer(rival.ByMap, n) },
	{"irp", "open"}:    func(b *bed, n int) uint64 { return b.irpPeer(rival.ByOpen, n) },
	{"irp", "dense"}:   func(b *bed, n int) uint64 { return b.irpPeer(rival.ByDense, n) },
	{"irp", "floor"}:   (*bed).floor,
	{"irp", "bare"}:    (*bed).bare,
	{"irp", "guarded"}: (*bed).guarded,

	{"method", "engine"}:  (*bed).methodEngine,
	{"method", "floor"}:   (*bed).floor,
	{"method", "bare"}:    (*bed).bare,
	{"method", "guarded"}: (*bed).guarded,
}

// The loops of lookup count the items found.

func (b *bed) lookupEngine(n int) (found uint64) {
	reqs, many := b.requests, len(b.objects) > 1
	f := &b.finders[0]
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			f = &b.finders[r.object]
		}
		in := r.in[:20]
		lo, hi, id := binary.LittleEndian.Uint64(in), binary.LittleEndian.Uint64(in[8:]), binary.LittleEndian.Uint32(in[16:])
		if f.direct.Ready() {
			if _, ok := f.direct.Find(lo, hi, uint64(id)); ok {
				found++
			}
		} else if _, ok := f.table.Find(lo, hi, id); ok {
			found++
		}
	}
	return found
}

func (b *bed) lookupLinear(n int) (found uint64) {
	reqs, many := b.requests, len(b.objects) > 1
	t := b.rivals[0].Linear
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			t = b.rivals[r.object].Linear
		}
		in := r.in[:20]
		if t.Find(binary.LittleEndian.Uint64(in), binary.LittleEndian.Uint64(in[8:]), binary.LittleEndian.Uint32(in[16:])) != nil {
			found++
		}
	}
	return found
}

func (b *bed) lookupMap(n int) (found uint64) {
	reqs, many := b.requests, len(b.objects) > 1
	t := b.rivals[0].Map
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			t = b.rivals[r.object].Map
		}
		in := r.in[:20]
		if t.Find((*[20]byte)(in)) != nil {
			found++
		}
	}
	return found
}

func (b *bed) lookupOpen(n int) (found uint64) {
	reqs, many := b.requests, len(b.objects) > 1
	t := &b.rivals[0].Open
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			t = &b.rivals[r.object].Open
		}
		in := r.in[:20]
		lo, hi, id := binary.LittleEndian.Uint64(in), binary.LittleEndian.Uint64(in[8:]), binary.LittleEndian.Uint32(in[16:])
		if _, ok := t.First(lo, hi, id); ok || t.Find(lo, hi, id) != nil {
			found++
		}
	}
	return found
}

func (b *bed) lookupDense(n int) (found uint64) {
	reqs, many := b.requests, len(b.objects) > 1
	t := &b.rivals[0].Dense
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			t = &b.rivals[r.object].Dense
		}
		in := r.in[:20]
		lo, hi, id := binary.LittleEndian.Uint64(in), binary.LittleEndian.Uint64(in[8:]), binary.LittleEndian.Uint32(in[16:])
		if _, ok := t.First(lo, hi, id); ok || t.Find(lo, hi, id) != nil {
			found++
		}
	}
	return found
}

// The loops of fast add up the Information and the statuses of the requests that are handled.

func (b *bed) fastEngine(n int) (sum uint64) {
	reqs, out, many := b.requests, b.out, len(b.objects) > 1
	var io engine.IoStatus
	d, file := b.dispatchers[0], b.files[0]
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			d, file = b.dispatchers[r.object], b.files[r.object]
		}
		if d.FastProperty(file, engine.UserMode, r.in, out[:r.out], &io) {
			sum += io.Information + uint64(io.Status)
		}
	}
	return sum
}

func (b *bed) fastPeer(step rival.Step, n int) (sum uint64) {
	reqs, out, many := b.requests, b.out, len(b.objects) > 1
	var io engine.IoStatus
	handles := b.peers[step]
	h := handles[0]
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			h = handles[r.object]
		}
		if h.FastProperty(engine.UserMode, r.in, out[:r.out], &io) {
			sum += io.Information + uint64(io.Status)
		}
	}
	return sum
}

// fastOpen and fastDense are fastPeer by the short paths of two rivals, which are called by their names, as the engine is.

func (b *bed) fastOpen(n int) (sum uint64) {
	reqs, out, many := b.requests, b.out, len(b.objects) > 1
	var io engine.IoStatus
	handles := b.peers[rival.ByOpen]
	h := handles[0]
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			h = handles[r.object]
		}
		if h.FastOpen(engine.UserMode, r.in, out[:r.out], &io) {
			sum += io.Information + uint64(io.Status)
		}
	}
	return sum
}

func (b *bed) fastDense(n int) (sum uint64) {
	reqs, out, many := b.requests, b.out, len(b.objects) > 1
	var io engine.IoStatus
	handles := b.peers[rival.ByDense]
	h := handles[0]
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			h = handles[r.object]
		}
		if h.FastDense(engine.UserMode, r.in, out[:r.out], &io) {
			sum += io.Information + uint64(io.Status)
		}
	}
	return sum
}

// The loops of irp and method add up BytesReturned and the statuses.

func (b *bed) irpEngine(n int) uint64 { return b.ioControl(ks.IoctlProperty, n) }

// methodEngine sends the same requests: the flags of a GET or a SET send a method as well (M-2).
func (b *bed) methodEngine(n int) uint64 { return b.ioControl(ks.IoctlMethod, n) }

func (b *bed) ioControl(code uint32, n int) (sum uint64) {
	reqs, out, many := b.requests, b.out, len(b.objects) > 1
	h := b.handles[0]
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			h = b.handles[r.object]
		}
		returned, status := h.IoControl(code, r.in, out[:r.out])
		sum += uint64(returned) + uint64(status)
	}
	return sum
}

func (b *bed) irpPeer(step rival.Step, n int) (sum uint64) {
	reqs, out, many := b.requests, b.out, len(b.objects) > 1
	handles := b.peers[step]
	h := handles[0]
	for i := range n {
		r := &reqs[i&(Requests-1)]
		if many {
			h = handles[r.object]
		}
		returned, status := h.IoControl(ks.IoctlProperty, r.in, out[:r.out])
		sum += uint64(returned) + uint64(status)
	}
	return sum
}

func (b *bed) floor(n int) (sum uint64) {
	reqs := b.requests
	for i := range n {
		in := reqs[i&(Requests-1)].in[:20]
		at := binary.LittleEndian.Uint64(in) ^ binary.LittleEndian.Uint64(in[8:]) ^ uint64(binary.LittleEndian.Uint32(in[16:]))
		sum += b.array[uint8(at)]
	}
	return sum
}

func (b *bed) bare(n int) (failed uint64) {
	reqs, out, irp := b.requests, b.out, &b.irp
	for i := range n {
		r := &reqs[i&(Requests-1)]
		in := r.in[:24]
		if binary.LittleEndian.Uint32(in[20:]) == 0 {
			failed++
		}
		if b.calls[in[16]%16](irp, in, out[:r.out]) != ks.StatusSuccess {
			failed++
		}
	}
	return failed
}
