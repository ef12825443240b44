package serve

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/input"
	"github.com/ksdispatch/ksdispatch/internal/lab/page"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// folder is what the pages are made from. It remembers what it has read: a list that a browser loads every two seconds must
// not keep the processor busy on which the listed run measures.
type folder struct {
	root *os.Root
	dir  string

	mu   sync.Mutex
	read map[string]reading
}

// reading is a file as it was read, and what it was.
type reading struct {
	changed time.Time
	size    int64
	report  page.Report
	err     error
}

var errName = errors.New("no report has that name")

// open reads one report of the folder.
func (f *folder) open(ctx context.Context, name string) (page.Report, error) {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\:`) || !page.May(name) {
		return page.Report{}, errName
	}
	info, err := f.root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return page.Report{}, errName
	}
	f.mu.Lock()
	r, ok := f.read[name]
	f.mu.Unlock() // nobody waits for what another reads
	if !ok || !r.changed.Equal(info.ModTime()) || r.size != info.Size() {
		r = reading{changed: info.ModTime(), size: info.Size()}
		if r.report, r.err = f.parse(ctx, name); ctx.Err() != nil {
			return page.Report{}, ctx.Err() // who asked has gone
		}
		f.mu.Lock()
		f.read[name] = r
		f.mu.Unlock()
	}
	return r.report, r.err
}

func (f *folder) parse(ctx context.Context, name string) (page.Report, error) {
	file, err := input.OpenIn(ctx, f.root, name, report.MaxBytes)
	if err != nil {
		return page.Report{}, err
	}
	defer file.Close()
	r, err := page.ReadIn(file, name)
	if errors.Is(err, page.ErrOther) {
		err = errName
	}
	return r, err
}

// all reads every report, oldest first, and says what else lies there under such a name.
func (f *folder) all(ctx context.Context) (reports []page.Report, skipped []error, err error) {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		r, err := f.open(ctx, e.Name())
		switch {
		case errors.Is(err, errName):
		case err != nil:
			skipped = append(skipped, err)
		default:
			reports = append(reports, r)
		}
	}
	page.Sort(reports)
	return reports, skipped, nil
}
