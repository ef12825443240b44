package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress draws one line on a terminal and takes it away again. Anything but a terminal gets nothing: a log file is not
// the place for it.
type progress struct {
	w     io.Writer // nil: silent
	start time.Time
	drawn time.Time
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

// show draws at most ten times a second. It runs between two batches and must not disturb the next one.
func (p *progress) show(done, total int, workload string) {
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
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
