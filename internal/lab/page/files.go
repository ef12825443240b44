package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/bom"
	"github.com/ksdispatch/ksdispatch/internal/input"
	"github.com/ksdispatch/ksdispatch/internal/lab/benchtext"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// Read reads a report, or the output of go test -bench.
func Read(r io.Reader, name string) (Report, error) {
	rep, m, err := verdict.ReadAny(r, name, nil)
	switch {
	case err != nil:
		return Report{}, err
	case rep != nil:
		return Report{Name: name, Report: rep}, nil
	}
	return OfBench(name, m), nil
}

// ErrOther says that a file of a folder is something else, and nobody said that it is not.
var ErrOther = errors.New("neither a report nor the output of go test -bench")

// ReadIn is Read of a file in a folder, which nobody named: a report is known by .json, the output of go test -bench by .txt or .bench
// and what it says. The error is ErrOther for other files.
func ReadIn(r io.Reader, name string) (Report, error) {
	if strings.EqualFold(filepath.Ext(name), ".json") {
		return Read(r, name)
	}
	b, err := bom.Skip(r)
	if err != nil {
		return Report{}, ErrOther
	}
	m, err := verdict.ReadGoBench(b, name, nil)
	if errors.Is(err, benchtext.ErrNoResult) {
		return Report{}, ErrOther
	}
	if err != nil {
		return Report{}, err
	}
	return OfBench(name, m), nil
}

// May reports whether ReadIn reads files of that name.
func May(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".json", ".txt", ".bench"}, strings.ToLower(filepath.Ext(name)))
}

// ReadFiles reads reports, and the output of go test -bench, from files, in their order, and from folders, in the order of their time.
// A file that is named must be one of these; in a folder those that are none are passed over, and skipped says why, unless it is text.
// Names are those of the files, with as much of the path as tells them apart.
func ReadFiles(ctx context.Context, paths []string) (reports []Report, skipped []error, err error) {
	var names []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, err
		}
		if !info.IsDir() {
			f, err := input.OpenNamed(ctx, path, report.MaxBytes)
			if err != nil {
				return nil, nil, err
			}
			r, err := Read(f, path)
			f.Close() // was only read
			if err != nil {
				return nil, nil, err
			}
			reports, names = append(reports, r), append(names, path)
			continue
		}
		found, errs, err := ReadFolder(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		skipped = append(skipped, errs...)
		for _, r := range found {
			names = append(names, filepath.Join(path, r.Name))
			reports = append(reports, r)
		}
	}
	if len(reports) == 0 {
		return nil, skipped, fmt.Errorf("%s: %w", strings.Join(paths, ", "), ErrNoReport)
	}
	for i, name := range distinct(names) {
		reports[i].Name = name
	}
	return reports, skipped, nil
}

// ReadFolder reads the reports of a folder, named as their files, in the order in which the runs began; those that do not
// say when come first, by name.
func ReadFolder(ctx context.Context, dir string) (reports []Report, skipped []error, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if !May(e.Name()) {
			continue
		}
		r, err := readIn(ctx, dir, e)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if errors.Is(err, ErrOther) {
			continue
		}
		if err != nil {
			skipped = append(skipped, err)
			continue
		}
		r.Name = e.Name()
		reports = append(reports, r)
	}
	Sort(reports)
	return reports, skipped, nil
}

// Sort puts reports into the order in which the runs began.
func Sort(reports []Report) {
	slices.SortStableFunc(reports, func(a, b Report) int {
		return cmp.Or(a.began().Compare(b.began()), cmp.Compare(a.Name, b.Name))
	})
}

// readIn opens nothing that a folder only points to: a link may lead anywhere, and a pipe never ends.
func readIn(ctx context.Context, dir string, e fs.DirEntry) (Report, error) {
	path := filepath.Join(dir, e.Name())
	if !e.Type().IsRegular() {
		return Report{}, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := input.Open(ctx, path, report.MaxBytes)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	return ReadIn(f, path)
}

// distinct shortens paths to their last elements, of which it keeps as many as tell all of them apart; paths that are
// there twice get a number.
func distinct(paths []string) []string {
	short := make([]string, len(paths))
	for keep := 1; keep <= 8; keep++ {
		seen, clash := map[string]bool{}, false
		for i, path := range paths {
			parts := strings.Split(filepath.ToSlash(filepath.Clean(path)), "/")
			short[i] = strings.Join(parts[max(0, len(parts)-keep):], "/")
			clash = clash || seen[short[i]]
			seen[short[i]] = true
		}
		if !clash {
			return short
		}
	}
	seen := map[string]int{}
	for i, name := range short {
		if seen[name]++; seen[name] > 1 {
			short[i] = fmt.Sprintf("%s#%d", name, seen[name])
		}
	}
	return short
}

// ReadProfiles reads profiles from files.
func ReadProfiles(ctx context.Context, paths []string) (profiles []Profile, err error) {
	for _, path := range paths {
		f, err := input.OpenNamed(ctx, path, maxProfile)
		if err != nil {
			return nil, err
		}
		p, err := ReadProfile(filepath.Base(path), f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
}
