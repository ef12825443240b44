package exec

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxLine is the longest request line in bytes.
const maxLine = 16 << 20

const bufferSize = 64 << 10

var errTooLong = fmt.Errorf("the line is longer than %d bytes (16 MiB)", maxLine)

// Run answers the requests of in until it ends, one outcome a line, in order. A malformed line is answered by its number
// and an error, and counted; nothing of it is done. Whatever is answered is written before Run waits for more input. The
// error is that of the reader or the writer.
func (s *Session) Run(in io.Reader, out io.Writer) (malformed int, err error) {
	w := bufio.NewWriterSize(out, bufferSize)
	lines := newLineReader(source{in, w})
	var buf []byte
	for n := int64(1); ; n++ {
		line, err := lines.next()
		switch {
		case err == nil:
			buf, err = s.answer(buf[:0], line)
		case errors.Is(err, io.EOF):
			return malformed, w.Flush()
		case !errors.Is(err, errTooLong):
			return malformed, errors.Join(err, w.Flush())
		}
		if err != nil {
			malformed++
			buf = appendError(buf[:0], n, err)
		}
		if _, err := w.Write(buf); err != nil {
			return malformed, err
		}
	}
}

// Validate decodes the requests of in and calls report for each malformed line. Nothing is dispatched.
func (s *Session) Validate(in io.Reader, report func(line int64, err error)) (lines int64, err error) {
	r := newLineReader(in)
	for n := int64(1); ; n++ {
		line, err := r.next()
		switch {
		case err == nil:
			_, err = s.decode(line)
		case errors.Is(err, io.EOF):
			return n - 1, nil
		case !errors.Is(err, errTooLong):
			return n - 1, err
		}
		if err != nil {
			report(n, err)
		}
	}
}

// appendError appends the answer to a malformed line.
func appendError(b []byte, line int64, err error) []byte {
	b = strconv.AppendInt(append(b, `{"line":`...), line, 10)
	b = appendString(append(b, `,"error":`...), []byte(err.Error()))
	return append(b, '}', '\n')
}

// lineReader splits its input into lines.
type lineReader struct {
	r     *bufio.Reader
	limit int    // the longest line in bytes, at least what r buffers
	long  []byte // a line longer than r buffers
}

func newLineReader(r io.Reader) lineReader {
	return lineReader{limit: maxLine, r: bufio.NewReaderSize(r, bufferSize)}
}

// next returns the next line without its end, valid until the next call. A line that is too long is errTooLong and passed
// over. The last line need not have an end.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if err == nil {
		return line[:len(line)-1], nil
	}
	l.long = l.long[:0]
	kept := true
	for errors.Is(err, bufio.ErrBufferFull) {
		if kept = kept && len(l.long) <= l.limit; kept {
			l.long = append(l.long, line...)
		}
		line, err = l.r.ReadSlice('\n')
	}
	switch {
	case err == nil:
		line = line[:len(line)-1]
	case !errors.Is(err, io.EOF):
		return nil, err
	case kept && len(l.long)+len(line) == 0:
		return nil, io.EOF
	}
	if !kept || len(l.long)+len(line) > l.limit {
		return nil, errTooLong
	}
	l.long = append(l.long, line...)
	return l.long, nil
}

// source is the input. It writes what was answered before it waits for more, so that somebody who asks one question at a
// time gets one answer at a time.
type source struct {
	in  io.Reader
	out *bufio.Writer
}

func (s source) Read(p []byte) (int, error) {
	if err := s.out.Flush(); err != nil {
		return 0, fmt.Errorf("writing outcomes: %w", err)
	}
	return s.in.Read(p)
}
