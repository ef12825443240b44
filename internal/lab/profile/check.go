package profile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/input"
)

// Check reads a recording and returns its sidecars, or an error that names every file that proves nothing, or something else
// than it should. least is the number of requests that each must be of, LeastRequests for a proof. Without a source it does
// not ask whether the functions still exist.
func Check(ctx context.Context, dir string, source *Source, least int64) ([]Sidecar, error) {
	var all []Sidecar
	var errs []error
	for _, w := range workloads {
		for _, kind := range kinds {
			s, err := check(ctx, dir, w, kind, source, least)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", filepath.Join(dir, fileName(w.name, kind)), err))
			}
			all = append(all, s)
		}
	}
	return all, errors.Join(errs...)
}

// Bounds of the files of a recording, which has 10 to 100 KB of each: packed and unpacked, as a few MB that somebody packed can
// be any number.
const (
	maxProfile = 4 << 20
	maxTrace   = 64 << 20
	maxSidecar = 64 << 10
)

func mostOf(kind string) int64 {
	if kind == "trace" {
		return maxTrace
	}
	return maxProfile
}

// ErrNone says that a directory has no profile at all.
var ErrNone = errors.New("no recorded profiles")

// Find returns ErrNone if none of the files of a recording is in the directory, or there is no directory.
func Find(dir string) error {
	if _, err := os.ReadDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, w := range workloads {
		for _, kind := range kinds {
			_, err := os.Stat(filepath.Join(dir, fileName(w.name, kind)))
			if !errors.Is(err, fs.ErrNotExist) {
				return nil // there, or Check says what is wrong
			}
		}
	}
	return ErrNone
}

func check(ctx context.Context, dir string, w workload, kind string, source *Source, least int64) (s Sidecar, err error) {
	name := fileName(w.name, kind)
	content, err := input.ReadFile(ctx, filepath.Join(dir, name), mostOf(kind))
	if err != nil {
		return s, err
	}
	text, err := input.ReadFile(ctx, filepath.Join(dir, name+".json"), maxSidecar)
	if err != nil {
		return s, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("sidecar: %w", err)
	}
	if err := s.describes(w, kind, content, least); err != nil {
		return s, fmt.Errorf("sidecar: %w", err)
	}
	found, err := inspect(w, kind, content)
	if err != nil {
		return s, err
	}
	if found.counts != s.Counts {
		return s, fmt.Errorf("sidecar: it says %+v, the file holds %+v", s.Counts, found.counts)
	}
	return s, errors.Join(found.judge(w, kind), found.exist(ctx, source))
}

// describes compares what a sidecar says with what it lies beside.
func (s Sidecar) describes(w workload, kind string, content []byte, least int64) error {
	e := s.Environment
	switch {
	case s.File != fileName(w.name, kind) || s.Workload != w.name || s.Kind != kind || s.Request != w.about:
		return fmt.Errorf("it is of %s, %s of %s (%s)", s.File, s.Kind, s.Workload, s.Request)
	case s.Bytes != len(content) || s.XXHash64 != digest(content):
		return fmt.Errorf("the file has %d bytes and the checksum %s, the sidecar says %d and %s", len(content), digest(content), s.Bytes,
			s.XXHash64)
	case s.Requests < least:
		return fmt.Errorf("%d requests, of at least %d", s.Requests, least)
	case s.Command == "" || e.Commit == "" || e.GoVersion == "" || e.CPU == "" || e.Level == "":
		return errors.New("command, commit, go_version, cpu or level is empty")
	case s.Workers < 2 || s.WindowNs <= 0:
		return fmt.Errorf("%d workers, %d ns", s.Workers, s.WindowNs)
	}
	return nil
}

// judge asks whether the file proves what it should.
func (f inspection) judge(w workload, kind string) error {
	c := f.counts
	switch {
	case kind == "cpu" && c.Total == 0:
		return errors.New("the profile is empty")
	case kind == "cpu" && (c.Dispatch == 0 || !f.entry):
		return fmt.Errorf("no sample is in %s", w.entry)
	case kind == "cpu":
		return nil
	case kind == "trace" && c.Dispatch > 0:
		return fmt.Errorf("%d phases of garbage collection fall among the requests", c.Dispatch)
	case kind == "trace" && c.Witness == 0:
		return errors.New("the collection before the requests is not in it: it would not show one among them")
	case c.Dispatch > 0:
		return fmt.Errorf("%d %s belong to the dispatch path", c.Dispatch, nouns[kind])
	case kind == "heap" && c.Witness < witnessed, c.Witness == 0:
		return fmt.Errorf("of what was done on purpose it shows %d: it would not show the engine's either", c.Witness)
	}
	return nil
}

// exist compares the functions with the source.
func (f inspection) exist(ctx context.Context, source *Source) error {
	if source == nil {
		return nil
	}
	var gone []string
	for _, name := range slices.Sorted(maps.Keys(f.functions)) {
		ok, err := source.Has(ctx, name)
		if err != nil {
			return err
		}
		if !ok {
			gone = append(gone, name)
		}
	}
	if len(gone) > 0 {
		return fmt.Errorf("not in the source any more: %q", gone)
	}
	return nil
}
