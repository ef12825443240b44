package exec

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/internal/clip"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// decoder reads request lines. A line is one flat JSON object whose keys decide the types of their values, so a walk over
// the bytes without a token in between is enough. encoding/json accepts what is an error here: a key twice, null, keys in
// another case. It also took 4.5 to 8.0 microseconds for a line of 115 bytes where this takes 1.0 to 1.4 (measured side by
// side on a busy machine).
type decoder struct {
	line []byte
	pos  int
	seen []*field // keys of the line, as far as it was read

	extra, data, output, connect, flagNames []byte // kept from line to line
}

// decode reads one line into q. After an error q is not to be used.
func (d *decoder) decode(line []byte, q *request) error {
	*q = request{file: 1, notification: ks.NotificationEventHandle, count: 1}
	d.line, d.pos, d.seen, d.flagNames = line, 0, d.seen[:0], d.flagNames[:0]
	if d.skipSpace(); d.pos == len(line) {
		return errors.New("empty line; write one request on each line")
	}
	if line[d.pos] != '{' {
		return fmt.Errorf("expected an object, found %s", d.kind())
	}
	d.pos++
	if d.skipSpace(); d.at('}') {
		d.pos++
	} else {
		for {
			if err := d.member(q); err != nil {
				return err
			}
			if d.skipSpace(); d.at('}') {
				d.pos++
				break
			}
			if !d.at(',') {
				return d.syntax("expected , or }")
			}
			d.pos++
			d.skipSpace()
		}
	}
	if d.skipSpace(); d.pos < len(line) {
		return d.syntax("expected the end of the line")
	}
	return d.finish(q)
}

// finish fills in what depends on other keys.
func (d *decoder) finish(q *request) (err error) {
	q.output = q.data
	if len(d.flagNames) > 0 {
		if q.flags, err = lookFlags(q.op, string(d.flagNames)); err != nil {
			return err
		}
	}
	if q.op == opEnableEvent {
		if err := d.enable(q); err != nil {
			return err
		}
	}
	if !d.given("in") {
		q.in = uint32(ks.SizeIdentifier + len(q.extra))
	}
	if err := d.finishHandle(q); err != nil {
		return err
	}
	switch q.op {
	case opProperty, opFastProperty, opMethod, opFastMethod, opDisableEvent:
		if uint64(len(q.data)) > uint64(q.out) {
			return fmt.Errorf("data has %d bytes, which is more than out, %d", len(q.data), q.out)
		}
	case opComplete, opDispatchSpecific:
		if q.tag == nil {
			return errors.New("tag is missing; name the pended request")
		}
		if q.op == opDispatchSpecific && q.program == nil {
			return errors.New("program is missing; name the handler program to run on the pended request")
		}
		if q.op == opComplete && q.status == ks.StatusPending {
			return errors.New("status: a request cannot be completed with STATUS_PENDING")
		}
	}
	return nil
}

// finishHandle checks what a line says of handles. A handle has an object and a file, so a request names it alone.
func (d *decoder) finishHandle(q *request) error {
	q.ownFile = d.given("file")
	needs := func(name, what string) error {
		if d.given(name) {
			return nil
		}
		return fmt.Errorf("%s is missing; %s", name, what)
	}
	switch q.op {
	case opOpen:
		return needs("handle", "name the handle, so that later lines can")
	case opCreatePin:
		if d.given("object") {
			return errors.New("object: a pin is created on a handle; name the filter's as parent, and no object")
		}
		return cmp.Or(needs("handle", "name the handle, so that later lines can"),
			needs("parent", "name the handle of the filter"), needs("connect", "give the KSPIN_CONNECT in hex"))
	case opCancel:
		if !d.given("handle") && !d.given("tag") {
			return errors.New("tag and handle are missing; name the pended request, or the handle all of whose requests are to be cancelled")
		}
	case opRemove:
		if d.given("handle") {
			return errors.New("handle: an object is removed with all its handles; name the object alone")
		}
		return needs("object", "name the filter or table that is removed")
	}
	if d.given("handle") && (d.given("object") || d.given("file")) {
		return errors.New("handle: a handle has its object and its file; name the handle alone")
	}
	return nil
}

// maxCount is how often a line may generate: a mistyped number must not run for hours.
const maxCount = 1_000_000

// field is a key of a request line.
type field struct {
	name string
	read func(d *decoder, q *request) error
}

var fields = byName(
	field{"i", func(d *decoder, q *request) (err error) { q.i, err = d.number(); return err }},
	field{"object", func(d *decoder, q *request) (err error) { q.object, err = d.text(); return err }},
	field{"op", func(d *decoder, q *request) (err error) { q.op, err = choose(d, ops); return err }},
	field{"entry", func(d *decoder, q *request) (err error) { q.plain, err = choose(d, entries); return err }},
	field{"set", func(d *decoder, q *request) error { return d.set(&q.set) }},
	field{"id", func(d *decoder, q *request) (err error) { q.id, err = d.uint32(); return err }},
	field{"flags", (*decoder).flags},
	field{"in", func(d *decoder, q *request) (err error) { q.in, err = d.uint32(); return err }},
	field{"out", func(d *decoder, q *request) (err error) { q.out, err = d.uint32(); return err }},
	field{"extra", func(d *decoder, q *request) (err error) { q.extra, err = d.hex(&d.extra); return err }},
	field{"data", func(d *decoder, q *request) (err error) { q.data, err = d.hex(&d.data); return err }},
	field{"alias", func(d *decoder, q *request) (err error) { q.alias, err = d.bool(); return err }},
	field{"allocator", func(d *decoder, q *request) (err error) { q.allocator, err = choose(d, allocators); return err }},
	field{"memory", (*decoder).memory},
	field{"prepared", func(d *decoder, q *request) error { return d.prepared(&q.prepared) }},
	field{"mode", func(d *decoder, q *request) (err error) { q.mode, err = choose(d, modes); return err }},
	field{"file", func(d *decoder, q *request) (err error) { q.file, err = d.uint(math.MaxUint64); return err }},
	field{"info0", func(d *decoder, q *request) (err error) { q.info0, err = d.uint(math.MaxUint64); return err }},
	field{"tag", func(d *decoder, q *request) (err error) { q.tag, err = d.text(); return err }},
	field{"status", func(d *decoder, q *request) (err error) { q.status, err = d.status(); return err }},
	field{"information", func(d *decoder, q *request) (err error) { q.information, err = d.uint(math.MaxUint64); return err }},
	field{"program", func(d *decoder, q *request) (err error) { q.program, err = d.program(); return err }},
	field{"event_data", func(d *decoder, q *request) (err error) { q.eventData, err = d.uint(math.MaxUint64); return err }},
	field{"notification", func(d *decoder, q *request) (err error) { q.notification, err = d.uint32(); return err }},
	field{"count", (*decoder).count},
	field{"handle", func(d *decoder, q *request) (err error) { q.handle, err = d.text(); return err }},
	field{"parent", func(d *decoder, q *request) (err error) { q.parent, err = d.text(); return err }},
	field{"connect", func(d *decoder, q *request) (err error) { q.connect, err = d.hex(&d.connect); return err }},
	field{"overlapped", func(d *decoder, q *request) (err error) { q.overlapped, err = d.bool(); return err }},
)

func byName(list ...field) map[string]*field {
	named := make(map[string]*field, len(list))
	for i := range list {
		named[list[i].name] = &list[i]
	}
	return named
}

// given reports whether the line has a key.
func (d *decoder) given(name string) bool {
	return slices.ContainsFunc(d.seen, func(f *field) bool { return f.name == name })
}

// member reads one key and its value.
func (d *decoder) member(q *request) error {
	if !d.at('"') {
		return d.syntax("expected a key")
	}
	name, err := d.string()
	if err != nil {
		return err
	}
	f := fields[string(name)]
	if f == nil {
		return fmt.Errorf("unknown key %s", quote(name))
	}
	if slices.Contains(d.seen, f) {
		return fmt.Errorf("key %s given twice", name)
	}
	d.seen = append(d.seen, f)
	if d.skipSpace(); !d.at(':') {
		return d.syntax("expected :")
	}
	d.pos++
	d.skipSpace()
	if err := f.read(d, q); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// memory reads which of the caller's buffers faults.
func (d *decoder) memory(q *request) error {
	m, err := choose(d, memories)
	q.faultIn, q.faultOut = m.in, m.out
	return err
}

// count reads how often an event is generated.
func (d *decoder) count(q *request) (err error) {
	if q.count, err = d.uint32(); err == nil && q.count > maxCount {
		err = fmt.Errorf("%d is too many; generate at most %d times in a line", q.count, maxCount)
	}
	return err
}

// choice is a word that stands for a value.
type choice[T any] struct {
	word  string
	value T
}

type memoryFault struct{ in, out bool }

var (
	ops = []choice[op]{
		{"property", opProperty}, {"fast_property", opFastProperty}, {"complete", opComplete},
		{"dispatch_specific", opDispatchSpecific}, {"close", opClose},
		{"method", opMethod}, {"fast_method", opFastMethod},
		{"enable_event", opEnableEvent}, {"disable_event", opDisableEvent}, {"generate", opGenerate},
		{"open", opOpen}, {"create_pin", opCreatePin}, {"cancel", opCancel}, {"remove", opRemove},
	}
	entries    = []choice[bool]{{"with_allocator", false}, {"plain", true}}
	allocators = []choice[allocator]{{"arena", allocArena}, {"none", allocNone}, {"fail", allocFail},
		{"nobuffer", allocNoBuffer}}
	memories = []choice[memoryFault]{{"ok", memoryFault{}}, {"fault_in", memoryFault{in: true}},
		{"fault_out", memoryFault{out: true}}}
	modes = []choice[engine.Mode]{{"user", engine.UserMode}, {"kernel", engine.KernelMode}}
)

// choose reads a string that is one of the words.
func choose[T any](d *decoder, words []choice[T]) (value T, err error) {
	text, err := d.text()
	if err != nil {
		return value, err
	}
	for i := range words {
		if w := &words[i]; string(text) == w.word {
			return w.value, nil
		}
	}
	known := words[0].word
	for _, w := range words[1:] {
		known += ", " + w.word
	}
	return value, fmt.Errorf("unknown word %s; use one of %s", quote(text), known)
}

// prepared reads true, false or "forged".
func (d *decoder) prepared(p *prepared) error {
	if d.at('"') {
		text, err := d.string()
		if err == nil && string(text) != "forged" {
			err = fmt.Errorf("unknown word %s; use true, false or \"forged\"", quote(text))
		}
		*p = forged
		return err
	}
	yes, err := d.bool()
	if yes {
		*p = earlier
	}
	return err
}

// status reads a status: as outcomes write it, as a number, or by its name.
func (d *decoder) status() (ks.Status, error) {
	if !d.at('"') {
		v, err := d.uint32()
		return ks.Status(v), err
	}
	text, err := d.string()
	if err != nil {
		return 0, err
	}
	return traffic.ParseStatus(string(text))
}

func (d *decoder) program() (*manifest.Program, error) {
	text, err := d.text()
	if err != nil {
		return nil, err
	}
	return manifest.ParseProgram(string(text))
}

// hex reads a string of hexadecimal digits into buf.
func (d *decoder) hex(buf *[]byte) ([]byte, error) {
	text, err := d.text()
	if err != nil {
		return nil, err
	}
	if n := len(text) / 2; cap(*buf) < n {
		*buf = make([]byte, n)
	}
	b := (*buf)[:len(text)/2]
	if len(text)%2 != 0 {
		return nil, fmt.Errorf("%d hexadecimal digits are no whole number of bytes", len(text))
	}
	if _, err := hex.Decode(b, text); err != nil {
		return nil, errors.New("not hexadecimal; write two digits for each byte and nothing between")
	}
	return b, nil
}

func (d *decoder) bool() (bool, error) {
	rest := d.line[d.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("true")):
		d.pos += len("true")
		return true, nil
	case bytes.HasPrefix(rest, []byte("false")):
		d.pos += len("false")
		return false, nil
	}
	return false, fmt.Errorf("expected true or false, found %s", d.kind())
}

func (d *decoder) uint32() (uint32, error) {
	v, err := d.uint(math.MaxUint32)
	return uint32(v), err
}

// uint reads a whole number from 0 to limit.
func (d *decoder) uint(limit uint64) (v uint64, err error) {
	number, err := d.number()
	if err != nil {
		return 0, fmt.Errorf("expected a whole number from 0 to %d, %w", limit, err)
	}
	for _, c := range number {
		n := uint64(c - '0')
		if c < '0' || c > '9' || v > limit/10 || v*10 > limit-n {
			return 0, fmt.Errorf("expected a whole number from 0 to %d, found %s", limit, clip.Bytes(number))
		}
		v = v*10 + n
	}
	return v, nil
}

// number reads a number and returns it as written.
func (d *decoder) number() ([]byte, error) {
	if d.pos == len(d.line) || d.line[d.pos] != '-' && (d.line[d.pos] < '0' || d.line[d.pos] > '9') {
		return nil, fmt.Errorf("found %s", d.kind())
	}
	start := d.pos
	if d.at('-') {
		d.pos++
	}
	whole := d.digits()
	good := whole > 0 && (whole == 1 || d.line[d.pos-whole] != '0')
	if good && d.at('.') {
		d.pos++
		good = d.digits() > 0
	}
	if good && (d.at('e') || d.at('E')) {
		d.pos++
		if d.at('+') || d.at('-') {
			d.pos++
		}
		good = d.digits() > 0
	}
	if !good {
		return nil, errors.New("found something that is not a number")
	}
	return d.line[start:d.pos], nil
}

// digits passes over digits and returns how many.
func (d *decoder) digits() int {
	start := d.pos
	for d.pos < len(d.line) && d.line[d.pos]-'0' <= 9 {
		d.pos++
	}
	return d.pos - start
}

// text reads a value that is a string. It is not nil, even if it is empty.
func (d *decoder) text() ([]byte, error) {
	if !d.at('"') {
		return nil, fmt.Errorf("expected a string, found %s", d.kind())
	}
	return d.string()
}

// string reads the string that starts here. Unless it has escapes it is part of the line.
func (d *decoder) string() ([]byte, error) {
	start := d.pos
	ascii := true
	for i := start + 1; i < len(d.line); i++ {
		switch c := d.line[i]; {
		case c == '"':
			d.pos = i + 1
			text := d.line[start+1 : i]
			if !ascii && !utf8.Valid(text) {
				return nil, errors.New("a string that is not UTF-8")
			}
			return text, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return nil, fmt.Errorf("byte %d: a control character in a string", i+1)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, errors.New("a string has no end")
}

// escaped reads a string with escapes, which is rare enough to be left to encoding/json.
func (d *decoder) escaped(start int) ([]byte, error) {
	for i := start + 1; i < len(d.line); i++ {
		switch d.line[i] {
		case '\\':
			i++
		case '"':
			d.pos = i + 1
			token := d.line[start:d.pos]
			var text string
			if !utf8.Valid(token) {
				return nil, errors.New("a string that is not UTF-8")
			}
			if err := json.Unmarshal(token, &text); err != nil {
				return nil, fmt.Errorf("a string with an escape that JSON does not know: %s", clip.Bytes(token))
			}
			return []byte(text), nil
		}
	}
	return nil, errors.New("a string has no end")
}

func (d *decoder) at(c byte) bool { return d.pos < len(d.line) && d.line[d.pos] == c }

func (d *decoder) skipSpace() {
	for d.pos < len(d.line) {
		switch d.line[d.pos] {
		case ' ', '\t', '\r', '\n':
			d.pos++
		default:
			return
		}
	}
}

// syntax is an error at the current position.
func (d *decoder) syntax(want string) error {
	return fmt.Errorf("byte %d: %s, found %s", d.pos+1, want, d.kind())
}

// kind says what starts here.
func (d *decoder) kind() string {
	if d.pos == len(d.line) {
		return "the end of the line"
	}
	switch c := d.line[d.pos]; {
	case c == '"':
		return "a string"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '-' || '0' <= c && c <= '9':
		return "a number"
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(d.line[d.pos:], []byte(word)) {
			return word
		}
	}
	r, _ := utf8.DecodeRune(d.line[d.pos:])
	return strconv.QuoteRune(r)
}

func quote(b []byte) string { return strconv.Quote(string(clip.Bytes(b))) }
