package verdict

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func read(t *testing.T, text string, exact ...string) *Measurements {
	t.Helper()
	m, err := Read(strings.NewReader(text), "file", exact)
	require.NoError(t, err)
	return m
}

func TestGoBench(t *testing.T) {
	m := read(t, `Unit tries/key assume=exact
Unit hits/run better=higher
goos: linux
goarch: amd64
pkg: example.com/a
cpu: Example 9000
BenchmarkCopy/size=1-2   	100	12.5 ns/op	80 MB/s	0 B/op	0 allocs/op
BenchmarkCopy/size=1-2   	100	12.7 ns/op	79 MB/s	0 B/op	0 allocs/op
BenchmarkBuild-2   	100	4.0 bits/key	5.8 tries/key	3 hits/run
PASS
ok  	example.com/a	1.2s
`, "bits/key")
	require.Equal(t, report.Environment{CPU: "Example 9000", GOMAXPROCS: 2, OS: "linux", Arch: "amd64", GoVersion: unknown, Level: unknown,
		Commit: unknown}, m.Environment)
	require.Equal(t, Benchmark{"example.com/a", "Copy/size=1-2", "cpu: Example 9000\ngoarch: amd64\ngoos: linux\n"}, m.Series[0].Benchmark)
	for i := range m.Series {
		m.Series[i].Benchmark, m.Series[i].id = Benchmark{}, ""
	}
	require.Equal(t, []Series{
		{Name: "Copy/size=1", Unit: "ns/op", Better: Lower, Values: []float64{12.5, 12.7}},
		{Name: "Copy/size=1", Unit: "MB/s", Better: Higher, Values: []float64{80, 79}},
		{Name: "Copy/size=1", Unit: "B/op", Better: Lower, Exact: true, Values: []float64{0, 0}},
		{Name: "Copy/size=1", Unit: "allocs/op", Better: Lower, Exact: true, Values: []float64{0, 0}},
		{Name: "Build", Unit: "bits/key", Better: Lower, Exact: true, Values: []float64{4}},
		{Name: "Build", Unit: "tries/key", Better: Lower, Exact: true, Values: []float64{5.8}},
		{Name: "Build", Unit: "hits/run", Better: Higher, declared: true, Values: []float64{3}},
	}, m.Series)
}

// What tells rows apart is in their names, and only then.
func TestGoBenchNames(t *testing.T) {
	names := func(text string) (names []string) {
		for _, s := range read(t, text).Series {
			names = append(names, s.Name)
		}
		return names
	}
	require.Equal(t, []string{"A", "B-x"}, names("BenchmarkA-8 1 2 ns/op\nBenchmarkB-x-8 1 2 ns/op\n"))
	require.Equal(t, []string{"A", "A-4"}, names("BenchmarkA 1 2 ns/op\nBenchmarkA-4 1 2 ns/op\n"))
	require.Equal(t, []string{"a.A", "b.A"}, names("pkg: x/a\nBenchmarkA-2 1 2 ns/op\npkg: x/b\nBenchmarkA-2 1 2 ns/op\n"))
	require.Zero(t, read(t, "BenchmarkA 1 2 ns/op\nBenchmarkA-4 1 2 ns/op\n").Environment.GOMAXPROCS)
}

func TestGoBenchRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "file: is empty",
		"\n \n":                             "file: is empty",
		"hello\n":                           "file: no line is a benchmark's result",
		"BenchmarkA-2 1 2 ns/op":            "file:1: ends within a line",
		"x\nBenchmarkA-2 1 2 ns/op\nBenchm": "file:3: ends within a line",
		"BenchmarkA-2 1 2\n":                "file:1: missing units",
		"BenchmarkA-2 x 2 ns/op\n":          "file:1: parsing iteration count",
		"BenchmarkA-2 1 2 ns/op\n--- FAIL: BenchmarkB\n":          "file:2: the test run failed",
		"BenchmarkA-2 1 2 ns/op\nFAIL\texample.com/a 1.2s\n":      "file:2: the test run failed",
		"BenchmarkA-2 1 2 ns/op\nBenchmarkA-2 1 NaN ns/op\n":      "file:2: A-2: NaN ns/op cannot be",
		"x\nBenchmarkA/b-2 1 2 ns/op +Inf things\n":               "file:2: A/b-2: +Inf things cannot be",
		"BenchmarkA-2 1 1e999 ns/op\n":                            "file:1: ",
		"BenchmarkA-2 1 -2 ns/op\n":                               "file:1: A-2: -2 ns/op cannot be",
		"BenchmarkA-2 1 2 ns/op -1 allocs/op\n":                   "file:1: A-2: -1 allocs/op cannot be",
		"BenchmarkA-2 0 2 ns/op\n":                                "file:1: A-2: 0 iterations cannot be",
		"BenchmarkA-2 1 2 ns/op 1 x 3 ns/op\n":                    "file:1: A-2: ns/op is there twice",
		"{":                                                       "file:1:2: ",
		`{"schemaVersion": 0}`:                                    "file: schemaVersion: 0: not a report",
		strings.Repeat("x", 2<<20) + "\nBenchmarkA-2 1 2 ns/op\n": "file:1: a line of more than",
	} {
		_, err := Read(strings.NewReader(text), "file", nil)
		require.ErrorContains(t, err, want, "%.60q", text)
	}
}

// Windows' editors and shells begin text with a mark, which must not hide the first line.
func TestByteOrderMark(t *testing.T) {
	m, err := Read(strings.NewReader("\ufeffBenchmarkA-2 1 2 ns/op\nBenchmarkA-2 1 3 ns/op\n"), "file", nil)
	require.NoError(t, err)
	require.Equal(t, []float64{2, 3}, m.Series[0].Values)
	v1, err := os.ReadFile(filepath.Join("..", "report", "testdata", "v1.json"))
	require.NoError(t, err)
	_, err = Read(strings.NewReader("\ufeff"+string(v1)), "file", nil)
	require.NoError(t, err)
	_, err = Read(strings.NewReader("\xff\xfeB\x00"), "file", nil)
	require.EqualError(t, err, "file: is UTF-16; save it as UTF-8, in PowerShell with | Out-File -Encoding utf8")
}

// A metric of the benchmark's own may be below zero.
func TestGoBenchNegative(t *testing.T) {
	m, err := Read(strings.NewReader("BenchmarkA-2 1 2 ns/op -3.5 dB\n"), "file", nil)
	require.NoError(t, err)
	require.Equal(t, []float64{-3.5}, m.Series[1].Values)
}

// Whatever is done to a file, reading it is an error or gives measurements that can be compared, never a panic.
func TestHostileFiles(t *testing.T) {
	rng := testkit.Rand(t)
	v1, err := os.ReadFile(filepath.Join("..", "report", "testdata", "v1.json"))
	require.NoError(t, err)
	var bench strings.Builder
	for i := range 12 {
		fmt.Fprintf(&bench, "BenchmarkA/b=%d-2 100 %d.5 ns/op 0 B/op 0 allocs/op\n", i%3, 70+i)
	}
	refused := 0
	for _, whole := range [][]byte{v1, []byte(bench.String())} {
		good, err := Read(bytes.NewReader(whole), "file", nil)
		require.NoError(t, err)
		for range 400 {
			text := bytes.Clone(whole)
			for range 1 + rng.IntN(3) {
				switch at := rng.IntN(len(text)); rng.IntN(3) {
				case 0:
					text[at] = byte(rng.Uint32())
				case 1:
					text = text[:at+1]
				case 2:
					text = append(text[:at:at], append([]byte("-1e308 9999999999999999999 NaN "), text[at:]...)...)
				}
			}
			m, err := Read(bytes.NewReader(text), "file", nil)
			if err != nil {
				require.NotEmpty(t, err.Error())
				refused++
				continue
			}
			if c, err := New(good, m, Options{}); err == nil {
				require.NoError(t, as(c, "json")(new(bytes.Buffer)))
				require.NoError(t, doc.Write(new(bytes.Buffer), c, "text", 0))
			}
		}
	}
	require.Greater(t, refused, 100)
}

func TestIncomparable(t *testing.T) {
	side := func(change func(*report.Report)) *Measurements {
		r := &report.Report{
			Environment: report.Environment{CPU: "Example 9000", GOMAXPROCS: 2, OS: "linux", Arch: "amd64", GoVersion: "go1.26.8",
				Level: "GOAMD64=v1", Commit: "a"},
			Settings:  report.Settings{Seed: 1, Rounds: 6, Requests: 65536},
			Workloads: []report.Workload{{Name: "20x12", Objects: 1, Items: 240, Digest: "00c0ffee00c0ffee"}},
			Impls:     []report.Impl{{Name: "engine", Kind: report.Engine}},
			Results:   []report.Result{{Workload: "20x12", Path: "irp", Impl: "engine", Samples: []report.Sample{{Operations: 1, NsPerOp: 1}}}},
		}
		change(r)
		return FromReport(r, "file")
	}
	old := side(func(*report.Report) {})
	for want, change := range map[string]func(*report.Report){
		"":                             func(r *report.Report) { r.Environment.Commit, r.Environment.GoVersion = "b", "go1.27" },
		"CPU: Example 9000, now Other": func(r *report.Report) { r.Environment.CPU = "Other" },
		"GOMAXPROCS: 2, now 4":         func(r *report.Report) { r.Environment.GOMAXPROCS = 4 },
		"instruction set: GOAMD64=v1, now GOAMD64=v3": func(r *report.Report) { r.Environment.Level = "GOAMD64=v3" },
		"untimed cycles before a batch: 0, now 1":     func(r *report.Report) { r.Settings.Prime = 1 },
		"architecture: amd64, now arm64":              func(r *report.Report) { r.Environment.Arch = "arm64" },
		"operating system: linux, now darwin":         func(r *report.Report) { r.Environment.OS = "darwin" },
		"workload 20x12: digest 00c0ffee00c0ffee, now 00c0ffee00c0ffef: other tables or requests": func(r *report.Report) {
			r.Workloads[0].Digest = "00c0ffee00c0ffef"
		},
		"workload 20x12: 1 objects, 240 items, 65536 requests of seed 1, " +
			"now 1 objects, 240 items, 65536 requests of seed 7": func(r *report.Report) {
			r.Settings.Seed = 7
		},
	} {
		require.Equal(t, want, strings.Join(Incomparable(old, side(change)), "; "))
	}
	// What a side does not say is no reason, and a workload that is not compared is none either.
	require.Empty(t, Incomparable(old, side(func(r *report.Report) { r.Environment.CPU, r.Workloads[0].Digest = unknown, "" })))
	other := side(func(r *report.Report) { r.Workloads[0].Digest = "1" })
	other.Match(regexp.MustCompile("^200x20"))
	require.Empty(t, Incomparable(old, other))
}
