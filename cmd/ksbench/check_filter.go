package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// checkedPin is a pin of a filter.
type checkedPin struct {
	ID            uint32   `json:"id"`
	Flow          string   `json:"flow"`
	Communication string   `json:"communication"`
	Possible      string   `json:"possible"` // how many pins of the kind there may be
	Category      string   `json:"category,omitempty"`
	Name          string   `json:"name,omitempty"`
	Formats       []string `json:"formats,omitempty"`
	Connected     string   `json:"connected,omitempty"` // to which pin of which device
}

// checkedNode is a node of a filter.
type checkedNode struct {
	ID     uint32 `json:"id"`
	Type   string `json:"type"`
	Name   string `json:"name,omitempty"`
	Object string `json:"object,omitempty"`
}

// describeFilter adds what a filter consists of.
func (d *checkedObject) describeFilter(o *manifest.Object) {
	d.Role, d.Of = o.Role.String(), o.Of
	name := func(g *ks.GUID) string {
		switch {
		case g == nil || *g == ks.GUID{}:
			return ""
		case o.Names[*g] != "":
			return o.Names[*g]
		}
		return g.String()
	}
	for i := range o.Pins {
		p := &o.Pins[i]
		pin := checkedPin{ID: uint32(i), Flow: wordOf(p.DataFlow-ks.DataFlowIn, "in", "out"),
			Communication: wordOf(p.Communication, "none", "sink", "source", "both", "bridge"),
			Possible:      instances(p.InstancesPossible), Category: name(p.Category), Name: name(p.Name)}
		for k := range p.DataRanges {
			pin.Formats = append(pin.Formats, formatWords(&p.DataRanges[k]))
		}
		if c := p.PhysicalConnection; c != nil {
			pin.Connected = fmt.Sprintf("pin %d of %s", c.Pin, c.Link)
		}
		d.Pins = append(d.Pins, pin)
	}
	if t := o.Topology; t != nil {
		for i := range t.Nodes {
			d.Nodes = append(d.Nodes, checkedNode{uint32(i), t.Nodes[i].String(), name(&t.NodesNames[i]), t.Objects[i]})
		}
		for _, c := range t.Connections {
			d.Connections = append(d.Connections, [4]int32{int32(c.FromNode), int32(c.FromNodePin), int32(c.ToNode), int32(c.ToNodePin)})
		}
	}
}

// wordOf is the word of a number, or the number.
func wordOf(n uint32, words ...string) string {
	if uint64(n) < uint64(len(words)) {
		return words[n]
	}
	return strconv.FormatUint(uint64(n), 10)
}

func instances(n uint32) string {
	if n == ks.InstanceIndeterminate {
		return "any"
	}
	return strconv.FormatUint(uint64(n), 10)
}

// formatWords says what a data range holds, such as "PCM, 1 to 2 channels, 16 bits, 44100 to 48000 Hz".
func formatWords(r *engine.DataRange) string {
	format, ok := ks.DecodeDataFormat(r.Format)
	if !ok {
		return "no whole range"
	}
	names := map[ks.GUID]string{ks.DataFormatTypeAudio: "audio", ks.DataFormatTypeMusic: "music", ks.DataFormatTypeVideo: "video",
		ks.DataFormatSubtypePCM: "PCM", ks.DataFormatSubtypeIEEEFloat: "float", ks.DataFormatSubtypeAnalog: "analog",
		ks.DataFormatSubtypeMIDI: "MIDI", {}: "any"}
	called := func(g ks.GUID) string { return cmp.Or(names[g], fourCC(g), g.String()) }
	words := called(format.MajorFormat) + " " + called(format.SubFormat)
	if format.MajorFormat == ks.DataFormatTypeAudio && names[format.SubFormat] != "" && format.SubFormat != (ks.GUID{}) {
		words = called(format.SubFormat)
	}
	if audio, ok := ks.DecodeDataRangeAudio(r.Format); ok && format.Specifier == ks.DataFormatSpecifierWaveFormatEx {
		channels := "any channels"
		if audio.MaximumChannels != ks.InstanceIndeterminate {
			channels = "up to " + doc.Plural(int(audio.MaximumChannels), "channel")
		}
		words += fmt.Sprintf(", %s, %s bits, %s Hz", channels, span(audio.MinimumBitsPerSample, audio.MaximumBitsPerSample),
			span(audio.MinimumSampleFrequency, audio.MaximumSampleFrequency))
	}
	if video, ok := ks.DecodeDataRangeVideo(r.Format); ok && format.Specifier == ks.DataFormatSpecifierVideoInfo {
		words += fmt.Sprintf(", %d x %d", video.VideoInfoHeader.Bitmap.Width, video.VideoInfoHeader.Bitmap.Height)
	}
	if len(r.Attributes) != 0 {
		words += ", with attributes"
	}
	return words
}

func span(low, high uint32) string {
	if low == high {
		return number(low)
	}
	return number(low) + " to " + number(high)
}

var pinColumns = []doc.Column{{Name: "pin"}, {Name: "flow", Words: true}, {Name: "communication", Words: true},
	{Name: "possible", Words: true}, {Name: "formats", Words: true}, {Name: "connected to", Words: true, Optional: 1}}

// filterSections are the pins of a filter, and a picture of how its nodes are connected.
func (o *checkedObject) filterSections() (sections []doc.Section) {
	if len(o.Pins) > 0 {
		t := doc.Table{Columns: pinColumns}
		for _, p := range o.Pins {
			row := []string{number(p.ID), p.Flow, p.Communication, p.Possible, strings.Join(unique(p.Formats), "; "), p.Connected}
			for i := range row {
				row[i] = cmp.Or(row[i], "-")
			}
			t.Rows = append(t.Rows, row)
		}
		sections = append(sections, doc.Section{Title: doc.Plural(len(o.Pins), "pin"), Table: t})
	}
	if len(o.Connections) > 0 {
		sections = append(sections, doc.Section{Title: doc.Plural(len(o.Nodes), "node"), Drawing: o.picture()})
	}
	return sections
}

// fourCC is the four characters that a type begins with, if it is one that is made of them; else "".
func fourCC(g ks.GUID) string {
	base := ks.DataFormatTypeVideo
	for i, c := range g {
		if i < 4 && (c < '!' || c > '~') || i >= 4 && c != base[i] {
			return ""
		}
	}
	return string(g[:4])
}

// unique drops the formats that are told already.
func unique(list []string) (once []string) {
	seen := make(map[string]bool)
	for _, s := range list {
		if !seen[s] {
			seen[s], once = true, append(once, s)
		}
	}
	return once
}

// pictureWidth is how wide a picture is, in columns.
const pictureWidth = 80

// picture draws each connection once, along the ways that data go from one pin of the filter to another:
//
//	pin 0 -> 1 [0 VOLUME] 0 -> 1 [1 MUTE] 0 -> pin 1
//
// The number before a node is the pin that the connection enters by, the number behind it the one that it leaves by. A way that another
// has a part of begins or ends at a node.
func (o *checkedObject) picture() string {
	const filter = -1
	used := make([]bool, len(o.Connections))
	next := func(from int32) int {
		for i, c := range o.Connections {
			if !used[i] && c[0] == from {
				return i
			}
		}
		return -1
	}
	end := func(node, pin int32, enters bool) string {
		switch {
		case node == filter:
			return fmt.Sprintf("pin %d", pin)
		case enters:
			return fmt.Sprintf("%d %s", pin, o.nodeLabel(node))
		}
		return fmt.Sprintf("%s %d", o.nodeLabel(node), pin)
	}
	var b strings.Builder
	draw := func(i int) {
		steps := []string{end(o.Connections[i][0], o.Connections[i][1], false)}
		for {
			used[i] = true
			c := o.Connections[i]
			step := end(c[2], c[3], true)
			if c[2] != filter {
				if i = next(c[2]); i >= 0 {
					steps = append(steps, fmt.Sprintf("%s %d", step, o.Connections[i][1]))
					continue
				}
			}
			steps = append(steps, step)
			break
		}
		const indent, arrow = "  ", " -> "
		line := indent + steps[0]
		for _, step := range steps[1:] {
			if len(line)+len(arrow)+len(step) > pictureWidth {
				b.WriteString(line + "\n")
				line = indent + indent + strings.TrimLeft(arrow, " ") + step
				continue
			}
			line += arrow + step
		}
		b.WriteString(line + "\n")
	}
	for i := next(filter); i >= 0; i = next(filter) {
		draw(i)
	}
	for i := range used { // what no pin leads to
		if !used[i] {
			draw(i)
		}
	}
	return b.String()
}

// nodeTypes are the KSNODETYPEs of most topologies.
var nodeTypes = map[string]string{
	"3a5acc00-c557-11d0-8a2b-00a0c9255ac1": "VOLUME", "02b223c0-c557-11d0-8a2b-00a0c9255ac1": "MUTE",
	"4d837fe0-c555-11d0-8a2b-00a0c9255ac1": "ADC", "507ae360-c554-11d0-8a2b-00a0c9255ac1": "DAC",
	"da441a60-c556-11d0-8a2b-00a0c9255ac1": "SUM", "2ceaf780-c556-11d0-8a2b-00a0c9255ac1": "MUX",
	"9db7b9e0-c555-11d0-8a2b-00a0c9255ac1": "SRC", "e573adc0-c555-11d0-8a2b-00a0c9255ac1": "SUPERMIX",
}

// nodeLabel is a node in its brackets: its number, and what it is if the name of its object says so, or the first digits of its type.
func (o *checkedObject) nodeLabel(node int32) string {
	if node < 0 || int(node) >= len(o.Nodes) {
		return fmt.Sprintf("[%d, not declared]", uint32(node))
	}
	n := &o.Nodes[node]
	_, rest, _ := strings.Cut(n.Object, "(KSNODETYPE_")
	kind, _, ok := strings.Cut(rest, ")")
	if !ok {
		kind = nodeTypes[n.Type]
	}
	if kind == "" {
		kind, _, _ = strings.Cut(n.Type, "-")
	}
	const longest = 24
	return fmt.Sprintf("[%d %s]", node, kind[:min(len(kind), longest)])
}
