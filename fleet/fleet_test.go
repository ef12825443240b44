package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

func TestMain(m *testing.M) {
	switch os.Getenv("FLEET_AS") { // a process of its own that a test has started
	case "fleet":
		main()
	case "stalled":
		hook = func(*Work) (bool, error) {
			fmt.Println("working")
			select {}
		}
		main()
	case "prism":
		standAlone()
	}
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

const driver = "../engine/manifest/drivers/data/wds-sysvad.json"

// recorder makes traces of the first object of a driver. It is told in what request the answer is to be another than the driver's.
type recorder struct {
	t       testing.TB
	object  manifest.Object
	planted int // requests until then; 0 is never

	compat engine.Compat // of the host
	mixed  bool          // some requests have two verbs
}

func newRecorder(t testing.TB) *recorder {
	f, err := os.Open(driver)
	require.NoError(t, err)
	defer f.Close()
	m, err := manifest.Load(f, driver)
	require.NoError(t, err)
	return &recorder{t: t, object: m.Objects[0]}
}

// device is one whose handlers are those of the driver, but for what is planted.
func (r *recorder) device() *device.Device {
	config := r.object.Config(manifest.Options{Wrap: func(_ manifest.Verb, _ ks.GUID, _ uint32, h engine.Handler) engine.Handler {
		return func(irp *engine.IRP, request, data []byte) ks.Status {
			if r.planted--; r.planted == 0 {
				return ks.StatusDeviceNotReady
			}
			return h(irp, request, data)
		}
	}})
	config.Compat = r.compat
	d, err := engine.Compile(config)
	require.NoError(r.t, err)
	return device.New(d)
}

// record writes a trace of some devices, in parts if a part has a size.
func (r *recorder) record(name string, seed uint64, devices, requests int, part int64) {
	var files []*os.File
	next := func(n int) (io.Writer, error) {
		f, err := os.Create(fmt.Sprintf("%s.%d.kst", name, n))
		files = append(files, f)
		return f, err
	}
	w, err := next(0)
	require.NoError(r.t, err)
	rec, err := trace.NewRecorder(w, trace.Config{Wait: true, Buffer: 8 << 10, PartSize: part, Next: next})
	require.NoError(r.t, err)
	rng, config := rand.New(rand.NewPCG(seed, 1)), r.object.Config(manifest.Options{})
	handles := make([]*trace.Handle, devices)
	for i := range handles {
		handles[i], err = rec.Open(r.device(), r.object.Name)
		require.NoError(r.t, err)
	}
	for range requests {
		set := &config.PropertySets[rng.IntN(len(config.PropertySets))]
		it := &set.Items[rng.IntN(len(set.Items))]
		var in, out [64]byte
		flags := uint32(ks.PropertyTypeGet)
		if rng.IntN(3) == 0 {
			flags = ks.PropertyTypeSet
		}
		if r.mixed && rng.IntN(8) == 0 {
			flags = ks.PropertyTypeGet | ks.PropertyTypeSet
		}
		ks.Identifier{Set: set.Set, ID: it.ID, Flags: flags}.Put(in[:])
		out[0] = byte(rng.IntN(2))
		handles[rng.IntN(devices)].IoControl(ks.IoctlProperty, in[:max(24, it.MinProperty)], out[:max(4, it.MinData)])
	}
	for _, h := range handles {
		require.NoError(r.t, h.Close())
	}
	require.NoError(r.t, rec.Close())
	for _, f := range files {
		require.NoError(r.t, f.Close())
	}
}

// farm is a folder of traces: of one device and of three, in one part and in several; one answer is planted.
func farm(t testing.TB) string {
	dir := t.TempDir()
	r := newRecorder(t)
	for i := range 5 {
		r.record(filepath.Join(dir, fmt.Sprintf("t%d", i)), uint64(i), 1+i%3, 400, int64(i%2)*8<<10)
	}
	r.planted = 60
	r.record(filepath.Join(dir, "planted"), 99, 2, 500, 0)
	parts, err := filepath.Glob(filepath.Join(dir, "*.1.kst"))
	require.NoError(t, err)
	require.NotEmpty(t, parts, "no trace has a second part")
	return filepath.Join(dir, "*.kst")
}

// fleet runs a command and returns its report without what is of the machine, and its exit code.
func fleet(t testing.TB, ctx context.Context, args ...string) (*report.Report, string, int) {
	out := filepath.Join(t.TempDir(), "report.json")
	code := run(ctx, append(args, "--out", out))
	rep, err := report.ReadFile(t.Context(), out)
	if errors.Is(err, os.ErrNotExist) {
		left, err := filepath.Glob(filepath.Join(filepath.Dir(out), "*"))
		require.NoError(t, err)
		require.Empty(t, left)
		return nil, "", code
	}
	require.NoError(t, err)
	return rep, sameAs(t, out), code
}

// sameAs is what the reports of the same job have in common: all but the machine.
func sameAs(t testing.TB, name string) string {
	rep, err := report.ReadFile(t.Context(), name)
	require.NoError(t, err)
	rep.Environment = report.Environment{}
	text, err := json.Marshal(rep)
	require.NoError(t, err)
	return string(text)
}

func within(t *testing.T, f func(w *Work) (again bool, err error)) {
	old := hook
	hook = f
	t.Cleanup(func() { hook = old })
}

// The report is that of one process without a pipeline, however the work is divided; and the planted answer is found where it is.
func TestReportIsTheSameInAnySharding(t *testing.T) {
	traces := farm(t)
	args := []string{"verify", "--manifest", driver, "--traces", traces}
	rep, want, code := fleet(t, t.Context(), append(args, "--runner", "local")...)
	require.Equal(t, 1, code)
	require.EqualValues(t, 1, rep.Differ())
	require.Len(t, rep.Differences, 1)
	d := rep.Differences[0]
	require.Equal(t, "planted.0.kst", filepath.Base(d.File))
	require.Equal(t, "DEVICE_NOT_READY", d.Recorded.Status)
	require.NotEqual(t, d.Recorded.Status, d.Answered.Status)
	require.NotEqual(t, "-", d.Item)
	require.NotEmpty(t, d.Verb)
	require.Regexp(t, `^[A-Z]+-[0-9]+$`, d.Rule)
	tables := rep.TrafficTables()
	row := tables[len(tables)-1].Table.Rows[0]
	require.Equal(t, d.Rule, row[len(row)-1], "the report does not show the rule")
	require.Positive(t, d.Block)
	require.Positive(t, d.Offset)
	require.EqualValues(t, 5*400+500, rep.Settings.Requests)
	for _, shards := range []string{"1", "7", "64", "0"} {
		_, got, code := fleet(t, t.Context(), append(args, "--shards", shards)...)
		require.Equal(t, 1, code)
		require.Equal(t, want, got, "%s shards", shards)
	}
	for _, command := range []string{"mine", "sweep"} {
		args := []string{command, "--traces", traces}
		if command == "sweep" {
			args = append(args, "--manifest", driver, "--manifest", driverCopy(t))
		}
		_, want, _ := fleet(t, t.Context(), append(args, "--runner", "local")...)
		require.NotEmpty(t, want, command)
		_, got, _ := fleet(t, t.Context(), append(args, "--shards", "3")...)
		require.Equal(t, want, got, command)
	}
}

// spoil damages requests of a trace, whose blocks are where they were written in time. The headers are whole, so that it can be opened.
func spoil(t *testing.T, name string) {
	const header = 64 // bytes, before the records of a block
	f, err := traffic.Open(name)
	require.NoError(t, err)
	offset := int64(0)
	for rec, err := range f.Records() {
		if require.NoError(t, err); rec.Kind == trace.KindRequest {
			_, offset = f.Locate(rec)
		}
	}
	require.NoError(t, f.Close())
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	text[offset+header] ^= 4
	require.NoError(t, os.WriteFile(name, text, 0o600))
}

// The devices of a trace are worked on together or apart, and the report is the same; a broken one is left out of either.
func TestReportIsTheSameInAnyDivisionOfATrace(t *testing.T) {
	traces := farm(t)
	spoil(t, strings.Replace(traces, "*", "t2.0", 1))
	old := piece
	t.Cleanup(func() { piece = old })
	for _, job := range [][]string{{"verify", "--manifest", driver}, {"mine"}} {
		args := append(job, "--traces", traces, "--tolerate")
		var n atomic.Int64
		within(t, func(*Work) (bool, error) {
			n.Add(1)
			return false, nil
		})
		piece = old
		rep, want, _ := fleet(t, t.Context(), args...)
		require.EqualValues(t, 6, n.Load())
		require.Len(t, rep.Warnings, 1)
		require.Regexp(t, `t2\.0\.kst: block [1-9]\d* at offset [1-9]\d*: `, rep.Warnings[0])
		n.Store(0)
		piece = 1
		_, got, _ := fleet(t, t.Context(), append(args, "--shards", "3")...)
		require.EqualValues(t, 11, n.Load(), "the devices were not worked on apart")
		require.Equal(t, want, got)
		_, got, _ = fleet(t, t.Context(), append(args, "--runner", "local")...)
		require.Equal(t, want, got)
	}
}

// The first differences are kept of each point, however totals are added.
func TestDifferencesAreKeptOfEachPoint(t *testing.T) {
	traces := farm(t)
	args := []string{"sweep", "--manifest", driver, "--manifest", driverCopy(t), "--traces", traces}
	rep, _, code := fleet(t, t.Context(), append(args, "--differences", "1")...)
	require.Equal(t, 1, code)
	require.Len(t, rep.Differences, 2)
	require.NotEqual(t, rep.Differences[0].Point, rep.Differences[1].Point)
	_, _, code = fleet(t, t.Context(), append(args, "--differences", "500")...)
	require.Equal(t, 1, code)
	_, _, code = fleet(t, t.Context(), append(args, "--differences", "501")...)
	require.Equal(t, 2, code)

	half := func(trace string) *Total {
		var t Total
		for i := range 2 * 400 {
			t.Differences = append(t.Differences, report.Difference{Point: fmt.Sprint(i % 2), File: trace, Record: uint64(i)})
		}
		return &t
	}
	sum := half("b")
	sum.add(half("a"), 500)
	require.Len(t, sum.Differences, 1000)
	require.Equal(t, report.Difference{Point: "0", File: "b", Record: 2 * 99}, sum.Differences[499])
	require.Equal(t, report.Difference{Point: "1", File: "a", Record: 1}, sum.Differences[500])
}

// driverCopy is the driver under another name.
func driverCopy(t testing.TB) string {
	text, err := os.ReadFile(driver)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "copy.json")
	require.NoError(t, os.WriteFile(name, text, 0o600))
	return name
}

// Totals add in any order and in any groups.
func TestTotalsAddInAnyOrder(t *testing.T) {
	names, err := filepath.Glob(farm(t))
	require.NoError(t, err)
	text, err := os.ReadFile(driver)
	require.NoError(t, err)
	job := &Job{Kind: Verify, Points: []Point{{Name: "mine", Manifest: text}}, Differences: 3}
	var totals []*Total
	for _, name := range names {
		one, err := alone(t.Context(), job, []string{name}, func(*Work) {})
		require.NoError(t, err)
		totals = append(totals, one)
	}
	var want string
	for range 20 {
		rand.Shuffle(len(totals), func(i, j int) { totals[i], totals[j] = totals[j], totals[i] })
		sums := []*Total{{}, {}, {}}
		for i, x := range totals {
			b, err := x.encode()
			require.NoError(t, err)
			x, err = decodeTotal(b)
			require.NoError(t, err)
			sums[i%3].add(x, job.Differences)
		}
		sums[0].add(sums[2], job.Differences)
		sums[0].add(sums[1], job.Differences)
		rep, err := sums[0].Report()
		require.NoError(t, err)
		rep.Environment = report.Environment{}
		got, err := json.Marshal(rep)
		require.NoError(t, err)
		if want == "" {
			want = string(got)
		}
		require.Equal(t, want, string(got))
	}
}

// Work that fails and is done again counts once, and so does work whose result comes twice.
func TestWorkThatIsDoneAgainCountsOnce(t *testing.T) {
	args := []string{"verify", "--manifest", driver, "--traces", farm(t)}
	_, want, _ := fleet(t, t.Context(), append(args, "--runner", "local")...)
	var n atomic.Int64
	within(t, func(*Work) (bool, error) {
		if n.Add(1) == 4 {
			return false, errors.New("a worker that was killed")
		}
		return n.Load()%2 == 0, nil
	})
	_, got, code := fleet(t, t.Context(), args...)
	require.Equal(t, 1, code)
	require.Equal(t, want, got)
	require.Greater(t, n.Load(), int64(6), "nothing was done again")
	// Negative control: what fails each time is no report.
	within(t, func(*Work) (bool, error) { return false, errors.New("a worker that is killed each time") })
	rep, _, code := fleet(t, t.Context(), args...)
	require.Nil(t, rep)
	require.Equal(t, 2, code)
}

// A broken block ends the job with its place; with --tolerate the device is left out, and the report says so.
func TestABrokenBlockIsNamed(t *testing.T) {
	traces := farm(t)
	name := strings.Replace(traces, "*", "planted.0", 1)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	text[len(text)*2/3] ^= 4
	require.NoError(t, os.WriteFile(name, text, 0o600))
	require.NoError(t, os.WriteFile(strings.Replace(traces, "*", "none", 1), []byte("no trace"), 0o600))
	args := []string{"verify", "--manifest", driver, "--traces", traces}
	rep, _, code := fleet(t, t.Context(), args...)
	require.Nil(t, rep)
	require.Equal(t, 2, code)
	rep, want, code := fleet(t, t.Context(), append(args, "--tolerate", "--runner", "local")...)
	require.Contains(t, []int{0, 1}, code) // as the planted answer may be on the other device
	require.True(t, rep.Incomplete)
	require.Len(t, rep.Warnings, 2)
	require.Regexp(t, `none\.kst: block 0 at offset 0: this is no trace`, rep.Warnings[0])
	require.Regexp(t, `planted\.0\.kst: block [1-9][0-9]* at offset [1-9][0-9]*: `, rep.Warnings[1])
	for _, shards := range []string{"1", "5"} {
		_, got, _ := fleet(t, t.Context(), append(args, "--tolerate", "--shards", shards)...)
		require.Equal(t, want, got)
	}
}

// Of a trace whose recorder was killed the report says so, even if its first device is broken and left out.
func TestATornTraceIsNotedWhateverDeviceIsBroken(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t)
	r.record(filepath.Join(dir, "whole"), 1, 1, 400, 0)
	r.record(filepath.Join(dir, "torn"), 2, 1, 400, 0)
	name := filepath.Join(dir, "torn.0.kst")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	text[len(text)*2/3] ^= 4
	require.NoError(t, os.WriteFile(name, text[:len(text)-10], 0o600))
	for _, job := range [][]string{{"verify", "--manifest", driver}, {"mine"}} {
		args := append(job, "--traces", filepath.Join(dir, "*.kst"), "--tolerate")
		rep, want, _ := fleet(t, t.Context(), append(args, "--runner", "local")...)
		require.Len(t, rep.Warnings, 2)
		require.Contains(t, rep.Warnings[0], "its bytes are not those that were written")
		require.Contains(t, rep.Warnings[1], trace.ErrTorn.Error())
		require.Equal(t, 400, rep.Settings.Requests, "requests of the broken device were counted")
		_, got, _ := fleet(t, t.Context(), args...)
		require.Equal(t, want, got)
	}
}

// A trace is replayed with all of its parts or not at all, as the later ones begin with the state that the first left.
func TestPartsAreAllThere(t *testing.T) {
	require.ErrorContains(t, assemble([]Part{{"b", 1, 1}, {"c", 1, 2}}), "part 0 is missing")
	require.ErrorContains(t, assemble([]Part{{"a", 1, 0}, {"c", 1, 2}}), "part 1 is missing")
	require.ErrorContains(t, assemble([]Part{{"a", 1, 0}, {"copy", 1, 0}}), "a and copy are the same part")
	parts := []Part{{"b", 20, 1}, {"a", 10, 0}}
	require.NoError(t, assemble(parts))
	p, offset := locate(parts, 15)
	require.Equal(t, "b", p.Path)
	require.EqualValues(t, 5, offset)
}

// An interrupted job leaves no report, and what was there before.
func TestInterruptedJobLeavesNoReport(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var once sync.Once
	within(t, func(*Work) (bool, error) {
		once.Do(stop)
		return false, nil
	})
	rep, _, code := fleet(t, ctx, "verify", "--manifest", driver, "--traces", farm(t))
	require.Nil(t, rep)
	require.Equal(t, 2, code)
}

// Times of unlike machines are in rows of their own.
func TestUnlikeMachinesAreNotMixed(t *testing.T) {
	rep, _, code := fleet(t, t.Context(), "replay", "--manifest", driver, "--traces", farm(t))
	require.Zero(t, code)
	require.Len(t, rep.Results, 1)
	require.NotNil(t, rep.Results[0].Latency)
	require.Equal(t, len(rep.Results[0].Samples), rep.Settings.Rounds)
	h := report.NewHistogram()
	require.NoError(t, h.RecordValue(100))
	d, err := report.NewDistribution(h)
	require.NoError(t, err)
	total := &Total{Requests: 3}
	for i, cpu := range []string{"old", "new", "old"} {
		e := report.Environment{CPU: cpu, Cores: 2, GOMAXPROCS: 2, Commit: "unknown"}
		total.Timings = append(total.Timings, Timing{fmt.Sprint(i), "mine", e, 10, 1000, d.Histogram})
	}
	mixed, err := total.Report()
	require.NoError(t, err)
	require.Len(t, mixed.Results, 2)
	require.NoError(t, mixed.WriteJSON(io.Discard))
	require.Len(t, mixed.Results[0].Samples, 1) // new
	require.EqualValues(t, 2, mixed.Results[1].Latency.Service.Count)
}

// What is no file is refused before it is opened.
func TestTracesAreFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder.kst"), 0o700))
	_, _, err := list(t.Context(), []string{filepath.Join(dir, "*.kst")})
	require.ErrorContains(t, err, "folder.kst is no file")
}
