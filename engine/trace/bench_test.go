package trace

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// items is a device with a table like those of real drivers: 20 sets of 12 items.
func items(tb testing.TB) *device.Device {
	tb.Helper()
	var config engine.Config
	for i := range 20 {
		set := engine.PropertySet{Set: setOf(i)}
		for id := range uint32(12) {
			var value uint32
			set.Items = append(set.Items, engine.PropertyItem{ID: id, MinData: 4,
				Get: func(irp *engine.IRP, _, data []byte) ks.Status {
					binary.LittleEndian.PutUint32(data, value)
					irp.IoStatus.Information = 4
					return ks.StatusSuccess
				},
				Set: func(_ *engine.IRP, _, data []byte) ks.Status {
					value = binary.LittleEndian.Uint32(data)
					return ks.StatusSuccess
				}})
		}
		config.PropertySets = append(config.PropertySets, set)
	}
	d, err := engine.Compile(config)
	if err != nil {
		tb.Fatal(err)
	}
	return device.New(d)
}

func setOf(i int) ks.GUID { return ks.GUID{0: byte(i), 7: 0x11, 15: 0xA5} }

// gets are requests for random items of them.
func gets(n int) [][ks.SizeIdentifier]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	requests := make([][ks.SizeIdentifier]byte, n)
	for i := range requests {
		ks.Identifier{Set: setOf(rng.IntN(20)), ID: rng.Uint32N(12), Flags: ks.PropertyTypeGet}.Put(requests[i][:])
	}
	return requests
}

type sender interface {
	IoControl(code uint32, in, out []byte) (uint32, ks.Status)
	Close() error
}

func send(b *testing.B, h sender) {
	b.Helper()
	requests := gets(1 << 16)
	var out [4]byte
	for i := 0; b.Loop(); i++ {
		if _, status := h.IoControl(ks.IoctlProperty, requests[i%len(requests)][:], out[:]); status != ks.StatusSuccess {
			b.Fatal(status)
		}
	}
	if err := h.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkDirect(b *testing.B) {
	h, err := items(b).Open()
	if err != nil {
		b.Fatal(err)
	}
	send(b, h)
}

func BenchmarkRecorded(b *testing.B) {
	for name, open := range map[string]func() (io.WriteCloser, error){
		"nowhere": func() (io.WriteCloser, error) { return os.OpenFile(os.DevNull, os.O_WRONLY, 0) },
		"file":    func() (io.WriteCloser, error) { return os.Create(filepath.Join(b.TempDir(), "a.kst")) },
	} {
		b.Run(name, func(b *testing.B) {
			w, err := open()
			if err != nil {
				b.Fatal(err)
			}
			r, err := NewRecorder(w, Config{})
			if err != nil {
				b.Fatal(err)
			}
			h, err := r.Open(items(b), "items")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			send(b, h)
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(r.Dropped())/float64(b.N), "dropped/op")
			_ = w.Close()
		})
	}
}

func BenchmarkReplay(b *testing.B) {
	const n = 1 << 20
	requests := gets(n)
	trace := record(b, Config{}, func(r *Recorder) {
		h := open(b, r, items(b), "items")
		for i := range requests {
			h.IoControl(ks.IoctlProperty, requests[i][:], make([]byte, 4))
		}
	})
	for name, verify := range map[string]bool{"verify": true, "send": false} {
		b.Run(name, func(b *testing.B) {
			r := read(b, trace)
			for b.Loop() {
				dev := func(string, uint32) (*device.Device, error) { return items(b), nil }
				if res, err := Replay(b.Context(), r, dev, ReplayOptions{Verify: verify}); err != nil || res.Differences != 0 || res.Requests != n {
					b.Fatal(res, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/request")
		})
	}
}
