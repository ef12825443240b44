package manifest

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

func TestFilter(t *testing.T) {
	m, err := LoadFile("testdata/good/filter.json")
	require.NoError(t, err)
	require.Len(t, m.Objects, 4)
	var roles []string
	for _, o := range m.Objects {
		roles = append(roles, o.Role.String())
	}
	require.Equal(t, []string{"filter", "node", "pin", "table"}, roles)
	require.Equal(t, "filter Wave", m.Objects[1].Of)
	require.EqualValues(t, 1, m.Objects[2].Number)
	require.Nil(t, m.Objects[3].Pins)

	o := &m.Objects[0]
	require.Len(t, o.Pins, 3)
	p := &o.Pins[0]
	category := ks.MustParseGUID("6994ad04-93ef-11d0-a3cc-00a0c9223196")
	require.Equal(t, []uint32{ks.DataFlowIn, ks.CommunicationSink, 2, 1},
		[]uint32{p.DataFlow, p.Communication, p.InstancesPossible, p.InstancesNecessary})
	require.Equal(t, []ks.Identifier{{Set: ks.InterfaceStreaming.Set, ID: 1}}, p.Interfaces)
	require.Empty(t, p.Mediums)
	require.Len(t, p.DataRanges, 1)
	require.Len(t, p.DataRanges[0].Attributes, 32)
	require.Equal(t, &category, p.Category)
	require.Equal(t, &engine.PhysicalConnection{Pin: 0xFFFFFFFF, Link: `\??\topology`}, p.PhysicalConnection)
	require.Equal(t, []uint32{ks.DataFlowOut, ks.CommunicationBridge, 0, ks.InstanceIndeterminate},
		[]uint32{o.Pins[1].DataFlow, o.Pins[1].Communication, o.Pins[1].InstancesPossible, o.Pins[1].InstancesNecessary})
	require.Equal(t, &category, o.Pins[1].Name)
	require.Equal(t, ks.InstanceIndeterminate, o.Pins[2].InstancesPossible)
	require.Equal(t, []ks.TopologyConnection{{FromNode: 0xFFFFFFFF, ToNodePin: 1}, {ToNode: 0xFFFFFFFF, ToNodePin: 1}},
		o.Topology.Connections)
	require.Equal(t, []string{"node 0 of filter Wave", ""}, o.Topology.Objects)
	require.Len(t, o.Names, 2)
	require.Equal(t, "Line Out", o.Names[*p.Name])
	require.Equal(t, "Lautstärke", o.Names[o.Topology.NodesNames[0]])
	require.Zero(t, o.Topology.NodesNames[1])
}

// TestFilterAnswers asks a filter what its declarations say, and what it declares itself.
func TestFilterAnswers(t *testing.T) {
	m, err := LoadFile("testdata/good/filter.json")
	require.NoError(t, err)
	decl, err := m.Filter("filter Wave", Options{})
	require.NoError(t, err)
	dev, err := device.NewFilter(decl)
	require.NoError(t, err)
	handle, err := dev.Open()
	require.NoError(t, err)
	defer func() { require.NoError(t, handle.Close()) }()
	set, setTopology := ks.MustParseGUID(pin), ks.MustParseGUID("720d4ac0-7533-11d0-a5d6-28db04c10000")
	utf16 := func(s string) (b []byte) {
		for _, c := range s + "\x00" {
			b = append(b, byte(c), byte(c>>8))
		}
		return b
	}
	for _, c := range []struct {
		set    ks.GUID
		id, of uint32
		status ks.Status
		want   string
	}{
		{set, 1, 0, ks.StatusSuccess, "03000000"},
		{set, 0, 0, ks.StatusSuccess, "0200000000000000"},
		{set, 0, 1, ks.StatusSuccess, "0000000000000000"},
		{set, 8, 0, ks.StatusSuccess, "ffffffff00000000"},
		{set, 8, 1, ks.StatusSuccess, "0000000000000000"},
		{set, 9, 1, ks.StatusSuccess, "ffffffff"},
		{set, 10, 0, ks.StatusSuccess, "07"}, // its own
		{set, 12, 0, ks.StatusSuccess, hex.EncodeToString(utf16("Line Out"))},
		{set, 12, 1, ks.StatusObjectNameNotFound, ""}, // there is no registry
		{set, 12, 2, ks.StatusNotFound, ""},
		{setTopology, 3, 0, ks.StatusSuccess, hex.EncodeToString(utf16("Lautstärke"))},
		{setTopology, 3, 1, ks.StatusObjectNameNotFound, ""},
		{ks.GUID{}, 0, 0, ks.StatusSuccess, hex.EncodeToString(append(set[:], setTopology[:]...))},
	} {
		q := ks.Pin{Identifier: ks.Identifier{Set: c.set, ID: c.id, Flags: ks.PropertyTypeGet}, PinID: c.of}
		if c.set == (ks.GUID{}) {
			q.Flags = ks.PropertyTypeSetSupport
		}
		out := make([]byte, 100)
		n, status := handle.IoControl(ks.IoctlProperty, q.Bytes(), out)
		require.Equal(t, c.status, status, "item %d of %d", c.id, c.of)
		require.Equal(t, c.want, hex.EncodeToString(out[:n]), "item %d of %d", c.id, c.of)
	}
}

// TestFilterOfNothing says what is wrong with the name.
func TestFilterOfNothing(t *testing.T) {
	m, err := LoadFile("testdata/good/filter.json")
	require.NoError(t, err)
	_, err = m.Filter("nobody", Options{})
	require.EqualError(t, err, `manifest: there is no object "nobody"`)
	_, err = m.Filter("pin 1 of filter Wave", Options{})
	require.ErrorContains(t, err, `"pin 1 of filter Wave" is a pin, no filter`)
}

// TestFilterParts: sets of nodes and pins go to their places, and their values are those of the declaration.
func TestFilterParts(t *testing.T) {
	m := parse(t, withObjects(`
		{"object": "p1", "role": "pin", "of": "f", "number": 1,
			"property_sets": [{"guid": "`+pin+`", "items": [{"id": 9, "get": true, "set": true}]}]},
		{"object": "n1", "role": "node", "of": "f", "number": 1, "property_sets": [{"guid": "`+pin+`", "items": [{"id": 8, "get": true}]}]},
		{"object": "other", "role": "filter", "pins": [{"flow": "in", "communication": "none"}]},
		{"object": "p0", "role": "pin", "of": "other", "number": 0, "property_sets": [{"guid": "`+pin+`", "items": [{"id": 7, "get": true}]}]},
		{"object": "f", "role": "filter",
			"pins": [{"flow": "in", "communication": "none"}, {"flow": "out", "communication": "none"}],
			"topology": {"nodes": [{"type": "`+pin+`"}, {"type": "`+pin+`", "object": "n1"}]}}`))
	f, err := m.Filter("f", Options{})
	require.NoError(t, err)
	ids := func(c engine.Config) (list []uint32) {
		for _, s := range c.PropertySets {
			for _, it := range s.Items {
				list = append(list, it.ID)
			}
		}
		return list
	}
	require.Len(t, f.Pins, 2)
	require.Len(t, f.Nodes, 2)
	require.Equal(t, [][]uint32{nil, {9}, nil, {8}},
		[][]uint32{ids(f.Pins[0].Config), ids(f.Pins[1].Config), ids(f.Nodes[0]), ids(f.Nodes[1])})
	_, err = device.NewFilter(f)
	require.NoError(t, err)
}

// TestNamesMeetNoGUID: the GUID that a text gets is none that the object has.
func TestNamesMeetNoGUID(t *testing.T) {
	m := parse(t, withObjects(`{"object": "f", "role": "filter", "pins": [
		{"flow": "in", "communication": "sink", "name": "00000000-0000-0000-0000-000000000001"},
		{"flow": "in", "communication": "sink", "category": "00000001-0000-0000-0000-000000000001", "name": "text"}]}`))
	o := &m.Objects[0]
	require.Len(t, o.Names, 1)
	require.Equal(t, "text", o.Names[*o.Pins[1].Name])
	require.NotContains(t, o.Names, *o.Pins[0].Name)
	require.NotContains(t, o.Names, *o.Pins[1].Category)
}

// A property_item_size that Compile refuses is refused with pins too (P-3).
func TestFilterWithBadItemSize(t *testing.T) {
	m := parse(t, withObjects(`{"object": "f", "role": "filter", "pins": [], "property_item_size": 76}`))
	_, err := engine.Compile(m.Objects[0].Config(Options{}))
	require.ErrorContains(t, err, "P-3")
}
