package report

import (
	"bufio"
	"encoding/json"
	"io"
	"reflect"
	"strings"
)

// WriteJSON writes the report as described by report.schema.json, indented so that two reports can be compared as text;
// a sample is one line. Nothing is written of a report that [Read] would refuse. It streams: beside the report it takes
// the memory of one sample.
func (r *Report) WriteJSON(w io.Writer) error {
	if err := r.check(); err != nil {
		return err
	}
	p := printer{w: bufio.NewWriterSize(w, 64<<10)}
	p.value(reflect.ValueOf(r).Elem(), "\n")
	p.text("\n")
	if p.err != nil {
		return p.err
	}
	return p.w.Flush()
}

// printer writes what json.MarshalIndent would, but for the lines, without ever holding all of it. The first error is
// kept and ends the output.
type printer struct {
	w   *bufio.Writer
	err error
}

func (p *printer) text(s string) {
	if p.err == nil {
		_, p.err = p.w.WriteString(s)
	}
}

// value prints structs a field a line and slices an element a line. indent begins a line at the value's depth.
func (p *printer) value(v reflect.Value, indent string) {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		p.value(v.Elem(), indent)
	case v.Kind() == reflect.Struct && v.Type() != sampleType:
		p.object(v, indent)
	case v.Kind() == reflect.Slice && v.Len() == 0:
		p.text("[]")
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Float64: // numbers share a line
		for i := range v.Len() {
			p.text(separator("[", i) + indent + "  ")
			p.value(v.Index(i), indent+"  ")
		}
		p.text(indent + "]")
	default:
		text, err := json.Marshal(v.Interface())
		if p.err == nil {
			p.err = err
		}
		p.text(string(text))
	}
}

func (p *printer) object(v reflect.Value, indent string) {
	printed := 0
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		f := v.Field(i)
		if options == "omitempty" && (f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0) {
			continue
		}
		p.text(separator("{", printed) + indent + `  "` + name + `": `)
		p.value(f, indent+"  ")
		printed++
	}
	if printed == 0 {
		p.text("{")
	}
	p.text(indent + "}")
}

func separator(open string, i int) string {
	if i == 0 {
		return open
	}
	return ","
}

var sampleType = reflect.TypeFor[Sample]()
