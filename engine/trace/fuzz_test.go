package trace

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// reseal makes the hashes of a damaged trace right, so that what lies behind them is read: lengths that fit no more are made to.
func reseal(trace []byte) {
	for at := 0; at+blockHeader <= len(trace); {
		copy(trace[at:], magic)
		b := block{}
		head := trace[at : at+blockHeader]
		length := min(int(uint32(head[24])|uint32(head[25])<<8|uint32(head[26])<<16), len(trace)-at-blockHeader)
		payload := trace[at+blockHeader : at+blockHeader+length]
		head[24], head[25], head[26], head[27] = byte(length), byte(length>>8), byte(length>>16), 0
		sum := xxhash.Sum64(payload)
		for i := range 8 {
			head[16+i] = byte(sum >> (8 * i))
		}
		sum = xxhash.Sum64(head[16:])
		for i := range 8 {
			head[8+i] = byte(sum >> (8 * i))
		}
		if !b.read(head) {
			return
		}
		at += blockHeader + length
	}
}

// FuzzReader reads anything, and replays what can be read. Nothing panics, and every error says which block.
func FuzzReader(f *testing.F) {
	trace := small(f)
	f.Add(trace, false)
	f.Add(trace, true)
	f.Add(trace[:len(trace)-70], true)
	f.Add(record(f, Config{}, func(*Recorder) {}), true)
	dev := items(f)
	f.Add(record(f, Config{Buffer: 16 << 10}, func(r *Recorder) {
		talk(open(f, r, dev, "a"), rand.New(rand.NewPCG(3, 4)), 300)
	}), true)
	f.Fuzz(func(t *testing.T, trace []byte, sealed bool) {
		if sealed {
			trace = bytes.Clone(trace)
			reseal(trace)
		}
		r, err := NewReader(bytes.NewReader(trace), int64(len(trace)), "fuzz.kst")
		if err != nil {
			wants(t, err)
			return
		}
		var last Record
		var bad error
		for rec, err := range r.Records() {
			if err != nil {
				bad = err
				wants(t, err)
				break
			}
			if rec.size() > len(trace) {
				t.Fatalf("a record of %d bytes in a trace of %d", rec.size(), len(trace))
			}
			if rec.Begin < last.Begin && rec.Kind == KindRequest && last.Kind == KindRequest {
				t.Fatalf("a record that began at %d after one that began at %d", rec.Begin, last.Begin)
			}
			last = *rec
		}
		for _, goroutines := range []int{1, 2} {
			opt := ReplayOptions{Verify: true, MaxOut: 1 << 16, Goroutines: goroutines, Pends: new(Pends)}
			devices := func(string, uint32) (*device.Device, error) { return items(t), nil }
			_, err = Replay(context.Background(), r, devices, opt)
			if (err == nil) != (bad == nil) {
				t.Fatalf("read with %v, replayed with %v", bad, err)
			}
		}
		lent := Memory(bytes.Clone(trace))
		if r, err = NewReader(lent, int64(len(lent)), "fuzz.kst"); err != nil {
			t.Fatal(err)
		}
		for _, verify := range []bool{false, true} {
			opt := ReplayOptions{Verify: verify, MaxOut: 1 << 16, Pends: new(Pends)}
			devices := func(string, uint32) (*device.Device, error) { return items(t), nil }
			if _, err = Replay(context.Background(), r, devices, opt); (err == nil) != (bad == nil) || !bytes.Equal(lent, trace) {
				t.Fatalf("read with %v, replayed in memory with %v, the same after it: %v", bad, err, bytes.Equal(lent, trace))
			}
		}
	})
}

func wants(t *testing.T, err error) {
	t.Helper()
	if e := (*BlockError)(nil); !errors.As(err, &e) || e.Name != "fuzz.kst" {
		t.Fatalf("%v does not say where", err)
	}
}

// What is written is read again, whatever it is.
func TestRecordsAreReadAsWritten(t *testing.T) {
	rng := testkit.Rand(t)
	for range 20_000 {
		in, out := make([]byte, rng.IntN(40)), make([]byte, rng.IntN(20))
		rec := Record{Kind: Kind(rng.IntN(6) + 1), Flags: Flags(rng.Uint32())&allFlags&^FlagProduced | FlagCarried,
			Order: rng.Uint64()>>rng.IntN(64) | 1, In: in, Out: out, OutBytes: uint32(len(out)),
			Handle: rng.Uint32(), Parent: rng.Uint32(), Status: ks.Status(rng.Uint32())}
		rec.Begin = rec.Order - 1 - min(rng.Uint64()>>32, rec.Order-1)
		for i := range in {
			in[i] = byte(rng.Uint32())
		}
		for i := range out {
			out[i] = byte(rng.Uint32())
		}
		if rec.Flags&FlagEvent != 0 {
			rec.Event = rng.Uint64()
		}
		if rec.Kind == KindRequest || rec.Kind == KindGenerate {
			rec.Code, rec.Handle = rec.Handle, 0
		}
		if rec.Kind == KindRequest || rec.Kind == KindGenerate || rec.Kind == KindCancel {
			rec.Information = uint64(rng.Uint32())
		}
		if rec.Kind == KindRequest {
			rec.Parent, rec.Digest = 0, rng.Uint64()
		}
		if rec.Kind == KindClose || rec.Kind == KindCancel {
			rec.Parent = 0
		}
		b := rec.appendTo(nil)
		var got Record
		n, wrong := got.decode(b)
		if wrong != "" || n != len(b) || n != rec.size() || !bytes.Equal(got.In, in) || !bytes.Equal(got.Out, out) {
			t.Fatalf("%+v is read as %+v, %q", rec, got, wrong)
		}
		if got.Order != rec.Order || got.Begin != rec.Begin || !equal(got, rec) {
			t.Fatalf("%+v is read as %+v", rec, got)
		}
	}
}
