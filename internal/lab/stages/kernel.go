package stages

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The loops here do one step of a request over all requests, once. What they add up is a sink. They are written out for the
// reason that package bench gives.

var sink atomic.Uint64

// read reads a request's identifier, which every other loop here does too.
func (p *pipeline) read() (sum uint64) {
	for i := range p.requests {
		in := p.requests[i].In[:ks.SizeIdentifier]
		sum += binary.LittleEndian.Uint64(in) ^ binary.LittleEndian.Uint64(in[8:]) ^ binary.LittleEndian.Uint64(in[16:])
	}
	return sum
}

// Seeds of the hash: any odd numbers will do.
const seedLo, seedHi, seedID = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

func (p *pipeline) hash() (sum uint64) {
	for i := range p.requests {
		in := p.requests[i].In[:ks.SizeIdentifier]
		hi, lo := bits.Mul64(binary.LittleEndian.Uint64(in)^seedLo,
			binary.LittleEndian.Uint64(in[8:])^seedHi^uint64(binary.LittleEndian.Uint32(in[16:]))*seedID)
		sum += lo ^ bits.ReverseBytes64(hi)
	}
	return sum
}

func (p *pipeline) pilot() (sum uint64) {
	buckets := uint64(len(p.pilots))
	for i := range p.requests {
		in := p.requests[i].In[:ks.SizeIdentifier]
		hi, lo := bits.Mul64(binary.LittleEndian.Uint64(in)^seedLo,
			binary.LittleEndian.Uint64(in[8:])^seedHi^uint64(binary.LittleEndian.Uint32(in[16:]))*seedID)
		h := lo ^ bits.ReverseBytes64(hi)
		sum += p.windows[h>>58] + (h>>32^h*uint64(p.pilots[h>>32*buckets>>32])>>16)&p.mask
	}
	return sum
}

func (p *pipeline) lookup() (found uint64) {
	t := p.table
	for i := range p.requests {
		in := p.requests[i].In[:ks.SizeIdentifier]
		if t.Lookup(binary.LittleEndian.Uint64(in), binary.LittleEndian.Uint64(in[8:]), binary.LittleEndian.Uint32(in[16:])) != nil {
			found++
		}
	}
	return found
}

func (p *pipeline) bare() (done uint64) {
	var irp engine.IRP
	for i := range p.requests {
		r := &p.requests[i]
		if p.handlers[r.In[16]%16](&irp, r.In, r.Out) == ks.StatusSuccess {
			done++
		}
	}
	return done
}

// copy captures the identifier, whole.
func (p *pipeline) copy() (sum uint64) {
	b := p.scratch[:ks.SizeIdentifier]
	for i := range p.requests {
		in := p.requests[i].In[:ks.SizeIdentifier]
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(in))
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(in[8:]))
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(in[16:]))
	}
	return uint64(b[0])
}

func (p *pipeline) zero() (sum uint64) {
	b := p.scratch[:8]
	for i := range p.requests {
		in := p.requests[i].In[:ks.SizeIdentifier]
		sum += binary.LittleEndian.Uint64(in) ^ binary.LittleEndian.Uint64(in[8:]) ^ binary.LittleEndian.Uint64(in[16:])
		binary.LittleEndian.PutUint64(b, 0)
	}
	return sum
}

// back copies four bytes to the caller, of which the compiler knows no more than the engine does.
func (p *pipeline) back() (sum uint64) {
	b := p.scratch[:4]
	for i := range p.requests {
		r := &p.requests[i]
		in := r.In[:ks.SizeIdentifier]
		sum += binary.LittleEndian.Uint64(in) ^ binary.LittleEndian.Uint64(in[8:]) ^ binary.LittleEndian.Uint64(in[16:])
		copy(r.Out, b)
	}
	return sum
}

// arenaOnly takes and frees a buffer as long as that of a request with four bytes of data.
func (p *pipeline) arenaOnly() (taken uint64) {
	for i := range p.requests {
		b := take(p.irp.Pool, 8+ks.SizeIdentifier)
		b[0] = byte(i)
		taken++
		give(p.irp.Pool, b)
	}
	return taken
}

func (p *pipeline) call() (sum uint64) {
	f := p.empty
	for i := range p.requests {
		sum += f(uint64(i))
	}
	return sum
}

//go:noinline
func same(x uint64) uint64 { return x }

func (p *pipeline) guard() (sum uint64) {
	for i := range p.requests {
		sum += guarded(uint64(i))
	}
	return sum
}

func (p *pipeline) plain() (sum uint64) {
	for i := range p.requests {
		sum += unguarded(uint64(i))
	}
	return sum
}

// guarded is the engine's guard around nothing.
//
//go:noinline
func guarded(x uint64) (y uint64) {
	y = unreturned
	defer func() {
		if y == unreturned {
			y = thrown(recover())
		}
	}()
	y = same(x)
	return y
}

const unreturned = ^uint64(0)

//go:noinline
func unguarded(x uint64) (y uint64) {
	y = same(x)
	return y
}

func thrown(any) uint64 { return 0 }

func (p *pipeline) multiply() (x uint64) {
	x = seedLo
	for range p.requests {
		hi, lo := bits.Mul64(x, seedHi)
		x = hi ^ lo
	}
	return x
}

func (p *pipeline) clock() (sum uint64) {
	for range p.requests {
		sum += uint64(time.Now().Nanosecond())
	}
	return sum
}

// take is the first half of device.Handle's allocator.
func take(a *arena.Arena, size uint32) []byte {
	b := a.TryAlloc(int(size))
	if b == nil {
		b, _ = a.AllocUninit(int(size)) // nil again, which the engine refuses
	}
	return b
}

func give(a *arena.Arena, b []byte) {
	if !a.TryFree(b) {
		a.Free(b)
	}
}
