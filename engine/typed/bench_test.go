package typed_test

import (
	"encoding/binary"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// BenchmarkRequest compares a declared property with handlers written by hand for the same variable and the same checks.
func BenchmarkRequest(b *testing.B) {
	var level atomic.Int32
	const lo, hi, step = -96 << 16, 0, 1 << 15
	declared, err := typed.PropertySet(testSet, typed.ScalarVar(4, &level).Step(lo, hi, step))
	if err != nil {
		b.Fatal(err)
	}
	fn, err := typed.PropertySet(testSet, typed.ScalarFunc(4,
		func(typed.Request) (int32, ks.Status) { return level.Load(), ks.StatusSuccess },
		func(_ typed.Request, v int32) ks.Status { level.Store(v); return ks.StatusSuccess }).Step(lo, hi, step))
	if err != nil {
		b.Fatal(err)
	}
	store := func(data []byte) ks.Status {
		v := int32(binary.LittleEndian.Uint32(data))
		if v < lo || v > hi || (v-lo)%step != 0 {
			return ks.StatusInvalidParameter
		}
		level.Store(v)
		return ks.StatusSuccess
	}
	hand := engine.PropertySet{
		Set: testSet,
		Items: []engine.PropertyItem{{ID: 4, MinData: 4,
			Get: func(irp *engine.IRP, _, data []byte) ks.Status {
				binary.LittleEndian.PutUint32(data, uint32(level.Load()))
				irp.IoStatus.Information = 4
				return ks.StatusSuccess
			},
			Set: func(_ *engine.IRP, _, data []byte) ks.Status { return store(data) },
		}},
		FastIO: []engine.FastPropertyItem{{ID: 4,
			Get: func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
				binary.LittleEndian.PutUint32(data, uint32(level.Load()))
				io.Status, io.Information = ks.StatusSuccess, 4
				return true
			},
			Set: func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
				io.Status = store(data)
				return true
			},
		}},
	}
	for _, impl := range []struct {
		name string
		set  engine.PropertySet
	}{{"hand", hand}, {"var", declared}, {"func", fn}} {
		d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{impl.set}})
		if err != nil {
			b.Fatal(err)
		}
		h, err := device.New(d).Open()
		if err != nil {
			b.Fatal(err)
		}
		defer h.Close()
		var file engine.FileObject
		for verb, flags := range map[string]uint32{"get": get, "set": set} {
			in, data := request(4, flags), make([]byte, 4)
			b.Run("impl="+impl.name+"/verb="+verb+"/path=irp", func(b *testing.B) {
				for i := 0; i < b.N; i++ {
					h.IoControl(ks.IoctlProperty, in, data)
				}
			})
			b.Run("impl="+impl.name+"/verb="+verb+"/path=fast", func(b *testing.B) {
				var io engine.IoStatus
				for i := 0; i < b.N; i++ {
					d.FastProperty(&file, engine.UserMode, in, data, &io)
				}
			})
		}
	}
}
