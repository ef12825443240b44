package arena

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// seed returns a fresh seed, logged, or the one that KSDISPATCH_SEED names.
func seed(t testing.TB) uint64 {
	s := rand.Uint64()
	if v := os.Getenv("KSDISPATCH_SEED"); v != "" {
		var err error
		if s, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatalf("KSDISPATCH_SEED: %v", err)
		}
	}
	t.Logf("KSDISPATCH_SEED=%d", s)
	return s
}

// buffer is what the model knows of a live buffer: its bytes all hold fill.
type buffer struct {
	b    []byte
	fill byte
}

// model is the naive twin of an arena: a slice of buffers, each filled with its own byte, and the lengths that the slice
// had at the open marks.
type model struct {
	t    testing.TB
	a    *Arena
	live []buffer
	open []openMark
	next byte
}

type openMark struct {
	m    Mark
	live []buffer // the buffers that were live at the mark and still are
}

func (m *model) alloc(n int, zeroed bool) {
	b, err := m.a.AllocUninit(n)
	if zeroed && err == nil {
		m.a.Free(b)
		b, err = m.a.Alloc(n)
	}
	if err != nil {
		if !errors.Is(err, ErrExhausted) && !errors.Is(err, ErrTooLarge) {
			m.t.Fatalf("Alloc(%d): %v", n, err)
		}
		return
	}
	if b == nil || len(b) != n || cap(b) != n {
		m.t.Fatalf("Alloc(%d): nil %t, len %d, cap %d", n, b == nil, len(b), cap(b))
	}
	if n == 0 {
		return
	}
	if address(b)%8 != 0 {
		m.t.Fatalf("Alloc(%d) at %#x is not aligned", n, address(b))
	}
	for i, v := range b {
		if zeroed && v != 0 {
			m.t.Fatalf("Alloc(%d): byte %d is %#x", n, i, v)
		}
	}
	m.next++
	for i := range b {
		b[i] = m.next
	}
	m.live = append(m.live, buffer{b, m.next})
}

func (m *model) verify(x buffer) {
	for i, v := range x.b {
		if v != x.fill {
			m.t.Fatalf("byte %d of a live buffer of %d bytes is %#x, want %#x", i, len(x.b), v, x.fill)
		}
	}
}

func (m *model) free(i int) {
	x := m.live[i]
	m.verify(x)
	m.live = append(m.live[:i:i], m.live[i+1:]...)
	for j := range m.open {
		o := &m.open[j]
		for k := range o.live {
			if &o.live[k].b[0] == &x.b[0] {
				o.live = append(o.live[:k:k], o.live[k+1:]...)
				break
			}
		}
	}
	m.a.Free(x.b)
}

func (m *model) mark() {
	m.open = append(m.open, openMark{m.a.Mark(), append([]buffer(nil), m.live...)})
}

func (m *model) release(i int) {
	m.a.Release(m.open[i].m)
	m.live, m.open = m.open[i].live, m.open[:i]
}

func (m *model) reset() {
	m.a.Reset()
	m.live, m.open = nil, nil
}

// check compares the counters and every byte.
func (m *model) check() {
	bytes := 16 * len(m.open)
	for _, x := range m.live {
		m.verify(x)
		bytes += (len(x.b) + 15) &^ 15
	}
	s := m.a.Stats()
	if s.Live != len(m.live) || s.Allocs-s.Frees != uint64(s.Live) || s.Strays != 0 {
		m.t.Fatalf("%d buffers are live; %+v", len(m.live), s)
	}
	if s.Bytes > bytes || s.Bytes < bytes-16*len(m.open) { // a mark on a full chunk needs no fence
		m.t.Fatalf("%d bytes are live, %d marks open; %+v", bytes, len(m.open), s)
	}
}

func TestModel(t *testing.T) {
	r := rand.New(rand.NewPCG(seed(t), 1))
	for _, cfg := range []Config{{}, {ChunkSize: 1}, {ChunkSize: 1000, Limit: 20_000}} {
		a, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		m := &model{t: t, a: a}
		for i := range 20_000 {
			switch k := r.IntN(100); {
			case k < 48:
				n := r.IntN(100)
				if r.IntN(20) == 0 {
					n = r.IntN(3000)
				}
				m.alloc(n, k < 24)
			case k < 70 && len(m.live) > 0:
				m.free(len(m.live) - 1)
			case k < 90 && len(m.live) > 0:
				m.free(r.IntN(len(m.live)))
			case k < 94:
				m.mark()
			case k < 99 && len(m.open) > 0:
				m.release(r.IntN(len(m.open)))
			case i%1000 == 0:
				m.reset()
			}
			if i%16 == 0 {
				m.check()
			}
		}
		m.check()
	}
}
