package lab

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
)

// handlers gives the item at a position of an object its handlers.
type handlers func(set, item int) (engine.Handler, engine.FastHandler)

// timed are the handlers of everything that is timed: the same for every item.
func timed(int, int) (engine.Handler, engine.FastHandler) { return Answer, rival.Answer }

// Answer does the least that a handler does: it reads the request, touches the data and says how much there is.
// rival.Answer is the same without an IRP.
func Answer(irp *engine.IRP, request, data []byte) ks.Status {
	if len(data) >= 4 {
		binary.LittleEndian.PutUint32(data, binary.LittleEndian.Uint32(request[16:]))
	}
	irp.IoStatus.Information = uint64(len(data))
	return ks.StatusSuccess
}
