package rival

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
	"github.com/stretchr/testify/require"
)

// Whether these handles answer as the engine's do is asked where both are at hand, in package lab.

// Every form finds the item that was declared under a key, and none under another: sets with holes between their ids, with ids that
// are far apart, and with a GUID that another has, too (P-24).
func TestFormsFindWhatWasDeclared(t *testing.T) {
	rng := testkit.Rand(t)
	for range 100 {
		var decls []engine.PropertySet
		want := map[key]uint32{}
		for range rng.IntN(12) {
			set := engine.PropertySet{Set: ks.GUID{byte(rng.IntN(8)), 8: byte(rng.IntN(2))}}
			lo, hi := set.Set.Words()
			spread := []uint32{8, 40, 1 << 31}[rng.IntN(3)]
			for range rng.IntN(10) {
				k := key{lo, hi, rng.Uint32N(spread) * (1 + rng.Uint32N(2))}
				if _, ok := want[k]; !ok {
					want[k] = uint32(len(want)) + 1
					set.Items = append(set.Items, engine.PropertyItem{ID: k.id, MinData: want[k]})
				}
			}
			decls = append(decls, set)
		}
		x := NewTable(decls)
		found := func(k key, form string, it *Item) {
			got := uint32(0)
			if it != nil {
				got = it.minData
			}
			require.Equal(t, want[k], got, "%s finds %+v", form, k)
		}
		ask := func(k key) {
			p := k.bytes()
			found(k, "linear", x.Linear.Find(k.lo, k.hi, k.id))
			found(k, "map", x.Map.Find(&p))
			found(k, "open", x.Open.Find(k.lo, k.hi, k.id))
			found(k, "dense", x.Dense.Find(k.lo, k.hi, k.id))
		}
		for k := range want {
			ask(k)
			ask(key{k.lo, k.hi, k.id + 1})
			ask(key{k.lo ^ 1<<rng.IntN(64), k.hi, k.id})
			ask(key{k.lo, k.hi ^ 1<<rng.IntN(64), k.id})
		}
		ask(key{}) // equal to what a free entry holds
		for n := range len(want) {
			require.Equal(t, uint32(n)+1, x.Linear.Item(n).minData)
		}
		require.Nil(t, x.Linear.Item(len(want)))
	}
}

// A table of one set with large ids has an array for none, and one of small ids an array for each.
func TestDenseIsDense(t *testing.T) {
	far := NewTable([]engine.PropertySet{{Set: ks.GUID{1}, Items: []engine.PropertyItem{{ID: 1 << 31}, {ID: ^uint32(0)}}}})
	require.NotNil(t, far.Dense.sparse)
	require.NotNil(t, far.Dense.Find(1, 0, ^uint32(0)))
	near := NewTable([]engine.PropertySet{{Set: ks.GUID{1}, Items: []engine.PropertyItem{{ID: 3}, {ID: 1}}}})
	require.Nil(t, near.Dense.sparse)
	require.Nil(t, near.Dense.Find(1, 0, 2))
	require.NotNil(t, near.Dense.Find(1, 0, 3))
}

func TestIoControl(t *testing.T) {
	first, second := ks.GUID{1}, ks.GUID{2}
	seven := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, []byte{7, 7, 7, 7}))
		return ks.StatusSuccess
	}
	x := NewTable([]engine.PropertySet{{Set: first, Items: []engine.PropertyItem{{ID: 3, Get: seven, MinData: 4}, {ID: 4}}}, {Set: second}})
	for _, heap := range []bool{false, true} {
		h, err := NewHandle(x, ByLinear, heap)
		require.NoError(t, err)
		in, out := make([]byte, ks.SizeIdentifier), make([]byte, 6)
		ask := func(set ks.GUID, id uint32, code uint32, out []byte) (uint32, ks.Status) {
			ks.Identifier{Set: set, ID: id, Flags: ks.PropertyTypeGet}.Put(in)
			return h.IoControl(code, in, out)
		}
		for _, c := range []struct {
			set    ks.GUID
			id     uint32
			code   uint32
			out    []byte
			n      uint32
			status ks.Status
		}{
			{first, 3, ks.IoctlProperty, out, 4, ks.StatusSuccess},
			{first, 3, ks.IoctlProperty, nil, 4, ks.StatusBufferOverflow},
			{first, 3, ks.IoctlProperty, out[:3], 0, ks.StatusBufferTooSmall},
			{first, 3, ks.IoctlMethod, out, 0, ks.StatusInvalidDeviceRequest},
			{first, 4, ks.IoctlProperty, out, 0, ks.StatusNotFound},
			{second, 3, ks.IoctlProperty, out, 0, ks.StatusNotFound},
			{ks.GUID{3}, 3, ks.IoctlProperty, out, 0, ks.StatusPropsetNotFound},
		} {
			n, status := ask(c.set, c.id, c.code, c.out)
			require.Equal(t, c.n, n, "%+v", c)
			require.Equal(t, c.status, status, "%+v", c)
		}
		require.Equal(t, "\a\a\a\a\x00\x00", string(out))
		if heap {
			require.Zero(t, h.arena.Stats().Live)
		} else {
			require.Equal(t, 1, h.arena.Stats().Live, "buffers, with the one that the handle keeps")
		}
		require.NoError(t, h.Close())
		_, status := h.IoControl(ks.IoctlProperty, in, out)
		require.Equal(t, ks.StatusInvalidHandle, status)
	}
}

// A request that a handler sends on its own handle has other memory, and so has a long one; what has returned leaves nothing taken.
func TestKeptBuffer(t *testing.T) {
	var h *Handle
	in, long := make([]byte, ks.SizeIdentifier), make([]byte, keptSize)
	ks.Identifier{ID: 1, Flags: ks.PropertyTypeGet}.Put(in)
	inner := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, bytes.Repeat([]byte{1}, len(data))))
		return ks.StatusSuccess
	}
	outer := func(irp *engine.IRP, request, data []byte) ks.Status {
		data[0] = 2
		for _, out := range [][]byte{make([]byte, 4), long} {
			n, status := h.IoControl(ks.IoctlProperty, in, out)
			require.EqualValues(t, len(out), n)
			require.Equal(t, ks.StatusSuccess, status)
		}
		require.EqualValues(t, 2, data[0])
		require.EqualValues(t, 2, binary.LittleEndian.Uint32(request[16:]))
		irp.IoStatus.Information = 1
		panic(ks.StatusSuccess)
	}
	x := NewTable([]engine.PropertySet{{Items: []engine.PropertyItem{{ID: 1, Get: inner}, {ID: 2, Get: outer}}}})
	h, err := NewHandle(x, ByOpen, false)
	require.NoError(t, err)
	request := slices.Clone(in)
	ks.Identifier{ID: 2, Flags: ks.PropertyTypeGet}.Put(request)
	for range 2 {
		_, status := h.IoControl(ks.IoctlProperty, request, make([]byte, 4))
		require.Equal(t, ks.StatusSuccess, status)
		require.False(t, h.taken)
		require.Equal(t, 1, h.arena.Stats().Live)
	}
}

// A spread has nearly all keys where they are looked for first, which is what Open and Dense are fast by. The control is a single
// multiplier.
func TestSpread(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	moved := func(s spread, hashes []uint64) (n int) {
		taken := map[uint64]bool{}
		for _, h := range hashes {
			if taken[s.slot(h)] {
				n++
			}
			taken[s.slot(h)] = true
		}
		return n
	}
	chosen, single := 0, 0
	for range 20 {
		hashes := make([]uint64, 240)
		for i := range hashes {
			hashes[i] = rng.Uint64()
		}
		s := newSpread(hashes)
		chosen += moved(s, hashes)
		single += moved(spread{golden, s.mask}, hashes)
	}
	require.Less(t, chosen, 20*240*8/100)
	require.Greater(t, single, 20*240*9/100)
}
