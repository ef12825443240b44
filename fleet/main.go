package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/s3"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// command is what kong reads.
type command struct {
	Verify verifyCommand `cmd:"" help:"Does a manifest answer all that was recorded? Exit with 1 if an answer differs."`
	Replay replayCommand `cmd:"" help:"Measure how long requests take; unlike machines make rows of their own."`
	Sweep  sweepCommand  `cmd:"" help:"Verify manifests, settings and sizes of tables side by side: each is a point of the report."`
	Mine   mineCommand   `cmd:"" help:"Count what was recorded: requests, sizes, statuses."`
}

// common are the flags of all.
type common struct {
	Traces   []string          `required:"" sep:"none" placeholder:"GLOB" help:"The traces (.kst), all parts of each; gs:// and s3:// too."`
	Out      string            `required:"" placeholder:"FILE" help:"The report to write."`
	Tolerate bool              `help:"Leave out traces that are broken, and list them in the report; else there is none, and exit with 2."`
	Shards   int               `placeholder:"N" help:"Divide the work into N shards; without it each device of a trace is one."`
	Runner   string            `default:"prism" enum:"${runners}" help:"${runners}: local is without Beam (${default})."`
	Endpoint string            `placeholder:"HOST:PORT" help:"The job service of the cluster."`
	Staging  string            `placeholder:"FOLDER" help:"A folder that the cluster and this machine both reach; needed for a cluster."`
	Beam     map[string]string `placeholder:"FLAG=VALUE" help:"A flag of Beam, such as environment_config=IMAGE; may be given several times."`
}

// kept is how much of what differs is in the report.
type kept struct {
	Differences int `default:"10" placeholder:"N" help:"Keep the first N of each point (${default})."`
}

// grid are points: each manifest as it is, and under each setting and with each size of its tables as well.
type grid struct {
	Manifest []string `required:"" sep:"none" placeholder:"FILE" help:"A manifest whose objects answer; may be given several times."`
	Object   string   `placeholder:"NAME" help:"The object that stands for those that have no name, or that a manifest does not have."`
	Compat   []string `sep:"none" placeholder:"RULE=ANSWER,..." help:"Answer so too, as in ksbench exec; may be given several times."`
	Pad      []string `sep:"none" placeholder:"SETSxITEMS" help:"Have so many more in each table too, as in 2000x20; also several times."`
}

// points are those of the grid, in the order in which they are given.
func (g *grid) points(ctx context.Context) ([]Point, error) {
	var all []Point
	for _, name := range g.Manifest {
		p, err := readPoint(ctx, name, g.Object)
		if err != nil {
			return nil, err
		}
		for _, pad := range append([]string{""}, g.Pad...) {
			for _, compat := range append([]string{""}, g.Compat...) {
				all = append(all, p.under(compat, pad))
			}
		}
	}
	return all, nil
}

type verifyCommand struct {
	common
	kept
	Manifest string `required:"" placeholder:"FILE" help:"The manifest whose objects answer."`
	Object   string `placeholder:"NAME" help:"The object that stands for those that have no name, or that the manifest does not have."`
	Compat   string `placeholder:"RULE=ANSWER,..." help:"Answer as another host where no source pins the rule, as in ksbench exec."`
}

// Run is called by kong.
func (c *verifyCommand) Run(ctx context.Context) error {
	p, err := readPoint(ctx, c.Manifest, c.Object)
	if err != nil {
		return err
	}
	return c.run(ctx, &Job{Kind: Verify, Differences: c.Differences, Points: []Point{p.under(c.Compat, "")}}, "")
}

type replayCommand struct {
	common
	grid
}

// Run is called by kong.
func (c *replayCommand) Run(ctx context.Context) error {
	points, err := c.points(ctx)
	if err != nil {
		return err
	}
	return c.run(ctx, &Job{Kind: Replay, Differences: 1, Points: points}, "")
}

type sweepCommand struct {
	common
	kept
	grid
}

// Run is called by kong.
func (c *sweepCommand) Run(ctx context.Context) error {
	points, err := c.points(ctx)
	if err != nil {
		return err
	}
	return c.run(ctx, &Job{Kind: Verify, Differences: c.Differences, Points: points}, "")
}

type mineCommand struct {
	common
	Mix string `placeholder:"FILE" help:"Write what was asked, and how often, for ksbench load --mix as well."`
}

// Run is called by kong.
func (c *mineCommand) Run(ctx context.Context) error {
	return c.run(ctx, &Job{Kind: Mine, Differences: 1, Points: []Point{{Name: "recorded"}}}, c.Mix)
}

// errFound is what a job found: it ends with 1, and the report is there.
type errFound struct{ error }

func main() {
	collector()
	if slices.ContainsFunc(os.Args[1:], func(a string) bool { return a == "--worker" || a == "--worker=true" }) { // Beam starts this binary so
		flag.Parse()
		beam.Init() // does not return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// collector lets garbage grow to four times what is in use, up to a limit: a replay has little in use, and pools that the collector empties
// are filled anew, which is a quarter of the time of a request. What the environment says of the collector holds.
func collector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(512 << 20)
	}
}

// run is main with the exit code returned: 1 for what a job found, 2 for what kept it from its end.
func run(ctx context.Context, args []string) int {
	var c command
	parser := kong.Must(&c, kong.Name("fleet"), kong.Vars{"runners": "prism,local,universal,flink,spark,dataflow"},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Description("Replay, verify and count the traces of a test farm, as a pipeline of Apache Beam."))
	parsed, err := parser.Parse(args)
	if err == nil {
		err = parsed.Run()
	}
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		err = errors.New("interrupted; there is no report")
	}
	fmt.Fprintf(os.Stderr, "fleet: %v\n", err)
	if errors.As(err, new(errFound)) {
		return 1
	}
	return 2
}

// run does a job and writes its report, and a mix if it is to have one.
func (c *common) run(ctx context.Context, job *Job, mix string) error {
	most := report.MaxDifferences
	if job.Kind == Verify {
		most /= max(1, len(job.Points))
	}
	if job.Differences < 1 || job.Differences > most || c.Shards < 0 {
		return fmt.Errorf("--differences %d, --shards %d: must be from 1 to %d, as a report has at most %d at its %d points, and not negative",
			job.Differences, c.Shards, most, report.MaxDifferences, len(job.Points))
	}
	job.Shards = c.Shards
	if _, err := job.targets(); err != nil { // before anything is read
		return err
	}
	names, size, err := list(ctx, c.Traces)
	if err != nil {
		return err
	}
	read := slices.Clone(names)
	for i := range job.Points {
		read = append(read, job.Points[i].file)
	}
	out, err := newOutput("--out", c.Out, read)
	if err != nil {
		return err
	}
	outputs := []*output{out}
	if mix != "" {
		to, err := newOutput("--mix", mix, read, out)
		if err != nil {
			return err
		}
		outputs = append(outputs, to)
	}
	total, err := c.total(ctx, job, names, size*int64(len(job.Points)))
	if err != nil {
		return err
	}
	if faults := total.faults(); len(faults) > 0 && !c.Tolerate {
		shown := strings.Join(faults[:min(len(faults), 20)], "\n")
		return fmt.Errorf("%d traces cannot be used; --tolerate leaves them out:\n%s", len(faults), shown)
	}
	rep, err := total.Report()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := rep.WriteJSON(&text); err != nil {
		return fmt.Errorf("--out %s: %w", c.Out, err)
	}
	out.text = text.Bytes()
	if mix != "" {
		if outputs[1].text, err = total.mix(); err != nil {
			return err
		}
	}
	if err := write(outputs); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "fleet: %s: traces %d, requests %d, sum %016x\n", c.Out, total.Traces, total.Requests, total.Sum)
	if n := rep.Differ(); n > 0 {
		return errFound{fmt.Errorf("answers that differ: %d; ksbench report %s shows them", n, c.Out)}
	}
	return nil
}

// list are the files that globs name. Each is there once, under its first name: a link to another is that one.
func list(ctx context.Context, globs []string) (names []string, size int64, err error) {
	for _, glob := range globs {
		filesystem.ValidateScheme(glob)
		system, err := filesystem.New(ctx, glob)
		if err != nil {
			return nil, 0, err
		}
		defer system.Close()
		found, err := system.List(ctx, glob)
		if err != nil {
			return nil, 0, fmt.Errorf("--traces %s: %w", glob, err)
		}
		if len(found) == 0 {
			return nil, 0, fmt.Errorf("--traces %s: there is no such file", glob)
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	type like struct{ size, modified int64 }
	known := make(map[like][]os.FileInfo) // those that could be the same
	kept := names[:0]
	for _, name := range names {
		if strings.Contains(name, "://") {
			n, err := sizeOf(ctx, name)
			if err != nil {
				return nil, 0, err
			}
			kept, size = append(kept, name), size+n
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, 0, fmt.Errorf("--traces: %w", err)
		}
		if !info.Mode().IsRegular() { // to open a pipe waits for its writer, and nothing interrupts that
			return nil, 0, fmt.Errorf("--traces: %s is no file; name .kst files", name)
		}
		k := like{info.Size(), info.ModTime().UnixNano()}
		if slices.ContainsFunc(known[k], func(other os.FileInfo) bool { return os.SameFile(info, other) }) {
			continue
		}
		known[k] = append(known[k], info)
		kept, size = append(kept, name), size+info.Size()
	}
	return kept, size, nil
}

// sizeOf is the size of a file of an object store.
func sizeOf(ctx context.Context, name string) (int64, error) {
	system, err := filesystem.New(ctx, name)
	if err != nil {
		return 0, err
	}
	defer system.Close()
	n, err := system.Size(ctx, name)
	if err != nil {
		err = fmt.Errorf("--traces: %s: %w", name, err)
	}
	return n, err
}

// total does the job where it is to be done.
func (c *common) total(ctx context.Context, job *Job, names []string, size int64) (*Total, error) {
	defer progress(ctx, size)()
	if c.Runner == "local" {
		return alone(ctx, job, names, func(w *Work) { worked.Add(w.bytes()) })
	}
	folder := c.Staging
	if c.Runner == "prism" {
		var err error
		if folder, err = os.MkdirTemp("", "fleet-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(folder)
	} else if folder == "" {
		return nil, fmt.Errorf("--runner %s: say with --staging where its workers and this machine both reach", c.Runner)
	}
	to := strings.TrimSuffix(folder, "/") + fmt.Sprintf("/fleet-%d.json", time.Now().UnixNano())
	for attempt := 1; ; attempt++ {
		p, err := build(job, names, to)
		if err != nil {
			return nil, err
		}
		if err = c.submit(ctx, p); err == nil {
			return result(ctx, to)
		}
		if ctx.Err() != nil || c.Runner != "prism" || attempt == attempts { // a cluster repeats what failed, prism does not
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "fleet: once more, as it failed: %v\n", err)
		worked.Store(0)
	}
}

// attempts is how often this process tries a job.
const attempts = 3

// submit runs a pipeline and waits for its end.
func (c *common) submit(ctx context.Context, p *beam.Pipeline) error {
	for name, value := range c.Beam {
		if err := flag.Set(name, value); err != nil {
			return fmt.Errorf("--beam %s=%s: %w", name, value, err)
		}
	}
	if c.Endpoint != "" {
		*jobopts.Endpoint = c.Endpoint
	}
	quiet()
	if !beam.Initialized() {
		beam.Init()
	}
	*jobopts.JobName = fmt.Sprintf("fleet-%d-%d", os.Getpid(), time.Now().UnixNano())
	defer context.AfterFunc(ctx, func() { cancel(*jobopts.Endpoint, *jobopts.JobName) })()
	_, err := beam.Run(ctx, c.Runner, p)
	return err
}

// quiet keeps to errors what Beam says: the rest is its own affairs. Once, as workers of a job that has ended still look at the level.
var quiet = sync.OnceFunc(func() {
	log.LogLevel = "error"
	slog.SetLogLoggerLevel(slog.LevelError)
	log.SetLogger(&log.Structural{})
})

// progress draws how far this process is on a terminal, until the function that it returns is called.
func progress(ctx context.Context, size int64) (done func()) {
	worked.Store(0)
	if !term.IsTerminal(int(os.Stderr.Fd())) || os.Getenv("TERM") == "dumb" || size == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		begin := time.Now()
		draw(ctx, os.Stderr, time.NewTicker(time.Second), func() string {
			n := min(worked.Load(), size)
			left := "?"
			if n > 0 {
				left = (time.Duration(float64(time.Since(begin)) * float64(size-n) / float64(n))).Round(time.Second).String()
			}
			return fmt.Sprintf("%3d %% of %d MB, %s left", 100*n/size, size>>20, left)
		})
	}()
	return func() { cancel(); <-ended }
}

func draw(ctx context.Context, w io.Writer, tick *time.Ticker, line func() string) {
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			fmt.Fprint(w, "\r\x1b[K")
			return
		case <-tick.C:
			fmt.Fprintf(w, "\r\x1b[K%s", line())
		}
	}
}
