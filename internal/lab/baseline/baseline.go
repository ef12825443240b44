// Package baseline keeps measurements under names, in files that carry their own checksum.
//
// A baseline is the measurement, byte for byte, after one line:
//
//	# ksbench baseline v1 xxh64=4fdcca5ddb678139 saved=2026-11-22T20:00:00Z
//
// A baseline of several runs has v2 in that line, and precedes each run, also kept byte for byte, with a line of its
// own:
//
//	# ksbench run bytes=1234 saved=2026-11-22T20:00:00Z
//
// benchstat skips such lines, so a baseline of go test's output is still benchmark output. A gate that trusts a damaged
// baseline is worse than none, so Open verifies the digest of everything below the line. xxhash is not cryptographic:
// it detects a torn write or a careless edit, not a forger.
//
// Save writes the new baseline to a file of its own, reads it back and flushes it before it replaces the old one in one
// step. When two processes save under one name at once, one of the two baselines remains, whole.
package baseline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/internal/atomicfile"
	"github.com/ksdispatch/ksdispatch/internal/input"
)

// Dir is where baselines are kept unless the user says otherwise.
const Dir = ".ksbench/baselines"

// Info is what is known of a baseline without understanding it.
type Info struct {
	Name   string
	Path   string
	Saved  time.Time
	Digest uint64
	Size   int64 // of what was measured
	Runs   []Run // where each is, one or more
}

// Run is what was measured at one time, and where it lies in the file.
type Run struct {
	Saved       time.Time
	Begin, Size int64
}

// MaxSize is how many bytes a file that is read or saved may have: 1 GiB, as a report.
const MaxSize = 1 << 30

const (
	magic     = "# ksbench baseline "
	header    = magic + "v%d xxh64=%016x saved=%s\n"
	runHeader = "# ksbench run bytes=%d saved=%s\n"
	maxHeader = 256
	maxName   = 100
)

// CheckName reports what is wrong with a name for a baseline: it is to be a file's name everywhere.
func CheckName(name string) error {
	allowed := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("._-", c)
	}
	if name == "" || len(name) > maxName || strings.ContainsAny(name[:1], ".-") ||
		strings.ContainsFunc(name, func(c rune) bool { return !allowed(c) }) {
		return fmt.Errorf("baseline %q: a name is up to %d letters, digits and ._- and begins with none of .-", name, maxName)
	}
	return nil
}

// Save keeps what r delivers under a name, in place of what was kept there. Before it does, check is given the path of a
// complete baseline to read; its error, as any other, leaves everything as it was.
func Save(dir, name string, r io.Reader, now time.Time, check func(path string) error) error {
	return write(dir, name, 1, now, check, func(w io.Writer) error {
		_, err := io.Copy(w, input.Limit(r, MaxSize))
		return err
	})
}

// Append is Save beside the runs that are kept there already. Of two that are appended at once, one may be lost.
func Append(ctx context.Context, dir, name string, r io.Reader, now time.Time, check func(path string) error) error {
	if err := CheckName(name); err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	f, kept, err := Open(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return Save(dir, name, r, now, check)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if kept == nil {
		return fmt.Errorf("%s: is no baseline", path)
	}
	run, err := io.ReadAll(input.Limit(r, MaxSize)) // its size is written before it
	if err != nil {
		return err
	}
	return write(dir, name, 2, now, check, func(w io.Writer) error {
		for _, old := range kept.Runs {
			if err := f.Rewind(old.Begin); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, runHeader, old.Size, old.Saved.Format(time.RFC3339)); err != nil {
				return err
			}
			if _, err := io.CopyN(w, f, old.Size); err != nil {
				return err
			}
		}
		if err := f.Close(); err != nil { // Windows replaces no file that is open
			return err
		}
		if _, err := fmt.Fprintf(w, runHeader, len(run), now.UTC().Format(time.RFC3339)); err != nil {
			return err
		}
		_, err := w.Write(run)
		return err
	})
}

// write makes a baseline of a version, whose body is what content writes.
func write(dir, name string, version int, now time.Time, check func(path string) error, content func(w io.Writer) error) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := atomicfile.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Discard()
	saved := now.UTC().Format(time.RFC3339)
	hash := xxhash.New()
	if _, err := fmt.Fprintf(f, header, version, 0, saved); err != nil {
		return err
	}
	if err := content(io.MultiWriter(f, hash)); err != nil {
		return err
	}
	if _, err := f.WriteAt(fmt.Appendf(nil, header, version, hash.Sum64(), saved), 0); err != nil {
		return err
	}
	if err := check(f.Name()); err != nil {
		return err
	}
	return f.Commit()
}

// Open opens a file, or a pipe, at the begin of what was measured, of several runs the first. Of a baseline the digest is checked
// first; for any other file Info is nil.
func Open(ctx context.Context, path string) (*input.File, *Info, error) {
	f, err := input.OpenNamed(ctx, path, MaxSize)
	return inspected(f, path, err)
}

func inspected(f *input.File, path string, err error) (*input.File, *Info, error) {
	if err != nil {
		return nil, nil, err
	}
	info, err := inspect(f, path)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func inspect(f *input.File, path string) (*Info, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, nil // a pipe: nothing can be looked at twice
	}
	first, err := bufio.NewReaderSize(f, maxHeader).ReadSlice('\n')
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	line := strings.TrimPrefix(string(first), "\ufeff") // of an editor
	if !strings.HasPrefix(line, magic) {
		return nil, f.Rewind(0)
	}
	info := &Info{Name: filepath.Base(path), Path: path, Size: stat.Size() - int64(len(first))}
	var saved string
	version := 0
	if n, _ := fmt.Sscanf(line, header, &version, &info.Digest, &saved); n != 3 || !strings.HasSuffix(line, "\n") || version < 1 ||
		version > 2 {
		return nil, fmt.Errorf("%s: the first line is of no baseline that this ksbench knows", path)
	}
	if info.Saved, err = time.Parse(time.RFC3339, saved); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	begin := int64(len(first))
	if err := f.Rewind(begin); err != nil {
		return nil, err
	}
	hash := xxhash.New()
	if _, err := io.Copy(hash, f); err != nil {
		return nil, err
	}
	if hash.Sum64() != info.Digest {
		return nil, fmt.Errorf("%s: damaged: the digest is %016x and should be %016x; restore it, or save it anew", path, hash.Sum64(),
			info.Digest)
	}
	info.Runs = []Run{{Saved: info.Saved, Begin: begin, Size: info.Size}}
	if version == 2 {
		if info.Runs, err = runs(f, begin, begin+info.Size); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return info, f.Rewind(info.Runs[0].Begin)
}

// runs finds the runs between two places of a file.
func runs(f *input.File, at, end int64) (runs []Run, err error) {
	for at < end {
		if err := f.Rewind(at); err != nil {
			return nil, err
		}
		line, err := bufio.NewReaderSize(f, maxHeader).ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return nil, err
		}
		var run Run
		var saved string
		if n, _ := fmt.Sscanf(string(line), runHeader, &run.Size, &saved); n != 2 || run.Size < 0 {
			return nil, fmt.Errorf("run %d has no line that says where it ends", len(runs)+1)
		}
		if run.Saved, err = time.Parse(time.RFC3339, saved); err != nil {
			return nil, err
		}
		run.Begin = at + int64(len(line))
		if run.Size > end-run.Begin {
			return nil, fmt.Errorf("run %d is longer than the file", len(runs)+1)
		}
		at = run.Begin + run.Size
		runs = append(runs, run)
	}
	if len(runs) == 0 {
		return nil, errors.New("holds no run")
	}
	return runs, nil
}

// List returns the baselines of a folder by name, and the errors of those that cannot be opened. No folder is no error.
func List(ctx context.Context, dir string) (infos []Info, damaged []error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, []error{err}
	}
	for _, e := range entries {
		if e.IsDir() || CheckName(e.Name()) != nil {
			continue
		}
		path := filepath.Join(dir, e.Name())
		f, err := input.Open(ctx, path, MaxSize) // nobody named it: no pipe
		_, info, err := inspected(f, path, err)
		if err == nil {
			f.Close()
			if info == nil {
				err = fmt.Errorf("%s: is no baseline", path)
			}
		}
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		infos = append(infos, *info)
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return infos, damaged
}

// Folder is dir, and for Dir itself that of the module: as a user in a folder of it means it. It is the first one above that has
// .ksbench or go.mod.
func Folder(dir string) string {
	if dir != Dir {
		return dir
	}
	here, err := os.Getwd()
	if err != nil {
		return dir
	}
	for up := ""; ; up = filepath.Join("..", up) {
		for _, sign := range []string{filepath.Dir(Dir), "go.mod"} {
			if _, err := os.Stat(filepath.Join(up, sign)); err == nil {
				return filepath.Join(up, Dir)
			}
		}
		parent := filepath.Dir(here)
		if parent == here {
			return dir
		}
		here = parent
	}
}

// Find returns the path of what a user calls a baseline: a file, or a name in the folder.
func Find(dir, name string) (string, error) {
	if _, err := os.Stat(name); err == nil {
		return name, nil
	} else if CheckName(name) != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("baseline %s: neither a file nor saved in %s; \"ksbench baseline list\" shows what is", name, dir)
		}
		return "", err
	}
	return path, nil
}
