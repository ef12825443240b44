package revision

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// repository makes a module in a git repository with a revision for each text of its benchmarks, and stands in it. Every file that
// a comparison makes is in tmp.
func repository(t *testing.T, revisions ...string) (tmp string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and measures")
	}
	tmp = t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("TMP", tmp)
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOWORK", "off")
	t.Chdir(t.TempDir())
	git(t, "init", "-q", ".")
	require.NoError(t, os.Mkdir("volume", 0o777))
	require.NoError(t, os.WriteFile("go.mod", []byte("module example.com/volume\n\ngo 1.26\n"), 0o666))
	for _, benchmarks := range revisions {
		text := "package volume\n\nimport \"testing\"\n\nvar sink []byte\n\n" + benchmarks
		require.NoError(t, os.WriteFile(filepath.Join("volume", "volume_test.go"), []byte(text), 0o666))
		git(t, "add", ".")
		git(t, "commit", "-q", "--allow-empty", "-m", "a revision")
	}
	return tmp
}

func git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %s: %s", args, text)
	return strings.TrimSpace(string(text))
}

// nothingLeft says that neither worktrees nor files remain.
func nothingLeft(t *testing.T, tmp string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(tmp, "ksbench-revisions-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, 1, strings.Count(git(t, "worktree", "list"), "\n")+1)
}

// each is how many pieces of memory a benchmark of source allocates each time around: so many that what the runtime allocates beside
// them does not count, also where a busy machine lets it run only once.
const each = 100_000

// source declares a benchmark that allocates pieces of so many bytes. more is what it does in the end.
func source(name, bytes string, more ...string) string {
	return "func Benchmark" + name + "(b *testing.B) {\n\tfor range b.N {\n\t\tfor range " + strconv.Itoa(each) + " {\n" +
		"\t\t\tsink = make([]byte, " + bytes + ")\n\t\t}\n\t}\n" + strings.Join(more, "") + "}\n\n"
}

var quick = Config{Old: "HEAD~1", New: "HEAD", Packages: []string{"./volume"}, Bench: ".", Benchtime: 10 * time.Millisecond, Layouts: 1,
	Rounds: 1, Seed: 7}

// What both revisions have is measured in each, one value for a layout, and what only one has is not. Counts say which side is
// which: no time is asserted.
func TestMeasure(t *testing.T) {
	tmp := repository(t, source("Both", "64")+source("Old", "1"), source("Both", "256")+source("New", "1"))
	cfg := quick
	cfg.Layouts = 2
	var steps []string
	cfg.Progress = func(done, total int, step string) {
		require.Less(t, done, total)
		steps = append(steps, step)
	}
	old, new, err := Measure(t.Context(), cfg)
	require.NoError(t, err)
	for _, side := range []struct {
		m     *verdict.Measurements
		rev   string
		bytes float64
		alone string
	}{{old, "HEAD~1", 64, "Old"}, {new, "HEAD", 256, "New"}} {
		require.Equal(t, side.rev, side.m.Source)
		require.Equal(t, git(t, "rev-parse", side.rev)[:12], side.m.Environment.Commit)
		values := map[string][]float64{}
		for _, s := range side.m.Series {
			if len(s.Values) == 0 {
				require.Equal(t, side.alone, s.Name)
				continue
			}
			require.Equal(t, "Both", s.Name)
			values[s.Unit] = s.Values
		}
		require.Len(t, values["ns/op"], cfg.Layouts)
		require.InEpsilonSlice(t, []float64{each * side.bytes, each * side.bytes}, values["B/op"], 0.001, side.rev)
		require.InEpsilonSlice(t, []float64{each, each}, values["allocs/op"], 0.001, side.rev)
	}
	require.Equal(t, []string{"listing HEAD~1", "building HEAD~1", "listing HEAD", "building HEAD", "building HEAD~1", "building HEAD",
		"Both"}, steps)
	nothingLeft(t, tmp)
}

// A benchmark is known by its whole package, also where two end in one element; a program that prints another seed in each run is
// none of another kind. What one revision alone has is named: a benchmark, a metric, and a package.
func TestWhatIsOneBenchmark(t *testing.T) {
	tmp := repository(t)
	write := func(folder, bytes, more string) {
		dir := filepath.FromSlash(folder)
		require.NoError(t, os.MkdirAll(dir, 0o777))
		text := "package cache\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"testing\"\n)\n\nvar sink []byte\n\n" +
			"func TestMain(m *testing.M) {\n\tfmt.Println(\"seed:\", os.Getpid())\n\tos.Exit(m.Run())\n}\n\n" + source("Get", bytes) + more
		require.NoError(t, os.WriteFile(filepath.Join(dir, "cache_test.go"), []byte(text), 0o666))
	}
	commit := func() {
		git(t, "add", ".")
		git(t, "commit", "-q", "-m", "a revision")
	}
	write("m/cache", "64", source("Going", "1")+source("Metric", "8", "\tb.ReportMetric(1, \"hits\")\n"))
	write("n/cache", "64", "")
	write("gone", "64", "")
	commit()
	write("m/cache", "64", source("Metric", "8"))
	write("n/cache", "128", "")
	require.NoError(t, os.RemoveAll("gone"))
	write("added", "64", "")
	commit()
	cfg := quick
	cfg.Packages = []string{"./..."}
	old, new, err := Measure(t.Context(), cfg)
	require.NoError(t, err)
	c, err := verdict.New(old, new, verdict.Options{Paired: true})
	require.NoError(t, err)
	verdicts := map[string]verdict.Verdict{}
	for _, r := range c.Rows {
		if r.Exact() {
			verdicts[r.Name+" "+r.Unit] = r.Verdict
		}
	}
	require.Equal(t, map[string]verdict.Verdict{
		"m/cache.Get B/op": verdict.Same, "m/cache.Get allocs/op": verdict.Same,
		"n/cache.Get B/op": verdict.Regressed, "n/cache.Get allocs/op": verdict.Same,
		"m/cache.Metric B/op": verdict.Same, "m/cache.Metric allocs/op": verdict.Same,
	}, verdicts)
	require.ElementsMatch(t, []string{"volume/gone.Get ns/op", "volume/gone.Get B/op", "volume/gone.Get allocs/op",
		"m/cache.Going ns/op", "m/cache.Going B/op", "m/cache.Going allocs/op", "m/cache.Metric hits"}, c.OnlyOld)
	require.ElementsMatch(t, []string{"volume/added.Get ns/op", "volume/added.Get B/op", "volume/added.Get allocs/op"}, c.OnlyNew)
	nothingLeft(t, tmp)
}

// A pattern is what the go command makes of it, less the packages without tests in both.
func TestPatterns(t *testing.T) {
	repository(t, source("Both", "64"), source("Both", "64"))
	require.NoError(t, os.MkdirAll(filepath.Join("volume", "plain"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join("volume", "plain", "plain.go"), []byte("package plain\n"), 0o666))
	git(t, "add", ".")
	git(t, "commit", "-q", "-m", "a package without tests")
	t.Chdir("volume")
	cfg := quick
	cfg.Layouts = 1
	for _, pattern := range []string{"./...", "."} {
		cfg.Packages = []string{pattern}
		old, new, err := Measure(t.Context(), cfg)
		require.NoError(t, err)
		require.Len(t, old.Series, 3, "%+v", old.Series)
		require.Len(t, new.Series, 3)
	}
	cfg.Packages = []string{"./plain"}
	_, _, err := Measure(t.Context(), cfg)
	require.ErrorContains(t, err, "--package ./plain: revision HEAD~1: go list")
}

// A comparison is of what was committed: the working tree stays as it is, and has no say.
func TestTheWorkingTreeIsLeftAlone(t *testing.T) {
	repository(t, source("Both", "64"), source("Both", "64"))
	file := filepath.Join("volume", "volume_test.go")
	const broken = "package volume\n\nbroken"
	require.NoError(t, os.WriteFile(file, []byte(broken), 0o666))
	_, new, err := Measure(t.Context(), quick)
	require.NoError(t, err)
	require.NotEmpty(t, new.Series)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, broken, string(text))
}

// What the user can mend is bad input that names the revision, and leaves nothing either.
func TestBadInput(t *testing.T) {
	tmp := repository(t, source("Old", "1"), source("New", "1"), "broken", "func BenchmarkFails(b *testing.B) { b.Fatal(\"no\") }\n")
	for _, c := range []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"no such revision", func(c *Config) { c.New = "nowhere" }, "--rev nowhere: git knows no such commit"},
		{"an option for a revision", func(c *Config) { c.Old = "--all" }, "--rev --all: git knows no such commit"},
		{"no such package", func(c *Config) { c.Packages = []string{"./chair"} }, "--package ./chair: revision HEAD~3: go list"},
		{"no match", func(c *Config) { c.Bench = "Chair" }, "--bench Chair: revision HEAD~3 has no such benchmark in --package ./volume"},
		{"nothing in both", func(c *Config) {}, "--bench .: no such benchmark is in both revisions"},
		{"does not compile", func(c *Config) { c.New = "HEAD~1" }, "--rev HEAD~1: go test"},
		{"fails", func(c *Config) { c.New = "HEAD" }, "--rev HEAD: bench-1-0-0.exe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := quick
			cfg.Old, cfg.New = "HEAD~3", "HEAD~2"
			c.change(&cfg)
			_, _, err := Measure(t.Context(), cfg)
			require.ErrorIs(t, err, ErrInput)
			require.ErrorContains(t, err, c.says)
			nothingLeft(t, tmp)
		})
	}
	t.Chdir(t.TempDir())
	_, _, err := Measure(t.Context(), quick)
	require.ErrorIs(t, err, ErrInput, "not a repository")
}

// The end of the context is what is returned, at whatever step it comes, and nothing is left behind.
func TestEndsWithTheContext(t *testing.T) {
	tmp := repository(t, source("Both", "1"), source("Both", "1"))
	for _, at := range []string{"building HEAD~1", "listing HEAD", "Both"} {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := quick
		cfg.Progress = func(_, _ int, step string) {
			if step == at {
				cancel()
			}
		}
		_, _, err := Measure(ctx, cfg)
		require.ErrorIs(t, err, context.Canceled, at)
		require.NotErrorIs(t, err, ErrInput, at)
		nothingLeft(t, tmp)
		cancel()
	}
}

// The ratio of a layout is that of its blocks, so that what drifts cancels within each: in the first case
// the machine gets slower from turn to turn.
func TestReduce(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new []float64
		exact    bool
		a, b     float64
	}{
		{"A B B A", []float64{1, 4}, []float64{2 * 2, 3 * 2}, false, 2.5, 2.5 * math.Sqrt(6)},
		{"steady", []float64{10, 10, 10, 10}, []float64{20, 20, 20, 20}, false, 10, 20},
		{"one block is disturbed", []float64{10, 10, 10, 10, 10, 10}, []float64{20, 20, 20, 2000, 20, 20}, false, 10, 20},
		{"counts", []float64{3, 2}, []float64{7, 5}, true, 2, 5},
		{"zero", []float64{0, 1}, []float64{1, 1}, false, 0, 1},
	} {
		a, b := reduce(c.old, c.new, c.exact)
		require.InDelta(t, c.a, a, 1e-9, c.name)
		require.InDelta(t, c.b, b, 1e-9, c.name)
	}
}
