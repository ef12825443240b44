package trace

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A request whose times are read from the clock is never a plain one. So the same requests, recorded with the clock read for all and for
// none, are recorded by take and finish alone, and by IoControl itself; the records are the same.
func TestPlainRequestsAreRecordedTheSame(t *testing.T) {
	var requests [2][]Record
	for i, every := range []int{1, 1 << 20} {
		dev := items(t)
		trace := record(t, Config{ClockEvery: every}, func(r *Recorder) {
			h, rng := open(t, r, dev, "items"), rand.New(rand.NewPCG(3, 4))
			out := make([]byte, 8)
			for range 2000 {
				get := identifier(setOf(rng.IntN(21)), rng.Uint32N(13), 1<<rng.UintN(3))
				h.IoControl(ks.IoctlProperty, get, out[:rng.IntN(9)])
				talk(h, rng, 1)
			}
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		})
		for _, rec := range all(t, read(t, trace)) {
			if rec.Kind == KindRequest {
				requests[i] = append(requests[i], rec)
			}
		}
	}
	long, short := requests[0], requests[1]
	if len(long) != 4000 || len(short) != 4000 {
		t.Fatalf("%d and %d requests, want 4000", len(long), len(short))
	}
	values := 0
	for i := range long {
		a, b := &long[i], &short[i]
		if a.Flags&FlagExact == 0 || b.Flags&FlagExact != 0 {
			t.Fatalf("request %d: flags %#x and %#x", i, a.Flags, b.Flags)
		}
		if a.Information == 4 && a.Status == ks.StatusSuccess && a.Digest != 0 {
			values++
		}
		a.Flags, a.Time, a.Duration = b.Flags, b.Time, b.Duration
		if !equal(*a, *b) || a.Order != b.Order || a.Begin != b.Begin || !bytes.Equal(a.In, b.In) || !bytes.Equal(a.Out, b.Out) {
			t.Fatalf("request %d: %+v and %+v", i, *a, *b)
		}
	}
	if values < 100 {
		t.Errorf("%d values of 4 bytes, want 100", values)
	}
}

func TestWhatIsPlain(t *testing.T) {
	get := identifier(setOf(3), 4, ks.PropertyTypeGet)
	both := bytes.Clone(get)
	record(t, Config{ClockEvery: 1 << 20}, func(r *Recorder) {
		h := open(t, r, items(t), "items")
		s := &h.stream
		if s.isPlain(ks.IoctlProperty, get, make([]byte, 4)) {
			t.Error("a plain request without memory for it")
		}
		h.IoControl(ks.IoctlProperty, get, make([]byte, 4))
		for _, q := range []struct {
			name    string
			code    uint32
			in, out []byte
			want    bool
		}{
			{"a value", ks.IoctlProperty, get, make([]byte, 4), true},
			{"a size", ks.IoctlProperty, get, nil, true},
			{"support", ks.IoctlProperty, identifier(setOf(3), 4, ks.PropertyTypeBasicSupport), make([]byte, 40), true},
			{"data", ks.IoctlProperty, identifier(setOf(3), 4, ks.PropertyTypeSet), make([]byte, 4), false},
			{"a method", ks.IoctlMethod, get, make([]byte, 4), false},
			{"a short input", ks.IoctlProperty, get[:23], make([]byte, 4), false},
			{"a long input", ks.IoctlProperty, append(bytes.Clone(get), 0), make([]byte, 4), false},
			{"no input", ks.IoctlProperty, nil, make([]byte, 4), false},
			{"one buffer", ks.IoctlProperty, both, both, false},
		} {
			if got := s.isPlain(q.code, q.in, q.out); got != q.want {
				t.Errorf("%s: plain %v", q.name, got)
			}
		}
		if s.memory = s.memory[:s.at+plainRecord-1]; s.isPlain(ks.IoctlProperty, get, nil) {
			t.Error("a plain request in a chunk that is full")
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
