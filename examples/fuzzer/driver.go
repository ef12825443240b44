package main

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// setEqualizer is the set of the driver that is tested.
var setEqualizer = ks.MustParseGUID("5f1a6c3e-0c53-4c8e-9d0f-5a2e3f7b9c11")

// Its properties.
const (
	itemBands  = 1 // how many bands there are, a ULONG, and the level of each, a LONG
	itemSelect = 2 // the band that itemLevel is about
	itemLevel  = 3
)

// equalizer is a model of a driver with two faults, such as reviews miss: one believes a count, one an index that came before.
type equalizer struct {
	levels   []int32
	selected uint32
}

func (e *equalizer) setBands(_ *engine.IRP, _, data []byte) ks.Status {
	n := binary.LittleEndian.Uint32(data)
	if n == 0 || n > 32 {
		return ks.StatusInvalidParameter
	}
	levels := make([]int32, n)
	for i := range levels {
		levels[i] = int32(binary.LittleEndian.Uint32(data[4+4*i:])) // fault: the buffer may be shorter
	}
	e.levels = levels
	return ks.StatusSuccess
}

func (e *equalizer) selectBand(_ *engine.IRP, _, data []byte) ks.Status {
	n := binary.LittleEndian.Uint32(data)
	if int(n) >= len(e.levels) {
		return ks.StatusInvalidParameter
	}
	e.selected = n
	return ks.StatusSuccess
}

func (e *equalizer) getLevel(irp *engine.IRP, _, data []byte) ks.Status {
	if len(e.levels) == 0 {
		return ks.StatusDeviceNotReady
	}
	binary.LittleEndian.PutUint32(data, uint32(e.levels[e.selected])) // fault: there may be fewer bands since it was selected
	irp.IoStatus.Information = 4
	return ks.StatusSuccess
}

// newEqualizer compiles the driver. onPanic is told of a handler that fails.
func newEqualizer(onPanic func(value any, stack []byte)) (*engine.Dispatcher, error) {
	e := new(equalizer)
	return engine.Compile(engine.Config{OnPanic: onPanic, PropertySets: []engine.PropertySet{{Set: setEqualizer, Items: []engine.PropertyItem{
		{ID: itemBands, MinData: 4, Set: e.setBands},
		{ID: itemSelect, MinData: 4, Set: e.selectBand},
		{ID: itemLevel, MinData: 4, Get: e.getLevel},
	}}}})
}
