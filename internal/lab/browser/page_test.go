package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// ksbench is built once for all tests.
var ksbench string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "ksbench")
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer os.RemoveAll(dir)
		ksbench = filepath.Join(dir, "ksbench")
		build := exec.Command("go", "build", "-o", ksbench, "./cmd/ksbench")
		build.Dir = filepath.Join("..", "..", "..")
		if text, err := build.CombinedOutput(); err != nil {
			fmt.Printf("%v: %s", err, text)
			return 1
		}
		return m.Run()
	}())
}

// command runs ksbench in a directory. What it measures need not be good, so exit code 1 is well.
func command(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), ksbench, args...)
	c.Dir = dir
	text, err := c.CombinedOutput()
	require.NotNil(t, c.ProcessState, "ksbench %s: %v", args, err)
	require.LessOrEqual(t, c.ProcessState.ExitCode(), 1, "ksbench %s: %s", args, text)
}

// measured is a folder with reports of everything, and the page of them.
func measured(t *testing.T) (dir, page string) {
	t.Helper()
	dir, page = t.TempDir(), "page.html"
	run := []string{"run", "--run", "^(1x8|20x12)/(lookup|irp)/(engine|linear|floor)$", "--rounds", "7", "--latency", "--format", "json",
		"--out"}
	command(t, dir, append(run, "1.json")...)
	command(t, dir, append(run, "2.json", "--seed", "2")...)
	command(t, dir, append(run, "3.json")...)
	command(t, dir, "scale", "--max", "1024", "--rounds", "6", "--format", "json", "--out", "scale.json")
	command(t, dir, "stages", "--quick", "--format", "json", "--out", "stages.json")
	command(t, dir, "targets", "--quick", "--run", "^fast/20x12/dense", "--rounds", "6", "--format", "json", "--out", "targets.json")
	command(t, dir, "profile", "--out", "profiles", "--requests", "1000", "--cpu-time", "100ms")
	profiles, err := filepath.Glob(filepath.Join(dir, "profiles", "*cpu*.p*"))
	require.NoError(t, err)
	require.NotEmpty(t, profiles)
	command(t, dir, "report", "1.json", "2.json", "3.json", "scale.json", "stages.json", "targets.json", "--profile", profiles[0], "--out",
		page)
	return dir, page
}

var (
	widths  = []int64{1280, 390}
	schemes = []string{"light", "dark"}
)

// open loads a page and checks what every page promises.
func open(t *testing.T, ctx context.Context, w *watch, address string, width int64, colours string) {
	t.Helper()
	scheme(t, ctx, width, colours)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address)))
	require.LessOrEqual(t, evaluate[int64](t, ctx, `document.documentElement.scrollWidth`), width, "the page is wider than the window")
	dark := evaluate[bool](t, ctx, `getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)"`)
	require.Equal(t, colours == "dark", dark)
	console, requests := w.seen()
	require.Empty(t, console)
	require.Equal(t, []string{address}, requests)
}

// drawn compares what each plot says that it shows with what there is to see within its frame.
const drawn = `[...document.querySelectorAll("svg.plot")].map(svg => {
	const seen = svg.querySelectorAll(".dot, .mark, .part, .flame").length - svg.querySelectorAll(".legend .mark").length +
		[...svg.querySelectorAll("polyline.plain")].reduce((n, line) => n + line.points.numberOfItems, 0);
	const title = svg.querySelector("title").textContent;
	const wrong = [];
	if (Number(svg.dataset.marks) !== seen) wrong.push("says " + svg.dataset.marks + ", shows " + seen);
	if (seen === 0) wrong.push("shows nothing");
	if (!svg.querySelector("desc").textContent) wrong.push("has no description");
	const { width, height } = svg.viewBox.baseVal;
	for (const e of svg.querySelectorAll("circle, polygon, polyline, rect, path, text")) {
		const box = e.getBBox();
		if (![box.x, box.y, box.width, box.height].every(Number.isFinite)) wrong.push(e.outerHTML + " is nowhere");
		if (e.closest("text, .mark")) continue; // halves of letters and of marks at an edge
		if (box.x < -1 || box.y < -1 || box.x + box.width > width + 1 || box.y + box.height > height + 1) wrong.push(e.outerHTML + " is outside");
	}
	const table = svg.closest("figure").querySelector("table");
	if (!table || table.rows.length < 2) wrong.push("has no numbers");
	return wrong.map(text => title + ": " + text);
}).flat()`

func TestPageOfARealRun(t *testing.T) {
	ctx := chromium(t)
	dir, page := measured(t)
	info, err := os.Stat(filepath.Join(dir, page))
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(2<<20))
	w := watched(t, ctx)
	address := "file://" + filepath.Join(dir, page)
	for _, width := range widths {
		for _, colours := range schemes {
			open(t, ctx, w, address, width, colours)
			shoot(t, ctx, fmt.Sprintf("page-%d-%s", width, colours))
			require.Empty(t, evaluate[[]string](t, ctx, drawn))
			unfold(t, ctx)
			require.LessOrEqual(t, evaluate[int64](t, ctx, `document.documentElement.scrollWidth`), width, "with all parts unfolded")
		}
	}
	require.NoError(t, chromedp.Do(ctx, chromedp.Reload())) // folded: unfolded it takes minutes, and TestASmallPage has that
	accessible(t, ctx)
	sections := evaluate[[]string](t, ctx, `[...document.querySelectorAll("main > section")].map(s => s.id)`)
	require.Equal(t, []string{"comparison", "verdict", "targets", "ratios", "distributions", "latency", "growth", "stages", "history",
		"profile", "numbers", "environment", "reproduce"}, sections)
	for _, id := range []string{"comparison", "ratios", "distributions", "latency", "growth", "stages", "history", "profile"} {
		require.NotZero(t, evaluate[int](t, ctx, `document.querySelectorAll("#`+id+` svg.plot").length`), id)
	}
}

// unfold opens all parts of a page.
func unfold(t *testing.T, ctx context.Context) {
	t.Helper()
	evaluate[int](t, ctx, `document.querySelectorAll("details").forEach(d => d.open = true), 0`)
}

// Everybody can read it, on every screen; and on paper, what is folded on a screen is shown.
func TestASmallPage(t *testing.T) {
	ctx := chromium(t)
	dir := t.TempDir()
	command(t, dir, "run", "--run", "^1x8/lookup/", "--rounds", "6", "--latency", "--html", "page.html")
	w := watched(t, ctx)
	for _, width := range widths {
		for _, colours := range schemes {
			open(t, ctx, w, "file://"+filepath.Join(dir, "page.html"), width, colours)
			folded := `[...document.querySelectorAll("details.fold > .scroll, details.fold > .plots")].filter(e => !e.checkVisibility()).length`
			require.NotZero(t, evaluate[int](t, ctx, folded), "nothing is folded: the test shows nothing")
			print(t, ctx)
			require.Zero(t, evaluate[int](t, ctx, folded))
			scheme(t, ctx, width, colours)
			unfold(t, ctx)
			accessible(t, ctx)
		}
	}
}

// The pages of a load and of a trace fit every screen, timelines included.
func TestTrafficPages(t *testing.T) {
	ctx := chromium(t)
	dir := t.TempDir()
	driver, err := filepath.Abs(filepath.Join("..", "..", "..", "engine", "manifest", "drivers", "data", "wds-simpleaudiosample.json"))
	require.NoError(t, err)
	command(t, dir, "load", "--manifest", driver, "--clients", "20", "--duration", "500ms", "--html", "load.html")
	command(t, dir, "trace", "record", "--manifest", driver, "--client", "portaudio-wavert", "--out", "a.kst")
	command(t, dir, "trace", "show", "a.kst", "--html", "trace.html")
	w := watched(t, ctx)
	for _, name := range []string{"load", "trace"} {
		for _, width := range widths {
			for _, colours := range schemes {
				open(t, ctx, w, "file://"+filepath.Join(dir, name+".html"), width, colours)
				shoot(t, ctx, fmt.Sprintf("%s-%d-%s", name, width, colours))
				accessible(t, ctx)
				outside := `[...document.querySelectorAll("td.line svg")].filter(e => e.getBoundingClientRect().right > innerWidth).length`
				require.Zero(t, evaluate[int](t, ctx, outside), "timelines that lie outside the window")
			}
		}
	}
}

var hostile = []string{
	`<script>document.title = "pwned"</script>`, `"><svg onload="document.title = 'pwned'">`,
	`</style></title></svg><img src=x onerror="document.title = 'pwned'">`,
	`' onmouseover='document.title = "pwned"`, "javascript:document.title='pwned'",
	"\u202eright to left \u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627",
	strings.Repeat("verylong", 200), "a\x00b\x1b[31m\u2028", strings.Repeat("words and ", 100),
}

// Names of a stranger's report can do nothing but be read.
func TestHostileNames(t *testing.T) {
	ctx := chromium(t)
	r := &report.Report{
		SchemaVersion: report.SchemaVersion,
		Environment: report.Environment{CPU: hostile[0], Cores: 2, GOMAXPROCS: 2, OS: hostile[2], Arch: hostile[6], GoVersion: "go1.26.8",
			Level: "v1", Commit: hostile[3], Caches: []report.Cache{{Name: hostile[0], Bytes: 1 << 15}}},
		Settings: report.Settings{Seed: 1, Rounds: 6, Requests: 1},
		Impls:    []report.Impl{{Name: "engine", Kind: report.Engine}, {Name: hostile[1], Kind: report.Peer, Description: hostile[2]}},
		Paths:    []report.Path{{Name: "lookup", Description: hostile[0]}, {Name: hostile[5]}}, Warnings: hostile,
		Stages: []report.Stage{report.NewStage(hostile[0], report.StagePart, hostile[1], hostile[2], []float64{1})},
	}
	for _, name := range hostile {
		r.Workloads = append(r.Workloads, report.Workload{Name: name, Description: name, Objects: 1, Items: 1})
		for _, path := range r.Paths {
			for i, impl := range r.Impls {
				var samples []report.Sample
				for round := range 6 {
					samples = append(samples, report.Sample{Operations: 1, NsPerOp: float64(i + 1 + round)})
				}
				r.Results = append(r.Results, report.NewResult(name, path.Name, impl.Name, samples))
			}
		}
	}
	r.Compare()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "r.json"))
	require.NoError(t, err)
	require.NoError(t, r.WriteJSON(f))
	require.NoError(t, f.Close())
	command(t, dir, "report", "r.json", "r.json", "r.json", "--title", hostile[1], "--out", "page.html")
	w := watched(t, ctx)
	for _, width := range widths {
		open(t, ctx, w, "file://"+filepath.Join(dir, "page.html"), width, "light")
		shoot(t, ctx, fmt.Sprintf("hostile-%d", width))
		require.Empty(t, evaluate[[]string](t, ctx, drawn))
		require.NotEqual(t, "pwned", evaluate[string](t, ctx, `document.title`))
		require.Zero(t, evaluate[int](t, ctx, `document.querySelectorAll("script, img, iframe, object, embed, b, a[href^=javascript]").length`))
		require.Zero(t, evaluate[int](t, ctx,
			`[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length`))
		require.False(t, evaluate[bool](t, ctx, `document.body.textContent.includes("\u202e")`))
		accessible(t, ctx)
	}
}

func TestServe(t *testing.T) {
	ctx := chromium(t)
	dir := t.TempDir()
	for _, name := range []string{"1.json", "2.json", "3.json"} {
		command(t, dir, "run", "--run", "^1x8/", "--rounds", "6", "--format", "json", "--out", name)
	}
	note, fresh := filepath.Join(dir, ".4.json.progress"), time.Now().Add(time.Hour) // however long the pages take
	require.NoError(t, os.WriteFile(note, []byte(`{"done":1,"total":4,"workload":"20x12"}`), 0o644))
	require.NoError(t, os.Chtimes(note, fresh, fresh))
	base := serve(t, dir)
	w := watched(t, ctx)
	for _, width := range widths {
		for _, colours := range schemes {
			open(t, ctx, w, base, width, colours)
			shoot(t, ctx, fmt.Sprintf("serve-%d-%s", width, colours))
			accessible(t, ctx)
		}
	}
	require.Equal(t, 0.25, evaluate[float64](t, ctx, `document.querySelector("progress").position`))
	require.NoError(t, os.Remove(note))

	follow := func(selector string) *url.URL {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(base)))
		w.seen()
		_, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector)))
		require.NoError(t, err)
		here, err := chromedp.Run(ctx, chromedp.Location())
		require.NoError(t, err)
		console, requests := w.seen()
		require.Empty(t, console)
		require.Equal(t, []string{here}, requests)
		require.Empty(t, evaluate[[]string](t, ctx, drawn))
		address, err := url.Parse(here)
		require.NoError(t, err)
		return address
	}
	require.Equal(t, "/report", follow(`tbody th a`).Path)
	require.Equal(t, "/history", follow(`nav a[href="/history"]`).Path)
	compared := follow(`form button`)
	require.Equal(t, "/compare", compared.Path)
	require.NotEqual(t, compared.Query().Get("old"), compared.Query().Get("new"))
	require.Equal(t, 1, evaluate[int](t, ctx, `document.querySelectorAll("#comparison").length`))

	// Another origin's page gets nothing, not even with the reader's browser.
	other := "data:text/html,<title>waiting</title><iframe src='" + base + "'></iframe><script>fetch('" + base +
		"', {mode: 'no-cors'}).then(() => document.title = 'read', () => document.title = 'refused')</script>"
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(other)))
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.title !== "waiting"`, chromedp.WithPollingTimeout(0)))
	require.NoError(t, err)
	require.Equal(t, "refused", evaluate[string](t, ctx, `document.title`))
}
