package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// step is a part of a path: a key of an object, or an index of a list if there is no key.
type step struct {
	key   string
	index int
}

// place returns where in the text an error is, and adds where in the report.
func (d *reader) place(err error) (string, error) {
	offset := d.dec.InputOffset()
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		// The decoder does not say where in the text the value is bad. What it has buffered begins with the value.
		if rest, _ := io.ReadAll(d.dec.Buffered()); len(rest) > 0 {
			if errors.As(json.Unmarshal(rest, new(json.RawMessage)), &syntax) && syntax.Offset > 0 {
				offset += syntax.Offset - 1
			}
		}
	case errors.As(err, &kind):
		offset = d.begin + max(kind.Offset-1, 0)
		if kind.Field != "" {
			d.path = append(d.path, step{key: kind.Field})
		}
		err = fmt.Errorf("%s is no %v", shown(kind.Value), kind.Type)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		offset = d.src.read
		err = errors.New("the text ends in the middle of the report")
	}
	line, column := d.src.position(offset)
	var path strings.Builder
	for i, p := range d.path {
		switch {
		case p.key == "":
			fmt.Fprintf(&path, "[%d]", p.index)
		case i > 0:
			path.WriteString("." + shown(p.key))
		default:
			path.WriteString(shown(p.key))
		}
	}
	if path.Len() > 0 {
		path.WriteString(": ")
	}
	return fmt.Sprintf("%d:%d:", line, column), fmt.Errorf("%s%w", &path, err)
}

// shown is as much of a text as fits into a message.
func shown(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return doc.Printable(s)
}
