package trace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// listener returns a device whose handlers note all that they are given, in order, and write to all of it.
func listener(tb testing.TB) (*device.Device, *xxhash.Digest) {
	tb.Helper()
	heard := xxhash.New()
	hear := func(irp *engine.IRP, request, data []byte) ks.Status {
		for _, b := range [][]byte{request, data} {
			var n [8]byte
			binary.LittleEndian.PutUint64(n[:], uint64(len(b)))
			_, _ = heard.Write(n[:])
			_, _ = heard.Write(b)
			for i := range b {
				b[i] ^= 0xFF
			}
		}
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}
	config := engine.Config{Control: func(irp *engine.IRP, _ uint32, in, out []byte) ks.Status { return hear(irp, in, out) }}
	for i := range 20 {
		properties, methods := engine.PropertySet{Set: setOf(i)}, engine.MethodSet{Set: setOf(i)}
		for id := range uint32(12) {
			properties.Items = append(properties.Items, engine.PropertyItem{ID: id, Get: hear, Set: hear})
			methods.Items = append(methods.Items, engine.MethodItem{ID: id, Flags: id % 4, Handler: hear})
		}
		config.PropertySets, config.MethodSets = append(config.PropertySets, properties), append(config.MethodSets, methods)
	}
	d, err := engine.Compile(config)
	if err != nil {
		tb.Fatal(err)
	}
	return device.New(d), heard
}

// However a trace is read and replayed, the handlers are given what those of the recording were, in order; and one that is in memory stays
// as it is.
func TestReplaysSendWhatWasRecorded(t *testing.T) {
	var want uint64
	trace := record(t, Config{Buffer: 16 << 10}, func(r *Recorder) {
		dev, heard := listener(t)
		h, rng := open(t, r, dev, "items"), testkit.Rand(t)
		for i := range 300 {
			talk(h, rng, 20)
			h.SetMode(engine.Mode(i / 7 % 2))
			long := make([]byte, rng.IntN(100))
			for i := range long {
				long[i] = byte(rng.Uint32())
			}
			in := identifier(setOf(rng.IntN(21)), rng.Uint32N(13), ks.PropertyTypeSet)
			h.IoControl([]uint32{ks.IoctlProperty, ks.IoctlMethod, 0x222003}[rng.IntN(3)], append(in, long[:len(long)/2]...), long)
			h.IoControl(0x222003, nil, long)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		want = heard.Sum64()
	})
	lent := Memory(bytes.Clone(trace))
	answered := func(uint32, []byte, uint32, ks.Status, bool) {}
	for name, r := range map[string]*Reader{"copied": read(t, trace), "lent": lentReader(t, lent)} {
		for how, opt := range map[string]ReplayOptions{"sent": {}, "verified": {Verify: true}, "answered": {Answered: answered}} {
			dev, heard := listener(t)
			res, err := Replay(t.Context(), r, func(string, uint32) (*device.Device, error) { return dev, nil }, opt)
			if err != nil || res.Requests != 300*22 || res.Differences != 0 {
				t.Fatalf("%s, %s: %+v, %v", name, how, res, err)
			}
			if got := heard.Sum64(); got != want {
				t.Errorf("%s, %s: other requests than were recorded", name, how)
			}
		}
	}
	if !bytes.Equal(lent, trace) {
		t.Error("a replay wrote to the trace")
	}
}

func lentReader(tb testing.TB, trace Memory) *Reader {
	tb.Helper()
	r, err := NewReader(trace, int64(len(trace)), "test.kst")
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// Each byte of requests that are replayed where they are is checked.
func TestLentBlocksAreChecked(t *testing.T) {
	trace := record(t, Config{}, func(r *Recorder) {
		talk(open(t, r, items(t), "items"), rand.New(rand.NewPCG(1, 1)), 20)
	})
	lent := Memory(trace)
	r := lentReader(t, lent)
	b := &r.blocks[r.streams[1][0]]
	devices := func(string, uint32) (*device.Device, error) { return items(t), nil }
	for i := range int64(b.length) {
		at := b.offset + blockHeader + i
		lent[at] ^= 1 << (i % 8)
		var wrong *BlockError
		if _, err := Replay(t.Context(), r, devices, ReplayOptions{}); !errors.As(err, &wrong) || wrong.Offset != b.offset {
			t.Fatalf("byte %d: %v", at, err)
		}
		lent[at] ^= 1 << (i % 8)
	}
	if res, err := Replay(t.Context(), r, devices, ReplayOptions{}); err != nil || res.Requests != 20 {
		t.Fatal(res, err)
	}
}

// A record that reaches beyond its block, whose sum is right, is not sent.
func TestLentRecordsEndInTheirBlock(t *testing.T) {
	for _, verb := range []uint32{ks.PropertyTypeGet, ks.PropertyTypeSet} {
		trace := record(t, Config{ClockEvery: 1 << 20}, func(r *Recorder) {
			h := open(t, r, items(t), "items")
			for range 10 {
				h.IoControl(ks.IoctlProperty, identifier(setOf(1), 1, verb), make([]byte, 4))
			}
		})
		r := lentReader(t, trace)
		b := &r.blocks[r.streams[1][0]]
		size := int64(b.length) / 10
		last := b.offset + blockHeader + 9*size
		for _, field := range []int64{40, 44} { // the lengths of the input and of the output buffer
			for _, length := range []uint32{33, 64, 1 << 16, 1<<32 - 1} {
				bad := Memory(bytes.Clone(trace))
				binary.LittleEndian.PutUint32(bad[last+field:], length)
				reseal(bad)
				for _, verify := range []bool{false, true} {
					devices := func(string, uint32) (*device.Device, error) { return items(t), nil }
					res, err := Replay(t.Context(), lentReader(t, bad), devices, ReplayOptions{Verify: verify, MaxOut: 1 << 16})
					var wrong *BlockError
					if beyond := field == 40 || verb == ks.PropertyTypeSet; errors.As(err, &wrong) != beyond || beyond && res.Requests != 9 {
						t.Errorf("verb %d, %d at %d: %+v, %v", verb, length, field, res, err)
					}
				}
			}
		}
	}
}

func TestMemory(t *testing.T) {
	m := Memory("0123456789")
	for _, c := range []struct {
		at   int64
		n    int
		want string
		lent bool
	}{
		{0, 10, "0123456789", true},
		{3, 2, "34", true},
		{10, 0, "", true},
		{9, 2, "", false},
		{11, 0, "", false},
		{-1, 1, "", false},
		{1, -1, "", false},
	} {
		got := m.Slice(c.at, c.n)
		if string(got) != c.want || (got != nil) != c.lent || cap(got) != len(got) {
			t.Errorf("%d bytes at %d: %q", c.n, c.at, got)
		}
	}
	var b [4]byte
	if n, err := m.ReadAt(b[:], 8); n != 2 || err == nil || string(b[:n]) != "89" {
		t.Error(n, err)
	}
}
