//go:build linux && (amd64 || arm64)

package engine_test

import (
	"syscall"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Lengths at the wrap, on memory that is reserved and never touched: the fast path must not answer what an IRP refuses (P-5).
func TestS20_SizesAtTheWrap(t *testing.T) {
	huge, err := syscall.Mmap(-1, 0, 1<<32+4096, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		t.Skip("no address space: ", err)
	}
	defer syscall.Munmap(huge)
	h := fastHost(t, engine.FastPropertyItem{Get: fastAnswers(0, 1)}, engine.PropertyItem{Get: accepts})
	in := request{set: setA, id: 1, flags: get}.bytes()
	var io engine.IoStatus
	for out, fits := range map[uint64]bool{0xFFFFFFE0: true, 0xFFFFFFE1: false, 0xFFFFFFF8: false, 0xFFFFFFFF: false, 1 << 32: false,
		1<<32 + 8: false} {
		if handled := h.FastProperty(&h.file, engine.UserMode, in, huge[:out], &io); handled != fits {
			t.Errorf("DataLength %#x: handled %v", out, handled)
		}
		want := ks.StatusInvalidBufferSize
		if out > 0xFFFFFFFF {
			want = ks.StatusInvalidParameter // DeviceIoControl takes 32-bit lengths
		}
		if fits {
			continue // an IRP would take 4 GiB
		}
		if n, status := h.device.IoControl(ks.IoctlProperty, in, huge[:out]); n != 0 || status != want {
			t.Errorf("Out %#x: %v", out, status)
		}
	}
}
