package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

// TestPictures: the picture of every driver's filter has each connection once, and fits in 80 columns.
func TestPictures(t *testing.T) {
	filters := 0
	for _, name := range drivers.Names() {
		m, err := drivers.Load(name)
		require.NoError(t, err)
		for i := range m.Objects {
			o := describeObject(&m.Objects[i])
			if len(o.Connections) == 0 {
				continue
			}
			filters++
			picture := o.picture()
			require.Equal(t, len(o.Connections), strings.Count(picture, "->"), "%s: %s\n%s", name, o.Object, picture)
			for line := range strings.Lines(picture) {
				require.LessOrEqual(t, len(strings.TrimSuffix(line, "\n")), pictureWidth, "%s", line)
			}
		}
	}
	require.Greater(t, filters, 30)
}

// TestPicture draws ways that meet, one that goes round, and a node that is not there.
func TestPicture(t *testing.T) {
	o := checkedObject{
		Nodes: []checkedNode{{Type: "3a5acc00-c557-11d0-8a2b-00a0c9255ac1"}, {Type: "12345678-0000-0000-0000-000000000000"},
			{Object: "node 2 (KSNODETYPE_SUPERMIX) of it"}},
		Connections: [][4]int32{{-1, 0, 0, 1}, {0, 0, -1, 1}, {-1, 2, 0, 2}, {1, 0, 1, 1}, {9, 0, 2, 0}, {-1, 5, -1, 6}},
	}
	require.Equal(t, `  pin 0 -> 1 [0 VOLUME] 0 -> pin 1
  pin 2 -> 2 [0 VOLUME]
  pin 5 -> pin 6
  [1 12345678] 0 -> 1 [1 12345678]
  [9, not declared] 0 -> 0 [2 SUPERMIX]
`, o.picture())
}

// TestPinWords says a format in words.
func TestPinWords(t *testing.T) {
	m, err := drivers.Load("wds-simpleaudiosample")
	require.NoError(t, err)
	o := describeObject(&m.Objects[len(m.Objects)-1])
	require.Equal(t, "filter", o.Role)
	require.Equal(t, "in sink 1", o.Pins[0].Flow+" "+o.Pins[0].Communication+" "+o.Pins[0].Possible)
	require.Equal(t, []string{"PCM, up to 2 channels, 16 bits, 48000 Hz, with attributes"}, unique(o.Pins[0].Formats))
	yuy2 := ks.DataFormatTypeVideo
	copy(yuy2[:], "YUY2")
	for want, r := range map[string]ks.DataFormat{
		"video YUY2": {FormatSize: ks.SizeDataFormat, MajorFormat: ks.DataFormatTypeVideo, SubFormat: yuy2},
		"any any":    {FormatSize: ks.SizeDataFormat},
		"audio any":  {FormatSize: ks.SizeDataFormat, MajorFormat: ks.DataFormatTypeAudio},
	} {
		require.Equal(t, want, formatWords(&engine.DataRange{Format: r.Bytes()}))
	}
	require.Equal(t, "no whole range", formatWords(new(engine.DataRange)))
	require.Equal(t, "any", instances(ks.InstanceIndeterminate))
	require.Equal(t, "7", wordOf(7, "none"))
	var table manifest.Object
	require.Equal(t, "table", describeObject(&table).Role)
}

// TestCheckPage draws each box and each connection of the drivers on the page, inside of it, and writes text of a manifest as text.
func TestCheckPage(t *testing.T) {
	for _, name := range drivers.Names() {
		m, err := drivers.Load(name)
		require.NoError(t, err)
		var f checkedFile
		lines := 0
		for i := range m.Objects {
			o := describeObject(&m.Objects[i])
			f.Objects, lines = append(f.Objects, o), lines+len(o.Connections)
			g := o.Graph()
			taken := make(map[box]bool)
			for _, b := range g.Boxes {
				require.True(t, b.X >= 0 && b.Y >= 0 && b.X+b.Width <= g.Width && b.Y+26 <= g.Height, "%s: %s: %+v", name, o.Object, b)
				at := box{X: b.X, Y: b.Y}
				require.False(t, taken[at], "%s: %s: two boxes at %+v", name, o.Object, at)
				taken[at] = true
			}
		}
		var page strings.Builder
		require.NoError(t, checkedFiles{f}.writePage(&page))
		require.Equal(t, lines, strings.Count(page.String(), "<path "), "%s", name)
		require.NotContains(t, page.String(), "://")
	}
	hostile := checkedFile{Driver: "<script>", Objects: []checkedObject{{Object: "</h2><script>",
		Pins:  []checkedPin{{Formats: []string{"<b>"}}},
		Nodes: []checkedNode{{Type: "x", Object: "(KSNODETYPE_<i>)"}}, Connections: [][4]int32{{0, 0, 0, 0}, {0, 1, 7, 0}, {7, 0, 0, 0}}}}}
	var page strings.Builder
	require.NoError(t, checkedFiles{hostile}.writePage(&page))
	require.NotContains(t, page.String(), "<script>")
	require.NotContains(t, page.String(), "<i>")
}
