package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/atomicfile"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command is the whole program but for the process around it. It exits with 0, 1 if something failed, 2 if the input was bad.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	quick := flags.Bool("quick", false, "few and short rounds")
	format := flags.String("format", "text", "text, md or json")
	out := flags.String("out", "", "the `file` to write to instead of standard output")
	cpu := flags.String("cpuprofile", "", "write a CPU profile to this `file`, for -pgo of the next build")
	seed := flags.Uint64("seed", 1, "of the keys, the requests and the order")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "peers: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	opt := options{rounds: 15, batch: 15 * time.Millisecond, seed: *seed}
	if *quick {
		opt.rounds, opt.batch = 6, time.Millisecond
	}
	if !slices.Contains([]string{"text", "md", "json"}, *format) {
		fmt.Fprintf(stderr, "peers: --format %s: must be text, md or json\n", *format)
		return 2
	}
	if *cpu != "" {
		f, err := os.Create(*cpu)
		if err == nil {
			defer f.Close()
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintf(stderr, "peers: -cpuprofile: %v\n", err)
			return 2
		}
		defer pprof.StopCPUProfile()
	}
	rep, err := run(ctx, opt)
	if err == nil {
		err = write(*out, stdout, func(w io.Writer) error { return doc.Write(w, rep, *format, 0) })
	}
	if err != nil {
		fmt.Fprintf(stderr, "peers: %v\n", err)
		return 1
	}
	return 0
}

// write makes the file in one step.
func write(path string, stdout io.Writer, render func(io.Writer) error) error {
	if path == "" {
		return render(stdout)
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := render(f); err != nil {
		return err
	}
	return f.Commit()
}
