package conformance

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const document = "../../../docs/conformance.md"

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// numbers lists what must be there.
func numbers() (all []string) {
	add := func(family string, from, to int) {
		for n := from; n <= to; n++ {
			all = append(all, fmt.Sprintf("%s-%d", family, n))
		}
	}
	add("N", 1, 1)
	add("P", 1, 45)
	add("P", 50, 51)
	add("P", 60, 62)
	add("P", 70, 73)
	add("F", 1, 7)
	add("M", 1, 10)
	add("E", 1, 26)
	add("S", 1, 35)
	add("S", 37, 41)
	add("PN", 1, 23)
	add("OB", 1, 24)
	add("AT", 1, 14)
	add("AS", 1, 3)
	add("AS", 5, 25)
	add("AS", 27, 28)
	add("AS", 33, 36)
	return all
}

// TestTheEngineNamesEveryFamily holds the ranges in the comment of package engine to the rules that there are.
func TestTheEngineNamesEveryFamily(t *testing.T) {
	want := map[string]string{}
	for _, number := range numbers() {
		family, n, _ := strings.Cut(number, "-")
		if first, _, found := strings.Cut(want[family], " to "); found {
			want[family] = first + " to " + number
		} else {
			want[family] = fmt.Sprintf("%s-%s to %s", family, n, number)
		}
	}
	want["N"] = "N-1 for"
	comment, _, _ := strings.Cut(read(t, "../../doc.go"), "# The way of a request")
	comment = strings.Join(strings.Fields(strings.ReplaceAll(comment, "//", "")), " ")
	for family, text := range want {
		if !strings.Contains(comment, text) {
			t.Errorf("the comment of package engine does not say %q of the rules %s", text, family)
		}
	}
}

func TestDocument(t *testing.T) {
	rules, err := Rules(read(t, "testdata/rules.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rules {
		got = append(got, r.Number)
	}
	if want := numbers(); !slices.Equal(got, want) {
		t.Errorf("rules.txt has\n%v, want\n%v", got, want)
	}
	tests, err := Tests("../..", "../../device")
	if err != nil {
		t.Fatal(err)
	}
	if untested, unknown := Missing(rules, tests); untested != nil || unknown != nil {
		t.Errorf("rules without a test: %v; tests of no rule: %v", untested, unknown)
	}
	text := Document(rules, tests)
	if os.Getenv("KSDISPATCH_REWRITE") != "" {
		if err := os.WriteFile(document, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, document) != text {
		t.Errorf("docs/conformance.md is not what the tests say: go generate ./engine/internal/conformance")
	}
}

// The controls: a missing test, an unknown rule and a damaged line are noticed.
func TestMissing(t *testing.T) {
	rules := []Rule{{Number: "P-1"}, {Number: "P-2"}}
	tests := []Test{{Name: "TestP2_Is", Rule: "P-2"}, {Name: "TestP22_IsNot", Rule: "P-22"}}
	untested, unknown := Missing(rules, tests)
	if !slices.Equal(untested, []string{"P-1"}) || !slices.Equal(unknown, []string{"TestP22_IsNot"}) {
		t.Errorf("untested %v, unknown %v", untested, unknown)
	}
	for _, text := range []string{"P-1 | D | page", "P-1 | X | page | Says.", "Q-1 | D | page | Says.", "NP-1 | D | page | Says.",
		"P-1 | D | page | Says", "P-01 | D | page | Says.", "P-1 | D | page | Says.\nP-1 | D | page | Says."} {
		if rules, err := Rules(text); err == nil {
			t.Errorf("%q: %v", text, rules)
		} else if !strings.HasPrefix(err.Error(), "rules.txt:") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if rules, err := Rules("PN-1 | D | page | Says.\n"); err != nil || len(rules) != 1 || rules[0].Number != "PN-1" {
		t.Errorf("%v, %v", rules, err)
	}
	if rules, err := Rules("# comment\n\nS-24 | I,D | | Says.\n"); err != nil || len(rules) != 1 || rules[0].Source != "" ||
		rules[0].Summary != "Says." {
		t.Errorf("%v, %v", rules, err)
	}
}
