package arena

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/internal/resident"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// The layout that the speed rests on, checked by the compiler: what the fast paths touch is on the first cache line, and
// what other goroutines write is on lines of its own, at either end.
const (
	hotEnd      = unsafe.Offsetof(Arena{}.frees) + unsafe.Sizeof(uint64(0))
	remoteStart = unsafe.Offsetof(Arena{}.table)
	remoteEnd   = unsafe.Offsetof(Arena{}.remoteStrays) + unsafe.Sizeof(uint64(0))

	_ uintptr = 64 - hotEnd
	_ uintptr = remoteStart - hotEnd - 64
	_ uintptr = unsafe.Sizeof(Arena{}) - remoteEnd - 64
)

func newArena(t testing.TB, cfg Config) *Arena {
	t.Helper()
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func alloc(t testing.TB, a *Arena, n int) []byte {
	t.Helper()
	b, err := a.AllocUninit(n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantStats(t *testing.T, a *Arena, want Stats) {
	t.Helper()
	if got := a.Stats(); got != want {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func TestNewRejects(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{ChunkSize: -1}, "Config.ChunkSize is -1"},
		{Config{ChunkSize: int(^uint(0) >> 1)}, "Config.ChunkSize is"},
		{Config{Limit: -5}, "Config.Limit is -5"},
		{Config{HugePages: true}, "needs Config.OffHeap"},
	} {
		if a, err := New(c.cfg); a != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%+v): %v, want an error with %q", c.cfg, err, c.want)
		}
	}
	if _, err := New(Config{OffHeap: true}); (err == nil) != offHeap || err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("off-heap memory is there: %t; New: %v", offHeap, err)
	}
}

func TestFreeNewestRewinds(t *testing.T) {
	a := newArena(t, Config{})
	x := alloc(t, a, 56)
	y := alloc(t, a, 100)
	a.Free(y)
	if z := alloc(t, a, 100); address(z) != address(y) {
		t.Errorf("the buffer after a free of the newest is at %#x, want %#x", address(z), address(y))
	} else {
		a.Free(z)
	}
	a.Free(x)
	wantStats(t, a, Stats{Allocs: 3, Frees: 3, Chunks: 1, Reserved: 64 << 10, Peak: 64 << 10})
}

// A chunk comes back when nothing in it is live, in whatever order that happens.
func TestFreeAnyOrderRecycles(t *testing.T) {
	a := newArena(t, Config{ChunkSize: 1024})
	r := rand.New(rand.NewPCG(testkit.Seed(t), 3))
	for range 50 {
		var live [][]byte
		for range 60 { // four chunks
			live = append(live, alloc(t, a, 56))
		}
		r.Shuffle(len(live), func(i, j int) { live[i], live[j] = live[j], live[i] })
		for _, b := range live {
			a.Free(b)
		}
	}
	// Four chunks hold them. The fifth is there because TryFree does not look whether what it leaves is all dead.
	if s := a.Stats(); s.Live != 0 || s.Bytes != 0 || s.Chunks > 5 || s.Empty < s.Chunks-1 {
		t.Errorf("%+v", s)
	}
}

func TestEmptyBuffers(t *testing.T) {
	a := newArena(t, Config{})
	a.Free(nil)
	a.Pin(nil)
	a.Unpin(nil)
	a.FreeRemote(nil)
	for _, alloc := range []func(int) ([]byte, error){a.Alloc, a.AllocUninit} {
		b, err := alloc(0)
		if b == nil || len(b) != 0 || cap(b) != 0 || err != nil {
			t.Errorf("nothing is %v, cap %d, %v", b, cap(b), err)
		}
		a.Free(b)
		a.FreeRemote(b)
	}
	wantStats(t, a, Stats{})
}

func TestTooLarge(t *testing.T) {
	a := newArena(t, Config{})
	for _, n := range []int{-1, -1 << 31, int(^uint(0) >> 1), -int(^uint(0)>>1) - 1, maxRequest + 1} {
		b, err := a.Alloc(n)
		if b != nil || !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), fmt.Sprint(n, " bytes requested")) {
			t.Errorf("Alloc(%d): %d bytes, %v", n, len(b), err)
		}
	}
	wantStats(t, a, Stats{Failures: 5})
}

// What a limit makes fail leaves nothing behind, and succeeds once there is room.
func TestExhausted(t *testing.T) {
	a := newArena(t, Config{ChunkSize: 4096, Limit: 10_000})
	if _, err := a.Alloc(10_000); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("more than the limit: %v", err)
	}
	var live [][]byte
	for {
		b, err := a.Alloc(1000)
		if err != nil {
			if want := "arena: exhausted: 1000 bytes requested, 10000 of at most 10000 bytes reserved"; !errors.Is(err, ErrExhausted) ||
				err.Error() != want {
				t.Fatalf("%v, want %v", err, want)
			}
			break
		}
		live = append(live, b)
	}
	wantStats(t, a, Stats{Allocs: 9, Live: 9, Bytes: 9 * 1008, Chunks: 3, Reserved: 10_000, Peak: 10_000, Failures: 2})
	for _, b := range live {
		a.Free(b)
	}
	b, err := a.Alloc(10_000 - 16) // all of it, which means that the free chunks make room
	if err != nil {
		t.Fatal(err)
	}
	a.Free(b)
	wantStats(t, a, Stats{Allocs: 10, Frees: 10, Chunks: 1, Empty: 1, Reserved: 10_000, Peak: 10_000, Failures: 2})
}

// Every allocation of a run fails once, and whatever succeeded before is freed: the counters balance each time (S-9).
func TestFaultsBalance(t *testing.T) {
	const steps = 40
	for fail := range steps {
		a := newArena(t, Config{ChunkSize: 512, Limit: 512 * (fail + 1)})
		var live [][]byte
		for range steps {
			b, err := a.Alloc(480)
			if err != nil {
				break
			}
			live = append(live, b)
		}
		if len(live) != fail+1 {
			t.Fatalf("%d allocations under a limit of %d chunks", len(live), fail+1)
		}
		for _, b := range live {
			a.Free(b)
		}
		failures := uint64(1)
		if fail == steps-1 {
			failures = 0
		}
		if s := a.Stats(); s.Live != 0 || s.Bytes != 0 || s.Allocs != uint64(fail+1) || s.Frees != s.Allocs || s.Failures != failures {
			t.Fatalf("after %d allocations: %+v", fail+1, s)
		}
	}
}

// Huge requests are not remembered for ever, and the usual large ones are.
func TestLargeChunks(t *testing.T) {
	a := newArena(t, Config{ChunkSize: 4096})
	a.Free(alloc(t, a, 1<<20))
	if s := a.Stats(); s.Reserved != 0 || s.Chunks != 0 {
		t.Errorf("a huge chunk is kept: %+v", s)
	}
	for n := 5000; n < 60_000; n += 61 {
		a.Free(alloc(t, a, n))
	}
	s := a.Stats()
	if s.Reserved > 16*4096 || s.Chunks == 0 {
		t.Errorf("growing sizes: %+v", s)
	}
	x := alloc(t, a, 5000)
	y := alloc(t, a, 56)
	a.Free(x)
	a.Free(y)
	if s := a.Stats(); s.Live != 0 || s.Bytes != 0 {
		t.Errorf("%+v", s)
	}
}

func TestMarksNest(t *testing.T) {
	a := newArena(t, Config{ChunkSize: 512})
	old := alloc(t, a, 56)
	outer := a.Mark()
	for range 30 {
		alloc(t, a, 56)
	}
	inner := a.Mark()
	alloc(t, a, 5000)
	a.Free(old) // older than either mark, freed under both
	a.Release(inner)
	if s := a.Stats(); s.Live != 30 || s.Frees != 2 {
		t.Fatalf("inner: %+v", s)
	}
	a.Release(outer)
	if s := a.Stats(); s.Live != 0 || s.Bytes != 0 || s.Allocs != 32 || s.Frees != 32 {
		t.Fatalf("outer: %+v", s)
	}
}

// A mark needs a chunk for its fence, and does without where there is no memory for one.
func TestMarkWithoutRoom(t *testing.T) {
	a := newArena(t, Config{ChunkSize: 256, Limit: 512})
	m := a.Mark()
	if a.cur == nowhere {
		t.Error("a mark on an empty arena leaves it without a current chunk, each time")
	}
	a.Release(m)
	first, last := alloc(t, a, 240), alloc(t, a, 240)
	m = a.Mark()
	if s := a.Stats(); s.Failures != 0 || s.Bytes != 480 {
		t.Errorf("%+v", s)
	}
	if _, err := a.Alloc(1); !errors.Is(err, ErrExhausted) {
		t.Errorf("Alloc: %v", err)
	}
	a.Free(last) // older than the mark
	x := alloc(t, a, 8)
	a.Release(m)
	if s := a.Stats(); s.Live != 1 || s.Bytes != 240 {
		t.Errorf("%+v", s)
	}
	if y := alloc(t, a, 8); address(y) != address(x) {
		t.Errorf("%#x is handed out, %#x was released", address(y), address(x))
	}
	a.Free(first)
}

func TestReleaseOfEndedMark(t *testing.T) {
	a, other := newArena(t, Config{}), newArena(t, Config{})
	outer := a.Mark()
	inner := a.Mark()
	a.Release(outer)
	foreign := other.Mark()
	a.Mark()
	b := alloc(t, a, 8)
	for _, c := range []struct {
		m    Mark
		want string
	}{{outer, "has ended"}, {inner, "has ended"}, {foreign, "another arena's"}, {Mark{}, "zero Mark"}} {
		wantMisuse(t, c.want, func() { a.Release(c.m) })
	}
	if s := a.Stats(); s.Live != 1 {
		t.Errorf("%+v", s)
	}
	a.Free(b)
}

// wantMisuse checks that f panics in an invariant build, with a message that holds want, and does not in another.
func wantMisuse(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		v := recover()
		switch s := fmt.Sprint(v); {
		case !invariants.Enabled && v != nil:
			t.Errorf("a production build panicked: %v", v)
		case invariants.Enabled && v == nil:
			t.Errorf("no panic, want one with %q", want)
		case invariants.Enabled && !strings.Contains(s, want):
			t.Errorf("panic %q, want one with %q", s, want)
		}
	}()
	f()
}

// Release spares a pinned buffer, wherever it lies: newest, in the middle, on a full chunk, in a large one.
func TestReleaseSparesPinned(t *testing.T) {
	for _, before := range []int{0, 1, 6, 7, 8, 20} {
		for _, n := range []int{1, 56, 64, 2000} {
			for _, after := range []int{0, 1, 7, 20} {
				for _, late := range []bool{false, true} {
					a := newArena(t, Config{ChunkSize: 512})
					older := alloc(t, a, 40)
					m := a.Mark()
					for range before {
						alloc(t, a, 56)
					}
					b := alloc(t, a, n)
					for i := range b {
						b[i] = 0xA5
					}
					if !late {
						a.Pin(b)
					}
					for range after {
						alloc(t, a, 56)
					}
					a.Pin(b)
					a.Pin(b)
					a.Pin(older)
					a.Unpin(older)
					a.Release(m)
					if s := a.Stats(); s.Live != 2 || s.Pinned != 1 || s.Bytes != int(48+roundUp(uint(n))) {
						t.Fatalf("%d, %d, %d, %t: %+v", before, n, after, late, s)
					}
					for range 100 {
						x, err := a.Alloc(56)
						if err != nil {
							t.Fatal(err)
						}
						a.Free(x)
					}
					if !bytes.Equal(b, bytes.Repeat([]byte{0xA5}, n)) {
						t.Fatalf("%d, %d, %d, %t: the pinned buffer was handed out again", before, n, after, late)
					}
					a.Free(b)
					a.Free(older)
					if s := a.Stats(); s.Live != 0 || s.Pinned != 0 || s.Bytes != 0 {
						t.Fatalf("%d, %d, %d, %t: %+v", before, n, after, late, s)
					}
				}
			}
		}
	}
}

// A pinned buffer that lies on top after a Release is not freed past its pin by the fast path.
func TestFreePinnedOnTop(t *testing.T) {
	a := newArena(t, Config{})
	b := alloc(t, a, 56)
	m := a.Mark()
	a.Pin(b)
	a.Release(m)
	a.Free(b)
	wantStats(t, a, Stats{Allocs: 1, Frees: 1, Chunks: 1, Reserved: 64 << 10, Peak: 64 << 10})
	m = a.Mark()
	alloc(t, a, 56) // where b was
	a.Release(m)
	if s := a.Stats(); s.Live != 0 {
		t.Errorf("the pin outlived its buffer: %+v", s)
	}
}

// Marks and pins in a steady loop take no more memory each time.
func TestPinnedLoopIsFlat(t *testing.T) {
	a := newArena(t, Config{})
	b := alloc(t, a, 56)
	a.Pin(b)
	for range 100_000 {
		m := a.Mark()
		alloc(t, a, 100)
		x := alloc(t, a, 56)
		a.Pin(x)
		a.Unpin(x)
		a.Release(m)
	}
	if s := a.Stats(); s.Live != 1 || s.Bytes != 64 || s.Chunks != 1 {
		t.Errorf("%+v", s)
	}
}

func TestReset(t *testing.T) {
	a := newArena(t, Config{ChunkSize: 512})
	for range 5 {
		for i := range 20 {
			b := alloc(t, a, 56)
			if i%5 == 0 {
				a.Pin(b)
			}
			if i == 7 {
				a.Mark()
			}
			if i == 9 {
				a.FreeRemote(b)
			}
		}
		a.Reset()
		if s := a.Stats(); s.Live != 0 || s.Bytes != 0 || s.Pinned != 0 || s.Chunks != s.Empty || s.Chunks != 3 {
			t.Fatalf("%+v", s)
		}
	}
}

func TestClose(t *testing.T) {
	for _, cfg := range configs() {
		a := newArena(t, cfg)
		alloc(t, a, 100)
		a.Mark()
		for range 2 {
			if err := a.Close(); err != nil {
				t.Errorf("%+v: %v", cfg, err)
			}
		}
		if b, err := a.Alloc(1); b != nil || err != ErrClosed {
			t.Errorf("%+v: %v, %v", cfg, b, err)
		}
		wantStats(t, a, Stats{Allocs: 1, Frees: 1, Peak: a.Stats().Peak})
	}
}

func TestOffHeap(t *testing.T) {
	if !offHeap {
		t.Skip("no off-heap memory here")
	}
	for _, cfg := range []Config{{OffHeap: true}, {OffHeap: true, HugePages: true}, {OffHeap: true, HugePages: true, Limit: 3 << 20}} {
		a := newArena(t, cfg)
		var live [][]byte
		for n := 1; n < 1<<20; n *= 3 {
			b, err := a.Alloc(n)
			if err != nil {
				t.Fatal(err)
			}
			for i := range b {
				b[i] = byte(n)
			}
			live = append(live, b)
		}
		if c := (*a.table.Load())[0]; cfg.HugePages && c.base%hugePage != 0 {
			t.Errorf("a huge chunk at %#x", c.base)
		}
		for _, b := range live {
			if !bytes.Equal(b, bytes.Repeat([]byte{byte(len(b))}, len(b))) {
				t.Errorf("a buffer of %d bytes changed", len(b))
			}
			a.Free(b)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// held tells whether anything is mapped where raw was. Each platform with memory off the heap has its own.
var held func(raw []byte) bool

// TestCloseUnmaps tries again when the address is held, because whoever else maps memory in this process may have been given it.
func TestCloseUnmaps(t *testing.T) {
	if !offHeap {
		t.Skip("no off-heap memory here")
	}
	for _, cfg := range []Config{{OffHeap: true}, {OffHeap: true, HugePages: true}} {
		for try := 1; ; try++ {
			a := newArena(t, cfg)
			if _, err := a.Alloc(1); err != nil {
				t.Fatal(err)
			}
			raw := (*a.table.Load())[0].raw
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			if !held(raw) {
				break
			}
			if try == 20 {
				t.Fatalf("Close left a chunk mapped, %d times", try)
			}
		}
	}
}

// TestFreeTellsBuffersFromAddresses: what merely begins where the newest buffer does is not freed on either way, neither a reslice
// without capacity nor a buffer of a closed arena, whose mapping this chunk now has, that ends beyond the chunk. Live would reach
// -1, or the next buffer lie in memory that is somebody else's.
func TestFreeTellsBuffersFromAddresses(t *testing.T) {
	a := newArena(t, Config{ChunkSize: 512})
	alloc(t, a, 16)
	memory := make([]byte, 4096)
	n := copy(memory, a.cur.mem)
	a.cur.mem = memory[:n:n]
	a.cur.base, a.start = address(memory), &memory[0]
	newest := memory[a.off:][:16:16]

	if a.TryFree(newest[:0:0]) {
		t.Error("TryFree takes a slice without capacity for the newest buffer")
	}
	a.Free(newest[:0:0])
	stale := memory[a.off:][:1024:1024]
	wantMisuse(t, "capacity is 1024", func() { a.Free(stale) })
	if a.TryFree(stale) {
		t.Error("TryFree takes a buffer that ends beyond the chunk for the newest")
	}
	want := uint64(1)
	if invariants.Enabled {
		want = 0
	}
	if s := a.Stats(); s.Live != 1 || s.Strays != want {
		t.Errorf("%+v, want one live buffer, %d strays", s, want)
	}
	if b := alloc(t, a, 64); address(b) < a.cur.base || address(b)+64 > address(newest) {
		t.Error("a buffer lies outside the chunk")
	}
	a.Free(newest)
}

// Strangers: memory of the Go heap, of a stack, of another arena, and addresses inside a buffer.
func TestForeignBuffers(t *testing.T) {
	a, other := newArena(t, Config{}), newArena(t, Config{})
	alloc(t, a, 64)
	mine, theirs := alloc(t, a, 64), alloc(t, other, 64)
	var local [64]byte
	const outside, inside = "foreign", "no buffer of this arena begins there"
	strays := uint64(0)
	for _, c := range []struct {
		b         []byte
		free, far string
	}{
		{make([]byte, 64), outside, inside},
		{local[:], outside, inside},
		{theirs, outside, inside},
		{mine[1:], inside, inside},
	} {
		wantMisuse(t, c.free, func() { a.Free(c.b) })
		wantMisuse(t, c.free, func() { a.Pin(c.b) })
		wantMisuse(t, c.free, func() { a.Unpin(c.b) })
		wantMisuse(t, c.far, func() { a.FreeRemote(c.b) })
		strays += 4
	}
	if invariants.Enabled {
		strays = 0
	}
	s := a.Stats()
	if s.Live != 2 || s.Strays != strays {
		t.Errorf("%+v, want %d strays", s, strays)
	}
	a.Free(mine)
	other.Free(theirs)
}

// What production builds see of double frees without a record of each buffer: they ignore it.
func TestStrays(t *testing.T) {
	for name, f := range map[string]func(a *Arena){
		"free memory": func(a *Arena) {
			alloc(t, a, 64)
			b := alloc(t, a, 64)
			c := alloc(t, a, 64)
			a.Free(c)
			a.Free(b)
			a.Free(c)
		},
		"free chunk": func(a *Arena) {
			b := alloc(t, a, 64)
			a.Reset()
			alloc(t, a, 400) // not in that chunk's place, which is free
			alloc(t, a, 400)
			a.Reset()
			a.Free(b)
		},
		"beyond the chunk": func(a *Arena) {
			b := alloc(t, a, 64)
			alloc(t, a, 64)
			a.Free(b[:cap(b)])
			a.Free(a.cur.mem[a.cur.top-granule:]) // the slack too, where no buffer ends
		},
		"a list that was overwritten": func(a *Arena) {
			b, c := alloc(t, a, 64), alloc(t, a, 64)
			alloc(t, a, 64)
			a.FreeRemote(b)
			a.FreeRemote(c)
			for i := range c {
				c[i] = 0xAA
			}
			a.Drain()
		},
		"a circular list": func(a *Arena) {
			b, c := alloc(t, a, 64), alloc(t, a, 64)
			alloc(t, a, 64)
			a.FreeRemote(b)
			a.FreeRemote(c)
			a.FreeRemote(b)
			a.Drain() // ends
			a.stats.Strays++
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArena(t, Config{ChunkSize: 512})
			defer func() {
				if v := recover(); v != nil && !invariants.Enabled {
					t.Errorf("a production build panicked: %v", v)
				}
			}()
			f(a)
			if s := a.Stats(); s.Strays != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestMisuse holds what production builds cannot see.
func TestMisuse(t *testing.T) {
	if !invariants.Enabled {
		t.Skip("needs a build with -tags invariants or -race")
	}
	for name, c := range map[string]struct {
		want string
		f    func(a *Arena)
	}{
		"double free, newest": {"Free: double free", func(a *Arena) {
			b := alloc(t, a, 64)
			a.Free(b)
			a.Free(b)
		}},
		"double free, in any order": {"Free: double free", func(a *Arena) {
			b := alloc(t, a, 64)
			alloc(t, a, 64)
			a.Free(b)
			a.Free(b)
		}},
		"double free, recycled chunk": {"Free: double free", func(a *Arena) {
			b := alloc(t, a, 64)
			a.Reset()
			a.Free(b)
		}},
		"free after release": {"Free: double free", func(a *Arena) {
			alloc(t, a, 8)
			m := a.Mark()
			b := alloc(t, a, 64)
			a.Release(m)
			a.Free(b)
		}},
		"double remote free": {"double free", func(a *Arena) {
			b := alloc(t, a, 64)
			alloc(t, a, 64)
			a.FreeRemote(b)
			a.FreeRemote(b)
			a.Drain()
		}},
		"remote free after free": {"double free", func(a *Arena) {
			b := alloc(t, a, 64)
			alloc(t, a, 64)
			a.FreeRemote(b)
			a.Free(b)
			a.Drain()
		}},
		"pin after free": {"Pin: double free", func(a *Arena) {
			b := alloc(t, a, 64)
			a.Free(b)
			a.Pin(b)
		}},
		"a part of a buffer": {"Free: capacity is 32, but the buffer was handed out with 64", func(a *Arena) {
			a.Free(alloc(t, a, 64)[:32:32])
		}},
		"use after free, newest": {"use after free", func(a *Arena) {
			b := alloc(t, a, 64)
			a.Free(b)
			b[5] = 1
			alloc(t, a, 64)
		}},
		"use after free, in any order": {"use after free", func(a *Arena) {
			b := alloc(t, a, 64)
			x := alloc(t, a, 64)
			a.Free(b)
			b[63] = 1
			a.Free(x)
			alloc(t, a, 128)
		}},
		"use after release": {"use after free", func(a *Arena) {
			m := a.Mark()
			b := alloc(t, a, 64)
			a.Release(m)
			b[0] = 0
			alloc(t, a, 128)
		}},
		"overflow": {"overflow", func(a *Arena) {
			b := alloc(t, a, 60)
			unsafe.Slice(&b[0], 64)[60] = 1
			a.Free(b)
		}},
	} {
		t.Run(name, func(t *testing.T) { wantMisuse(t, c.want, func() { c.f(newArena(t, Config{})) }) })
	}
}

// A freed buffer reads as 0xCC in invariant builds, so that a late reader notices; and so does fresh memory.
func TestPoison(t *testing.T) {
	if !invariants.Enabled {
		t.Skip("needs a build with -tags invariants or -race")
	}
	a := newArena(t, Config{})
	want := bytes.Repeat([]byte{poisoned}, 64)
	b := alloc(t, a, 64)
	if !bytes.Equal(b, want) {
		t.Errorf("fresh: %x", b)
	}
	clear(b)
	a.Free(b)
	if !bytes.Equal(b, want) {
		t.Errorf("freed: %x", b)
	}
}

// Many goroutines free what the owner allocates, while it goes on: the race detector watches, and nothing is lost.
func TestFreeRemote(t *testing.T) {
	const goroutines, each = 8, 2000
	for _, cfg := range configs() {
		if cfg.Limit != 0 {
			cfg.Limit = 10 << 20
		}
		a := newArena(t, cfg)
		ch := make(chan []byte, 64)
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(func() {
				for b := range ch {
					for i := range b {
						b[i]++
					}
					a.FreeRemote(b)
				}
			})
		}
		r := rand.New(rand.NewPCG(testkit.Seed(t), 4))
		for range goroutines * each {
			b := alloc(t, a, 1+r.IntN(200))
			switch r.IntN(4) {
			case 0:
				a.Free(b)
			default:
				ch <- b
			}
			if r.IntN(100) == 0 {
				a.Drain()
			}
		}
		close(ch)
		wg.Wait()
		s := a.Stats()
		if s.Live != 0 || s.Bytes != 0 || s.Strays != 0 || s.Frees != goroutines*each {
			t.Errorf("%+v: %+v", cfg, s)
		}
		if s.Peak > 1<<20 {
			t.Errorf("%+v: %d bytes for a queue of at most %d buffers", cfg, s.Peak, cap(ch)+goroutines)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Goroutines that only push collide on the head of the list, and nothing gets lost.
func TestFreeRemoteCollides(t *testing.T) {
	const goroutines, each = 4, 20_000
	a := newArena(t, Config{})
	var live [goroutines][][]byte
	for range each {
		for g := range live {
			live[g] = append(live[g], alloc(t, a, 8))
		}
	}
	start := make(chan struct{})
	var wg sync.WaitGroup
	for g := range live {
		wg.Go(func() {
			<-start
			for _, b := range live[g] {
				a.FreeRemote(b)
			}
		})
	}
	close(start)
	wg.Wait()
	if n := a.Drain(); n != goroutines*each {
		t.Errorf("%d buffers of %d were on the list", n, goroutines*each)
	}
	if s := a.Stats(); s.Live != 0 || s.Bytes != 0 {
		t.Errorf("%+v", s)
	}
}

var sink []byte

func TestNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	must := func(b []byte, err error) []byte {
		if err != nil {
			panic(err)
		}
		return b
	}
	a, full := newArena(t, Config{}), newArena(t, Config{Limit: 1024})
	must(full.Alloc(900))
	for name, f := range map[string]func(){
		"AllocUninit": func() { a.Free(must(a.AllocUninit(56))) },
		"Alloc":       func() { a.Free(must(a.Alloc(56))) },
		"empty":       func() { a.Free(must(a.Alloc(0))) },
		"large":       func() { a.Free(must(a.Alloc(100_000))) },
		"any order": func() {
			x, y, z := must(a.Alloc(56)), must(a.Alloc(9)), must(a.Alloc(56))
			a.Free(y)
			a.Free(x)
			a.Free(z)
		},
		"many chunks": func() {
			for range 2000 {
				must(a.AllocUninit(100))
			}
			a.Reset()
		},
		"Mark": func() {
			m := a.Mark()
			must(a.AllocUninit(56))
			a.Pin(must(a.AllocUninit(56)))
			a.Release(m)
			a.Reset()
		},
		"FreeRemote": func() {
			a.FreeRemote(must(a.AllocUninit(56)))
			a.FreeRemote(must(a.AllocUninit(1)))
			a.Drain()
		},
		"Stats": func() { a.Stats() },
		"exhausted": func() {
			if _, err := full.Alloc(900); !errors.Is(err, ErrExhausted) {
				panic(err)
			}
		},
		"too large": func() {
			if _, err := full.Alloc(9000); !errors.Is(err, ErrTooLarge) {
				panic(err)
			}
		},
	} {
		f() // grow to the steady state
		if n := testkit.Allocs(f); n != 0 {
			t.Errorf("%s: %v heap allocations", name, n)
		}
	}
	if n := testkit.Allocs(func() { sink = make([]byte, 56) }); n != 1 {
		t.Errorf("negative control: make allocates %v times", n)
	}
}

// pended is a workload of requests most of which end at once, newest first or in another order, while one of a hundred
// stays for long and ends in random order, half of them remotely.
type pended struct {
	a    *Arena
	r    *rand.Rand
	long [][]byte
}

func (p *pended) step() error {
	b, err := p.a.AllocUninit(8 + p.r.IntN(120))
	if err != nil {
		return err
	}
	switch p.r.IntN(100) {
	case 0:
		slot := &p.long[p.r.IntN(len(p.long))]
		if p.r.IntN(2) == 0 {
			p.a.Free(*slot)
		} else {
			p.a.FreeRemote(*slot)
		}
		*slot = b
		p.a.Pin(b)
	case 1:
		b2, err := p.a.AllocUninit(56)
		if err != nil {
			return err
		}
		p.a.Free(b)
		p.a.Free(b2)
	default:
		p.a.Free(b)
	}
	return nil
}

// Memory is flat and the heap is left alone while one in a hundred buffers stays for long. KSDISPATCH_OPS=10000000 makes
// it the long version, which asks the system too: resident memory is the whole process's, and only a long run makes a leak
// larger than what the runtime and the other tests do.
func TestPendedIsFlat(t *testing.T) {
	ops := 200_000
	text := os.Getenv("KSDISPATCH_OPS")
	if text != "" {
		var err error
		if ops, err = strconv.Atoi(text); err != nil {
			t.Fatalf("KSDISPATCH_OPS: %v", err)
		}
	}
	// A buffer stays for 100 * len(long) operations on average, and a chunk for several times that, until its last one goes.
	p := pended{a: newArena(t, Config{ChunkSize: ops / 50}), r: rand.New(rand.NewPCG(testkit.Seed(t), 5)), long: make([][]byte, ops/2000)}
	steps := func() {
		for range ops / 10 {
			if err := p.step(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 10 {
		steps()
	}
	before, rss := p.a.Stats(), resident.Bytes()
	if before.Pinned < len(p.long)*9/10 {
		t.Fatalf("only %d buffers are pended: %+v", before.Pinned, before)
	}
	least := uint64(1)
	var m1, m2 runtime.MemStats
	for range 10 {
		runtime.ReadMemStats(&m1)
		steps()
		runtime.ReadMemStats(&m2)
		least = min(least, m2.Mallocs-m1.Mallocs)
	}
	after := p.a.Stats()
	t.Logf("%d operations, %d pended, %d bytes live in %d; resident %d, then %d bytes",
		2*ops, after.Pinned, after.Bytes, after.Reserved, rss, resident.Bytes())
	if after.Peak > before.Peak*3/2 { // a leak of one pended buffer in ten is more than that
		t.Errorf("%d bytes reserved after %d operations, %d after as many more", before.Peak, ops, after.Peak)
	}
	if grown := resident.Bytes() - rss; text != "" && grown > 4<<20 {
		t.Errorf("%d bytes more are resident", grown)
	}
	if least != 0 && !raceEnabled && !invariants.Enabled {
		t.Errorf("every %d operations allocate on the heap", ops/10)
	}
}
