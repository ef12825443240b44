package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/input"
)

// Progress is how far a run is.
type Progress struct {
	Done     int       `json:"done"` // batches
	Total    int       `json:"total"`
	Workload string    `json:"workload"` // that is being measured
	Began    time.Time `json:"began"`

	name string    // of the report that the run writes
	seen time.Time // when the note was written
}

const (
	progressSuffix = ".progress"
	maxProgress    = 64 << 10
	stale          = time.Minute
)

// progressFile is the note beside a report.
func progressFile(report string) string {
	dir, name := filepath.Split(report)
	return filepath.Join(dir, "."+name+progressSuffix)
}

// WriteProgress notes how far the run is that writes a report. The note appears whole.
func WriteProgress(report string, p Progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	file := progressFile(report)
	temporary := file + ".tmp"
	if err := os.WriteFile(temporary, text, 0o666); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return os.Rename(temporary, file)
}

// RemoveProgress ends the notes.
func RemoveProgress(report string) error { return os.Remove(progressFile(report)) }

// left is how much longer the run takes if it goes on as it did.
func (p Progress) left() (time.Duration, bool) {
	elapsed := p.seen.Sub(p.Began)
	if p.Done < 1 || p.Total < p.Done || elapsed < time.Second {
		return 0, false
	}
	left := elapsed.Seconds() * float64(p.Total-p.Done) / float64(p.Done)
	if left > (365 * 24 * time.Hour).Seconds() { // a note without a beginning, or from a clock that was wrong
		return 0, false
	}
	return time.Duration(left * float64(time.Second)), true
}

// running reads the notes of a folder.
func running(ctx context.Context, root *os.Root) (all []Progress, err error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), progressSuffix)
		if !ok || !strings.HasPrefix(name, ".") || !e.Type().IsRegular() {
			continue
		}
		p, err := readProgress(ctx, root, e.Name())
		if err != nil {
			continue // being replaced, or not ours
		}
		p.name = name[1:]
		all = append(all, p)
	}
	return all, nil
}

func readProgress(ctx context.Context, root *os.Root, name string) (p Progress, err error) {
	f, err := input.OpenIn(ctx, root, name, maxProgress)
	if err != nil {
		return p, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return p, err
	}
	p.seen = info.ModTime()
	text, err := io.ReadAll(f)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, err
	}
	if p.Total < 1 || p.Done < 0 || p.Done > p.Total {
		return p, fmt.Errorf("%s: %d of %d", name, p.Done, p.Total)
	}
	return p, nil
}
