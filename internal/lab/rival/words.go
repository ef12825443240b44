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

// captured returns the copy of a request that is an identifier (F-5).
func (h *Handle) captured(lo, hi, word uint64) []byte {
	p := h.small[:ks.SizeIdentifier:ks.SizeIdentifier]
	putWords((*identifier)(p), lo, hi, word)
	return p
}

// takes reports that a request that is an identifier, with so many bytes of data, is as long as the item wants it.
func (it *Item) takes(data int) bool {
	if direct {
		return *(*uint64)(unsafe.Pointer(&it.minData)) <= uint64(data)
	}
	return it.minRest == 0 && uint64(it.minData) <= uint64(data)
}

// answerValue copies the first four bytes of a buffer to out, or for a SET to themselves, without a branch.
func answerValue(out, buffer []byte, verb uint32) {
	from, to := unsafe.SliceData(buffer), unsafe.SliceData(out)
	if verb != 0 {
		to = from
	}
	*(*[4]byte)(unsafe.Pointer(to)) = *(*[4]byte)(unsafe.Pointer(from))
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
