package engine_test

import (
	"runtime"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestS9_FaultsOfControlCodes: every access to the caller's memory fails once, then the handler, with a status, a panic or the end of its
// goroutine. No buffer stays, no byte is read twice, and only a handler that was called has made the caller's output another.
func TestS9_FaultsOfControlCodes(t *testing.T) {
	const code = 0x00222000
	for method := range uint32(4) {
		for _, ends := range []func(){func() {}, func() { panic("fault") }, runtime.Goexit} {
			for failAt := 1; ; failAt++ {
				pool, err := arena.New(arena.Config{})
				if err != nil {
					t.Fatal(err)
				}
				m := newMemory([]byte("in"), []byte("out"))
				f := &faulty{memory: m, failAt: failAt}
				handler := func(irp *engine.IRP, _ uint32, _, out []byte) ks.Status {
					copy(out, "xyz")
					if f.next() {
						ends()
						return ks.StatusUnsuccessful
					}
					irp.IoStatus.Information = 3
					return ks.StatusSuccess
				}
				d, err := engine.Compile(engine.Config{OnPanic: func(any, []byte) {}, Control: handler})
				if err != nil {
					t.Fatal(err)
				}
				irp := &engine.IRP{Pool: pool, UserEvent: make(chan struct{}, 1), Memory: f}
				n, status := uint32(0), ks.StatusUnsuccessful
				exited := make(chan struct{})
				go func() {
					defer close(exited)
					n, status = d.IoControl(irp, code|method, make([]byte, 2), make([]byte, 3))
				}()
				<-exited
				if s := pool.Stats(); s.Live != 0 || s.Strays != 0 || irp.SystemBuffer != nil {
					t.Fatalf("method %d, step %d: %d buffers live, %d strays", method, failAt, s.Live, s.Strays)
				}
				for _, reads := range [][]int{m.inReads, m.outReads} {
					for _, r := range reads {
						if r > 1 {
							t.Fatalf("method %d, step %d: a byte was read %d times", method, failAt, r)
						}
					}
				}
				if changed := string(m.out) == "xyz"; changed && status.IsError() && method != ks.MethodOutDirect || status.IsError() && n != 0 {
					t.Fatalf("method %d, step %d: %d bytes, %v, output %q", method, failAt, n, status, m.out)
				}
				if f.step < failAt { // none failed
					if status != ks.StatusSuccess || n != 3 || (string(m.out) == "xyz") != (method != ks.MethodInDirect) {
						t.Errorf("method %d: %d bytes, %v, output %q", method, n, status, m.out)
					}
					break
				}
				if !status.IsError() {
					t.Fatalf("method %d, step %d of %d fails: %v", method, failAt, f.step, status)
				}
			}
		}
	}
}
