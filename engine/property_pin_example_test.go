package engine_test

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A filter declares a pin that takes waves, and a client asks which format both of them know.
func ExamplePinSet() {
	pins := &engine.PinSet{Pins: []engine.PinDescriptor{{
		DataFlow:      ks.DataFlowIn,
		Communication: ks.CommunicationSink,
		DataRanges: []engine.DataRange{
			{Format: ks.AudioRange(ks.DataFormatSubtypePCM, 2, [2]uint32{16, 16}, [2]uint32{44100, 48000}).Bytes()},
		},
		Intersect: func(_ *engine.IRP, _ ks.Pin, _, _, data []byte) (uint32, ks.Status) {
			best := ks.WaveFormat(2, 16, 48000)
			if len(data) >= ks.SizeDataFormatWaveFormatEx {
				best.Put(data)
			}
			return ks.SizeDataFormatWaveFormatEx, ks.StatusSuccess
		},
	}}}
	set := pins.PropertySet()
	handle, err := device.New(mustCompile(engine.Config{PropertySets: []engine.PropertySet{set}})).Open()
	if err != nil {
		panic(err)
	}
	defer handle.Close()

	// KSP_PIN, and a list of one range: any wave.
	request := ks.Pin{Identifier: ks.Identifier{Set: set.Set, ID: 4, Flags: ks.PropertyTypeGet}, PinID: 0}.Bytes() // DATAINTERSECTION
	wish := ks.DataRange{
		FormatSize: ks.SizeDataFormat, MajorFormat: ks.DataFormatTypeAudio, Specifier: ks.DataFormatSpecifierWaveFormatEx,
	}
	request = append(request, ks.MultipleItem{Size: ks.SizeMultipleItem + ks.SizeDataFormat, Count: 1}.Bytes()...)
	request = append(request, wish.Bytes()...)
	size, status := handle.IoControl(ks.IoctlProperty, request, nil)
	fmt.Println(status, size)
	answer := make([]byte, size)
	_, status = handle.IoControl(ks.IoctlProperty, request, answer)
	format, _ := ks.DecodeDataFormatWaveFormatEx(answer)
	fmt.Println(status, format.WaveFormatEx.Channels, format.WaveFormatEx.SamplesPerSec)
	// Output:
	// STATUS_BUFFER_OVERFLOW 82
	// STATUS_SUCCESS 2 48000
}
