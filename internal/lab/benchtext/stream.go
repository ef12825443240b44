package benchtext

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// stream is the output of one go test, line by line: of all packages one after the other, or of the one package of an event. It
// keeps the lines that are results, units and configuration, of which it only knows when a run has ended which were logs.
type stream struct {
	source string
	pkg    string // what events say; "" for text
	kept   []kept
	lines  int // that came, by which blocks of keys are known

	opened    *opened         // a name whose figures have not come
	announced bool            // -v has named a benchmark, whose figures have not come
	logged    map[string]bool // keys that a benchmark printed
	section   section
	failed    *kept // what no "ok" takes back
	whole     bool  // an end came, and no result since
}

// kept is a line with its number. One that was taken back is empty.
type kept struct {
	text   string
	number int
}

// opened is "BenchmarkInsert-8   \t" and what came instead of the figures.
type opened struct {
	name, log kept
}

// section is the run of one package: from its header, or the end of the one before, to its PASS or ok.
type section struct {
	begin  int      // place of the header among the lines; 0 before it
	named  bool     // a benchmark's name came
	pkg    string   // what the header says
	block  []string // keys of go test in the block of key lines at hand
	last   int      // place of the last key line
	strays []stray
	before int    // how many marks are older than the header
	marks  []kept // what runs that fail print
}

// stray is a key of the header where the header is not: configuration, or a log.
type stray struct {
	index      int // in kept
	key, value string
}

// Patterns of lines, as go test and the shell write them.
var (
	// name is written before a benchmark runs; figures, iterations and pairs of value and unit, after it.
	name    = regexp.MustCompile(`Benchmark(?:[^\s\p{Ll}]\S*)? *\t`)
	figures = regexp.MustCompile(`\d+(?:\t *` + aNumber + ` ` + aUnit + `)+\s*$`)
	edited  = regexp.MustCompile(`^\s*\d+(?:\s+` + aNumber + `\s+` + aUnit + `)+\s*$`) // figures without their tabs
	// verbose is a name that -v writes before logs.
	verbose = regexp.MustCompile(`^Benchmark(?:[^\s\p{Ll}]\S*)?$`)

	passed = regexp.MustCompile(`^ok\s+(\S+)\s+(?:\d[\d.]*s|\(cached\))`)
	failed = regexp.MustCompile(`^FAIL\s+\S+\s+(?:\d[\d.]*s|\[.*\])$`)
	mark   = regexp.MustCompile(`^(?:FAIL$|\s*--- FAIL: |panic: |fatal error: |exit status (?:[1-9]|0x)|signal: |` +
		`\*\*\* Test killed|SIG[A-Z]+: |Killed$|` +
		`Terminated$|(?:Aborted|Segmentation fault|Bus error|Illegal instruction)(?: \(core dumped\))?$)`)

	pair = regexp.MustCompile(`^(\p{Ll}[^\s\p{Lu}:]*):(?:[ \t]+(.*))?$`)
	// chatter looks like a pair and configures nothing.
	chatter = regexp.MustCompile(`^(?:error|warning|warn|info|debug|trace|fatal|panic|signal|testing|vet|ld|clang|gcc): |` +
		`^go: (?:downloading|finding|extracting) `)
)

const (
	aNumber = `[-+]?(?:\d[-+.\deE]*|Inf|NaN)`
	aUnit   = `\S*[^\s\d.]\S*`
)

// header are the keys of go test, in its order.
var header = []string{"goos", "goarch", "pkg", "cpu"}

// line takes a line without its end.
func (s *stream) line(text string, number int) error {
	s.lines++
	if s.failed == nil && failed.MatchString(text) {
		s.failed = &kept{text, number}
	}
	if mark.MatchString(text) {
		s.section.marks = append(s.section.marks, kept{text, number})
	}
	if s.opened != nil {
		return s.behind(text, number)
	}
	if strings.HasPrefix(text, "Benchmark") {
		return s.benchmark(text, number)
	}
	if unitLine(text) {
		s.keep(text, number)
		return nil
	}
	if s.end(text) {
		return nil
	}
	if at := name.FindStringIndex(text); at != nil {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		if !unicode.IsSpace(before) {
			return s.benchmark(text[at[0]:], number)
		}
		if figures.MatchString(text) {
			return s.refuse(kept{text, number}, "something was printed before a name; let it end with a newline, or mend the line")
		}
	}
	if m := pair.FindStringSubmatch(text); m != nil {
		s.pair(m[1], m[2], text, number)
		return nil
	}
	if at := figures.FindStringIndex(text); at != nil && strings.TrimSpace(text[:at[0]]) == "" {
		return s.refuse(kept{text, number}, "figures without a name; mend the line or leave it out")
	}
	return nil
}

func (s *stream) keep(text string, number int) {
	s.kept = append(s.kept, kept{text, number})
	s.whole = false
}

func (s *stream) refuse(line kept, why string) error {
	return fmt.Errorf("%s:%d: %s: %q", s.source, line.number, why, brief(line.text))
}

// benchmark takes a line that begins with Benchmark. What has a number of iterations and another number is left to benchfmt, right
// or wrong.
func (s *stream) benchmark(text string, number int) error {
	next, _ := utf8.DecodeRuneInString(text[len("Benchmark"):])
	word := next == ' ' || unicode.IsLower(next) // no name of go test, but of others, and of prose
	s.section.named = s.section.named || !word
	if s.announced = verbose.MatchString(text); s.announced {
		return nil
	}
	at := name.FindStringIndex(text)
	if counted(text) {
		s.keep(text, number)
		return nil
	}
	if at == nil || at[0] > 0 { // not as go test writes it
		if !word {
			s.keep(text, number)
		}
		return nil
	}
	rest := text[at[1]:]
	if f := figures.FindStringIndex(rest); f != nil {
		if name.MatchString(rest[:f[0]]) {
			return s.refuse(kept{text, number}, "two names and one line of figures; mend the line or leave it out")
		}
		s.keep(text[:at[1]]+rest[f[0]:], number)
		return nil
	}
	s.opened = &opened{name: kept{text[:at[1]], number}}
	if mark.MatchString(rest) {
		s.section.marks = append(s.section.marks, kept{text, number})
	}
	s.opened.came(rest, number)
	return nil
}

// counted reports whether iterations and a value seem to follow the name.
func counted(text string) bool {
	f := strings.Fields(text)
	if len(f) < 3 {
		return false
	}
	_, err := strconv.ParseUint(f[1], 10, 64)
	return err == nil && strings.Trim(strings.NewReplacer("Inf", "", "NaN", "").Replace(f[2]), "+-.0123456789eE") == ""
}

// came notes what was printed instead of figures.
func (o *opened) came(text string, number int) {
	if o.log.text == "" && strings.TrimSpace(text) != "" {
		o.log = kept{text, number}
	}
}

// behind takes a line behind a name whose figures have not come.
func (s *stream) behind(text string, number int) error {
	o := s.opened
	f, next := figures.FindStringIndex(text), name.FindStringIndex(text)
	switch {
	case next != nil && f != nil && next[0] < f[0], strings.HasPrefix(text, "Benchmark") && counted(text), passed.MatchString(text):
		return s.missing()
	case f != nil:
		s.keep(o.name.text+text[f[0]:], number)
		s.opened = nil
	case edited.MatchString(text):
		s.keep(o.name.text+strings.TrimSpace(text), number)
		s.opened = nil
	default:
		o.came(text, number)
		if m := pair.FindStringSubmatch(text); m != nil {
			s.log(m[1])
		}
	}
	return nil
}

// missing is the error of a name without figures.
func (s *stream) missing() error {
	o := s.opened
	if o.log.text == "" {
		return s.refuse(o.name, "no figures follow the name; mend the line or leave it out")
	}
	return s.refuse(o.log, "this came instead of the figures of "+strings.TrimSpace(o.name.text)+"; mend the line or leave it out")
}

// log notes that a benchmark prints lines that look like those of a key.
func (s *stream) log(key string) {
	if s.logged == nil {
		s.logged = map[string]bool{}
	}
	s.logged[key] = true
}

// end takes a line that ends a run well. Before an "ok" nothing failed, whatever was printed; a PASS is of a test binary, and
// what failed before its header may be of another.
func (s *stream) end(text string) bool {
	if m := passed.FindStringSubmatch(text); m != nil {
		s.pass(m[1])
		return true
	}
	if text != "PASS" {
		return false
	}
	if s.section.begin > 0 {
		s.section.marks = s.section.marks[:s.section.before]
	}
	s.takeBack(func(k stray) bool { return k.key == "cpu" })
	s.announced = false
	return true
}

// pass is the end of the run of a package, in which strays were logs.
func (s *stream) pass(pkg string) {
	s.takeBack(func(k stray) bool { return k.key != "pkg" || s.section.pkg == pkg && k.value != pkg })
	s.section = section{}
	s.announced, s.whole = false, true
}

func (s *stream) takeBack(logs func(stray) bool) {
	s.section.strays = slices.DeleteFunc(s.section.strays, func(k stray) bool {
		if logs(k) {
			s.kept[k.index].text = ""
			return true
		}
		return false
	})
}

// pair takes "key: value". The header of go test is a block of lines in one order, once in a run. Of the same keys elsewhere only the
// end of the run tells whether they were logs.
func (s *stream) pair(key, value, text string, number int) {
	place := slices.Index(header, key)
	begins := place == 0 || place == 1 && !slices.Contains(s.section.block, "goos")
	if s.announced && !begins {
		s.log(key)
		return
	}
	if chatter.MatchString(text) {
		return
	}
	if s.section.last != s.lines-1 {
		s.section.block = nil
	}
	if begins {
		if s.section.begin > 0 && !s.section.named { // go test names a benchmark behind its header: it was another program that ended here
			s.section.marks = s.section.marks[:s.section.before]
		}
		s.section = section{begin: s.lines, marks: s.section.marks, before: len(s.section.marks)}
		s.announced = false
	}
	s.section.last = s.lines
	if place >= 0 {
		alone, again := len(s.section.block) == 0 && !begins, slices.Contains(s.section.block, key)
		s.section.block = append(s.section.block, key)
		if s.section.begin > 0 && (alone || again) {
			s.section.strays = append(s.section.strays, stray{len(s.kept), key, value})
		} else if key == "pkg" {
			s.section.pkg = value
		}
	}
	s.keep(text, number)
}

// unitLine reports whether a line says something of a unit. A log may begin with that word.
func unitLine(text string) bool {
	f := strings.Fields(text)
	return strings.HasPrefix(text, "Unit") && len(f) > 2 && f[0] == "Unit" &&
		slices.ContainsFunc(f[2:], func(w string) bool { return strings.Contains(w, "=") })
}

// close ends the stream. cut is the number of a last line that has no end.
func (s *stream) close(cut int) error {
	const incomplete = "the test run failed: its figures are not all there"
	switch {
	case s.failed != nil:
		return s.refuse(*s.failed, incomplete)
	case len(s.section.marks) > 0:
		return s.refuse(s.section.marks[0], incomplete)
	case cut > 0:
		return fmt.Errorf("%s:%d: ends within a line: it is truncated", s.source, cut)
	case s.opened != nil:
		return s.missing()
	}
	for i, k := range s.kept {
		if m := pair.FindStringSubmatch(k.text); m != nil && s.logged[m[1]] && !slices.Contains(header, m[1]) {
			s.kept[i].text = ""
		}
	}
	return nil
}
