//go:build !(purego || invariants || race)

package engine

import (
	"encoding/binary"
	"math"
	"runtime"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// This is the package's only file with package unsafe. unsafe_checked.go is its twin, for purego, invariants and race builds.

// direct says that words can be read and written wherever they are, least significant byte first.
const direct = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// words splits an identifier into the three words that the dispatcher works with: the set, and the id with the flags above it. As calls
// of package binary each load and store leaves an instruction behind that does nothing.
func words(b *[ks.SizeIdentifier]byte) (lo, hi, word uint64) {
	if direct {
		p := (*[3]uint64)(unsafe.Pointer(b))
		return p[0], p[1], p[2]
	}
	return binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
}

// putWords is the inverse of words.
func putWords(b *[ks.SizeIdentifier]byte, lo, hi, word uint64) {
	if direct {
		p := (*[3]uint64)(unsafe.Pointer(b))
		p[0], p[1], p[2] = lo, hi, word
		return
	}
	binary.LittleEndian.PutUint64(b[0:], lo)
	binary.LittleEndian.PutUint64(b[8:], hi)
	binary.LittleEndian.PutUint64(b[16:], word)
}

// begins is where a slice begins: a parameter of one word in place of three. What becomes of it is checked by its length.
type begins struct{ at *byte }

func begin(b []byte) begins { return begins{unsafe.SliceData(b)} }

func (b begins) slice(n int) []byte { return unsafe.Slice(b.at, n) }

func (b begins) identifier() *[ks.SizeIdentifier]byte {
	return (*[ks.SizeIdentifier]byte)(unsafe.Pointer(b.at))
}

// takes reports that a request that is an identifier, with so many bytes of data, is as long as the item wants it.
func (s *slot) takes(data int) bool {
	if direct {
		return *(*uint64)(unsafe.Pointer(&s.minData)) <= uint64(data)
	}
	return s.minRest == 0 && uint64(s.minData) <= uint64(data)
}

// window is what a buffer of the short path is seen as: slicing an array costs a comparison with a constant, slicing a slice
// also the length and the capacity of what is left (12 instructions a request).
type window = [8 + ks.SizeIdentifier]byte

// split returns the parts of the buffer of a request with 1 to 8 bytes of output and no more than an identifier, and clears its
// data. That they lie within buffer, which TryAlloc made 32 bytes long, is not checked here: the twin does.
func split(buffer []byte, out int) (request, data []byte) {
	p := (*window)(unsafe.Pointer(unsafe.SliceData(buffer)))
	binary.LittleEndian.PutUint64(p[:], 0)
	return p[8:], p[:out:out]
}

// isKept reports that there is a kept buffer, whole and the pool's newest, and that it is SystemBuffer.
func (irp *IRP) isKept() bool {
	p := irp.base.at
	return irp.kept && unsafe.SliceData(irp.SystemBuffer) == p && cap(irp.SystemBuffer) == keptSize && irp.Pool.Newest(p)
}

// reuse has SystemBuffer be the first n bytes of the kept buffer, which it is: storing the pointer would cost a write barrier. n is at
// most keptSize.
func (irp *IRP) reuse(n int) *shortWindow {
	(*struct {
		at       *byte
		len, cap int
	})(unsafe.Pointer(&irp.SystemBuffer)).len = n
	return irp.window()
}

// isLaid reports that SystemBuffer begins where the buffer of the request does.
func (irp *IRP) isLaid() bool { return unsafe.SliceData(irp.SystemBuffer) == irp.base.at }

// window returns the kept buffer.
func (irp *IRP) window() *shortWindow { return (*shortWindow)(unsafe.Pointer(irp.base.at)) }

// answerValue copies the first four bytes of the kept buffer to out, which has room for them, unless nothing is to go out, as for a SET:
// then they go where they are. So there is no branch, which would be mispredicted half of the time where values are read and written.
func (irp *IRP) answerValue(dir direction, out []byte) {
	from, to := irp.base.at, unsafe.SliceData(out)
	if dir&dataOut == 0 {
		to = from
	}
	*(*[4]byte)(unsafe.Pointer(to)) = *(*[4]byte)(unsafe.Pointer(from))
}

// shortWindow is what the buffer of a short request is seen as.
type shortWindow = [8 + ks.SizeNode]byte

// anchor keeps where a buffer lies, though not how long it is: storing three words for each request would be more.
type anchor struct{ at *byte }

// set keeps b. It compares first, as storing a pointer costs a write barrier.
func (a *anchor) set(b []byte) {
	if at := unsafe.SliceData(b); a.at != at {
		a.at = at
	}
}

// of reports that b begins where the buffer that is kept does.
func (a *anchor) of(b []byte) bool { return len(b) != 0 && unsafe.SliceData(b) == a.at }

// buffer returns the n bytes that are kept: no more than the buffer had when it was.
func (a *anchor) buffer(n uint) []byte { return (*[reach]byte)(unsafe.Pointer(a.at))[:n:n] }

// reach is more bytes than any buffer has, and few enough for the type of an array.
const reach = math.MaxInt >> (16 * (^uint(0) >> 63))

// shardOf spreads IRPs, which have more than 256 bytes, among the shards of counters by where they lie.
func shardOf(irp *IRP) int { return int(uintptr(unsafe.Pointer(irp)) >> 8) }

// bareOf returns what the dispatcher has of a property and a verb, GET or SET, in bare. The number is that of an entry of the same
// dispatcher: that it is one is not checked here, which would be 3 of 22 instructions, but in the twin.
func (d *Dispatcher) bareOf(item, verb uint32) *bare {
	return (*bare)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(d.bare)), (2*uintptr(item)+uintptr(verb-1))*unsafe.Sizeof(bare{})))
}

// counter returns the counter at the place of a meter of the same Counts, which has one in each tally: the twin checks that.
func (t *tally) counter(at uint32) *uint64 {
	return (*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(t.counts)), uintptr(at)*unsafe.Sizeof(uint64(0))))
}

// addressOf returns the address of a client's buffer as a name for what it holds, 0 for an empty one. It is compared with other
// such names and leads nowhere: not to memory, and not the garbage collector. A buffer on the stack of its goroutine moves with
// it, so clients keep what names an event elsewhere.
func addressOf(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}
