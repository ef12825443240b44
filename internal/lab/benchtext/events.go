package benchtext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// event is what go test -json writes for a piece of output, and for the end of a test or a package.
type event struct {
	Action     string
	Package    string
	ImportPath string // of what could not be built
	Test       string
	Output     string
}

// IsEvent reports whether a line is an event of go test -json.
func IsEvent(line []byte) bool {
	var e event
	return json.Unmarshal(line, &e) == nil && e.Action != "" && e.Package+e.ImportPath != ""
}

// demux gives each package of events a stream of its own, as go test runs several at once. Text without events is one stream;
// beside events it is what the go command says.
type demux struct {
	source string
	text   *stream
	events []*eventStream
	byName map[string]*eventStream
	cut    int // number of a last line of text that does not end
}

// eventStream is the output of a package as far as it came.
type eventStream struct {
	stream
	part string // of a line
	last int    // number of the last event
}

func (d *demux) line(line []byte, n int) error {
	if line[0] == '{' && (len(d.events) > 0 || len(d.text.kept) == 0 && IsEvent(line)) {
		return d.event(line, n)
	}
	text, whole := strings.CutSuffix(string(line), "\n")
	if !whole {
		d.cut = n
	}
	return d.text.line(strings.TrimSuffix(text, "\r"), n)
}

func (d *demux) event(line []byte, n int) error {
	var e event
	if err := json.Unmarshal(bytes.TrimSpace(line), &e); err != nil {
		return fmt.Errorf("%s:%d: no whole event of go test -json: %w", d.source, n, err)
	}
	if e.Action == "build-fail" {
		return fmt.Errorf("%s:%d: %s could not be built: its figures are not there", d.source, n, e.ImportPath)
	}
	if e.Package == "" {
		return nil
	}
	s := d.byName[e.Package]
	if s == nil {
		s = &eventStream{stream: stream{source: d.source, pkg: e.Package}}
		d.byName[e.Package] = s
		d.events = append(d.events, s)
	}
	s.last = n
	switch {
	case e.Action == "output":
		return s.output(e.Output, n)
	case e.Action == "fail":
		return fmt.Errorf("%s:%d: %s: the test run failed: its figures are not all there", d.source, n, strings.TrimSpace(e.Package+" "+e.Test))
	case e.Action == "start":
		s.whole = false
	case e.Test == "" && (e.Action == "pass" || e.Action == "skip"):
		s.part = ""
		s.pass(e.Package)
	}
	return nil
}

func (s *eventStream) output(text string, n int) error {
	s.part += text
	for {
		text, rest, whole := strings.Cut(s.part, "\n")
		if !whole {
			break
		}
		s.part = rest
		if err := s.line(strings.TrimSuffix(text, "\r"), n); err != nil {
			return err
		}
	}
	if len(s.part) > mostLine {
		return fmt.Errorf("%s:%d: a line of more than %d bytes", s.source, n, mostLine)
	}
	return nil
}

// streams returns what was read if all of it is whole.
func (d *demux) streams() ([]*stream, error) {
	if len(d.events) > 0 {
		d.cut = 0
	}
	if err := d.text.close(d.cut); err != nil {
		return nil, err
	}
	all := []*stream{d.text}
	for _, s := range d.events {
		if err := s.close(0); err != nil {
			return nil, err
		}
		if !s.whole {
			return nil, fmt.Errorf("%s:%d: nothing says that %s has ended: the output is truncated", d.source, s.last, s.pkg)
		}
		all = append(all, &s.stream)
	}
	return all, nil
}
