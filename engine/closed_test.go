package engine_test

import (
	"bytes"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestPoolIsClosed closes a pool of the heap in the handler of a request, with and without a buffer that is kept: the request ends as
// the handler says, with what it produced before, and later ones find no memory. Off the heap that is a crash, as arena.Config says.
func TestPoolIsClosed(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checked builds panic on a buffer that its pool's end has ended")
	}
	for _, keep := range []bool{false, true} {
		for _, size := range []int{4, 64, 1000, 40 << 10} {
			for _, flags := range []uint32{get, set, get | ks.PropertyTypeHighPriority} {
				closing := false
				s := serve(t, nines, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
					copy(data, "abcd")
					irp.IoStatus.Information = 4
					if closing {
						_ = irp.Pool.Close()
					}
					return ks.StatusSuccess
				}, Set: func(irp *engine.IRP, _, _ []byte) ks.Status {
					if closing {
						_ = irp.Pool.Close()
					}
					return ks.StatusSuccess
				}})
				if keep {
					s.irp.KeepBuffer()
				}
				s.send(1, flags, full(size))
				closing = true
				out := full(size)
				n, status := s.send(1, flags, out)
				if status != ks.StatusSuccess || flags != set && (n != 4 || !bytes.HasPrefix(out, []byte("abcd"))) {
					t.Errorf("keep %t, %d bytes, flags %#x: %d bytes, %v", keep, size, flags, n, status)
				}
				closing = false
				for range 2 {
					if n, status := s.send(1, flags, full(size)); n != 0 || status != ks.StatusInsufficientResources {
						t.Errorf("keep %t, %d bytes, flags %#x afterwards: %d bytes, %v", keep, size, flags, n, status)
					}
				}
				if st := s.pool.Stats(); st.Live != 0 {
					t.Errorf("keep %t, %d bytes, flags %#x: %+v", keep, size, flags, st)
				}
			}
		}
	}
}

// TestPoolIsClosedWhilePended: the request that is completed afterwards has its data all the same.
func TestPoolIsClosedWhilePended(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checked builds panic on a buffer that its pool's end has ended")
	}
	for _, keep := range []bool{false, true} {
		for _, size := range []int{4, 1000} {
			x := detach(t, engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusPending }})
			if keep {
				x.irp.KeepBuffer()
			}
			x.out = full(size)
			if _, status := x.send(1, get, x.out); status != ks.StatusPending {
				t.Fatal(status)
			}
			if err := x.pool.Close(); err != nil {
				t.Fatal(err)
			}
			copy(x.irp.Data(), "abcd")
			if !x.irp.Complete(ks.StatusSuccess, 4) {
				t.Error("the completion does not count")
			}
			if status := <-x.ended; status != ks.StatusSuccess || x.n != 4 || !bytes.HasPrefix(x.out, []byte("abcd")) {
				t.Errorf("keep %t, %d bytes: %d bytes, %v", keep, size, x.n, status)
			}
			if n, status := x.send(99, get, x.out); n != 0 || status != ks.StatusInsufficientResources {
				t.Errorf("keep %t, %d bytes afterwards: %d bytes, %v", keep, size, n, status)
			}
			if st := x.pool.Stats(); st.Live != 0 {
				t.Errorf("keep %t, %d bytes: %+v", keep, size, st)
			}
		}
	}
}
