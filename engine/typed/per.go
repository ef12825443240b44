package typed

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Per says which number of a request selects the variable that it is about. The numbers are the places of the variables, from 0; one
// without a variable, because there are fewer or because that one is nil, is STATUS_INVALID_PARAMETER after the sizes (PN-5, AT-11).
type Per uint8

// The numbers that select a variable.
const (
	PerNode    Per = iota // NodeId of a KSNODEPROPERTY, of a filter whose nodes have no sets of their own
	PerPin                // PinId of a KSP_PIN
	PerChannel            // Channel of a KSNODEPROPERTY_AUDIO_CHANNEL
)

// layout is where the number lies in a request, and the length of the whole request.
func (p Per) layout() (offset, size int) {
	if p == PerChannel {
		return ks.SizeNode, ks.SizeNodePropertyAudioChannel
	}
	return ks.SizeIdentifier, ks.SizeNode // of KSP_PIN too
}

// ScalarPer is [ScalarVar] with a variable for each node, pin or channel: typed.ScalarPer(4, typed.PerChannel, &left, &right). The
// limits are those of all of them.
func ScalarPer[T Value](id uint32, per Per, cells ...Cell[T]) Scalar[T] {
	return Scalar[T]{perNumber(per, ScalarVar[T](id, nil).Property, cells, func(c Cell[T]) Property { return ScalarVar(id, c).Property })}
}

// StructPer is [StructVar] with a variable for each node, pin or channel.
func StructPer[T interface{ Put([]byte) }](id uint32, per Per, size int, decode func([]byte) (T, bool), cells ...Cell[T]) Property {
	return perNumber(per, StructVar(id, size, decode, nil), cells, func(c Cell[T]) Property { return StructVar(id, size, decode, c) })
}

// StringPer is [StringVar] with a variable for each node, pin or channel.
func StringPer(id uint32, per Per, limit int, texts ...*Text) Property {
	return perNumber(per, StringVar(id, limit, nil), texts, func(v *Text) Property { return StringVar(id, limit, v) })
}

// BlobPer is [BlobVar] with a variable for each node, pin or channel.
func BlobPer(id uint32, per Per, limit int, blobs ...*Bytes) Property {
	return perNumber(per, BlobVar(id, limit, nil), blobs, func(v *Bytes) Property { return BlobVar(id, limit, v) })
}

// Each returns the variables of a slice as cells: typed.ScalarPer(4, typed.PerNode, typed.Each[int32](levels[:])...) for a [8]atomic.Int32.
func Each[T, E any, P interface {
	*E
	Cell[T]
}](variables []E) []Cell[T] {
	cells := make([]Cell[T], len(variables))
	for i := range variables {
		cells[i] = P(&variables[i])
	}
	return cells
}

// perNumber returns p, a declaration without a variable, with those of all variables behind it.
func perNumber[C comparable](per Per, p Property, variables []C, declare func(C) Property) Property {
	if per > PerChannel {
		p.fail("%d is none of PerNode, PerPin and PerChannel", per)
		return p
	}
	if len(p.errs) != 0 {
		return p
	}
	get, set := make([]serve, len(variables)), make([]serve, len(variables))
	var none C
	some := false
	for i, v := range variables {
		if v == none {
			continue
		}
		one := declare(v)
		if len(one.errs) != 0 {
			p.fail("variable %d: %w", i, one.errs[0])
			return p
		}
		get[i], set[i], some = one.get, one.set, true
	}
	if !some {
		p.fail("no variable; name one for each node, pin or channel")
		return p
	}
	offset, size := per.layout()
	p.minProperty = uint32(size)
	p.get, p.set = selected(offset, get), selected(offset, set)
	return p
}

// selected serves a request with the one of all that its number selects.
func selected(offset int, all []serve) serve {
	return func(l *limits, r Request, data []byte) (uint64, ks.Status) {
		if len(r.Property) < offset+4 { // a fast item has no MinProperty, and Property.MinProperty may say less
			return 0, ks.StatusInvalidBufferSize
		}
		n := binary.LittleEndian.Uint32(r.Property[offset:])
		if uint64(n) >= uint64(len(all)) || all[n] == nil {
			return 0, ks.StatusInvalidParameter
		}
		return all[n](l, r, data)
	}
}
