package revision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// checkout is one revision, in a worktree.
type checkout struct {
	rev, commit string
	worktree    string
	has         []bool     // which packages it has
	binaries    [][]string // by package and layout
}

// checkout makes both worktrees.
func (r *run) checkout() error {
	var err error
	if r.top, err = r.git("rev-parse", "--show-toplevel"); err != nil {
		return r.orDone(input("--rev: %w", err))
	}
	if r.prefix, err = r.git("rev-parse", "--show-prefix"); err != nil {
		return err
	}
	for i, rev := range []string{r.cfg.Old, r.cfg.New} {
		s := &r.sides[i]
		s.rev = rev
		if s.commit, err = r.git("rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}"); err != nil {
			return r.orDone(input("--rev %s: git knows no such commit", rev))
		}
		s.worktree = filepath.Join(r.dir, []string{"old", "new"}[i])
		if _, err := r.git("worktree", "add", "--quiet", "--detach", s.worktree, s.commit); err != nil {
			return err
		}
	}
	return nil
}

// cleanup removes what was made, whether it was made whole or not. It does its work after the context has ended.
func (r *run) cleanup() error {
	ctx := context.WithoutCancel(r.ctx)
	var errs []error
	for _, s := range r.sides {
		if s.worktree != "" {
			// Fails if the worktree was not complete; then removing the folder and pruning does it.
			_ = exec.CommandContext(ctx, "git", "-C", r.top, "worktree", "remove", "--force", "--force", s.worktree).Run()
		}
	}
	errs = append(errs, os.RemoveAll(r.dir))
	if r.top != "" {
		if text, err := exec.CommandContext(ctx, "git", "-C", r.top, "worktree", "prune").CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("git worktree prune: %w: %s", err, bytes.TrimSpace(text)))
		}
	}
	return errors.Join(errs...)
}

// packages finds the folders that the patterns mean, of those with tests in both revisions.
func (r *run) packages() error {
	r.patterns = r.cfg.Packages
	var folders [2][]string
	for i := range r.sides {
		dir := filepath.Join(r.sides[i].worktree, r.prefix)
		args := append([]string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}", "--"}, r.patterns...)
		text, err := r.command(dir, "go", args...)
		if err != nil {
			return r.orDone(input("--package %s: revision %s: %w", strings.Join(r.patterns, ","), r.sides[i].rev, err))
		}
		for path := range strings.Lines(text) {
			folder, err := filepath.Rel(dir, strings.TrimSpace(path))
			if err != nil {
				return err
			}
			folders[i] = append(folders[i], "./"+filepath.ToSlash(folder))
		}
	}
	if !slices.ContainsFunc(folders[0], func(folder string) bool { return slices.Contains(folders[1], folder) }) {
		return input("--package %s: no package has tests in both revisions; name those with benchmarks, or ./... for all",
			strings.Join(r.patterns, ","))
	}
	r.cfg.Packages = folders[0]
	for _, folder := range folders[1] {
		if !slices.Contains(folders[0], folder) {
			r.cfg.Packages = append(r.cfg.Packages, folder)
		}
	}
	for i := range r.sides {
		for _, folder := range r.cfg.Packages {
			r.sides[i].has = append(r.sides[i].has, slices.Contains(folders[i], folder))
		}
	}
	return nil
}

// build links the test binary of a package in the first layouts, as far as that is not done. Only the first of them compiles:
// -trimpath makes both worktrees share what they have in common in the build cache.
func (r *run) build(side, p, layouts int) error {
	s := &r.sides[side]
	s.binaries = append(s.binaries, make([][]string, max(p+1-len(s.binaries), 0))...)
	for layout := len(s.binaries[p]); layout < layouts; layout++ {
		r.progress(layout, layouts, "building "+s.rev)
		binary := filepath.Join(r.dir, fmt.Sprintf("bench-%d-%d-%d.exe", side, p, layout))
		seed := 1 + (r.cfg.Seed+uint64(layout))%(1<<31) // 0 would be the linker's own order
		args := []string{"test", "-c", "-trimpath", fmt.Sprintf("-ldflags=-randlayout=%d", seed), "-o", binary, r.cfg.Packages[p]}
		if _, err := r.command(filepath.Join(s.worktree, r.prefix), "go", args...); err != nil {
			return r.orDone(input("--rev %s: %w", s.rev, err))
		}
		s.binaries[p] = append(s.binaries[p], binary)
	}
	return nil
}

func (r *run) git(args ...string) (string, error) { return r.command("", "git", args...) }

// command runs a program and returns what it prints, without the last newline.
func (r *run) command(dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(r.ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTMPDIR="+r.dir) // of the go command that is killed something remains
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(os.Interrupt); err != nil { // git removes its locks then; Windows cannot
			return cmd.Process.Kill()
		}
		return nil
	}
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if r.ctx.Err() != nil {
			return "", r.ctx.Err()
		}
		said := strings.TrimSpace(stderr.String() + "\n" + tail(stdout.String()))
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, said)
	}
	return strings.TrimRight(stdout.String(), "\r\n"), nil
}

// orDone prefers the context's error to what its end caused.
func (r *run) orDone(err error) error {
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	return err
}

// tail is the end of what a failing benchmark printed.
func tail(text string) string {
	const most = 2000
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}
