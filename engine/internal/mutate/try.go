package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// verdict is what came of a mutant.
type verdict struct {
	killer string // the first test that failed; empty if none did
	took   time.Duration
	err    error // the mutant could not be tried
	output string
	args   []string // of the run that decided
}

// limit is how long the tests of a package may run. hang is the killer of a mutant with which they take longer.
var limit = 90 * time.Second

const hang = "a test that hangs"

// patient is how many times the limit the tests may take on a machine that is so busy that they take longer without a mutant, too.
const patient = 8

// rules are the packages whose tests hold the rules, the ones that kill most mutants first.
var rules = []string{"./engine/internal/difftest", "./engine", "./engine/device"}

// try says which test the mutant fails. One with which a test hangs is given more time if the tests take longer without it, too.
func try(ctx context.Context, dir string, r record) verdict {
	for within := limit; ; within *= 2 {
		v := mutated(ctx, dir, r, within)
		if v.err != nil || v.killer != hang {
			return v
		}
		control := goTest(ctx, dir, within, v.args...) // or is the machine busy?
		switch {
		case control.err != nil:
			v.err = control.err
		case control.killer == hang && within < patient*limit:
			continue
		case control.killer != "":
			v.err = fmt.Errorf("without the mutant, too: %s", control.killer)
		}
		return v
	}
}

// mutated puts the mutant into the copied module, runs the tests, and takes it out again.
func mutated(ctx context.Context, dir string, r record, within time.Duration) verdict {
	file := filepath.Join(dir, r.file)
	original, err := os.ReadFile(file)
	if err != nil {
		return verdict{err: err}
	}
	text, err := r.apply(dir)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		return verdict{err: err}
	}
	v := test(ctx, dir, r, within)
	if err := os.WriteFile(file, original, 0o644); v.err == nil {
		v.err = err
	}
	return v
}

// test runs the tests of r until one fails. Those of a package may take so long.
func test(ctx context.Context, dir string, r record, within time.Duration) verdict {
	if r.fuzz != "" {
		return goTest(ctx, dir, within, "-run", "^$", "-fuzz", "^"+r.fuzz+"$", "-fuzztime", "60s", "-fuzzminimizetime", "10x", r.packages[0])
	}
	if r.packages != nil {
		return goTest(ctx, dir, within, r.packages...)
	}
	begun := time.Now()
	packages := slices.Clone(rules)
	if strings.HasPrefix(r.file, "engine/device/") { // which the others' tests hardly reach
		slices.Reverse(packages)
	}
	for _, p := range packages {
		if v := goTest(ctx, dir, within, "-short", p); v.killer != "" || v.err != nil {
			v.took = time.Since(begun)
			return v
		}
	}
	return verdict{took: time.Since(begun)}
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

func goTest(ctx context.Context, dir string, within time.Duration, args ...string) (v verdict) {
	begun := time.Now()
	v.args = args
	cmd := exec.CommandContext(ctx, "go",
		append([]string{"test", "-vet=off", "-count=1", "-failfast", "-timeout=" + within.String(), "-ldflags=-w"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KSDISPATCH_SEED=1")
	b, err := cmd.CombinedOutput()
	v.output, v.took = string(b), time.Since(begun)
	var exit *exec.ExitError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		v.err = ctx.Err()
	case !errors.As(err, &exit):
		v.err = err
	case strings.Contains(v.output, "[build failed]") || strings.Contains(v.output, "[setup failed]"):
		v.err = errors.New("the mutant does not build")
	case strings.Contains(v.output, "panic: test timed out"):
		v.killer = hang
	default:
		v.killer = "a crash of the test binary"
		if m := failed.FindStringSubmatch(v.output); m != nil {
			v.killer = m[1]
		}
	}
	return v
}

// copyModule copies what the tests need: the module without its history, binaries and profiles.
func copyModule(from, to string) error {
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir() && (e.Name() == ".git" || name == "profiles" || name == "dist"):
			return filepath.SkipDir
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !e.Type().IsRegular() || strings.HasSuffix(name, ".test"):
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o644)
	})
	if err != nil {
		return fmt.Errorf("copying the module: %w", err)
	}
	return nil
}
