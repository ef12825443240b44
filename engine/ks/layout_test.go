package ks

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// cField and cStruct are the layout of C structures as testdata/layout.json has it, computed by a C compiler.
type cField struct {
	Name         string
	Offset, Size int
}

type cStruct struct {
	Size   int
	Fields []cField
}

// wire is one structure with its functions, its C names, and the C fields that Go spells or splits in another way: an
// empty Go name is an arm of a union that another field covers.
type wire struct {
	c      string
	size   int
	decode func([]byte) (any, bool)
	put    func(v any, b []byte)
	bytes  func(v any) []byte
	zero   any
	fields map[string]string
	pads   [][2]int // bytes that are padding: from, to
}

// padded is w with padding.
func (w wire) padded(pads ...[2]int) wire {
	w.pads = pads
	return w
}

func wireOf[X interface {
	Put([]byte)
	Bytes() []byte
}](c string, size int, decode func([]byte) (X, bool), fields map[string]string) wire {
	var zero X
	return wire{
		c: c, size: size, zero: zero, fields: fields,
		decode: func(b []byte) (any, bool) { return decode(b) },
		put:    func(v any, b []byte) { v.(X).Put(b) },
		bytes:  func(v any) []byte { return v.(X).Bytes() },
	}
}

func wires() []wire {
	id := map[string]string{"Id": "ID", "Alignment": ""}
	unsigned := map[string]string{"UnsignedMinimum": "SignedMinimum", "UnsignedMaximum": "SignedMaximum"}
	node := func(request string) map[string]string {
		return map[string]string{request: "Identifier", "NodeId": "NodeID"}
	}
	event := wireOf("KSEVENTDATA", SizeEventData, DecodeEventData, map[string]string{
		"EventHandle.Event":          "Object",
		"SemaphoreHandle.Semaphore":  "Object",
		"SemaphoreHandle.Reserved":   "Increment",
		"SemaphoreHandle.Adjustment": "Adjustment",
		"EventObject.Event":          "Object",
		"EventObject.Increment":      "Increment",
		"EventObject.Reserved":       "Reserved",
		"SemaphoreObject.Semaphore":  "Object",
		"SemaphoreObject.Increment":  "Increment",
		"SemaphoreObject.Adjustment": "Adjustment",
		"Dpc.Dpc":                    "Object",
		"Dpc.ReferenceCount":         "Increment",
		"Dpc.Reserved":               "Reserved",
		"WorkItem.WorkQueueItem":     "Object",
		"WorkItem.WorkQueueType":     "Increment",
		"WorkItem.Reserved":          "Reserved",
		"KsWorkItem.WorkQueueItem":   "Object",
		"KsWorkItem.Reserved":        "Reserved",
		// Whole arms, and members that are two fields of Go.
		"EventHandle": "", "EventHandle.Reserved": "", "SemaphoreHandle": "", "EventObject": "", "SemaphoreObject": "",
		"Dpc": "", "WorkItem": "", "KsWorkItem": "", "KsWorkItem.KsWorkerObject": "",
		"Alignment": "", "Alignment.Unused": "", "Alignment.Alignment": "",
	})
	wave := map[string]string{
		"wFormatTag": "FormatTag", "nChannels": "Channels", "nSamplesPerSec": "SamplesPerSec", "nAvgBytesPerSec": "AvgBytesPerSec",
		"nBlockAlign": "BlockAlign", "wBitsPerSample": "BitsPerSample", "cbSize": "ExtraSize",
	}
	pin := func(request string) map[string]string {
		return map[string]string{request: "Identifier", "PinId": "PinID", "Reserved": "PinFlags"}
	}
	video := map[string]string{
		"bFixedSizeSamples": "FixedSizeSamples", "bTemporalCompression": "TemporalCompression", "ConfigCaps.guid": "ConfigCaps.GUID",
	}
	format := map[string]string{"Alignment": ""}
	property := map[string]string{"Property": "Identifier"}
	return []wire{
		wireOf("KSIDENTIFIER", SizeIdentifier, DecodeIdentifier, id),
		wireOf("KSPROPERTY", SizeIdentifier, DecodeIdentifier, id),
		wireOf("KSMETHOD", SizeIdentifier, DecodeIdentifier, id),
		wireOf("KSEVENT", SizeIdentifier, DecodeIdentifier, id),
		wireOf("KSP_NODE", SizeNode, DecodeNode, node("Property")),
		wireOf("KSM_NODE", SizeNode, DecodeNode, node("Method")),
		wireOf("KSE_NODE", SizeNode, DecodeNode, node("Event")),
		wireOf("KSMULTIPLE_ITEM", SizeMultipleItem, DecodeMultipleItem, nil),
		wireOf("KSPROPERTY_DESCRIPTION", SizePropertyDescription, DecodePropertyDescription, nil),
		wireOf("KSPROPERTY_MEMBERSHEADER", SizeMembersHeader, DecodeMembersHeader, nil),
		wireOf("KSPROPERTY_STEPPING_LONG", SizeSteppingLong, DecodeSteppingLong, nil),
		wireOf("KSPROPERTY_STEPPING_LONGLONG", SizeSteppingLongLong, DecodeSteppingLongLong, nil),
		wireOf("KSPROPERTY_BOUNDS_LONG", SizeBoundsLong, DecodeBoundsLong, unsigned),
		wireOf("KSPROPERTY_BOUNDS_LONGLONG", SizeBoundsLongLong, DecodeBoundsLongLong, unsigned),
		wireOf("KSPROPERTY_SERIALHDR", SizeSerialHdr, DecodeSerialHdr, nil),
		wireOf("KSPROPERTY_SERIAL", SizeSerial, DecodeSerial, id),
		wireOf("KSTOPOLOGY_CONNECTION", SizeTopologyConnection, DecodeTopologyConnection, nil),
		wireOf("KSQUERYBUFFER", SizeQueryBuffer, DecodeQueryBuffer, nil),
		event.padded([2]int{4, 8}),
		wireOf("KSP_PIN", SizePin, DecodePin, pin("Property")),
		wireOf("KSE_PIN", SizePin, DecodePin, pin("Event")),
		wireOf("KSPIN_INTERFACE", SizeIdentifier, DecodeIdentifier, id),
		wireOf("KSPIN_MEDIUM", SizeIdentifier, DecodeIdentifier, id),
		wireOf("KSPIN_CINSTANCES", SizePinCInstances, DecodePinCInstances, nil),
		wireOf("KSPIN_PHYSICALCONNECTION", SizePinPhysicalConnection, DecodePinPhysicalConnection,
			map[string]string{"SymbolicLinkName": ""}),
		wireOf("KSPRIORITY", SizePriority, DecodePriority, nil),
		wireOf("KSPIN_CONNECT", SizePinConnect, DecodePinConnect, map[string]string{"PinId": "PinID"}).padded([2]int{52, 56}),
		wireOf("KSDATAFORMAT", SizeDataFormat, DecodeDataFormat, format),
		wireOf("KSDATARANGE", SizeDataFormat, DecodeDataFormat, format),
		wireOf("KSATTRIBUTE", SizeAttribute, DecodeAttribute, nil),
		wireOf("KSDATARANGE_AUDIO", SizeDataRangeAudio, DecodeDataRangeAudio, nil).padded([2]int{84, 88}),
		wireOf("KSDATARANGE_MUSIC", SizeDataRangeMusic, DecodeDataRangeMusic, nil).padded([2]int{92, 96}),
		wireOf("KS_DATARANGE_VIDEO", SizeDataRangeVideo, DecodeDataRangeVideo, video).padded([2]int{180, 184}),
		wireOf("KS_VIDEO_STREAM_CONFIG_CAPS", SizeVideoStreamConfigCaps, DecodeVideoStreamConfigCaps, map[string]string{"guid": "GUID"}).
			padded([2]int{100, 104}),
		wireOf("KS_VIDEOINFOHEADER", SizeVideoInfoHeader, DecodeVideoInfoHeader, map[string]string{
			"rcSource": "Source", "rcTarget": "Target", "dwBitRate": "BitRate", "dwBitErrorRate": "BitErrorRate", "bmiHeader": "Bitmap",
		}),
		wireOf("KS_BITMAPINFOHEADER", SizeBitmapInfoHeader, DecodeBitmapInfoHeader, map[string]string{
			"biSize": "Size", "biWidth": "Width", "biHeight": "Height", "biPlanes": "Planes", "biBitCount": "BitCount",
			"biCompression": "Compression", "biSizeImage": "SizeImage", "biXPelsPerMeter": "XPelsPerMeter",
			"biYPelsPerMeter": "YPelsPerMeter", "biClrUsed": "ClrUsed", "biClrImportant": "ClrImportant",
		}),
		wireOf("WAVEFORMATEX", SizeWaveFormatEx, DecodeWaveFormatEx, wave),
		wireOf("WAVEFORMATEXTENSIBLE", SizeWaveFormatExtensible, DecodeWaveFormatExtensible,
			map[string]string{"dwChannelMask": "ChannelMask"}),
		wireOf("KSDATAFORMAT_WAVEFORMATEX", SizeDataFormatWaveFormatEx, DecodeDataFormatWaveFormatEx, nil),
		wireOf("KSDATAFORMAT_WAVEFORMATEXTENSIBLE", SizeDataFormatWaveFormatExtensible, DecodeDataFormatWaveFormatExtensible, nil),
		wireOf("KSNODEPROPERTY_AUDIO_CHANNEL", SizeNodePropertyAudioChannel, DecodeNodePropertyAudioChannel,
			map[string]string{"NodeProperty": "Node"}),
		wireOf("KSAUDIO_POSITION", SizeAudioPosition, DecodeAudioPosition, nil),
		wireOf("KSJACK_DESCRIPTION", SizeJackDescription, DecodeJackDescription, nil),
		wireOf("KSCOMPONENTID", SizeComponentID, DecodeComponentID, nil),
		wireOf("KSRTAUDIO_BUFFER_PROPERTY", SizeRtAudioBufferProperty, DecodeRtAudioBufferProperty, property).padded([2]int{36, 40}),
		wireOf("KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION", SizeRtAudioBufferPropertyWithNotification,
			DecodeRtAudioBufferPropertyWithNotification, property),
		wireOf("KSRTAUDIO_BUFFER", SizeRtAudioBuffer, DecodeRtAudioBuffer, nil),
		wireOf("KSRTAUDIO_HWLATENCY", SizeRtAudioHWLatency, DecodeRtAudioHWLatency, nil),
		wireOf("KSRTAUDIO_HWREGISTER_PROPERTY", SizeRtAudioHWRegisterProperty, DecodeRtAudioHWRegisterProperty, property),
		wireOf("KSRTAUDIO_HWREGISTER", SizeRtAudioHWRegister, DecodeRtAudioHWRegister, nil).padded([2]int{12, 16}, [2]int{36, 40}),
		wireOf("KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY", SizeRtAudioNotificationEventProperty,
			DecodeRtAudioNotificationEventProperty, property),
	}
}

func readLayout(t *testing.T) map[string]cStruct {
	t.Helper()
	b, err := os.ReadFile("testdata/layout.json")
	if err != nil {
		t.Fatal(err)
	}
	var layout map[string]cStruct
	if err := json.Unmarshal(b, &layout); err != nil {
		t.Fatal(err)
	}
	return layout
}

// TestLayout sets the bytes of one C field at a time, decodes, and expects to find exactly the Go field of that name
// changed to their little-endian value; then the way back. A field of a wrong width, place or order shows as a neighbour
// that changes too.
func TestLayout(t *testing.T) {
	layout := readLayout(t)
	delete(layout, "GUID") // TestParseGUID
	for _, w := range wires() {
		c, ok := layout[w.c]
		if !ok {
			t.Fatalf("testdata/layout.json lacks %s", w.c)
		}
		delete(layout, w.c)
		want := c.Size
		if last := c.Fields[len(c.Fields)-1]; last.Name == "SymbolicLinkName" {
			want = last.Offset // of any length
		}
		if w.size != want {
			t.Errorf("the size of %s is %d; want %d", w.c, w.size, want)
			continue
		}
		covered := map[string]bool{}
		for _, f := range c.Fields {
			name, renamed := w.fields[f.Name]
			if !renamed {
				name = f.Name
			} else if name == "" {
				continue
			}
			covered[name] = true
			if diff := checkField(w, f, name); diff != "" {
				t.Errorf("%s.%s: %s", w.c, f.Name, diff)
			}
		}
		for _, name := range untested(reflect.TypeOf(w.zero), "", covered) {
			t.Errorf("%s: no C field tests %s", w.c, name)
		}
	}
	for name := range layout {
		t.Errorf("testdata/layout.json has %s, which nothing here decodes", name)
	}
}

// untested lists the fields of x, a structure whose own name is prefix, that are not covered, whole or part by part.
func untested(x reflect.Type, prefix string, covered map[string]bool) (names []string) {
	for i := range x.NumField() {
		f := x.Field(i)
		switch name := prefix + f.Name; {
		case covered[name]:
		case f.Type.Kind() == reflect.Struct:
			names = append(names, untested(f.Type, name+".", covered)...)
		default:
			names = append(names, name)
		}
	}
	return names
}

// checkField says how the Go field called name differs from the C field f, or nothing.
func checkField(w wire, f cField, name string) string {
	b := make([]byte, w.size)
	for i := range f.Size {
		b[f.Offset+i] = byte(0xA1 + i)
	}
	got, ok := w.decode(b)
	if !ok {
		return "does not decode"
	}
	want := reflect.New(reflect.TypeOf(w.zero)).Elem()
	field := want
	for part := range strings.SplitSeq(name, ".") {
		if field = field.FieldByName(part); !field.IsValid() {
			return "no Go field " + name
		}
	}
	next := uint64(0xA1)
	fill(field, &next)
	if got != want.Interface() {
		return "its bytes decode to something other than " + name
	}
	back := make([]byte, w.size)
	w.put(got, back)
	if !bytes.Equal(back, b) {
		return "Put writes other bytes"
	}
	return ""
}

// fill gives v the value that the bytes *next, *next+1 and so on have in little-endian order.
func fill(v reflect.Value, next *uint64) {
	number := func() (n uint64) {
		for i := range v.Type().Size() {
			n |= *next << (8 * i)
			*next++
		}
		return n
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), next)
		}
	case reflect.Int32:
		v.SetInt(int64(int32(number())))
	case reflect.Int64:
		v.SetInt(int64(number()))
	default:
		v.SetUint(number())
	}
}

// bigEndian is a structure that goes against the byte order of the wire both ways, so that it agrees with itself.
type bigEndian struct{ FromNode uint32 }

func (x bigEndian) Put(b []byte)  { binary.BigEndian.PutUint32(b, x.FromNode) }
func (x bigEndian) Bytes() []byte { return bytesOf(x, 4) }

// TestLayoutNotices proves that the check behind TestLayout sees a moved field, a shorter one, an exchanged one and one of
// the other byte order.
func TestLayoutNotices(t *testing.T) {
	w := wireOf("KSTOPOLOGY_CONNECTION", SizeTopologyConnection, DecodeTopologyConnection, nil)
	if diff := checkField(w, cField{"FromNodePin", 4, 4}, "FromNodePin"); diff != "" {
		t.Fatalf("the control itself fails: %s", diff)
	}
	for _, c := range []struct {
		f    cField
		name string
	}{
		{cField{"FromNodePin", 8, 4}, "FromNodePin"},
		{cField{"FromNodePin", 5, 4}, "FromNodePin"},
		{cField{"FromNodePin", 4, 2}, "FromNodePin"},
		{cField{"FromNodePin", 4, 8}, "FromNodePin"},
		{cField{"FromNodePin", 4, 4}, "ToNodePin"},
		{cField{"FromNodePin", 4, 4}, "Absent"},
	} {
		if checkField(w, c.f, c.name) == "" {
			t.Errorf("%+v passes as %s", c.f, c.name)
		}
	}
	decode := func(b []byte) (bigEndian, bool) { return bigEndian{binary.BigEndian.Uint32(b)}, true }
	if checkField(wireOf("", 4, decode, nil), cField{"FromNode", 0, 4}, "FromNode") == "" {
		t.Error("a big-endian field passes")
	}
}

// TestWireLengths checks what each structure does with buffers of every length around its size.
func TestWireLengths(t *testing.T) {
	r := testkit.Rand(t)
	for _, w := range wires() {
		whole := make([]byte, w.size+8)
		for i := range whole {
			whole[i] = byte(r.Uint32())
		}
		for n := range w.size {
			if v, ok := w.decode(whole[:n:n]); ok || v != w.zero {
				t.Errorf("%s: %d bytes decode to %v, %t", w.c, n, v, ok)
			}
			short := make([]byte, n)
			if !panics(func() { w.put(w.zero, short) }) {
				t.Errorf("%s: Put into %d bytes does not panic", w.c, n)
			}
		}
		full, _ := w.decode(whole)
		if short := make([]byte, w.size-1); panics(func() { w.put(full, short) }) && !bytes.Equal(short, make([]byte, w.size-1)) {
			t.Errorf("%s: a Put that panics has written %x", w.c, short)
		}
	}
}

// TestWireRoundTrip decodes random bytes, puts them back over 0xCC at an odd address and expects the same bytes, zeros
// in the padding, and nothing beyond the size.
func TestWireRoundTrip(t *testing.T) {
	r := testkit.Rand(t)
	for _, w := range wires() {
		for range 200 {
			in := make([]byte, w.size)
			for i := range in {
				in[i] = byte(r.Uint32())
			}
			v, ok := w.decode(in)
			if !ok {
				t.Fatalf("%s: %d bytes do not decode", w.c, w.size)
			}
			room := bytes.Repeat([]byte{0xCC}, 1+w.size+8)
			w.put(v, room[1:])
			for _, pad := range w.pads {
				clear(in[pad[0]:pad[1]])
			}
			if got := room[1 : 1+w.size]; !bytes.Equal(got, in) {
				t.Fatalf("%s: %x came back as %x", w.c, in, got)
			}
			if room[0] != 0xCC || !bytes.Equal(room[1+w.size:], bytes.Repeat([]byte{0xCC}, 8)) {
				t.Fatalf("%s: Put wrote outside its %d bytes: %x", w.c, w.size, room)
			}
			if got := w.bytes(v); !bytes.Equal(got, in) { // an embedded structure must not lend its own Bytes
				t.Fatalf("%s: the Bytes of %x are %x", w.c, in, got)
			}
			clear(in)
			if again, _ := w.decode(room[1:]); again != v {
				t.Fatalf("%s: a decoded value changed with its bytes", w.c)
			}
		}
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

// TestWireNames keeps the names of each structure together: a structure without a layout fact is not tested.
func TestWireNames(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range wires() {
		seen[reflect.TypeOf(w.zero).Name()] = true
	}
	sources, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if !strings.HasSuffix(s.Name(), ".go") || strings.HasSuffix(s.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(s.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			if rest, ok := strings.CutPrefix(line, "func Decode"); ok {
				if name, _, _ := strings.Cut(rest, "("); !seen[name] {
					t.Errorf("%s: Decode%s has no layout test", s.Name(), name)
				}
			}
		}
	}
}
