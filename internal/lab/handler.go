package lab

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// handlers gives the item at a position of an object its handlers.
type handlers func(set, item int) (engine.Handler, engine.FastHandler)

// timed are the handlers of everything that is timed: the same for every item.
func timed(int, int) (engine.Handler, engine.FastHandler) { return answer, fastAnswer }

// answer does the least that a handler does: it reads the request, touches the data and says how much there is.
func answer(irp *engine.IRP, request, data []byte) ks.Status {
	if len(data) >= 4 {
		binary.LittleEndian.PutUint32(data, binary.LittleEndian.Uint32(request[16:]))
	}
	irp.IoStatus.Information = uint64(len(data))
	return ks.StatusSuccess
}

// fastAnswer is answer without an IRP.
func fastAnswer(_ *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
	if len(data) >= 4 {
		binary.LittleEndian.PutUint32(data, binary.LittleEndian.Uint32(request[16:]))
	}
	io.Information = uint64(len(data))
	return true
}
