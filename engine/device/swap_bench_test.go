package device_test

import (
	"fmt"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// BenchmarkSwap swaps two dispatchers of so many sets with 12 items.
func BenchmarkSwap(b *testing.B) {
	for _, sets := range []int{1, 20, 2000} {
		for _, size := range []uint32{0, 80} {
			b.Run(fmt.Sprintf("sets=%d/storage=%d", sets, size), func(b *testing.B) {
				tables := [2]*engine.Dispatcher{}
				for i := range tables {
					c := engine.Config{PropertyItemSize: size}
					for set := range sets {
						declared := engine.PropertySet{Set: ks.GUID{byte(set), byte(set >> 8), 1}}
						for id := range uint32(12) {
							declared.Items = append(declared.Items, engine.PropertyItem{ID: id, MinData: 4, Get: produces(1, 2, 3, 4)})
						}
						c.PropertySets = append(c.PropertySets, declared)
					}
					tables[i] = compile(b, c)
				}
				dev := device.New(tables[0])
				dev.Swap(tables[1])
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					dev.Swap(tables[i%2])
					i++
				}
			})
		}
	}
}
