package verdict

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ksdispatch/ksdispatch/internal/bom"
	"github.com/ksdispatch/ksdispatch/internal/lab/baseline"
	"github.com/ksdispatch/ksdispatch/internal/lab/benchtext"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Load reads a file: a report of ksbench, the output of go test -bench, as text or as events (-json), in which the units named by
// exact are counts too, or a baseline of either, whose digest it checks and
// whose runs it keeps apart.
func Load(ctx context.Context, path string, exact []string) (*Measurements, error) {
	f, info, err := baseline.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info == nil || len(info.Runs) == 1 {
		return Read(f, path, exact)
	}
	runs := make([]*Measurements, len(info.Runs))
	for i, run := range info.Runs {
		if err := f.Rewind(run.Begin); err != nil {
			return nil, err
		}
		if runs[i], err = Read(io.LimitReader(f, run.Size), fmt.Sprintf("%s: run %d", path, i+1), exact); err != nil {
			return nil, err
		}
	}
	return Together(path, runs...)
}

// Read is Load from a stream; source names it in errors and in the comparison.
func Read(r io.Reader, source string, exact []string) (*Measurements, error) {
	rep, m, err := ReadAny(r, source, exact)
	if rep != nil {
		m = FromReport(rep, source)
	}
	return m, err
}

// ReadAny reads a report, or else the measurements of text.
func ReadAny(r io.Reader, source string, exact []string) (*report.Report, *Measurements, error) {
	b, text, err := Sniff(r, source)
	if err != nil {
		return nil, nil, err
	}
	if text {
		m, err := ReadGoBench(b, source, exact)
		return nil, m, err
	}
	rep, err := report.Read(b, source)
	return rep, nil, err
}

// Sniff tells text, or events of go test, from a report, and returns all of it to be read.
func Sniff(r io.Reader, source string) (all io.Reader, text bool, err error) {
	b, err := bom.Skip(r)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", source, err)
	}
	first, err := firstByte(b)
	switch {
	case errors.Is(err, io.EOF):
		return nil, false, fmt.Errorf("%s: is empty", source)
	case err != nil:
		return nil, false, fmt.Errorf("%s: %w", source, err)
	}
	return b, first != '{' || benchtext.IsEvent(firstLine(b)), nil
}

// firstLine looks at the first line, and leaves it to be read. A longer line than the buffer holds is none of go test's.
func firstLine(b *bufio.Reader) []byte {
	for n := 1; ; {
		head, err := b.Peek(n)
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			return head[:i]
		}
		if err != nil {
			return head
		}
		n = max(n+1, b.Buffered())
	}
}

// firstByte looks at the first byte that is no white space, and leaves it to be read.
func firstByte(b *bufio.Reader) (byte, error) {
	for {
		c, err := b.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, b.UnreadByte()
		}
	}
}
