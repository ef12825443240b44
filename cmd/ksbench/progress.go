package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/ksdispatch/ksdispatch/internal/lab/serve"
)

// progress draws one line on a terminal and takes it away again. Anything but a terminal gets nothing: a log file is not
// the place for it.
type progress struct {
	w       io.Writer // nil: silent
	start   time.Time
	drawn   time.Time
	report  string // beside which the progress is noted; "" if nowhere
	written time.Time
}

func newProgress(stderr io.Writer) *progress {
	p := &progress{start: time.Now()}
	if f, ok := stderr.(*os.File); ok {
		if term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
			p.w = stderr
		}
	}
	return p
}

// note lets ksbench serve see how far the measurement is, if it writes a report into a folder.
func (p *progress) note(out *output, format string) {
	if format == "json" && out.path != "" && !out.direct {
		p.report = out.path
		p.publish(0, 1, "")
	}
}

// publish writes at most once a second. A note that cannot be written is no reason to end a measurement.
func (p *progress) publish(done, total int, workload string) {
	if p.report == "" || time.Since(p.written) < time.Second {
		return
	}
	p.written = time.Now()
	_ = serve.WriteProgress(p.report, serve.Progress{Done: done, Total: total, Workload: workload, Began: p.start})
}

// show draws at most ten times a second. It runs between two batches and must not disturb the next one.
func (p *progress) show(done, total int, workload string) {
	p.publish(done, total, workload)
	if p.w == nil || time.Since(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn = time.Now()
	left := ""
	if elapsed := time.Since(p.start); done > 0 && elapsed > time.Second {
		left = fmt.Sprintf(", %v left", (elapsed * time.Duration(total-done) / time.Duration(done)).Round(time.Second))
	}
	fmt.Fprintf(p.w, "\r\x1b[K%3d %% %s%s", 100*done/max(total, 1), workload, left)
}

func (p *progress) clear() {
	if p.report != "" {
		_ = serve.RemoveProgress(p.report)
	}
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
