package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// record is one mutant.
type record struct {
	rule, file string
	from, to   string
	guard      bool     // one of the few that stand for a promise beside the rules
	survives   string   // why no test can kill it, or empty
	fuzz       string   // the fuzz target that is to find it, or empty
	packages   []string // whose tests run, with flags of go test; by default those of the rules
	line       int      // of the header in mutants.txt
}

// parse reads records, which blank lines part. Lines with # are comments.
//
//	P-28 engine/property.go [guard]
//	- text that occurs once
//	+ text in its place
//	survives REASON             optional
//	run [FLAG...] PACKAGE...    optional
//	fuzz TARGET PACKAGE         optional
//
// Several - or + lines are the lines of one text, and none of + means nothing in its place.
func parse(text string) (records []record, err error) {
	var r *record
	var from, to []string
	finish := func() {
		if r != nil {
			r.from, r.to = strings.Join(from, "\n"), strings.Join(to, "\n")
			if r.from == "" || r.from == r.to {
				err = fmt.Errorf("mutants.txt:%d: %s replaces nothing", r.line, r.rule)
			}
			records = append(records, *r)
		}
		r, from, to = nil, nil, nil
	}
	for i, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			finish()
		case r == nil:
			file, mark, _ := strings.Cut(rest, " ")
			r = &record{rule: word, file: file, guard: mark == "guard", line: i + 1}
			if file == "" || mark != "" && mark != "guard" {
				return nil, fmt.Errorf("mutants.txt:%d: %q is not RULE FILE [guard]", i+1, line)
			}
		case word == "-":
			from = append(from, rest)
		case word == "+":
			to = append(to, rest)
		case word == "survives" && rest != "":
			r.survives = rest
		case word == "run" && rest != "":
			r.packages = strings.Fields(rest)
		case word == "fuzz" && len(strings.Fields(rest)) == 2:
			r.fuzz, r.packages = strings.Fields(rest)[0], strings.Fields(rest)[1:]
		default:
			return nil, fmt.Errorf("mutants.txt:%d: %q is no line of a record", i+1, line)
		}
	}
	finish()
	return records, err
}

// fit says which records are stale: their text does not occur exactly once in their file.
func fit(root string, records []record) error {
	var stale []error
	for _, r := range records {
		if _, err := r.apply(root); err != nil {
			stale = append(stale, err)
		}
	}
	return errors.Join(stale...)
}

// apply returns the file with the mutant in it.
func (r *record) apply(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, r.file))
	if err != nil {
		return "", fmt.Errorf("mutants.txt:%d: %s is stale: %w", r.line, r.rule, err)
	}
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	if n := strings.Count(text, r.from); n != 1 {
		return "", fmt.Errorf("mutants.txt:%d: %s is stale: %s has %d times, not once:\n\t%s", r.line, r.rule, r.file, n, r.from)
	}
	return strings.Replace(text, r.from, r.to, 1), nil
}
