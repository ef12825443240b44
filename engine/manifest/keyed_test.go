package manifest

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// keyedItem returns the property of a manifest with that key.
func keyedItem(t testing.TB, more string) (p *PropertyItem, h, fast func(verb Verb, request, data []byte) ks.Status) {
	t.Helper()
	p = &parse(t, withItems(`{"id": 1, "get": true, "set": true, "min_data": 4`+more+`}`, "")).Objects[0].PropertySets[0].Items[0]
	v := newValue(p)
	programs := map[Verb]*Program{VerbGet: p.Get, VerbSet: p.Set}
	h = func(verb Verb, request, data []byte) ks.Status {
		return programs[verb].Handler(verb, v)(new(engine.IRP), request, data)
	}
	fast = func(verb Verb, request, data []byte) ks.Status {
		var io engine.IoStatus
		require.True(t, programs[verb].FastHandler(verb, v)(new(engine.FileObject), engine.UserMode, request, data, &io))
		return io.Status
	}
	return p, h, fast
}

func word(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

// TestPer keeps a value for each number at the place of its structure, and one path sees what the other set.
func TestPer(t *testing.T) {
	node := func(n uint32) []byte { return ks.Node{NodeID: n}.Bytes() }
	channel := func(n uint32) []byte {
		return ks.NodePropertyAudioChannel{Node: ks.Node{NodeID: n % 2}, Channel: int32(n)}.Bytes()
	}
	pinID := func(n uint32) []byte { return ks.Pin{PinID: n}.Bytes() }
	for name, request := range map[string]func(uint32) []byte{"node": node, "channel": channel, "pin": pinID} {
		it, set, get := keyedItem(t, `, "per": "`+name+`"`)
		require.Equal(t, name, it.Per.String())
		numbers := []uint32{0, 1, 7, 0xFFFFFFFF}
		for i, n := range numbers {
			require.Equal(t, ks.StatusSuccess, set(VerbSet, request(n), word(100+uint32(i))))
		}
		for i, n := range numbers {
			data := make([]byte, 4)
			require.Equal(t, ks.StatusSuccess, get(VerbGet, request(n), data))
			require.Equal(t, word(100+uint32(i)), data, "%s %d", name, n)
		}
		data := []byte{1, 2, 3, 4}
		require.Equal(t, ks.StatusSuccess, get(VerbGet, request(5), data))
		require.Equal(t, word(0), data, "%s 5, which nobody set", name)
		require.Equal(t, ks.StatusSuccess, get(VerbGet, make([]byte, ks.SizeIdentifier), data))
		require.Equal(t, word(100), data, "a request that ends before the %s", name)
	}
}

// TestPerRange: the limits of the item are those of each value.
func TestPerRange(t *testing.T) {
	_, set, fast := keyedItem(t, `, "per": "node", "set_handler": "range", "values": {"type_guid": "97e99ba0-bdea-11cf-a5d6-28db04c10000",
		"type_id": 19, "members": [{"members_flags": 1, "members_size": 8, "members_count": 1, "data": "0500000009000000"}]}`)
	for _, path := range []func(Verb, []byte, []byte) ks.Status{set, fast} {
		require.Equal(t, ks.StatusInvalidParameter, path(VerbSet, ks.Node{NodeID: 3}.Bytes(), word(4)))
		require.Equal(t, ks.StatusSuccess, path(VerbSet, ks.Node{NodeID: 3}.Bytes(), word(9)))
	}
}

// TestPerIsBounded: numbers are the caller's, who cannot fill the memory with them.
func TestPerIsBounded(t *testing.T) {
	_, set, fast := keyedItem(t, `, "per": "pin"`)
	var wg sync.WaitGroup
	for g := range 2 {
		wg.Go(func() {
			for n := range uint32(maxKeyed / 2) {
				set(VerbSet, ks.Pin{PinID: 2*n + uint32(g)}.Bytes(), word(n))
			}
		})
	}
	wg.Wait()
	require.Equal(t, ks.StatusInsufficientResources, set(VerbSet, ks.Pin{PinID: maxKeyed}.Bytes(), word(1)))
	require.Equal(t, ks.StatusInsufficientResources, fast(VerbSet, ks.Pin{PinID: maxKeyed}.Bytes(), word(1)))
	require.Equal(t, ks.StatusSuccess, set(VerbSet, ks.Pin{PinID: maxKeyed - 1}.Bytes(), word(1)))
}

// TestPerUnknown names the words that there are.
func TestPerUnknown(t *testing.T) {
	_, err := Parse([]byte(withItems(`{"id": 1, "per": "filter"}`, "")), "test.json")
	require.ErrorContains(t, err, "objects[0].property_sets[0].items[0].per: expected node, channel, pin, found")
	require.Equal(t, "item", fmt.Sprint(PerItem))
}

// TestValueSize: a value whose size the file does not know has that of the standard sets, and the request is still judged by the file.
func TestValueSize(t *testing.T) {
	const general = "1464eda5-6a8f-11d1-9aa7-00a0c9223196" // whose COMPONENTID has 72 bytes
	for item, want := range map[string]uint64{
		`{"id": 0, "get": true, "min_data": null}`: 72,
		`{"id": 0, "get": true}`:                   72,
		`{"id": 0, "get": true, "min_data": 0}`:    4,
		`{"id": 0, "get": true, "min_data": 8}`:    8,
		`{"id": 99, "get": true}`:                  4,
	} {
		m := parse(t, withObjects(`{"object": "o", "property_sets": [{"items": [`+item+`], "guid": "`+general+`"}]}`))
		set := m.Objects[0].PropertySets[0]
		status, n := paths[0].call(set.Items[0].Get, VerbGet, newValue(&set.Items[0]), make([]byte, 100))
		require.Equal(t, ks.StatusSuccess, status)
		require.Equal(t, want, n, "%s", item)
	}
	it, _, _ := keyedItem(t, "")
	require.EqualValues(t, 4, it.ValueSize)
}
