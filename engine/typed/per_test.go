package typed_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// numbered is a request whose NodeId or PinId is first and whose Channel is second.
func numbered(id, flags, first, second uint32) []byte {
	b := request(id, flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(first)|0xEEEEEEEE<<32)
	return binary.LittleEndian.AppendUint64(b, uint64(second)|0xEEEEEEEE<<32)
}

// twice sends a request on both paths, which must agree (S-20), the fast one where it answers.
func (o *object) twice(in, data []byte) (n uint32, status ks.Status, out []byte) {
	o.t.Helper()
	out, twin := bytes.Clone(data), bytes.Clone(data)
	n, status = o.h.IoControl(ks.IoctlProperty, in, out)
	var io engine.IoStatus
	if o.d.FastProperty(&o.file, engine.UserMode, in, twin, &io) &&
		(uint32(io.Information) != n || io.Status != status || !bytes.Equal(out, twin)) {
		o.t.Errorf("S-20: % x: IRP %v %d % x; fast %v %d % x", in, status, n, out, io.Status, io.Information, twin)
	}
	return n, status, out
}

// TestPN5_PerNumber sets and reads a value of each kind for each number: what the request names and nothing else changes, and what
// has no variable is refused behind the sizes.
func TestPN5_PerNumber(t *testing.T) {
	const numbers = 5 // the one in the middle has no variable
	for _, per := range []typed.Per{typed.PerNode, typed.PerPin, typed.PerChannel} {
		size := ks.SizeNode
		in := func(id, flags, n uint32) []byte { return numbered(id, flags, n, 1)[:ks.SizeNode] }
		if per == typed.PerChannel {
			size = ks.SizeNodePropertyAudioChannel
			in = func(id, flags, n uint32) []byte { return numbered(id, flags, 1, n) }
		}
		var (
			words  [numbers]atomic.Int32
			bounds [numbers]typed.Locked[ks.BoundsLong]
			texts  [numbers]typed.Text
			blobs  [numbers]typed.Bytes
		)
		cells, structs := typed.Each[int32](words[:]), typed.Each[ks.BoundsLong](bounds[:])
		cells[2], structs[2] = nil, nil
		o := open(t,
			typed.ScalarPer(0, per, cells...).Range(0, math.MaxInt32),
			typed.StructPer(1, per, ks.SizeBoundsLong, ks.DecodeBoundsLong, structs...),
			typed.StringPer(2, per, 8, &texts[0], &texts[1], nil, &texts[3], &texts[4]),
			typed.BlobPer(3, per, 8, &blobs[0], &blobs[1], nil, &blobs[3], &blobs[4]),
		)
		value := func(n uint32) []byte { return []byte{byte('a' + n), 0, 0, 0, 0, 0, 0, 0} }
		sizes := []int{4, 8, 4, 8}
		for id, size := range sizes {
			for n := range uint32(numbers) {
				want := ks.StatusSuccess
				if n == 2 {
					want = ks.StatusInvalidParameter
				}
				if _, status, _ := o.twice(in(uint32(id), set, n), value(n)[:size]); status != want {
					t.Errorf("per %d: SET of item %d, number %d: %v; want %v", per, id, n, status, want)
				}
			}
		}
		for id, size := range sizes {
			for n := range uint32(numbers) {
				k, status, out := o.twice(in(uint32(id), get, n), room(size))
				if n == 2 {
					if k != 0 || status != ks.StatusInvalidParameter || !bytes.Equal(out, room(size)) {
						t.Errorf("per %d: GET of item %d, number 2, which has no variable: %v %d % x", per, id, status, k, out)
					}
				} else if int(k) != size || status != ks.StatusSuccess || !bytes.Equal(out, value(n)[:size]) {
					t.Errorf("per %d: GET of item %d, number %d: %v %d % x", per, id, n, status, k, out)
				}
			}
		}
		for id := range sizes {
			for _, n := range []uint32{numbers, 1 << 30, 1 << 31, math.MaxUint32} {
				for _, flags := range []uint32{get, set} {
					data := value(0)[:sizes[id]]
					k, status, out := o.twice(in(uint32(id), flags, n), data)
					if k != 0 || status != ks.StatusInvalidParameter || !bytes.Equal(out, data) {
						t.Errorf("per %d: item %d, flags %d, number %#x: %v %d % x", per, id, flags, n, status, k, out)
					}
				}
			}
		}
		if k, status, _ := o.twice(in(0, get, 9), nil); k != 4 || status != ks.StatusBufferOverflow {
			t.Errorf("per %d: a size answer comes before the number: %v %d", per, status, k)
		}
		for n := range size {
			for id := range uint32(4) {
				_, status := o.h.IoControl(ks.IoctlProperty, in(id, get, 0)[:n], room(8))
				if status != ks.StatusInvalidBufferSize {
					t.Errorf("per %d: item %d, a request of %d bytes: %v", per, id, n, status)
				}
			}
		}
	}
}

// TestPN5_ShortNumber has a declaration, and a fast item without the item, that allow requests which end before the number.
func TestPN5_ShortNumber(t *testing.T) {
	var v atomic.Int32
	o := open(t, typed.ScalarPer(0, typed.PerChannel, &v).MinProperty(0))
	fast, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, FastIO: o.set.FastIO}}})
	if err != nil {
		t.Fatal(err)
	}
	for n := ks.SizeIdentifier; n <= ks.SizeNodePropertyAudioChannel; n++ {
		want := ks.StatusInvalidBufferSize
		if n >= ks.SizeNode+4 {
			want = ks.StatusSuccess
		}
		in := numbered(0, get, 0, 0)[:n]
		if _, status, _ := o.twice(in, room(4)); status != want {
			t.Errorf("a request of %d bytes: %v; want %v", n, status, want)
		}
		var io engine.IoStatus
		if !fast.FastProperty(&o.file, engine.UserMode, in, room(4), &io) || io.Status != want {
			t.Errorf("a fast request of %d bytes: %v; want %v", n, io.Status, want)
		}
	}
}

// TestP43_PerNumber serializes a set for the node that the request names.
func TestP43_PerNumber(t *testing.T) {
	var v [2]atomic.Uint32
	v[0].Store(0x11111111)
	v[1].Store(0x22222222)
	o := open(t, typed.ScalarPer(0, typed.PerNode, typed.Each[uint32](v[:])...).Serialized())
	var blobs [2][]byte
	for node := range uint32(2) {
		out := make([]byte, 64)
		n, status := o.h.IoControl(ks.IoctlProperty, numbered(0, ks.PropertyTypeSerializeSet, node, 0), out)
		if blobs[node] = out[:n]; status != ks.StatusSuccess {
			t.Fatalf("SERIALIZESET of node %d: %v", node, status)
		}
	}
	for node := range uint32(2) { // crossed over
		_, status := o.h.IoControl(ks.IoctlProperty, numbered(0, ks.PropertyTypeUnserializeSet, node, 0), blobs[1-node])
		if status != ks.StatusSuccess {
			t.Fatalf("UNSERIALIZESET of node %d: %v", node, status)
		}
	}
	if v[0].Load() != 0x22222222 || v[1].Load() != 0x11111111 {
		t.Errorf("crossed over: %#x and %#x", v[0].Load(), v[1].Load())
	}
}
