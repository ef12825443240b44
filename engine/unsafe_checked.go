//go:build purego || invariants || race

package engine

import (
	"encoding/binary"
	"reflect"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// words is documented in unsafe.go.
func words(b *[ks.SizeIdentifier]byte) (lo, hi, word uint64) {
	return binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
}

// putWords is documented in unsafe.go.
func putWords(b *[ks.SizeIdentifier]byte, lo, hi, word uint64) {
	binary.LittleEndian.PutUint64(b[0:], lo)
	binary.LittleEndian.PutUint64(b[8:], hi)
	binary.LittleEndian.PutUint64(b[16:], word)
}

// begins is documented in unsafe.go.
type begins struct{ b []byte }

func begin(b []byte) begins { return begins{b} }

func (b begins) slice(n int) []byte { return b.b[:n] }

func (b begins) identifier() *[ks.SizeIdentifier]byte { return (*[ks.SizeIdentifier]byte)(b.b) }

// takes is documented in unsafe.go.
func (s *slot) takes(data int) bool { return s.minRest == 0 && uint64(s.minData) <= uint64(data) }

// split is documented in unsafe.go.
func split(buffer []byte, out int) (request, data []byte) {
	clear(buffer[:8])
	return buffer[8 : 8+ks.SizeIdentifier : 8+ks.SizeIdentifier], buffer[:out:out]
}

// isKept is documented in unsafe.go.
func (irp *IRP) isKept() bool {
	return irp.kept && irp.base.of(irp.SystemBuffer) && cap(irp.SystemBuffer) == keptSize && irp.Pool.Newest(&irp.SystemBuffer[0])
}

// reuse is documented in unsafe.go.
func (irp *IRP) reuse(n int) *shortWindow {
	irp.SystemBuffer = irp.SystemBuffer[:n]
	return irp.window()
}

// isLaid is documented in unsafe.go.
func (irp *IRP) isLaid() bool { return irp.base.of(irp.SystemBuffer) }

// window is documented in unsafe.go.
func (irp *IRP) window() *shortWindow { return (*shortWindow)(irp.base.buffer(8 + ks.SizeNode)) }

// answerValue is documented in unsafe.go.
func (irp *IRP) answerValue(dir direction, out []byte) {
	if dir&dataOut != 0 {
		*(*[4]byte)(out) = [4]byte(irp.window()[:4])
	}
}

// shortWindow is documented in unsafe.go.
type shortWindow = [8 + ks.SizeNode]byte

// anchor is documented in unsafe.go.
type anchor struct{ b []byte }

func (a *anchor) set(b []byte) { a.b = b }

func (a *anchor) of(b []byte) bool { return len(b) != 0 && len(a.b) != 0 && &b[0] == &a.b[0] }

func (a *anchor) buffer(n uint) []byte { return a.b[:n:n] }

// shardOf is documented in unsafe.go. Here all requests are counted in the first shard.
func shardOf(*IRP) int { return 0 }

// bareOf is documented in unsafe.go.
func (d *Dispatcher) bareOf(item, verb uint32) *bare { return &d.bare[item][verb-1] }

// counter is documented in unsafe.go.
func (t *tally) counter(at uint32) *uint64 { return &t.counts[at] }

// addressOf is documented in unsafe.go. What package reflect is asked about moves to the heap, and so do buffers that would be on
// a caller's stack: a purego build allocates them.
func addressOf(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(reflect.ValueOf(&b[0]).Pointer())
}
