package exec

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// decoder reads request lines. A line is one flat JSON object whose keys decide the types of their values, so a walk over
// the bytes without a token in between is enough. encoding/json accepts what is an error here: a key twice, null, keys in
// another case. It also took 4.5 to 8.0 microseconds for a line of 115 bytes where this takes 1.0 to 1.4 (measured side by
// side on a busy machine).
type decoder struct {
	line []byte
	pos  int
	seen uint64 // keys, as bits

	extra, data, output, connect, flagNames []byte // kept from line to line
}

// decode reads one line into q. After an error q is not to be used.
func (d *decoder) decode(line []byte, q *request) error {
	*q = request{file: 1, notification: ks.NotificationEventHandle, count: 1}
	d.line, d.pos, d.seen, d.flagNames = line, 0, 0, d.flagNames[:0]
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
	if d.seen&(1<<keyIn) == 0 {
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
	given := func(key uint) bool { return d.seen&(1<<key) != 0 }
	q.ownFile = given(keyFile)
	needs := func(key uint, name, what string) error {
		if given(key) {
			return nil
		}
		return fmt.Errorf("%s is missing; %s", name, what)
	}
	switch q.op {
	case opOpen:
		return needs(keyHandle, "handle", "name the handle, so that later lines can")
	case opCreatePin:
		if given(keyObject) {
			return errors.New("object: a pin is created on a handle; name the filter's as parent, and no object")
		}
		return cmp.Or(needs(keyHandle, "handle", "name the handle, so that later lines can"),
			needs(keyParent, "parent", "name the handle of the filter"), needs(keyConnect, "connect", "give the KSPIN_CONNECT in hex"))
	case opCancel:
		if !given(keyHandle) && !given(keyTag) {
			return errors.New("tag and handle are missing; name the pended request, or the handle all of whose requests are to be cancelled")
		}
	case opRemove:
		if given(keyHandle) {
			return errors.New("handle: an object is removed with all its handles; name the object alone")
		}
		return needs(keyObject, "object", "name the filter or table that is removed")
	}
	if given(keyHandle) && (given(keyObject) || given(keyFile)) {
		return errors.New("handle: a handle has its object and its file; name the handle alone")
	}
	return nil
}

// maxCount is how often a line may generate: a mistyped number must not run for hours.
const maxCount = 1_000_000

// The keys of a request line, in the order of their bits.
const (
	keyI = iota
	keyObject
	keyOp
	keyEntry
	keySet
	keyID
	keyFlags
	keyIn
	keyOut
	keyExtra
	keyData
	keyAlias
	keyAllocator
	keyMemory
	keyPrepared
	keyMode
	keyFile
	keyInfo0
	keyTag
	keyStatus
	keyInformation
	keyProgram
	keyEventData
	keyNotification
	keyCount
	keyHandle
	keyParent
	keyConnect
	keyOverlapped
)

// keys are their names.
var keys = map[string]uint{"i": keyI, "object": keyObject, "op": keyOp, "entry": keyEntry, "set": keySet, "id": keyID, "flags": keyFlags,
	"in": keyIn, "out": keyOut, "extra": keyExtra, "data": keyData, "alias": keyAlias, "allocator": keyAllocator, "memory": keyMemory,
	"prepared": keyPrepared, "mode": keyMode, "file": keyFile, "info0": keyInfo0, "tag": keyTag, "status": keyStatus,
	"information": keyInformation, "program": keyProgram, "event_data": keyEventData, "notification": keyNotification, "count": keyCount,
	"handle": keyHandle, "parent": keyParent, "connect": keyConnect, "overlapped": keyOverlapped}

// member reads one key and its value.
func (d *decoder) member(q *request) error {
	if !d.at('"') {
		return d.syntax("expected a key")
	}
	name, err := d.string()
	if err != nil {
		return err
	}
	key, ok := keys[string(name)]
	if !ok {
		return fmt.Errorf("unknown key %s", quote(name))
	}
	if d.seen&(1<<key) != 0 {
		return fmt.Errorf("key %s given twice", name)
	}
	d.seen |= 1 << key
	if d.skipSpace(); !d.at(':') {
		return d.syntax("expected :")
	}
	d.pos++
	d.skipSpace()
	if err := d.value(q, key); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (d *decoder) value(q *request, key uint) (err error) {
	switch key {
	case keyI:
		q.i, err = d.number()
	case keyObject:
		q.object, err = d.text()
	case keyOp:
		q.op, err = choose(d, ops)
	case keyEntry:
		q.plain, err = choose(d, entries)
	case keySet:
		err = d.set(&q.set)
	case keyID:
		q.id, err = d.uint32()
	case keyFlags:
		err = d.flags(q)
	case keyIn:
		q.in, err = d.uint32()
	case keyOut:
		q.out, err = d.uint32()
	case keyExtra:
		q.extra, err = d.hex(&d.extra)
	case keyData:
		q.data, err = d.hex(&d.data)
	case keyAlias:
		q.alias, err = d.bool()
	case keyAllocator:
		q.allocator, err = choose(d, allocators)
	case keyMemory:
		var m memoryFault
		m, err = choose(d, memories)
		q.faultIn, q.faultOut = m.in, m.out
	case keyPrepared:
		err = d.prepared(&q.prepared)
	case keyMode:
		q.mode, err = choose(d, modes)
	case keyFile:
		q.file, err = d.uint(math.MaxUint64)
	case keyInfo0:
		q.info0, err = d.uint(math.MaxUint64)
	case keyTag:
		q.tag, err = d.text()
	case keyStatus:
		q.status, err = d.status()
	case keyInformation:
		q.information, err = d.uint(math.MaxUint64)
	case keyProgram:
		q.program, err = d.program()
	case keyEventData:
		q.eventData, err = d.uint(math.MaxUint64)
	case keyNotification:
		q.notification, err = d.uint32()
	case keyCount:
		if q.count, err = d.uint32(); err == nil && q.count > maxCount {
			err = fmt.Errorf("%d is too many; generate at most %d times in a line", q.count, maxCount)
		}
	case keyHandle:
		q.handle, err = d.text()
	case keyParent:
		q.parent, err = d.text()
	case keyConnect:
		q.connect, err = d.hex(&d.connect)
	case keyOverlapped:
		q.overlapped, err = d.bool()
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
	return parseStatus(string(text))
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
			return 0, fmt.Errorf("expected a whole number from 0 to %d, found %s", limit, clip(number))
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
				return nil, fmt.Errorf("a string with an escape that JSON does not know: %s", clip(token))
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

func quote(b []byte) string { return strconv.Quote(string(clip(b))) }

// clip keeps a hostile line from being repeated in its error.
func clip(b []byte) []byte {
	if len(b) <= 64 {
		return b
	}
	return append(bytes.ToValidUTF8(b[:64], nil), "..."...)
}
