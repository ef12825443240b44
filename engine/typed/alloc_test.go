//go:build !race

package typed_test

import (
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestNoAllocations sends every verb to every kind of property, with sizes that succeed and sizes that fail.
func TestNoAllocations(t *testing.T) {
	var (
		i32   atomic.Int32
		u64   atomic.Uint64
		yes   atomic.Bool
		f32   typed.Locked[float32]
		st    typed.Locked[ks.SteppingLong]
		blob  typed.Bytes
		text  typed.Text
		each  [4]atomic.Int32
		name2 typed.Text
		edid  atomic.Pointer[[]byte]
		name  atomic.Pointer[string]
	)
	edid.Store(&[]byte{1, 2, 3})
	words := "four words of text \U0001F600"
	name.Store(&words)
	scratch := make([]byte, 0, 256)
	o := open(t,
		typed.ScalarVar(0, &i32).Step(-96<<16, 0, 1<<15).Default(0),
		typed.ScalarVar(1, &u64).Range(0, 99).OneOf(1000),
		typed.ScalarVar(2, &yes),
		typed.ScalarVar(3, &f32).OneOf(0),
		typed.StructVar(4, ks.SizeSteppingLong, ks.DecodeSteppingLong, &st),
		typed.BlobVar(5, 64, &blob),
		typed.StringVar(6, 64, &text),
		typed.ScalarFunc(7, func(r typed.Request) (int64, ks.Status) { return int64(r.Property[0]), ks.StatusSuccess },
			func(r typed.Request, v int64) ks.Status { return ks.StatusNotSupported }),
		typed.StructFunc(8, ks.SizeBoundsLong, ks.DecodeBoundsLong,
			func(typed.Request) (ks.BoundsLong, ks.Status) { return ks.BoundsLong{}, ks.StatusSuccess },
			func(typed.Request, ks.BoundsLong) ks.Status { return ks.StatusSuccess }),
		typed.BlobFunc(9, 64, func(typed.Request) ([]byte, ks.Status) { return *edid.Load(), ks.StatusSuccess },
			func(_ typed.Request, b []byte) ks.Status { copy(scratch[:cap(scratch)], b); return ks.StatusSuccess }),
		typed.StringFunc(10, 64, func(typed.Request) (string, ks.Status) { return *name.Load(), ks.StatusSuccess },
			func(_ typed.Request, text typed.UTF16) ks.Status {
				scratch = text.Append(scratch[:0])
				return ks.StatusSuccess
			}),
		typed.ScalarPer(11, typed.PerNode, typed.Each[int32](each[:])...).Range(-9, 9).MinProperty(0),
		typed.StringPer(12, typed.PerChannel, 64, nil, nil, &name2).MinProperty(0),
	)
	out := make([]byte, 160)
	failed := wide16("text")
	for id := range uint32(len(o.set.Items)) {
		for _, flags := range []uint32{get, set, ks.PropertyTypeBasicSupport, ks.PropertyTypeDefaultValues} {
			in := request(id, flags)
			if id >= 11 {
				in = append(in, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0) // node or pin and channel
			}
			for _, n := range []int{0, 1, 4, 8, 10, 128, 160} {
				if k := testkit.Allocs(func() {
					copy(out, failed)
					o.h.IoControl(ks.IoctlProperty, in, out[:n])
				}); k != 0 {
					t.Errorf("id %d flags %#x, %d bytes: %v allocations on the IRP path", id, flags, n, k)
				}
				var io engine.IoStatus
				if k := testkit.Allocs(func() {
					copy(out, failed)
					o.d.FastProperty(&o.file, engine.UserMode, in, out[:n], &io)
				}); k != 0 {
					t.Errorf("id %d flags %#x, %d bytes: %v allocations on the fast path", id, flags, n, k)
				}
			}
		}
	}

	// The controls: functions that allocate must show on both paths, or the measurement above sees nothing.
	c := open(t, typed.ScalarFunc(0, func(typed.Request) (uint32, ks.Status) { sink = make([]byte, 8); return 0, ks.StatusSuccess }, nil),
		typed.StringFunc(1, 64, nil, func(_ typed.Request, text typed.UTF16) ks.Status { words = text.String(); return ks.StatusSuccess }))
	in, string1 := request(0, get), request(1, set)
	var io engine.IoStatus
	for what, f := range map[string]func(){
		"a getter on the IRP path":  func() { c.h.IoControl(ks.IoctlProperty, in, out[:4]) },
		"a getter on the fast path": func() { c.d.FastProperty(&c.file, engine.UserMode, in, out[:4], &io) },
		"a setter with String":      func() { c.h.IoControl(ks.IoctlProperty, string1, failed) },
	} {
		if k := testkit.Allocs(f); k < 1 {
			t.Errorf("control: %s allocates %v times; want at least 1", what, k)
		}
	}
}

var sink []byte
