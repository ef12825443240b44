package model

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// All sizes are computed in 64 bits and compared with what a ULONG holds (S-5).
const maxULong = 0xFFFFFFFF

func al4(n uint64) uint64 { return (n + 3) &^ 3 }
func al8(n uint64) uint64 { return (n + 7) &^ 7 }

// bufferSize is the size of the system buffer: data, padding, request (P-5, P-6).
func bufferSize(q *Request) uint64 { return al8(uint64(q.Out)) + uint64(q.In) }

// badItemSize is P-3, and S-14 for strides that overflow.
func badItemSize(obj *Object) bool {
	if obj.ItemSize == 0 {
		return false
	}
	for _, s := range obj.Sets {
		if uint64(obj.ItemSize)*uint64(len(s.Items)) > maxULong {
			return true
		}
	}
	return obj.ItemSize%8 != 0 || obj.ItemSize < 72
}

func u32(b []byte) uint32                 { return binary.LittleEndian.Uint32(b) }
func appendU32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func appendIdentifier(b []byte, set ks.GUID, id, flags uint32) []byte {
	return appendU32(appendU32(append(b, set[:]...), id), flags)
}

// input is the first n bytes of the caller's input buffer, or of zeros behind it.
func (q *Request) input(n uint32) []byte {
	b := make([]byte, n)
	copy(b, append(appendIdentifier(nil, q.Set, q.ID, q.Flags), q.Extra...))
	return b
}

// output is the caller's output buffer before the request (P-11).
func (q *Request) output() []byte {
	b := make([]byte, q.Out)
	copy(b, q.Data)
	if q.Alias {
		copy(b, q.input(min(q.In, q.Out)))
	}
	return b
}
