// Package conformance makes docs/conformance.md: which rule of behaviour is kept by which test, how certain the rule is
// and where it comes from. The rules are in testdata/rules.txt; a test belongs to the rule that begins its name, as
// TestP28_ZeroLengthGet belongs to P-28.
package conformance

//go:generate env KSDISPATCH_REWRITE=1 go test -count=1 -run ^TestDocument$ .

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Rule is one line of rules.txt.
type Rule struct {
	Number    string // such as "P-28"
	Certainty string // letters, see the file
	Source    string // may be empty, for what is inferred
	Summary   string
}

var ruleLine = regexp.MustCompile(`^((?:[NPFMES]|PN|OB|AT|AS)-[1-9][0-9]*) \| ([DHSOCI](?:[,/][DHSOCI])*) \| (.*?) ?\| (\S.*\.)$`)

// Rules reads rules.txt.
func Rules(text string) ([]Rule, error) {
	var rules []Rule
	seen := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := ruleLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("rules.txt:%d: want \"number | certainty | source | sentence.\", not %q", i+1, line)
		}
		if first, ok := seen[m[1]]; ok {
			return nil, fmt.Errorf("rules.txt:%d: %s is on line %d already", i+1, m[1], first)
		}
		seen[m[1]] = i + 1
		rules = append(rules, Rule{Number: m[1], Certainty: m[2], Source: m[3], Summary: m[4]})
	}
	return rules, nil
}

// Test is one test function that a rule's number begins.
type Test struct{ Package, Name, Rule string }

var testName = regexp.MustCompile(`^Test([NPFMES]|PN|OB|AT|AS)([0-9]+)_\w+$`)

// Tests lists the rules' tests in the directories, the last element of each being the name of the package.
func Tests(dirs ...string) ([]Test, error) {
	var tests []Test
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok {
					if m := testName.FindStringSubmatch(f.Name.Name); m != nil {
						tests = append(tests, Test{Package: filepath.Base(dir), Name: f.Name.Name, Rule: m[1] + "-" + m[2]})
					}
				}
			}
		}
	}
	slices.SortFunc(tests, func(a, b Test) int {
		family, n := split(a.Rule)
		other, m := split(b.Rule)
		return cmp.Or(cmp.Compare(family, other), cmp.Compare(n, m), cmp.Compare(a.Name, b.Name))
	})
	return tests, nil
}

// split returns the family and the number of a rule.
func split(rule string) (family string, n int) {
	family, digits, _ := strings.Cut(rule, "-")
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err) // the expressions above let only digits through
	}
	return family, n
}

// Missing returns the rules without a test, and the tests whose rule is unknown.
func Missing(rules []Rule, tests []Test) (untested, unknown []string) {
	for _, r := range rules {
		if !slices.ContainsFunc(tests, func(t Test) bool { return t.Rule == r.Number }) {
			untested = append(untested, r.Number)
		}
	}
	for _, t := range tests {
		if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Number == t.Rule }) {
			unknown = append(unknown, t.Name)
		}
	}
	return untested, unknown
}

// Document writes the table.
func Document(rules []Rule, tests []Test) string {
	var b strings.Builder
	b.WriteString(`# Conformance

What the engine promises about property, method and event requests and about pins, rule by rule, and the tests that hold it to that.
This file is generated from the tests' names and from engine/internal/conformance/testdata/rules.txt by
` + "`go generate ./engine/internal/conformance`" + `.

Certainty: **D** documented by Microsoft, **H** public header, **S** Microsoft sample, **O** open implementation,
**C** observed in a public client, **I** inferred or chosen here. Several letters: they agree, or each gives a part;
**D/O**: they disagree, and what stands before the stroke is kept. What only **I** supports can in part be overridden, see
` + "`engine.Compat`" + `. Sources are pages under https://learn.microsoft.com/windows-hardware/drivers, where those that begin with
nf-, ns-, nc- or ni- are in ddi/ks, or a header, or a file of an open implementation.

Run one with ` + "`go test -run '^TestP28_' ./engine`" + `.

| rule | says | certainty | source | tests |
|---|---|---|---|---|
`)
	for _, r := range rules {
		var names []string
		for _, t := range tests {
			if t.Rule == r.Number {
				names = append(names, t.Name)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Number, r.Summary, r.Certainty, r.Source, strings.Join(names, ", "))
	}
	return b.String()
}
