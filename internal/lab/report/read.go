package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/bom"
	"github.com/ksdispatch/ksdispatch/internal/input"
)

// ReadFile reads a report from a file or a pipe; "-" has no special meaning. Errors name the file.
func ReadFile(ctx context.Context, path string) (*Report, error) {
	f, err := input.OpenNamed(ctx, path, MaxBytes)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads a report as JSON, of this or an earlier version. Fields that it does not know are passed over; a later
// version, text that is no report, and reports that contradict themselves are refused, with the name, and the line and
// column or the path of what is wrong. Whatever the text is, it takes bounded memory: the figures are in source.go.
func Read(r io.Reader, name string) (*Report, error) {
	text, err := bom.Skip(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	src := &source{r: text}
	d := &reader{dec: json.NewDecoder(src), src: src}
	rep := new(Report)
	if err = d.object(reflect.ValueOf(rep).Elem()); err == nil {
		if _, after := d.dec.Token(); after != io.EOF {
			err = errors.New("something follows the report")
		}
	}
	if err != nil {
		place, err := d.place(err) // "7:5:"
		return nil, fmt.Errorf("%s:%s %w", name, place, err)
	}
	if err := rep.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rep, nil
}

// reader takes a report apart as far as it can be long, and leaves what is short to the decoder.
type reader struct {
	dec            *json.Decoder
	src            *source
	path           []step // of the value that is being read
	begin          int64  // where a value began that the decoder is to read
	samples, other int    // elements read so far
}

// newer is the version of a file that only a later program can read.
type newer int

func (v newer) Error() string {
	return fmt.Sprintf("schemaVersion %d: this ksbench reads up to version %d; use the one that wrote the report, or a later one", int(v),
		SchemaVersion)
}

// object reads a Report or a Result, field by field.
func (d *reader) object(v reflect.Value) error {
	if err := d.open('{'); err != nil {
		return err
	}
	fields, seen := fieldsOf[v.Type()], uint64(0)
	for d.dec.More() {
		d.src.begin(d.dec.InputOffset())
		token, err := d.dec.Token()
		if err != nil {
			return err
		}
		key := token.(string) // the decoder accepts nothing else here
		i, known := fields[key]
		d.path = append(d.path, step{key: key})
		switch {
		case !known:
			err = d.skip()
		case seen&(1<<i) != 0:
			err = errors.New("is there twice")
		default:
			seen |= 1 << i
			err = d.value(v.Field(i))
		}
		if err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
		if r, ok := v.Addr().Interface().(*Report); ok && key == "schemaVersion" && r.SchemaVersion > SchemaVersion {
			return newer(r.SchemaVersion)
		}
	}
	_, err := d.dec.Token()
	return err
}

func (d *reader) value(v reflect.Value) error {
	switch {
	case v.Type() == reflect.TypeFor[Result]():
		return d.object(v)
	case v.Kind() == reflect.Slice:
		return d.list(v)
	}
	d.dec.More() // moves on to the comma or colon before the value
	d.begin = d.dec.InputOffset()
	var next [1]byte
	if n, _ := d.dec.Buffered().Read(next[:]); n == 1 && (next[0] == ',' || next[0] == ':') {
		d.begin++
	}
	d.src.begin(d.begin)
	return d.dec.Decode(v.Addr().Interface())
}

func (d *reader) list(v reflect.Value) error {
	if err := d.open('['); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for d.dec.More() {
		count, most := &d.other, maxOther
		if v.Type().Elem() == sampleType {
			count, most = &d.samples, maxSamples
		}
		if *count++; *count > most {
			return fmt.Errorf("more than %d elements", most)
		}
		n := v.Len()
		d.path = append(d.path, step{index: n})
		v.Grow(1)
		v.SetLen(n + 1)
		if err := d.value(v.Index(n)); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
	}
	_, err := d.dec.Token()
	return err
}

// skip passes over a value of any length.
func (d *reader) skip() error {
	for depth := 0; ; {
		d.src.begin(d.dec.InputOffset())
		token, err := d.dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested more than %d deep", maxDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func (d *reader) open(want json.Delim) error {
	d.src.begin(d.dec.InputOffset())
	token, err := d.dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("is not a %s", map[json.Delim]string{'{': "JSON object", '[': "list"}[want])
	}
	return nil
}

// fieldsOf has the positions of the fields that are read one by one.
var fieldsOf = map[reflect.Type]map[string]int{
	reflect.TypeFor[Report](): fields(reflect.TypeFor[Report]()),
	reflect.TypeFor[Result](): fields(reflect.TypeFor[Result]()),
}

func fields(t reflect.Type) map[string]int {
	positions := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		positions[name] = i
	}
	return positions
}
