package device_test

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// An application asks for a size with an empty output buffer, and then for the value.
func ExampleHandle_IoControl() {
	set := ks.MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540000") // KSPROPSETID_Audio
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: set, Items: []engine.PropertyItem{
		{ID: 4, MinData: 4, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
			irp.IoStatus.Information = uint64(copy(data, "\x10\x20\x30\x40"))
			return ks.StatusSuccess
		}},
	}}}})
	if err != nil {
		panic(err)
	}
	h, err := device.New(d).Open()
	if err != nil {
		panic(err)
	}
	defer h.Close()

	var in [ks.SizeIdentifier]byte
	ks.Identifier{Set: set, ID: 4, Flags: ks.PropertyTypeGet}.Put(in[:])
	n, status := h.IoControl(ks.IoctlProperty, in[:], nil)
	fmt.Println(n, status, status.Win32())

	var out [4]byte
	n, status = h.IoControl(ks.IoctlProperty, in[:], out[:])
	fmt.Printf("%d %v % x\n", n, status, out)
	// Output:
	// 4 STATUS_BUFFER_OVERFLOW 234
	// 4 STATUS_SUCCESS 10 20 30 40
}
