// Volume is a virtual volume control: a device with a master level in decibels and a mute switch, and an application that sets
// the levels of the command line and reads back what the device kept.
//
//	go run ./examples/volume -6 -12.3 3
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

// decibel is one dB in the units of KSPROPERTY_AUDIO_VOLUMELEVEL.
const decibel = 1 << 16

// newControl is the driver: -96 to 0 dB in steps of half a decibel, and a mute switch. The engine answers sizes, ranges and
// values out of range from these two lines.
func newControl() (*device.Device, error) {
	level, mute := new(atomic.Int32), new(atomic.Bool)
	set, err := typed.PropertySet(kssets.KSPROPSETID_Audio,
		typed.ScalarVar(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, level).Step(-96*decibel, 0, decibel/2).Default(0),
		typed.ScalarVar(kssets.KSPROPERTY_AUDIO_MUTE, mute),
	)
	if err != nil {
		return nil, err
	}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{set}})
	if err != nil {
		return nil, err
	}
	return device.New(d), nil
}

// run is the application.
func run(w io.Writer, levels []string) error {
	control, err := newControl()
	if err != nil {
		return err
	}
	h, err := control.Open()
	if err != nil {
		return err
	}
	defer h.Close()

	request := func(verb uint32, out []byte) (uint32, ks.Status) {
		in := ks.Identifier{Set: kssets.KSPROPSETID_Audio, ID: kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, Flags: verb}
		return h.IoControl(ks.IoctlProperty, in.Bytes(), out)
	}
	need, status := request(ks.PropertyTypeGet, nil)
	fmt.Fprintf(w, "an empty buffer: %v, %d bytes needed\n", status, need)
	value := make([]byte, need)
	for _, text := range levels {
		dB, err := strconv.ParseFloat(text, 32)
		if err != nil {
			return fmt.Errorf("level %q: want decibels, such as -6.5", text)
		}
		binary.LittleEndian.PutUint32(value, uint32(int32(dB*decibel)))
		_, status := request(ks.PropertyTypeSet, value)
		fmt.Fprintf(w, "set %s dB: %v", text, status)
		if _, status = request(ks.PropertyTypeGet, value); status.IsError() {
			return fmt.Errorf("get: %v", status)
		}
		fmt.Fprintf(w, "; the level is %g dB\n", float64(int32(binary.LittleEndian.Uint32(value)))/decibel)
	}
	return nil
}
