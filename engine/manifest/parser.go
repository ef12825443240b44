package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of what one file may ask the loader to hold. A real driver needs nesting of 10 and some 10,000 elements; the
// bounds leave room for tables made to stress the engine and none for files made to exhaust memory.
const (
	maxDepth    = 64      // nested objects and arrays, those under private keys included
	maxKeys     = 1024    // keys of one object
	maxElements = 1 << 20 // elements of all arrays together
)

// Error is the first fault found in a manifest.
type Error struct {
	Name         string // the file
	Line, Column int    // from 1, columns in bytes; 0 when the fault is the file's size
	Path         string // of the value, as in objects[2].property_sets[0].guid; empty for the whole file
	Reason       string // what is wrong and what to do
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Name)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if e.Path != "" {
		b.WriteString(": " + e.Path)
	}
	b.WriteString(": " + e.Reason)
	return b.String()
}

// parser walks the tokens of one manifest and knows where each starts. Its first error sticks: from then on it reads
// nothing and returns zero values, so that the grammar in decode.go needs no error handling.
type parser struct {
	name     string
	data     []byte
	dec      *json.Decoder
	pos      int    // where the token that was read last starts
	path     []byte // of the value being read
	depth    int
	elements int
	err      *Error
}

func newParser(data []byte, name string) *parser {
	p := &parser{name: name, data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	p.dec.UseNumber()
	switch {
	case len(data) > MaxSize:
		p.err = &Error{Name: name, Reason: fmt.Sprintf("the file is larger than %d bytes (16 MiB); split it by object", MaxSize)}
	case bytes.HasPrefix(data, []byte("\ufeff")):
		p.fail("the file starts with a byte order mark; save it as UTF-8 without one")
	case !utf8.Valid(data):
		for p.pos < len(data) {
			r, n := utf8.DecodeRune(data[p.pos:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			p.pos += n
		}
		p.fail("byte 0x%02x is not UTF-8; save the file as UTF-8", data[p.pos])
	}
	return p
}

// fail reports a fault of the token that was read last, a part of the value at path.
func (p *parser) fail(format string, args ...any) { p.failAt(p.pos, "", format, args...) }

// failAt reports a fault of the token that starts at pos, whose path is that of the current value and then sub.
func (p *parser) failAt(pos int, sub, format string, args ...any) {
	if p.err != nil {
		return
	}
	line, column := p.place(pos)
	p.err = &Error{Name: p.name, Line: line, Column: column, Path: string(p.path) + sub, Reason: fmt.Sprintf(format, args...)}
}

// place returns the line and the column of the byte at pos.
func (p *parser) place(pos int) (line, column int) {
	before := p.data[:pos]
	return bytes.Count(before, []byte{'\n'}) + 1, pos - bytes.LastIndexByte(before, '\n')
}

// ahead returns where the next token starts: the Decoder passes over separators only when it reads what follows them.
func (p *parser) ahead() int {
	i := int(p.dec.InputOffset())
	for i < len(p.data) && strings.IndexByte(" \t\r\n,:", p.data[i]) >= 0 {
		i++
	}
	return i
}

func (p *parser) next() json.Token {
	if p.err != nil {
		return nil
	}
	p.pos = p.ahead()
	token, err := p.dec.Token()
	switch {
	case err == nil:
		return token
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		p.fail("the file ends before the manifest does; complete it")
	default:
		p.fail("not JSON: %v", err)
	}
	return nil
}

// more reports whether the array or object being read goes on.
func (p *parser) more() bool { return p.err == nil && p.dec.More() }

// open reads the start of an array or object.
func (p *parser) open(delim json.Delim, what string) bool {
	token := p.next()
	if p.err == nil && token != delim {
		p.fail("expected %s, found %s", what, describe(token))
	}
	if p.depth++; p.depth > maxDepth {
		p.fail("nested deeper than %d levels; a manifest needs 10", maxDepth)
	}
	return p.err == nil
}

func (p *parser) close() {
	p.next()
	p.depth--
}

// within reads a value whose path is that of the current value and then segment.
func (p *parser) within(segment string, read func()) {
	n := len(p.path)
	p.path = append(p.path, segment...)
	read()
	p.path = p.path[:n]
}

// array reads an array; element reads one value.
func (p *parser) array(element func()) {
	if !p.open('[', "an array") {
		return
	}
	for i := 0; p.more(); i++ {
		if p.elements++; p.elements > maxElements {
			p.failAt(p.ahead(), "", "the arrays of the file hold more than %d elements; split it by object", maxElements)
			return
		}
		p.within("["+strconv.Itoa(i)+"]", element)
	}
	p.close()
}

// members reads an object; value is called after each key, with the position of the key, and reads the value.
func (p *parser) members(value func(key string, pos int)) {
	if !p.open('{', "an object") {
		return
	}
	seen := make(map[string]int)
	for p.more() {
		key, _ := p.next().(string)
		if p.err != nil {
			return
		}
		pos := p.pos
		p.within(p.segment(key), func() {
			if first, ok := seen[key]; ok {
				line, column := p.place(first)
				p.fail("key given twice, first at line %d, column %d; remove one", line, column)
				return
			}
			if len(seen) == maxKeys {
				p.fail("the object has more than %d keys; remove some", maxKeys)
				return
			}
			seen[key] = pos
			value(key, pos)
		})
	}
	p.close()
}

// segment returns how a key stands in the path of its value.
func (p *parser) segment(key string) string {
	if !plain(key) {
		return "[" + quote(key) + "]"
	}
	if len(p.path) == 0 {
		return key
	}
	return "." + key
}

// field is a key that an object may have. null is the same as no key at all.
type field struct {
	key      string
	required bool
	read     func()
}

// object reads an object that has the given keys and no others, but for private ones. It returns the keys that are null, for
// whom that says something.
func (p *parser) object(fields ...field) (null []string) {
	start := p.ahead()
	missing := make(map[string]bool)
	for _, f := range fields {
		missing[f.key] = f.required
	}
	p.members(func(key string, pos int) {
		if strings.HasPrefix(key, "x_") {
			p.skip()
			return
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		switch {
		case i < 0:
			p.failAt(pos, "", "unknown key; known here are %s; a private key starts with x_", keys(fields))
		case p.null():
			null = append(null, key)
			p.next()
		default:
			missing[key] = false
			fields[i].read()
		}
	})
	for _, f := range fields {
		if missing[f.key] {
			p.failAt(start, p.segment(f.key), "missing or null; add it")
		}
	}
	return null
}

func keys(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	return strings.Join(names, ", ")
}

// null reports whether the next value is null, or is none at all.
func (p *parser) null() bool {
	i := p.ahead()
	return i < len(p.data) && p.data[i] == 'n'
}

// skip reads a value of any kind.
func (p *parser) skip() {
	switch i := p.ahead(); {
	case i < len(p.data) && p.data[i] == '{':
		p.members(func(string, int) { p.skip() })
	case i < len(p.data) && p.data[i] == '[':
		p.array(p.skip)
	default:
		p.next()
	}
}

func (p *parser) string() string {
	token := p.next()
	s, ok := token.(string)
	if !ok && p.err == nil {
		p.fail("expected a string, found %s", describe(token))
	}
	return s
}

func (p *parser) bool() bool {
	token := p.next()
	b, ok := token.(bool)
	if !ok && p.err == nil {
		p.fail("expected true or false, found %s", describe(token))
	}
	return b
}

func (p *parser) uint32() uint32 {
	token := p.next()
	number, _ := token.(json.Number)
	v, err := strconv.ParseUint(number.String(), 10, 32)
	if err != nil && p.err == nil {
		p.fail("expected a whole number from 0 to %d, in digits, found %s", uint32(math.MaxUint32), describe(token))
	}
	return uint32(v)
}

// number reads what uint32 reads, and -1 for the largest.
func (p *parser) number() uint32 {
	if i := p.ahead(); i < len(p.data) && p.data[i] == '-' {
		if token := p.next(); token != json.Number("-1") && p.err == nil {
			p.fail("expected a whole number from -1 to %d, in digits, found %s", uint32(math.MaxUint32), describe(token))
		}
		return math.MaxUint32
	}
	return p.uint32()
}

// end checks that nothing follows the manifest.
func (p *parser) end() {
	if p.err != nil {
		return
	}
	rest := p.data[p.dec.InputOffset():]
	if text := bytes.TrimLeft(rest, " \t\r\n"); len(text) > 0 {
		p.failAt(len(p.data)-len(text), "", "the manifest ends before this; remove what follows")
	}
}

// describe says what a token is, for errors.
func describe(token json.Token) string {
	switch t := token.(type) {
	case json.Delim:
		switch t {
		case '{':
			return "an object"
		case '[':
			return "an array"
		}
		return "'" + t.String() + "'"
	case string:
		return "the string " + quote(t)
	case json.Number:
		return "the number " + clip(t.String())
	case bool:
		return strconv.FormatBool(t)
	}
	return "null"
}

// plain reports whether a key can stand in a path as it is.
func plain(key string) bool {
	if key == "" || len(key) > 64 {
		return false
	}
	for _, c := range []byte(key) {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func quote(s string) string { return strconv.QuoteToGraphic(clip(s)) }

// clip keeps a hostile text from filling a log.
func clip(s string) string {
	if len(s) <= 64 {
		return s
	}
	n := 64
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
