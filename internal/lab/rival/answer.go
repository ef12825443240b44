package rival

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
)

// Answer is the handler of everything: it reads the request, touches the data and says how much there is.
func Answer(_ *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
	if len(data) >= 4 {
		binary.LittleEndian.PutUint32(data, binary.LittleEndian.Uint32(request[16:]))
	}
	io.Information = uint64(len(data))
	return true
}
