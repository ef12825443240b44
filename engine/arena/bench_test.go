package arena

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// Each loop writes to the buffer, as everybody does, so that nothing is optimised away.

var benchSizes = []int{8, 56, 64, 256, 4096}

// BenchmarkAllocFree allocates and frees newest first. impl=try is the fast paths inlined with their fallbacks, impl=bare an
// indirect call of a handler picked by a byte of the request, which is what the rest is measured in.
func BenchmarkAllocFree(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("impl=arena/size=%d", size), func(b *testing.B) {
			a := newArena(b, Config{})
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				p, err := a.AllocUninit(size)
				if err != nil {
					b.Fatal(err)
				}
				p[0] = byte(i)
				a.Free(p)
			}
		})
		b.Run(fmt.Sprintf("impl=try/size=%d", size), func(b *testing.B) {
			a := newArena(b, Config{})
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				p := a.TryAlloc(size)
				if p == nil {
					var err error
					if p, err = a.AllocUninit(size); err != nil {
						b.Fatal(err)
					}
				}
				p[0] = byte(i)
				if !a.TryFree(p) {
					a.Free(p)
				}
			}
		})
		b.Run(fmt.Sprintf("impl=make/size=%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				p := make([]byte, size)
				p[0] = byte(i)
				sink = p
			}
		})
		b.Run(fmt.Sprintf("impl=pool/size=%d", size), func(b *testing.B) {
			pool := sync.Pool{New: func() any { p := make([]byte, size); return &p }}
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				p := pool.Get().(*[]byte)
				(*p)[0] = byte(i)
				pool.Put(p)
			}
		})
	}
	b.Run("impl=bare", func(b *testing.B) {
		requests := make([][32]byte, 65536)
		for i := range requests {
			requests[i][0] = byte(rand.Uint32())
		}
		var handlers [256]func(irp *int, request, data []byte) int
		for i := range handlers {
			handlers[i] = answer
		}
		irp, errs := new(int), 0
		b.ResetTimer()
		for i := 0; i < b.N; i++ {
			request := &requests[i%len(requests)]
			if handlers[request[0]](irp, request[:], nil) < 0 {
				errs++
			}
		}
		if errs != 0 {
			b.Fatal(errs)
		}
	})
}

//go:noinline
func answer(irp *int, request, data []byte) int {
	*irp = len(data)
	return len(request)
}

// BenchmarkOrder frees in other orders than newest first, 64 bytes each, n buffers at a time.
func BenchmarkOrder(b *testing.B) {
	for _, n := range []int{2, 16, 1024, 65536} {
		for _, order := range []string{"newest", "oldest", "random"} {
			b.Run(fmt.Sprintf("order=%s/live=%d", order, n), func(b *testing.B) {
				a := newArena(b, Config{})
				live := make([][]byte, n)
				perm := rand.New(rand.NewPCG(1, 2)).Perm(n)
				b.ReportAllocs()
				b.ResetTimer()
				for i := 0; i < b.N; i += n {
					for j := range live {
						live[j], _ = a.AllocUninit(64)
					}
					switch order {
					case "newest":
						for j := n - 1; j >= 0; j-- {
							a.Free(live[j])
						}
					case "oldest":
						for j := range live {
							a.Free(live[j])
						}
					case "random":
						for _, j := range perm {
							a.Free(live[j])
						}
					}
				}
			})
		}
	}
}

func BenchmarkMarkRelease(b *testing.B) {
	a := newArena(b, Config{})
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		m := a.Mark()
		p, _ := a.AllocUninit(64)
		p[0] = byte(i)
		a.Release(m)
	}
}

func BenchmarkPin(b *testing.B) {
	a := newArena(b, Config{})
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		p, _ := a.AllocUninit(64)
		a.Pin(p)
		a.Free(p)
	}
}

func BenchmarkFreeRemote(b *testing.B) {
	a := newArena(b, Config{})
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		p, _ := a.AllocUninit(64)
		a.FreeRemote(p)
	}
}

// BenchmarkPended is the workload of TestPendedIsFlat; about 6 ns of it are its random numbers.
func BenchmarkPended(b *testing.B) {
	p := pended{a: newArena(b, Config{}), r: rand.New(rand.NewPCG(1, 2)), long: make([][]byte, 1000)}
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if err := p.step(); err != nil {
			b.Fatal(err)
		}
	}
	s := p.a.Stats()
	b.ReportMetric(float64(s.Peak), "peak-B")
	b.ReportMetric(float64(s.Bytes), "live-B")
}
