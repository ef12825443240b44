package page

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// everything is a report that has something for each section, with one name in every place where a name can be.
func everything(t *testing.T, name string, factor float64) *report.Report {
	t.Helper()
	h := report.NewHistogram()
	for i := range 20000 {
		require.NoError(t, h.RecordValue(int64(30+i%7+i/19990*5000)))
	}
	d, err := report.NewDistribution(h)
	require.NoError(t, err)
	r := &report.Report{
		SchemaVersion: report.SchemaVersion,
		Environment: report.Environment{CPU: name, Cores: 2, GOMAXPROCS: 2, OS: name, Arch: "amd64", GoVersion: "go1.26.8", Level: "GOAMD64=v1",
			Commit: name, Caches: []report.Cache{{Name: name, Bytes: 32768}}},
		Settings:  report.Settings{Seed: 7, Rounds: 8, Requests: 65536, BatchNs: quickBatch, Latency: true, Rate: 1000},
		Warnings:  []string{name},
		Workloads: []report.Workload{{Name: name, Description: name, Objects: 1, Items: 8}, {Name: "20x12", Objects: 1, Items: 240}},
		Paths:     []report.Path{{Name: "lookup", Description: name}},
		Impls: []report.Impl{{Name: "engine", Kind: report.Engine, Description: name}, {Name: name + "peer", Kind: report.Peer},
			{Name: "floor", Kind: report.Limit}},
		Targets: []report.Target{{Name: name, Description: name, Bound: report.AtMost, Limit: 2, Unit: "x", Value: 1, Verdict: report.Pass,
			Parts: []report.Part{{Name: name, NsPerOp: 1}}}},
		Stages: []report.Stage{report.NewStage(name, report.StagePart, "irp", name, []float64{3}),
			report.NewStage("all", report.StageWhole, "irp", name, []float64{4})},
	}
	for _, keys := range []int{8, 1000} {
		r.Scale = append(r.Scale, report.NewScalePoint(keys, "random", "engine", 1, []float64{4}),
			report.NewScalePoint(keys, "random", "map", 1, []float64{9}))
	}
	for _, w := range r.Workloads {
		for i, impl := range r.Impls {
			var samples []report.Sample
			for round := range r.Settings.Rounds {
				ns := 4 + float64(round%3)*0.1
				if impl.Kind != report.Limit { // which no change of the engine touches
					ns *= factor
				}
				samples = append(samples, report.Sample{Operations: 1, NsPerOp: ns * float64(i+1), AllocsPerOp: float64(i), BytesPerOp: float64(8 * i)})
			}
			res := report.NewResult(w.Name, "lookup", impl.Name, samples)
			res.Latency = &report.Latency{Every: 64, Service: d, Response: &d, Clock: d}
			res.Warnings = append(res.Warnings, name)
			r.Results = append(r.Results, res)
		}
	}
	r.Compare()
	return r
}

// calls is a profile of two stacks.
func calls(name string) *profile.Profile {
	outer := &profile.Function{ID: 1, Name: "main.main"}
	inner := &profile.Function{ID: 2, Name: name}
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		Function: []*profile.Function{outer, inner}}
	main := &profile.Location{ID: 1, Line: []profile.Line{{Function: outer}}}
	both := &profile.Location{ID: 2, Line: []profile.Line{{Function: inner}, {Function: outer}}} // inner was inlined
	p.Location = []*profile.Location{main, both}
	p.Sample = []*profile.Sample{{Location: []*profile.Location{main}, Value: []int64{1, 10}},
		{Location: []*profile.Location{both}, Value: []int64{3, 30}}}
	return p
}

func render(t *testing.T, in Input) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, in))
	return b.String()
}

// three reports and a profile have every section.
func three(t *testing.T, name string) Input {
	in := Input{Title: name, Profiles: []Profile{{Name: name, Profile: calls(name)}}}
	for i, factor := range []float64{1, 1.5, 2} {
		in.Reports = append(in.Reports, Report{Name: fmt.Sprint(name, i), Report: everything(t, name, factor)})
	}
	return in
}

func TestAPageHasWhatItsReportsHave(t *testing.T) {
	page := render(t, three(t, "mine"))
	for _, id := range []string{"comparison", "verdict", "targets", "ratios", "distributions", "latency", "growth", "stages", "history",
		"profile", "numbers", "environment", "reproduce"} {
		require.True(t, strings.Contains(page, `<section id="`+id+`"`), "lacks %s", `<section id="`+id+`"`)
		require.True(t, strings.Contains(page, `href="#`+id+`"`), "lacks %s", `href="#`+id+`"`)
	}
	require.True(t, strings.Contains(page, "faster in 2, slower in 0"), "lacks %s", "faster in 2, slower in 0")
	require.True(t, strings.Contains(page, "2 regressed"), "lacks %s", "2 regressed")
	require.True(t, strings.Contains(page, "1 of 1 targets are reached"), "lacks %s", "1 of 1 targets are reached")

	bare := everything(t, "mine", 1)
	bare.Targets, bare.Stages, bare.Scale = nil, nil, nil
	for i := range bare.Results {
		bare.Results[i].Latency = nil
	}
	page = render(t, Input{Reports: []Report{{Name: "r.json", Report: bare}}})
	for _, id := range []string{"comparison", "targets", "latency", "growth", "stages", "history", "profile"} {
		require.False(t, strings.Contains(page, `<section id="`+id+`"`))
	}
	require.True(t, strings.Contains(page, "ksbench run --quick --seed 7 --rounds 8 "), "lacks %s", "ksbench run --quick --seed 7 --rounds 8 ")

	bare.Results, bare.Workloads, bare.Paths, bare.Impls = nil, nil, nil, nil
	page = render(t, Input{Reports: []Report{{Name: "r.json", Report: bare}}})
	require.True(t, strings.Contains(page, `<section id="environment"`), "lacks %s", `<section id="environment"`)
	require.False(t, strings.Contains(page, `<section id="verdict"`))
	require.ErrorIs(t, Write(io.Discard, Input{}), ErrNoReport)
}

// TestAPageOfARunComparesNoPage: a report is compared with the file that it is in, and a page is no such file.
func TestAPageOfARunComparesNoPage(t *testing.T) {
	r := everything(t, "mine", 1)
	require.NotContains(t, render(t, Of("new.html", r)), "report new.html again.json")
	require.Contains(t, render(t, Input{Reports: []Report{{Name: "new.json", Report: r}}}), "report new.json again.json")
}

// Ids must be unique and every reference must lead somewhere, or a screen reader reads the wrong title.
func TestReferencesLeadSomewhere(t *testing.T) {
	page := render(t, three(t, "mine"))
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		require.False(t, ids[m[1]], "%s is there twice", m[1])
		ids[m[1]] = true
	}
	references := regexp.MustCompile(`(?:aria-labelledby="|href="#)([^"]*)"`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(references), 20)
	for _, m := range references {
		for _, id := range strings.Fields(m[1]) {
			require.True(t, ids[id], "nothing is called %s", id)
		}
	}
}

// The page asks nobody for anything: no address but the namespaces of SVG, which a page does not even need, and the policy
// forbids what is not there.
func TestThePageIsAlone(t *testing.T) {
	page := render(t, three(t, "mine"))
	require.NotRegexp(t, `(?i)https?://|//[a-z]|<script|<iframe|<img|<object|@import|url\(|javascript:`, page)
	require.True(t, strings.Contains(page, "default-src &#39;none&#39;"), "lacks %s", "default-src &#39;none&#39;")
	require.True(t, strings.Contains(page, "sha256-"), "lacks %s", "sha256-")
}

// Hostile names are data. The browser's tests look at the same page from inside.
func TestHostileNamesAreShownHarmlessly(t *testing.T) {
	for _, name := range []string{
		`<script>alert(1)</script>`, `"><svg onload=alert(1)>`, `</style><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`,
		`--></title><b>`, `javascript:alert(1)`,
		"{{.}}", "\u202eright to left\u2066", "a\x00b\x1b[31m", strings.Repeat("very long ", 500), "$(rm -rf ~)'`x`",
		"-rf",
	} {
		page := render(t, three(t, name))
		require.NotContains(t, page, "<script", name)
		require.NotContains(t, page, "<img", name)
		require.NotContains(t, page, "<b>", name)
		require.NotRegexp(t, `<[^>]*\son[a-z]+=`, regexp.MustCompile(`="[^"]*"`).ReplaceAllString(page, "="), "%s became an attribute", name)
		require.NotRegexp(t, `(href|src)="javascript`, page, name)
		for _, hidden := range []string{"\u202e", "\u2066", "\x00", "\x1b"} {
			require.NotContains(t, page, hidden)
		}
	}
	require.Equal(t, `'$(rm -rf ~)'\''x'`, quote("$(rm -rf ~)'x"))
	require.Equal(t, "./-rf", quote("-rf"))
	r := three(t, "x").Reports[0]
	r.Settings.Command = []string{"run", "--run=^1x8/(a|b)'$", "--html=/etc/passwd", "--rounds=6"}
	require.Equal(t, `run '--run=^1x8/(a|b)'\''$' --rounds=6`, r.command())
	r.Settings.Command = []string{"load", "--manifest=m.json", "--trace=/etc/passwd", "--seed=7"}
	require.Equal(t, "load --manifest=m.json --seed=7", r.command())
	r.Settings.Command = []string{"rm", "-rf"}
	require.NotContains(t, r.command(), "rm")
}

// A report that ksbench has not made, but a fleet, names no command of ksbench that would make it.
func TestNoCommandForAFleet(t *testing.T) {
	in := three(t, "x")
	s, err := reproduce(in)
	require.NoError(t, err)
	require.NotNil(t, s)
	in.main().Settings = report.Settings{Rounds: 1}
	s, err = reproduce(in)
	require.NoError(t, err)
	require.Nil(t, s)
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	require.ErrorIs(t, Write(full{}, three(t, "mine")), errFull)
}

func TestProfilesAreReadWithCare(t *testing.T) {
	var packed bytes.Buffer
	require.NoError(t, calls("engine.Property").Write(&packed))
	p, err := ReadProfile("cpu.pprof", bytes.NewReader(packed.Bytes()))
	require.NoError(t, err)
	root := stacks(p)
	require.Equal(t, 40.0, root.Value)
	require.Equal(t, "main.main", root.Children[0].Name)
	require.Equal(t, 40.0, root.Children[0].Value)
	require.Equal(t, "engine.Property", root.Children[0].Children[0].Name)
	require.Equal(t, 30.0, root.Children[0].Children[0].Value)

	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, err = io.CopyN(w, zeros{}, maxProfile+1)
	require.NoError(t, errors.Join(err, w.Close()))
	for name, text := range map[string][]byte{
		"text":  []byte("no profile"),
		"empty": nil,
		"half":  packed.Bytes()[:packed.Len()/2],
		"bomb":  bomb.Bytes(),
	} {
		_, err := ReadProfile(name, bytes.NewReader(text))
		require.ErrorContains(t, err, name+": no profile in pprof's format", name)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestThin(t *testing.T) {
	values := make([]float64, 1000)
	for i := range values {
		values[i] = float64((i * 7) % 1000)
	}
	kept := thin(values, 60)
	require.Len(t, kept, 60)
	require.Equal(t, 0.0, kept[0])
	require.Equal(t, 999.0, kept[59])
	require.Equal(t, 7.0, values[1], "the report keeps its order")
}
