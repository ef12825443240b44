package drivers_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
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
	"wdk81-ac97":               {8, 8, 16, 0, 0},
	"wdk81-fmsynth":            {2, 2, 4, 0, 0},
	"wdk81-msvad-ds2dhw":       {11, 11, 11, 0, 0},
	"wdk81-msvad-pcmex":        {9, 9, 9, 0, 0},
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

func TestUnknownDriver(t *testing.T) {
	_, err := drivers.Load("../drivers")
	require.ErrorContains(t, err, `no driver "../drivers"; there are msdocs-avs-encoder, msdocs-bda-tuner, scream,`)
}

func TestNamesIsACopy(t *testing.T) {
	drivers.Names()[0] = "changed"
	require.NotEqual(t, "changed", drivers.Names()[0])
}
