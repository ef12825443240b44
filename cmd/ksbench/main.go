// Ksbench measures the ksdispatch engine against what people would otherwise write.
//
// Without arguments it measures everything; "ksbench --help" lists the commands and their flags. Results go to standard
// output, messages and progress to standard error. It exits with 0 when done, 1 when something failed, 2 when the input
// was bad: an unknown flag, a broken manifest, a report that is none, an output that cannot be written; 3 when measurements
// are not comparable.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"github.com/ksdispatch/ksdispatch/internal/input"
	"github.com/ksdispatch/ksdispatch/internal/lab/baseline"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
	"github.com/ksdispatch/ksdispatch/internal/recordings"
)

// commands are the subcommands, in the order of the help. A command is a struct of flags with a method Run(*console) error, in a
// file of its own.
type commands struct {
	Run   runCommand   `cmd:"" default:"withargs" help:"Measure the engine and its peers. The command when none is named."`
	Exec  execCommand  `cmd:"" help:"Answer requests, one JSON line each, and say all that can be seen of each answer."`
	Check checkCommand `cmd:"" help:"Validate manifests and request files, and show what the objects offer."`
	Trace traceCommand `cmd:"" help:"Keep what clients ask in a file, show it, send it again, compare the answers."`

	Load loadCommand `cmd:"" help:"Put many clients on a device at once: real sessions and random ones; throughput, quantiles, fairness."`
	Soak soakCommand `cmd:"" help:"Keep devices busy with all that can go wrong, and notice what did: lost, doubled, leaked, out of order."`

	Targets targetsCommand `cmd:"" help:"Measure how far the engine is from its targets; exit with 1 if one is missed."`
	Stages  stagesCommand  `cmd:"" help:"Take a request apart: where its time goes, beside the limits of the machine."`

	Profile profileCommand `cmd:"" help:"Record profiles of requests, or check recorded ones: nothing allocates, contends, waits or collects."`
	Scale   scaleCommand   `cmd:"" help:"Measure how the table grows, from 8 to 4,000,000 keys: time, memory, build."`

	Compare  compareCommand  `cmd:"" help:"Say what changed between two measurements, or between two revisions that take turns."`
	Gate     gateCommand     `cmd:"" help:"Fail when something got worse than a baseline: 0 ok, 1 regressed, 2 bad input, 3 not comparable."`
	Baseline baselineCommand `cmd:"" help:"Keep measurements under names: save, list, show."`
	Selftest selftestCommand `cmd:"" help:"Try whether verdicts can be believed on this machine: nothing changed, planted changes."`
	Merge    mergeCommand    `cmd:"" help:"Add the reports of several machines or shards into one."`

	Report     reportCommand             `cmd:"" help:"Write reports as one HTML page that needs nothing else: tables, plots, flame graphs."`
	Serve      serveCommand              `cmd:"" help:"Show a folder's reports in a browser on this machine, compare two, watch a run."`
	Doctor     doctorCommand             `cmd:"" help:"Say if this machine is fit to measure on, and what to do if not; exit with 1 then."`
	Version    versionCommand            `cmd:"" help:"Say what this program is: version, commit, compiler."`
	Completion kongcompletion.Completion `cmd:"" help:"Say how to complete commands and flags with the tab key, in bash, zsh or fish."`

	globalFlags
}

// console is what a command talks to instead of the process's own files and signals.
type console struct {
	ctx    context.Context // ends with Ctrl-C
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer // for messages and progress; with --quiet they go nowhere

	command          []string // as a report names it
	width, fileWidth int      // of text on standard output and in files, 0 for any
}

// input is standard input for what measured something. It ends with ctx: a read of it waits for whoever writes.
func (con *console) input() io.Reader {
	return input.Limit(input.Reader(con.ctx, con.stdin), baseline.MaxSize)
}

// seed is the given seed, or for nil another each time. It is printed, and stands in the command of a report, so that
// what it led to can be had again.
func (con *console) seed(given *uint64) uint64 {
	if given == nil {
		given = new(rand.Uint64())
		con.command = append(con.command, fmt.Sprintf("--seed=%d", *given))
	}
	fmt.Fprintf(con.stderr, "ksbench: seed %d\n", *given)
	return *given
}

const (
	exitOK       = 0
	exitFailed   = 1
	exitBadInput = 2
	exitUnlike   = 3
)

// badInput marks an error that the user can mend: the exit code is 2.
type badInput struct{ error }

func (e badInput) Unwrap() error { return e.error }

// badUsage marks bad input whose remedy is in the help of the command.
type badUsage struct{ error }

func (e badUsage) Unwrap() error { return e.error }

// notComparable marks a refusal to compare or add what was measured under other conditions: the exit code is 3.
type notComparable struct{ error }

func (e notComparable) Unwrap() error { return e.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends what does not end by itself
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// newParser reads command lines into root. After it has printed a help, it calls helped and goes on.
func newParser(root *commands, stdout, stderr io.Writer, helped func()) (*kong.Kong, error) {
	return kong.New(root,
		kong.Name("ksbench"),
		kong.Description("Measure the ksdispatch engine against what people would otherwise write."),
		kong.Vars{"baselines": baseline.Dir, "floor": fmt.Sprintf("%g%%", 100*verdict.Floor),
			"clients": strings.Join(recordings.Names(), " or ")},
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped() }),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100}),
		kong.PostBuild(addExamples),
	)
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	helped := false
	var root commands
	own := &watched{w: stdout} // what the parser itself writes: helps and completions
	parser, err := newParser(&root, own, stderr, func() { helped = true })
	if err != nil {
		fmt.Fprintf(stderr, "ksbench: %v\n", err)
		return exitFailed
	}
	completion(parser)
	args, err = rewrite(parser, args)
	var defaults *config
	if err == nil {
		defaults, err = readConfig(ctx, args)
	}
	if err == nil {
		err = kong.Resolvers(defaults).Apply(parser)
	}
	var parsed *kong.Context
	if err == nil {
		parsed, err = parser.Parse(args)
	}
	if own.err != nil {
		fmt.Fprintf(stderr, "ksbench: standard output: %v\n", own.err)
		return exitBadInput
	}
	if helped {
		return exitOK
	}
	if err := interrupted(ctx, err); err != nil {
		fmt.Fprintf(stderr, "ksbench: %v\n", err)
		return exitFailed
	}
	if err != nil {
		fmt.Fprintf(stderr, "ksbench: %v\n%s\n", err, advice(parsed, defaults, err))
		return exitBadInput
	}
	messages := stderr
	if root.Quiet {
		messages = io.Discard
	}
	if root.Verbose {
		settings(messages, parsed, defaults)
	}
	con := &console{ctx: ctx, stdin: stdin, stdout: stdout, stderr: messages, width: int(root.Width), fileWidth: int(root.Width)}
	con.command = commandLine(parsed)
	if con.width == 0 {
		con.width = widthOf(stdout)
	}
	err = parsed.Run(con)
	if own.err != nil {
		err = badInput{fmt.Errorf("standard output: %w", own.err)}
	}
	err = cmp.Or(interrupted(ctx, err), err)
	if err == nil || helped {
		return exitOK
	}
	fmt.Fprintf(stderr, "ksbench: %v\n", err)
	switch {
	case errors.As(err, new(badUsage)):
		fmt.Fprintln(stderr, advice(parsed, defaults, err))
		return exitBadInput
	case errors.As(err, new(badInput)):
		return exitBadInput
	case errors.As(err, new(notComparable)):
		return exitUnlike
	}
	return exitFailed
}

// interrupted is what to say instead of the error of whatever Ctrl-C ended: commands hand the context's on.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return errors.New("interrupted; nothing was written")
	}
	return nil
}
