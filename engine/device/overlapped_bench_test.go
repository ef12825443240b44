package device_test

import (
	"context"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// number is a GET handler for 4 bytes.
func number(irp *engine.IRP, _, data []byte) ks.Status {
	binary.LittleEndian.PutUint32(data, 42)
	irp.IoStatus.Information = 4
	return ks.StatusSuccess
}

func BenchmarkOverlapped(b *testing.B) {
	handed := make(chan *engine.IRP, 1024)
	dev, plain := open(b, engine.PropertyItem{ID: 1, MinData: 4, Get: number},
		engine.PropertyItem{ID: 2, MinData: 4, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			binary.LittleEndian.PutUint32(data, 42)
			handed <- irp
			return ks.StatusPending
		}})
	in, out := request(1, ks.PropertyTypeGet), make([]byte, 4)
	b.Run("path=irp", func(b *testing.B) {
		for b.Loop() {
			plain.IoControl(ks.IoctlProperty, in, out)
		}
	})
	b.Run("path=atonce", func(b *testing.B) {
		h := openOverlapped(b, dev, nil)
		var o device.Overlapped
		b.ReportAllocs()
		for b.Loop() {
			h.IoControl(&o, ks.IoctlProperty, in, out)
		}
	})
	b.Run("path=atonce/port=yes", func(b *testing.B) {
		port := device.NewPort()
		h := openOverlapped(b, dev, port)
		all, done := make([]device.Overlapped, 64), make([]*device.Overlapped, 64)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%64 == 0 && i != 0 {
				if n, err := port.Wait(b.Context(), done); n != 64 || err != nil {
					b.Fatal(n, err)
				}
			}
			h.IoControl(&all[i%64], ks.IoctlProperty, in, out)
		}
	})
	b.Run("path=pended/outstanding=1024", func(b *testing.B) {
		in := request(2, ks.PropertyTypeGet)
		port := device.NewPort()
		h := openOverlapped(b, dev, port)
		ctx, stop := context.WithCancel(b.Context())
		defer stop()
		go func() {
			for {
				select {
				case irp := <-handed:
					irp.Complete(ks.StatusSuccess, 4)
				case <-ctx.Done():
					return
				}
			}
		}()
		type one struct {
			device.Overlapped
			out [4]byte
		}
		all := make([]one, 1024)
		for i := range all {
			all[i].Key = uint64(i)
			if _, status := h.IoControl(&all[i].Overlapped, ks.IoctlProperty, in, all[i].out[:]); status != ks.StatusPending {
				b.Fatal(status)
			}
		}
		done := make([]*device.Overlapped, 64)
		b.ReportAllocs()
		b.ResetTimer()
		for left := b.N; left > 0; {
			n, err := port.Wait(ctx, done)
			if err != nil {
				b.Fatal(err)
			}
			left -= n
			for _, o := range done[:n] {
				x := &all[o.Key]
				if _, status := h.IoControl(o, ks.IoctlProperty, in, x.out[:]); status != ks.StatusPending || x.out[0] != 42 {
					b.Fatal(status)
				}
			}
		}
		b.StopTimer()
		for left := len(all); left > 0; {
			n, err := port.Wait(ctx, done)
			if err != nil {
				b.Fatal(err)
			}
			left -= n
		}
	})
	runtime.KeepAlive(out)
}
