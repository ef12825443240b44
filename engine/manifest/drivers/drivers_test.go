package drivers_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

// counts of objects, property sets, property items, method items and event items, taken from the files with another
// JSON reader.
var counts = map[string][5]int{
	"msdocs-avs-encoder":       {1, 2, 2, 0, 0},
	"msdocs-bda-tuner":         {2, 2, 6, 7, 0},
	"scream":                   {6, 7, 9, 0, 0},
	"synchronous-audio-router": {4, 4, 16, 0, 2},
	"wdk81-ac97":               {10, 8, 16, 0, 0},
	"wdk81-fmsynth":            {4, 2, 4, 0, 0},
	"wdk81-msvad-ds2dhw":       {13, 11, 11, 0, 0},
	"wdk81-msvad-pcmex":        {11, 9, 9, 0, 0},
	"wdk81-msvad-simple":       {13, 14, 14, 0, 0},
	"wds-avscamera":            {2, 15, 94, 0, 25},
	"wds-simpleaudiosample":    {8, 10, 16, 0, 0},
	"wds-sysvad":               {57, 91, 165, 0, 14},
}

func TestAllDriversLoad(t *testing.T) {
	names := drivers.Names()
	require.Len(t, names, len(counts))
	require.True(t, slices.IsSorted(names))
	digests := make(map[string]string)
	for _, name := range names {
		m, err := drivers.Load(name)
		require.NoError(t, err)
		require.Equal(t, name, m.Driver)
		require.NotEmpty(t, m.Source)
		require.NotContains(t, digests, m.Digest)
		digests[m.Digest] = name

		var got [5]int
		for i := range m.Objects {
			o := &m.Objects[i]
			got[0]++
			got[1] += len(o.PropertySets)
			for _, s := range o.PropertySets {
				got[2] += len(s.Items)
			}
			for _, s := range o.MethodSets {
				got[3] += len(s.Items)
			}
			for _, s := range o.EventSets {
				got[4] += len(s.Items)
			}
			_, err := engine.Compile(o.Config(manifest.Options{}))
			require.NoError(t, err, "%s: %s", name, o.Name)
		}
		require.Equal(t, counts[name], got, name)
		require.NotZero(t, got[2], name)
	}
}

// filters calls visit for every filter of every driver, opened.
func filters(t *testing.T, visit func(m *manifest.Manifest, o *manifest.Object, h *device.Handle)) {
	for _, name := range drivers.Names() {
		m, err := drivers.Load(name)
		require.NoError(t, err)
		for i := range m.Objects {
			o := &m.Objects[i]
			if o.Role != manifest.RoleFilter {
				continue
			}
			decl, err := m.Filter(o.Name, manifest.Options{})
			require.NoError(t, err)
			dev, err := device.NewFilter(decl)
			require.NoError(t, err, "%s: %s", name, o.Name)
			h, err := dev.Open()
			require.NoError(t, err)
			visit(m, o, h)
			require.NoError(t, h.Close())
		}
	}
}

// each calls visit for every property of an object.
func each(o *manifest.Object, visit func(set ks.GUID, it *manifest.PropertyItem)) {
	for i := range o.PropertySets {
		for j := range o.PropertySets[i].Items {
			visit(o.PropertySets[i].Set, &o.PropertySets[i].Items[j])
		}
	}
}

// TestWholeFilters: the filters say of their pins and nodes what their sources do.
func TestWholeFilters(t *testing.T) {
	var count, pins, nodes, connections int
	filters(t, func(m *manifest.Manifest, o *manifest.Object, h *device.Handle) {
		count, pins = count+1, pins+len(o.Pins)
		if o.Topology != nil {
			nodes, connections = nodes+len(o.Topology.Nodes), connections+len(o.Topology.Connections)
			for _, c := range o.Topology.Connections {
				for _, n := range []uint32{c.FromNode, c.ToNode} {
					require.True(t, n == 0xFFFFFFFF || n < uint32(len(o.Topology.Nodes)), "%s: %s: node %d", m.Driver, o.Name, n)
				}
			}
		}
		out := make([]byte, 4)
		q := ks.Identifier{Set: kssets.KSPROPSETID_Pin, ID: kssets.KSPROPERTY_PIN_CTYPES, Flags: ks.PropertyTypeGet}
		n, status := h.IoControl(ks.IoctlProperty, q.Bytes(), out)
		require.Equal(t, ks.StatusSuccess, status, "%s: %s", m.Driver, o.Name)
		require.EqualValues(t, 4, n)
		require.EqualValues(t, len(o.Pins), binary.LittleEndian.Uint32(out))
	})
	require.Equal(t, []int{48, 137, 100, 175}, []int{count, pins, nodes, connections})
}

// TestNodesThroughTheFilter: a KSP_NODE on the handle of the filter reaches every property of its nodes, the volume first of all, and a
// node that is not there is refused.
func TestNodesThroughTheFilter(t *testing.T) {
	volumes := 0
	filters(t, func(m *manifest.Manifest, o *manifest.Object, h *device.Handle) {
		for i := range m.Objects {
			node := &m.Objects[i]
			if node.Role != manifest.RoleNode || node.Of != o.Name {
				continue
			}
			each(node, func(set ks.GUID, it *manifest.PropertyItem) {
				if it.Get == nil {
					return
				}
				in := make([]byte, max(ks.SizeNode, it.MinProperty))
				q := ks.Node{Identifier: ks.Identifier{Set: set, ID: it.ID, Flags: ks.PropertyTypeGet | ks.PropertyTypeTopology}, NodeID: node.Number}
				q.Put(in)
				out := make([]byte, max(it.ValueSize, it.MinData, 4))
				n, status := h.IoControl(ks.IoctlProperty, in, out)
				require.Equal(t, ks.StatusSuccess, status, "%s: %s: %s", m.Driver, node.Name, it.Name)
				require.EqualValues(t, len(out), n, "%s: %s: %s", m.Driver, node.Name, it.Name)
				if set == kssets.KSPROPSETID_Audio && it.ID == kssets.KSPROPERTY_AUDIO_VOLUMELEVEL {
					volumes++
				}
				q.NodeID = 99
				q.Put(in)
				_, status = h.IoControl(ks.IoctlProperty, in, out)
				require.Equal(t, ks.StatusInvalidParameter, status, "node 99 of %s: %s", m.Driver, o.Name)
			})
		}
	})
	require.Equal(t, 28, volumes)
}

// TestPinsAreNotTheFilter: what a pin declares, and the filter does not, is not found on the filter's handle.
func TestPinsAreNotTheFilter(t *testing.T) {
	asked := 0
	filters(t, func(m *manifest.Manifest, o *manifest.Object, h *device.Handle) {
		own := make(map[ks.GUID]bool)
		each(o, func(set ks.GUID, _ *manifest.PropertyItem) { own[set] = true })
		ask := func(set ks.GUID, id uint32) {
			q := ks.Node{Identifier: ks.Identifier{Set: set, ID: id, Flags: ks.PropertyTypeGet}}
			n, status := h.IoControl(ks.IoctlProperty, q.Bytes(), make([]byte, 200))
			require.Equal(t, ks.StatusPropsetNotFound, status, "%s: %s: %v %d", m.Driver, o.Name, set, id)
			require.Zero(t, n)
			asked++
		}
		ask(kssets.KSPROPSETID_Connection, kssets.KSPROPERTY_CONNECTION_STATE)
		for i := range m.Objects {
			pin := &m.Objects[i]
			if pin.Role == manifest.RolePin && pin.Of == o.Name {
				each(pin, func(set ks.GUID, it *manifest.PropertyItem) {
					if !own[set] {
						ask(set, it.ID)
					}
				})
			}
		}
	})
	require.Greater(t, asked, 48)
}

func TestUnknownDriver(t *testing.T) {
	_, err := drivers.Load("../drivers")
	require.ErrorContains(t, err, `no driver "../drivers"; there are msdocs-avs-encoder, msdocs-bda-tuner, scream,`)
}

func TestNamesIsACopy(t *testing.T) {
	drivers.Names()[0] = "changed"
	require.NotEqual(t, "changed", drivers.Names()[0])
}
