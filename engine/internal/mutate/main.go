// Command mutate proves that the tests would notice the loss of each rule: it breaks the project in one place at a time and
// runs the tests.
//
//	go run ./engine/internal/mutate            # every mutant of mutants.txt, some minutes on two cores
//	go run ./engine/internal/mutate P-28 F-6   # those of two rules
//	go run ./engine/internal/mutate -guards    # those whose loss would weaken another promise
//	go run ./engine/internal/mutate -fuzz      # one planted bug per fuzz target, each to be found within a minute
//	go run ./engine/internal/mutate -check     # only whether every record still fits the source
//
// A mutant is a record of mutants.txt: a rule, a file, a text that occurs there exactly once, and what to put in its place.
// The texts are short, so that a change of the source elsewhere leaves them alone; one that does touch them makes the record
// stale, and the package's test says so. The mutant is built in a copy of the module; it dies when a test fails, or hangs that
// does not hang without it. A record with a line "survives" names a mutant that no test can kill because it changes nothing that
// can be seen, and why: it must build and pass.
//
// Random tests run with KSDISPATCH_SEED=1, so that a run can be repeated.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

//go:embed mutants.txt
var data string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	fuzz := flags.Bool("fuzz", false, "plant a bug for each fuzz target")
	guards := flags.Bool("guards", false, "run only the records of guards")
	check := flags.Bool("check", false, "only check that every record fits the source")
	workers := flags.Int("workers", runtime.NumCPU(), "how many mutants run at the same time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	records, err := parse(data)
	if err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if err := fit(root, records); err != nil || *check {
		return err
	}
	records = slices.DeleteFunc(records, func(r record) bool {
		rules := flags.Args()
		return (r.fuzz != "") != *fuzz || *guards && !r.guard || len(rules) != 0 && !slices.Contains(rules, r.rule)
	})
	if len(records) == 0 {
		return fmt.Errorf("no record of %q", flags.Args())
	}
	if *fuzz {
		*workers = 1 // a fuzz target uses every core
	}
	return prove(ctx, root, records, *workers, out)
}

// moduleRoot is the nearest folder upwards with a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above the current folder: run this inside the module")
		}
	}
	return "", err
}

// healthy runs every test that is to kill a mutant once without one: it must pass.
func healthy(ctx context.Context, dir string, records []record) error {
	done := map[string]bool{}
	for _, r := range records {
		if r.fuzz != "" {
			r.packages, r.fuzz = []string{"-run", "^" + r.fuzz + "$", r.packages[0]}, ""
		}
		if name := strings.Join(r.packages, " "); !done[name] {
			done[name] = true
			if v := test(ctx, dir, r, patient*limit); v.err != nil || v.killer != "" {
				return fmt.Errorf("the tests fail without any mutant, at %s: %w\n%s", v.killer, v.err, v.output)
			}
		}
	}
	return nil
}

// prove runs the records and reports each. The error says how many did not end as expected.
func prove(ctx context.Context, root string, records []record, workers int, out io.Writer) error {
	begun := time.Now()
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	type result struct {
		record
		verdict
	}
	work, results := make(chan record), make(chan result)
	for i := range workers {
		copied := filepath.Join(dir, fmt.Sprint(i))
		if err := copyModule(root, copied); err != nil {
			return err
		}
		if i == 0 {
			if err := healthy(ctx, copied, records); err != nil {
				return err
			}
		}
		go func() {
			for r := range work {
				results <- result{r, try(ctx, copied, r)}
			}
		}()
	}
	go func() {
		for _, r := range records {
			work <- r
		}
		close(work)
	}()

	killed, survived, wrong := 0, 0, 0
	for range records {
		r := <-results
		switch text := strings.ReplaceAll(r.to, "\n", " "); {
		case r.err != nil:
			wrong++
			fmt.Fprintf(out, "%-6s %s:%d: ERROR %v\n%s", r.rule, r.file, r.line, r.err, r.output)
		case r.killer == "" && r.survives == "":
			wrong++
			fmt.Fprintf(out, "%-6s %s: SURVIVED: %s\n", r.rule, r.file, text)
		case r.killer != "" && r.survives != "":
			wrong++
			fmt.Fprintf(out, "%-6s %s: killed by %s, although the record says it survives: %s\n", r.rule, r.file, r.killer, text)
		case r.killer == "":
			survived++
			fmt.Fprintf(out, "%-6s %s: survives: %s\n", r.rule, r.file, r.survives)
		default:
			killed++
			fmt.Fprintf(out, "%-6s %s: killed by %s in %.1f s\n", r.rule, r.file, r.killer, r.took.Seconds())
		}
	}
	fmt.Fprintf(out, "%d mutants: %d killed, %d survive with a reason, %d not as expected; %.0f s\n",
		len(records), killed, survived, wrong, time.Since(begun).Seconds())
	if wrong != 0 {
		return fmt.Errorf("%d of %d mutants did not end as expected", wrong, len(records))
	}
	return ctx.Err()
}
