package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// full is a report in which every field of the model has a value.
func full(t testing.TB) *Report {
	r := sample(7)
	pin := 1
	r.Environment.Time, r.Environment.Kernel, r.Environment.Virtualization = "2026-11-22T20:00:00Z", "6.1.0", "KVM"
	r.Settings.Prime, r.Settings.Latency, r.Settings.Rate, r.Settings.Pin, r.Settings.Shard = 1, true, 1e6, &pin, "1/2"
	r.Incomplete, r.Warnings = true, []string{"interrupted"}
	r.Shards = []Shard{{Shard: "1/2", Rounds: 3, Commit: "unknown", Time: "2026-11-22T20:00:00Z", Kernel: "6.1.0"},
		{Rounds: 4, Commit: "unknown"}}
	for i := range r.Workloads {
		r.Workloads[i].Digest = fmt.Sprintf("%016x", i)
	}
	h := NewHistogram()
	for i := range int64(1000) {
		require.NoError(t, h.RecordValue(1+i*i))
	}
	d, err := NewDistribution(h)
	require.NoError(t, err)
	first := &r.Results[0]
	first.WarmUp = &WarmUp{Ns: 1, Batches: 2, Stable: true}
	first.Latency = &Latency{Every: 64, Service: d, Response: &d, Clock: d, Behind: 7}
	first.Outliers = &Outliers{1, 2, 3, 4}
	first.Samples[3].GCCycles = 5
	r.Environment.Caches = []Cache{{"L1d", 32768}}
	ns, limit := []float64{3, 1, 4, 1, 5, 9}, 0.5
	r.Targets = []Target{{Name: "lookup", Description: "a ratio", Bound: AtMost, Limit: 1.5, Stretch: &limit, Unit: "x", Samples: ns,
		Parts: []Part{{"floor", 2}}}}
	r.Targets[0].Summarize()
	r.Settings.Command = []string{"targets", "--quick"}
	r.Stages = []Stage{NewStage("copy", StagePart, "irp", "difference", ns)}
	r.Stages[0].Bytes = 4096
	r.Scale = []ScalePoint{NewScalePoint(100, "random", "engine", 8, ns)}
	r.Traffic = []Traffic{{Point: "mine", Item: "KSPROPERTY_AUDIO_MUTE", Verb: "GET", Requests: 3, Differ: 1,
		Answers: []Answer{{"SUCCESS", 3}}, Sizes: []Size{{24, 4, 3}}}}
	r.Differences = []Difference{{Point: "mine", File: "b.kst", Trace: "a.kst", Block: 3, Offset: 700, Record: 9, Handle: 2, Object: "filter",
		Item: "KSPROPERTY_AUDIO_MUTE", Verb: "GET", In: 24, Out: 4, Recorded: Response{"SUCCESS", 4, "00", "01000000"},
		Answered: Response{"NOT_FOUND", 0, "00", ""}, Rule: "P-1", Why: "no handle"}}
	r.Scale[0].BytesPerKey, r.Scale[0].BuildNsPerKey = 64, 100
	r.Load = NewLoad([]int64{3, 1, 2}, time.Second)
	r.Load.Sessions, r.Load.Failures = []LoadCount{{"random", 2}}, []LoadCount{{"no memory", 1}}
	r.Load.Statuses = []LoadStatus{{"STATUS_NOT_FOUND", true, 6}}
	return r
}

func parse(text string) (*Report, error) { return Read(strings.NewReader(text), "file") }

// What is read back is what was written: nothing is lost on the way to another tool. That it agrees with encoding/json
// keeps the writer that streams an ordinary one.
func TestJSONRoundTrip(t *testing.T) {
	for _, r := range []*Report{sample(7), sample(3), full(t)} {
		text := render(t, r.WriteJSON)
		back, err := parse(text)
		require.NoError(t, err)
		require.Equal(t, text, render(t, back.WriteJSON))
		var std Report
		require.NoError(t, json.Unmarshal([]byte(text), &std))
		require.Equal(t, std, *back)
		plain, err := json.Marshal(r)
		require.NoError(t, err)
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, []byte(text)))
		require.Equal(t, string(plain), compact.String())
	}
	require.Empty(t, zeros(reflect.ValueOf(*full(t))), "full leaves fields out: the round trip does not try them")
}

// zeros lists the fields that are set nowhere, by type and name.
func zeros(v reflect.Value) (unset []string) {
	var walk func(v reflect.Value)
	var all []string
	set := map[string]bool{}
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				all = append(all, name)
				set[name] = set[name] || !v.Field(i).IsZero()
				walk(v.Field(i))
			}
		}
	}
	walk(v)
	for _, name := range all {
		if !set[name] && !slices.Contains(unset, name) {
			unset = append(unset, name)
		}
	}
	return unset
}

// Files of version 1 stay readable, as the first program wrote them and as this one does. The files are never rewritten.
func TestVersion1StaysReadable(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("report.schema.json")
	require.NoError(t, err)
	for _, c := range []struct {
		file    string
		results int
		first   string
		ns      float64
	}{
		{"v1-first.json", 6, "1x8/irp/engine", 0},
		{"v1.json", 9, "20x12/lookup/engine", 4},
	} {
		r, err := ReadFile(t.Context(), filepath.Join("testdata", c.file))
		require.NoError(t, err)
		require.Len(t, r.Results, c.results)
		require.Equal(t, c.first, r.Results[0].Name())
		if c.ns != 0 {
			require.Equal(t, c.ns, r.Results[0].NsPerOp)
		}
		text, err := os.ReadFile(filepath.Join("testdata", c.file))
		require.NoError(t, err)
		require.JSONEq(t, string(text), render(t, r.WriteJSON))
		require.NoError(t, schema.Validate(mustParse(t, string(text))))
	}
}

func TestByteOrderMark(t *testing.T) {
	text, err := os.ReadFile("testdata/v1.json")
	require.NoError(t, err)
	want, err := Read(bytes.NewReader(text), "file")
	require.NoError(t, err)
	got, err := Read(strings.NewReader("\ufeff"+string(text)), "file")
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = Read(strings.NewReader("\ufeff{]"), "file")
	require.ErrorContains(t, err, "file:1:2: ")
	_, err = Read(strings.NewReader("\xff\xfe{\x00"), "file")
	require.ErrorContains(t, err, "file: is UTF-16")
}

// A later program of the same version may have more to say, at any place.
func TestUnknownFieldsArePassedOver(t *testing.T) {
	text := render(t, full(t).WriteJSON)
	more := text
	for _, object := range []string{`{`, `"environment": {`, `"settings": {`, `{"operations":65536,`, `"workload": "20x12",`} {
		require.Contains(t, more, object)
		more = strings.Replace(more, object, object+`"later": {"a": [1, [2, {"b": null}], "x\\\"]"], "c": {}},`, 1)
	}
	r, err := parse(more)
	require.NoError(t, err)
	require.Equal(t, text, render(t, r.WriteJSON))
}

func TestReadErrorsSayWhere(t *testing.T) {
	text := render(t, sample(7).WriteJSON)
	replaced := func(old, with string) string {
		require.Contains(t, text, old)
		return strings.Replace(text, old, with, 1)
	}
	const sample = `        {"operations":65536,"ns_per_op":3.9,"allocs_per_op":0,"bytes_per_op":0},` + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "1:1: the text ends in the middle of the report"},
		{"another format", "BenchmarkX 1 2 ns/op\n", "1:1: invalid character 'B' looking for beginning of value"},
		{"a list", "[]", "1:2: is not a JSON object"},
		{"another object", `{"a": 1}`, "schemaVersion: 0: not a report of ksbench"},
		{"later version", `{"schemaVersion": 2, "results": "changed"}`, "1:20: schemaVersion 2: this ksbench reads up to version 1; use the"},
		{"two reports", text + text, "the report: something follows"},
		{"garbage after it", text + "}", "something follows the report"},
		{"twice", replaced(`"workloads":`, `"results":[],"results":[],"workloads":`), `results: is there twice`},
		{"wrong type", replaced(`"rounds": 7`, `"rounds": "7"`), "15:17: settings.rounds: string is no int"},
		{"fraction", replaced(`"operations":65536`, `"operations":0.5`), "results[0].samples[0].operations: number 0.5 is no int"},
		{"too large a number", replaced(`"ns_per_op":3.9`, `"ns_per_op":1e999`), "results[0].samples[2].ns_per_op: number 1e999 is no float64"},
		{"too long a time", replaced(`"ns_per_op":3.9`, `"ns_per_op":1e300`), "results[0].samples[2]: "},
		{"a point of no keys", replaced(`"results":`, `"scale":[{}],"results":`), "scale[0]: keys 0, batch 0, ns_per_op 0"},
		{"a target out of range", replaced(`"results":`, `"targets":[{"value":-1e19}],"results":`), "targets[0].value: -1e+19: out of range"},
		{"not a number", replaced(`"ns_per_op":3.9`, `"ns_per_op":NaN`), "results[0].samples[2]: invalid character 'N' looking for"},
		{"a long number", replaced(`"rounds": 7`, `"rounds": 7.`+strings.Repeat("1", 1000)), "settings.rounds: number 7.1111111"},
		{"null list", replaced(`"ratios": []`, `"ratios": null`), "ratios: is not a list"},
		{"negative", replaced(`"ns_per_op":3.9`, `"ns_per_op":-3.9`), "results[0].samples[2]: "},
		{"no operations", replaced(`"operations":65536`, `"operations":0`), "results[0].samples[0]: "},
		{"sample missing", replaced(sample, ""), "results[0].samples: 6, but settings.rounds is 7"},
		{"samples missing", replaced(`"rounds": 7`, `"rounds": 8`), "results[0].samples: 7, but settings.rounds is 8"},
		{"median is none", replaced(`"ns_per_op": 4,`, `"ns_per_op": 5,`), "results[0].ns_per_op: 5: no median of samples from 3.9 to 4.1"},
		{"row of no workload", replaced(`"workload": "20x12"`, `"workload": "else"`), `results[0].workload: "else": not among the workloads`},
		{"row twice", replaced(`"impl": "linear"`, `"impl": "engine"`), "results[1]: 20x12/lookup/engine is there twice"},
		{"no kind", replaced(`"kind": "limit"`, `"kind": "friend"`), `impls[3].kind: "friend": must be engine, peer or limit`},
		{"no cpu", replaced(`"cpu": "Example 9000"`, `"cpu": ""`), "environment.cpu: missing"},
		{"time", replaced(`"cpu":`, `"time": "yesterday", "cpu":`), "environment.time: "},
		{"interval backwards", replaced(`"low": 3.9`, `"low": 39`), "results[0].interval: "},
	} {
		_, err := parse(c.text)
		if c.name == "two reports" {
			c.want = "something follows the report"
		}
		require.ErrorContains(t, err, c.want, c.name)
	}
	_, err := ReadFile(t.Context(), filepath.Join("testdata", "seven.txt"))
	require.EqualError(t, err, "testdata"+string(filepath.Separator)+"seven.txt:1:1: invalid character 'k' looking for beginning of value")
	_, err = ReadFile(t.Context(), filepath.Join("testdata", "none.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Wherever a file is cut off, it is refused, and the message points at its end.
func TestTruncatedReports(t *testing.T) {
	text := strings.TrimRight(render(t, full(t).WriteJSON), "\n")
	for n := 0; n < len(text); n += 1 + n/97 {
		_, err := parse(text[:n])
		line := strings.Count(text[:n], "\n") + 1
		require.ErrorContains(t, err, fmt.Sprintf("%d:", line), "of %d bytes", n)
		require.ErrorContains(t, err, "ends in the middle", "of %d bytes", n)
	}
}

type endless struct {
	head, again string
	n           int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	n := 0
	for n+len(e.again) <= len(p) {
		n += copy(p[n:], e.again)
	}
	e.n += int64(n)
	return n, nil
}

// Text without an end is refused before it fills the memory, whatever it repeats.
func TestHostileReportsAreBounded(t *testing.T) {
	head := `{"schemaVersion": 1, `
	for _, c := range []struct{ name, head, again, want string }{
		{"a string", head + `"environment": {"cpu": "`, "x", "a value longer than"},
		{"a key", head + `"`, "x", "a value longer than"},
		{"an unknown string", head + `"later": "`, "x", "a value longer than"},
		{"white space", head, " ", "a value longer than"},
		{"a number", head + `"settings": {"rounds": `, "1", "a value longer than"},
		{"depth", head + `"later": `, "[", "nested more than 32 deep"},
		{"depth of what is known", head + `"settings": {"later": `, "[", "exceeded max depth"},
		{"workloads", head + `"workloads": [{}`, ",{}", "more than 65536 elements"},
		{"results", head + `"results": [{}`, ",{}", "more than 65536 elements"},
		{"ratios", head + `"results": [{"ratios": [{}`, ",{}", "more than 65536 elements"},
		{"shards in one value", head + `"settings": {"a": [{}`, ",{}", "a value longer than"},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		e := &endless{head: c.head, again: c.again}
		_, err := Read(e, "file")
		runtime.ReadMemStats(&after)
		require.ErrorContains(t, err, c.want, c.name)
		require.Less(t, len(err.Error()), 200, c.name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<30), c.name)
		require.Less(t, e.n, int64(64<<20), c.name)
	}
}

// A small histogram can ask for a large one.
func TestHostileHistograms(t *testing.T) {
	r := full(t)
	good := r.Results[0].Latency.Service
	for _, c := range []struct {
		name   string
		damage func(d *Distribution)
		want   string
	}{
		{"not base64", func(d *Distribution) { d.Histogram = "*" }, "base64"},
		{"empty", func(d *Distribution) { d.Histogram = "" }, "truncated"},
		{"cut off", func(d *Distribution) { d.Histogram = d.Histogram[:40] }, "EOF"},
		{"another geometry", func(d *Distribution) { d.Histogram = otherGeometry(t) }, "5 digits of 1 to 9223372036854775807"},
		{"another count", func(d *Distribution) { d.Count++ }, "count is 1001, but the histogram has 1000 values"},
		{"another median", func(d *Distribution) { d.P50++ }, "not those of the histogram"},
		{"out of order", func(d *Distribution) { d.P99 = d.Max + 1 }, "not those of the histogram"},
	} {
		d := good
		c.damage(&d)
		r.Results[0].Latency.Service = d
		err := r.WriteJSON(io.Discard)
		require.ErrorContains(t, err, "results[0].latency.service: ", c.name)
		require.ErrorContains(t, err, c.want, c.name)
	}
}

// What cannot be read is not written either: nothing at all of it.
func TestImpossibleReportsAreNotWritten(t *testing.T) {
	for name, damage := range map[string]func(r *Report){
		"NaN":          func(r *Report) { r.Results[0].Samples[1].NsPerOp = math.NaN() },
		"infinite":     func(r *Report) { r.Results[8].Spread = math.Inf(1) },
		"version":      func(r *Report) { r.SchemaVersion = SchemaVersion + 1 },
		"in a target":  func(r *Report) { r.Targets = []Target{{Samples: []float64{0, math.Inf(-1)}}} },
		"in a point":   func(r *Report) { r.Scale = []ScalePoint{{Interval: &Interval{High: math.NaN()}}} },
		"pair no more": func(r *Report) { r.Results[1].Samples = r.Results[1].Samples[1:] },
	} {
		r := sample(7)
		damage(r)
		var b bytes.Buffer
		require.Error(t, r.WriteJSON(&b), name)
		require.Zero(t, b.Len(), name)
	}
}

// Reading never panics, and what it accepts can be written and shown.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":1,"environment":{"cpu":"a","cores":1,"gomaxprocs":1,"os":"b","arch":"c",
"go_version":"d","level":"e","commit":"f"},
"settings":{"seed":1,"rounds":1,"requests":1,"batch_ns":1},"workloads":[{"name":"w","objects":1,"items":1}],"paths":[{"name":"p"}],
"impls":[{"name":"i","kind":"peer"}],
"results":[{"workload":"w","path":"p","impl":"i","ns_per_op":1,"samples":[{"operations":1,"ns_per_op":1}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) { readAndShow(t, text) })
}

func readAndShow(t *testing.T, text []byte) (accepted bool) {
	r, err := Read(bytes.NewReader(text), "file")
	if err != nil {
		return false
	}
	for _, write := range []func(io.Writer) error{r.WriteJSON, as(r, "text"), as(r, "md")} {
		require.NoError(t, write(io.Discard))
	}
	return true
}

// The same with random damage, in every run of the tests.
func TestDamagedReports(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 1))
	text := []byte(render(t, full(t).WriteJSON))
	refused := 0
	damages := 200
	if testing.Short() {
		damages = 50
	}
	for range damages {
		damaged := slices.Clone(text)
		for range 1 + rng.IntN(3) {
			damaged[rng.IntN(len(damaged))] = `0123456789-.eE"{}[]:,ntx`[rng.IntN(24)]
		}
		if !readAndShow(t, damaged) {
			refused++
		}
	}
	require.Greater(t, refused, damages/3, "damage is hardly ever noticed")
}

// A report of a million samples is written and read under 200 MB. The control is what encoding/json would take.
func TestAMillionSamplesFitIntoMemory(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("takes seconds, and the race detector a minute")
	}
	const limit = 200 << 20
	path := filepath.Join(t.TempDir(), "large.json")
	r := large(t, 10, 100_000)
	peak := peakHeap(func() {
		f, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, r.WriteJSON(f))
		require.NoError(t, f.Close())
	})
	t.Logf("written with %d MB", peak>>20)
	require.Less(t, peak, uint64(limit))
	first := r.Results[9].Samples[99_999]
	r = nil
	peak = peakHeap(func() {
		var err error
		r, err = ReadFile(t.Context(), path)
		require.NoError(t, err)
	})
	t.Logf("read with %d MB", peak>>20)
	require.Less(t, peak, uint64(limit))
	require.Equal(t, first, r.Results[9].Samples[99_999])
	peak = peakHeap(func() {
		text, err := json.MarshalIndent(r, "", "  ")
		require.NoError(t, err)
		require.NotEmpty(t, text)
	})
	t.Logf("encoding/json: %d MB", peak>>20)
	require.Greater(t, peak, uint64(limit), "the control: either the measurement is blind or streaming is of no use")
}

// large has results of one workload with so many samples.
func large(t testing.TB, results, samples int) *Report {
	r := sample(7)
	r.Settings.Rounds = samples
	r.Workloads = r.Workloads[:1]
	r.Paths = nil
	r.Impls = []Impl{{"engine", Engine, "what is measured"}}
	r.Results = nil
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range results {
		list := make([]Sample, samples)
		for k := range list {
			list[k] = Sample{Operations: 65536, NsPerOp: 20 + rng.Float64(), AllocsPerOp: rng.Float64(), BytesPerOp: rng.Float64()}
		}
		path := fmt.Sprint("path", i)
		r.Paths = append(r.Paths, Path{path, "one of many"})
		r.Results = append(r.Results, NewResult(r.Workloads[0].Name, path, "engine", list))
	}
	return r
}

// peakHeap returns the most bytes of heap in use, garbage included, while f ran. It looks every millisecond: what is
// asked about is a hundred megabytes, which take longer to come and go; and once more at the end, for a machine that is too busy.
func peakHeap(f func()) uint64 {
	runtime.GC()
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		var peak uint64
		heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for ended := false; !ended; {
			select {
			case <-stop:
				ended = true
			case <-time.After(time.Millisecond):
			}
			metrics.Read(heap)
			peak = max(peak, heap[0].Value.Uint64())
		}
		done <- peak
	}()
	f()
	close(stop)
	return <-done
}

var errRead = errors.New("the disk is gone")

type failingReader struct{ text io.Reader }

func (r failingReader) Read(p []byte) (int, error) {
	if n, err := r.text.Read(p); err == nil {
		return n, nil
	}
	return 0, errRead
}

func TestAFailingReaderIsNotTruncation(t *testing.T) {
	text := render(t, sample(7).WriteJSON)
	_, err := Read(failingReader{strings.NewReader(text[:2000])}, "file")
	require.ErrorIs(t, err, errRead)
}
