package report

import (
	"fmt"
	"io"
)

// What a report may be at most. The largest that "ksbench run" makes has four million samples; a limit is hit by a file
// that was made to hurt, or that is no report.
const (
	MaxBytes   = 1 << 30
	maxValue   = 1 << 20 // of a value that is decoded in one piece: a sample, a histogram, the environment
	maxDepth   = 32
	maxSamples = 1 << 22
	maxOther   = 1 << 16 // elements of all other lists together
)

// source hands the text to the decoder in small pieces, so that it never holds more than one value of it, and knows
// the line and column of the value that is being read.
type source struct {
	r     io.Reader
	read  int64   // bytes handed out
	from  int64   // where the value that is being read begins
	line  int     // complete lines before from
	start int64   // where the line of from begins
	ends  []int64 // of lines that end between from and read: the offsets after their newlines
}

func (s *source) Read(p []byte) (int, error) {
	if s.read >= MaxBytes {
		return 0, fmt.Errorf("longer than %d bytes", MaxBytes)
	}
	if s.read-s.from > maxValue {
		return 0, fmt.Errorf("a value longer than %d bytes", maxValue)
	}
	n, err := s.r.Read(p[:min(len(p), 64<<10)])
	for i, c := range p[:n] {
		if c == '\n' {
			s.ends = append(s.ends, s.read+int64(i)+1)
		}
	}
	s.read += int64(n)
	return n, err
}

// begin notes that all before the offset is done with.
func (s *source) begin(offset int64) {
	s.from = offset
	n := 0
	for n < len(s.ends) && s.ends[n] <= offset {
		n++
	}
	if n > 0 {
		s.line += n
		s.start = s.ends[n-1]
		s.ends = append(s.ends[:0], s.ends[n:]...)
	}
}

// position returns line and column, from 1, of an offset in the value that is being read.
func (s *source) position(offset int64) (line, column int64) {
	line, start := int64(s.line), s.start
	for _, end := range s.ends {
		if end > offset {
			break
		}
		line++
		start = end
	}
	return line + 1, offset - start + 1
}
