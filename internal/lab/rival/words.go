package rival

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// identifier is what every request begins with.
type identifier = [ks.SizeIdentifier]byte

// direct says that words can be read and written wherever they are, least significant byte first.
const direct = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// words returns the set, and the id with the flags above it. Calls of package binary leave an instruction behind each that does nothing.
func words(b *identifier) (lo, hi, word uint64) {
	if direct {
		p := (*[3]uint64)(unsafe.Pointer(b))
		return p[0], p[1], p[2]
	}
	return binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
}

// putWords is the inverse of words.
func putWords(b *identifier, lo, hi, word uint64) {
	if direct {
		p := (*[3]uint64)(unsafe.Pointer(b))
		p[0], p[1], p[2] = lo, hi, word
		return
	}
	binary.LittleEndian.PutUint64(b[0:], lo)
	binary.LittleEndian.PutUint64(b[8:], hi)
	binary.LittleEndian.PutUint64(b[16:], word)
}
