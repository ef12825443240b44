package exec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// objectExpectations are requests to filters, nodes and pins, and to what pends on them, with what is expected of each: the work of
// another reader of the rules than this project. An outcome has what it has to say; what it leaves out is not compared. The last two are
// sessions of PortAudio's WDM-KS host with a WaveRT and a WaveCyclic device, without the properties that the devices of the recording
// answered with code of their own.
var objectExpectations = []struct {
	name  string
	lines int
}{
	{"pinset", 114},
	{"declared", 45},
	{"routing", 71},
	{"create", 42},
	{"connection", 59},
	{"programs", 33},
	{"async", 168},
	{"portaudio-wavert", 129},
	{"portaudio-wavecyclic", 89},
}

func TestObjects(t *testing.T) {
	for _, c := range objectExpectations {
		t.Run(c.name, func(t *testing.T) {
			lines, differences := answerObjects(t, c.name, Options{})
			require.Equal(t, c.lines, lines)
			require.Empty(t, differences)
		})
	}
}

// TestObjectsNotice is its control: with another answer to a rule, some outcome differs.
func TestObjectsNotice(t *testing.T) {
	for text, name := range map[string]string{"PN-14=STATUS_UNSUCCESSFUL": "pinset", "PN-18=STATUS_UNSUCCESSFUL": "pinset",
		"P-26=STATUS_UNSUCCESSFUL": "pinset", "P-27=STATUS_UNSUCCESSFUL": "routing"} {
		compat, err := traffic.ParseCompat(text)
		require.NoError(t, err)
		_, differences := answerObjects(t, name, Options{Compat: compat})
		require.NotEmpty(t, differences, "with %s nothing of %s differs", text, name)
	}
}

// TestSessionThatDeviates: a device that is not the recorded one is found out.
func TestSessionThatDeviates(t *testing.T) {
	read := func(suffix string) string {
		b, err := os.ReadFile(filepath.Join("testdata", "objects", "portaudio-wavert-"+suffix))
		require.NoError(t, err)
		return string(b)
	}
	requests, want := read("requests.jsonl"), strings.Split(strings.TrimSpace(read("expected.jsonl")), "\n")
	for name, change := range map[string]*strings.Replacer{
		"the pin is standard, not looped": strings.NewReplacer(`"id": 1
      }
     ],
     "mediums"`, `"id": 0
      }
     ],
     "mediums"`),
		"a link":        strings.NewReplacer(`ksd#mic#topo`, `ksd#mic#wave`),
		"a rate":        strings.NewReplacer("80bb000080bb0000", "80bb000044ac0000"),
		"no connection": strings.NewReplacer(`"physical"`, `"x_physical"`),
	} {
		text := read("manifest.json")
		changed := change.Replace(text)
		require.NotEqual(t, text, changed, name)
		m, err := manifest.Parse([]byte(changed), name)
		require.NoError(t, err)
		s, err := New(m, Options{})
		require.NoError(t, err)
		got, _ := run(t, s, requests)
		require.NoError(t, s.Close())
		differ := 0
		for n, line := range strings.Split(strings.TrimSpace(got), "\n") {
			if different(want[n], line) != "" {
				differ++
			}
		}
		require.NotZero(t, differ, name)
	}
}

func answerObjects(t *testing.T, name string, options Options) (lines int, differences []string) {
	path := func(suffix string) string { return filepath.Join("testdata", "objects", name+suffix) }
	requests, err := os.ReadFile(path("-requests.jsonl"))
	require.NoError(t, err)
	expected, err := os.ReadFile(path("-expected.jsonl"))
	require.NoError(t, err)
	got, _ := run(t, session(t, path("-manifest.json"), options), string(requests))
	want, have := strings.Split(strings.TrimSpace(string(expected)), "\n"), strings.Split(strings.TrimSpace(got), "\n")
	require.Len(t, have, len(want))
	for n := range want {
		if d := different(want[n], have[n]); d != "" {
			differences = append(differences, fmt.Sprintf("%s outcome %d: %s\nwant %s\ngot  %s", name, n+1, d, want[n], have[n]))
		}
	}
	return len(want), differences
}

// different says in what an outcome is not what is wanted; "" for nothing.
func different(want, got string) string {
	var w, g map[string]any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		return err.Error()
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		return err.Error()
	}
	if w["error"] == true {
		if _, refused := g["error"]; !refused {
			return "not refused"
		}
		return ""
	}
	for key, value := range w {
		if !reflect.DeepEqual(value, g[key]) {
			return key
		}
	}
	return ""
}

// small is a session of the manifest of async: filters f and g with pins and nodes, and tables alone and late.
func small(t testing.TB, lines ...string) []string {
	t.Helper()
	got, _ := run(t, session(t, "testdata/objects/async-manifest.json", Options{Explain: true}), strings.Join(lines, "\n"))
	return strings.Split(strings.TrimSpace(got), "\n")
}

const (
	pending  = `"set":"105d7c58-1933-1346-bb65-17135cb558db","id":3,"flags":1,"out":4`
	stored   = `"set":"105d7c58-1933-1346-bb65-17135cb558db","id":2,"flags":1,"out":4`
	pinState = `"set":"1d58c920-ac9b-11cf-a5d6-28db04c10000","id":0,"flags":1,"out":4`
	connect  = `"connect":"a066871ace62cf11a5d628db04c10000000000000000000020b34747ce62cf11a5d628db04c1000000000000000000000000000000000000` +
		`00000000000000000000004001000000520000000000000004000000000000006175647300001000800000aa00389b710100000000001000800000aa00389b71` +
		`819f580556c3ce11bf0100aa0055595a0100020080bb000000ee0200040010000000"`
)

// TestHandleLines are lines about handles that nothing is done for, and what they are told.
func TestHandleLines(t *testing.T) {
	open := `{"op":"open","handle":"h","object":"filter f"}`
	for line, want := range map[string]string{
		`{"op":"open","object":"filter f"}`: `handle is missing`,
		open:                                `handle: \"h\" is open`,
		`{"op":"open","handle":"x","object":"filter f","file":7}`:                           `file: 7 is open`,
		`{"op":"create_pin","handle":"p","parent":"h"}`:                                     `connect is missing`,
		`{"op":"create_pin","handle":"p",` + connect + `}`:                                  `parent is missing`,
		`{"op":"create_pin","parent":"h",` + connect + `}`:                                  `handle is missing`,
		`{"op":"create_pin","handle":"p","object":"filter f","parent":"h",` + connect + `}`: `object: a pin is created on a handle`,
		`{"op":"create_pin","handle":"p","parent":"p",` + connect + `}`:                     `parent: no line has opened \"p\"`,
		`{"op":"create_pin","handle":"p","parent":"t",` + connect + `}`:                     `parent: \"t\" is no handle of a filter`,
		`{"op":"create_pin","handle":"h","parent":"h",` + connect + `}`:                     `handle: \"h\" is open`,
		`{"handle":"q",` + stored + `}`:                                                     `handle: no line has opened \"q\"`,
		`{"handle":"h","object":"filter f",` + stored + `}`:                                 `name the handle alone`,
		`{"handle":"h","file":3,` + stored + `}`:                                            `name the handle alone`,
		`{"op":"close","handle":"q"}`:                                                       `no line has opened`,
		`{"op":"close","handle":"h","file":7}`:                                              `name the handle alone`,
		`{"op":"cancel"}`:                                                                   `tag and handle are missing`,
		`{"op":"cancel","handle":"q"}`:                                                      `no line has opened`,
		`{"op":"remove"}`:                                                                   `object is missing`,
		`{"op":"remove","handle":"h","object":"filter f"}`:                                  `removed with all its handles`,
		`{"op":"remove","object":"nobody"}`:                                                 `there is no object`,
		`{"op":"open","handle":1,"object":"filter f"}`:                                      `handle: expected a string`,
		`{"op":"open","handle":"y","object":"filter f","overlapped":"yes"}`:                 `overlapped: expected true or false`,
		`{"op":"create_pin","handle":"p","parent":"h","connect":"0"}`:                       `connect: 1 hexadecimal digits`,
	} {
		got := small(t, open, `{"op":"open","handle":"t","object":"alone","file":7}`, line, `{"handle":"h",`+stored+`}`)
		require.Len(t, got, 4, "%s", line)
		require.Contains(t, got[2], `{"line":3,"error":"`, "%s", line)
		require.Contains(t, got[2], want, "%s", line)
		require.Contains(t, got[3], "STATUS_SUCCESS", "after %s", line)
	}
}

// TestHandleRules: --explain names the rule that decided about a handle.
func TestHandleRules(t *testing.T) {
	cases := []struct{ rule, line string }{
		{"OB-2", `{"op":"open","handle":"h","object":"filter f"}`},
		{"OB-6", `{"op":"create_pin","handle":"p","parent":"h",` + connect + `}`},
		{"OB-6", `{"op":"create_pin","handle":"q","parent":"h","connect":""}`},
		{"OB-1", `{"op":"create_pin","handle":"q","parent":"h","connect":"` + strings.Repeat("00", 65457) + `"}`},
		{"OB-19", `{"handle":"p",` + pinState + `}`},
		{"PN-5", `{"handle":"h","set":"KSPROPSETID_Pin","id":2,"flags":1,"out":4,"extra":"ff00000000000000"}`},
		{"PN-6", `{"handle":"h","set":"KSPROPSETID_Pin","id":2,"flags":1,"out":4,"extra":"0000000000000000"}`},
		{"AT-11", `{"handle":"h","set":"KSPROPSETID_Pin","id":2,"flags":"GET|TOPOLOGY","out":4,"extra":"ff00000000000000"}`},
		{"", `{"handle":"p",` + pending + `,"tag":"a"}`},
		{"S-15", `{"handle":"p",` + stored + `}`},
		{"S-15", `{"handle":"p",` + stored + `,"op":"fast_property"}`},
		{"AS-17", `{"op":"cancel","tag":"a","handle":"h"}`},
		{"AS-3", `{"op":"complete","tag":"a","information":5}`},
		{"OB-17", `{"op":"close","handle":"p"}`},
		{"AS-24", `{"op":"close","handle":"p"}`},
		{"AS-24", `{"handle":"p",` + stored + `}`},
		{"AS-34", `{"op":"remove","object":"filter f"}`},
		{"AS-34", `{"handle":"h",` + stored + `}`},
		{"AS-34", `{"op":"open","handle":"p","object":"filter f"}`},
		{"AS-34", `{"op":"create_pin","handle":"p","parent":"h",` + connect + `}`},
		{"OB-17", `{"op":"close","handle":"h"}`},
	}
	var lines []string
	for _, c := range cases {
		lines = append(lines, c.line)
	}
	got := small(t, lines...)
	require.Len(t, got, len(cases))
	for i, c := range cases {
		var outcome struct{ Rule, Error string }
		require.NoError(t, json.Unmarshal([]byte(got[i]), &outcome))
		require.Empty(t, outcome.Error, "%s", c.line)
		if c.rule != "" {
			require.Equal(t, c.rule, outcome.Rule, "%s\n%s", c.line, got[i])
		}
	}
}

// TestTagsOnHandles: a tag means the latest request that has it; the others, and those without a tag, are still the handle's.
func TestTagsOnHandles(t *testing.T) {
	open := `{"op":"open","handle":"h","object":"filter f","overlapped":true}`
	got := small(t, open,
		`{"i":1,"handle":"h",`+pending+`,"tag":"a"}`,
		`{"i":2,"handle":"h",`+pending+`}`,
		`{"i":3,"handle":"h",`+pending+`,"tag":"a"}`,
		`{"i":4,"op":"complete","tag":"a"}`,
		`{"i":5,"op":"complete","tag":"a"}`,
		`{"i":6,"op":"close","handle":"h"}`)
	require.Len(t, got, 9)
	require.Contains(t, got[4], `{"i":4,"status":"0x00000000"`)
	require.Contains(t, got[5], `no pended request has the tag`)
	require.Contains(t, got[6], `{"i":6,"status":"0x00000000"`)
	require.Contains(t, got[7], `{"i":1,"status":"0xc0000120"`)
	require.Contains(t, got[8], `{"i":2,"status":"0xc0000120"`)
}

// TestFileOfHandle: a line that names the file of a handle is for the same file object, and so finds the events of the handle.
func TestFileOfHandle(t *testing.T) {
	const event = `"set":"ad33815b-5fbf-0756-aa6e-51c7f735d10f","id":1`
	ask := func(lines ...string) []string {
		got, _ := run(t, session(t, "testdata/objects/routing-manifest.json", Options{}), strings.Join(lines, "\n"))
		return strings.Split(strings.TrimSpace(got), "\n")
	}
	got := ask(`{"op":"open","handle":"h","object":"filter f","file":9}`,
		`{"op":"enable_event","handle":"h",`+event+`,"flags":"ENABLE","out":32,"event_data":5}`,
		`{"op":"generate","object":"filter f",`+event+`}`,
		`{"op":"disable_event","object":"filter f","file":9,"in":32,"event_data":5}`,
		`{"op":"generate","object":"filter f",`+event+`}`,
		`{"op":"close","handle":"h"}`,
		`{"op":"open","handle":"g","object":"filter f","file":9}`)
	require.Contains(t, got[2], `{"event_data":5,"count":1}`)
	require.Contains(t, got[3], `STATUS_SUCCESS`)
	require.Contains(t, got[4], `"signals":[]`)
	require.Contains(t, got[6], `STATUS_SUCCESS`)
}

// FuzzSession plays lines about handles in any order. The answers are JSON, and when all handles are closed nothing is pended on them
// and no buffer is left.
func FuzzSession(f *testing.F) {
	var script []string
	for _, c := range objectExpectations {
		b, err := os.ReadFile(filepath.Join("testdata", "objects", c.name+"-requests.jsonl"))
		require.NoError(f, err)
		f.Add(b)
	}
	for _, h := range []string{"h", "p", "k"} {
		script = append(script,
			`{"op":"open","handle":"`+h+`","object":"filter f","overlapped":true}`, `{"op":"open","handle":"`+h+`","object":"alone"}`,
			`{"op":"create_pin","handle":"`+h+`","parent":"h",`+connect+`}`, `{"op":"close","handle":"`+h+`"}`,
			`{"handle":"`+h+`",`+pending+`,"tag":"a"}`, `{"handle":"`+h+`",`+pending+`}`, `{"handle":"`+h+`",`+pinState+`}`,
			`{"op":"cancel","handle":"`+h+`"}`)
	}
	script = append(script, `{"op":"cancel","tag":"a"}`, `{"op":"complete","tag":"a"}`, `{"op":"remove","object":"alone"}`)
	for i := range script { // each behind an open handle, and twice
		f.Add([]byte(strings.Join([]string{script[0], script[i], script[(i+5)%len(script)], script[i]}, "\n")))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		m, err := manifest.LoadFile("testdata/objects/async-manifest.json")
		require.NoError(t, err)
		s, err := New(m, Options{MaxOut: 1 << 16})
		require.NoError(t, err)
		var out bytes.Buffer
		_, err = s.Run(bytes.NewReader(lines), &out)
		require.NoError(t, err)
		for line := range bytes.Lines(out.Bytes()) {
			require.True(t, json.Valid(line), "%s", line)
		}
		for name, h := range s.handles {
			if !h.closed {
				s.closeHandle(nil, &recipient{object: h.object, handle: h})
			}
			require.Empty(t, h.pended, "%q", name)
		}
		for _, f := range s.pended { // sent to an object, which does not close
			s.drop(f)
		}
		require.Zero(t, s.arena.Stats().Live)
		require.NoError(t, s.Close())
	})
}
