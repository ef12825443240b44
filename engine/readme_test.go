package engine_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeExample: the program in README.md is the body of Example, which is compiled and run.
func TestReadmeExample(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "```go\n")
	code, _, ok2 := strings.Cut(rest, "```\n")
	if !ok || !ok2 {
		t.Fatal("README.md has no block of Go")
	}
	lines := strings.Split(strings.TrimRight(code, "\n"), "\n")
	if len(lines) < 10 || len(lines) > 30 {
		t.Errorf("the example has %d lines", len(lines))
	}
	for i, line := range lines {
		if line != "" {
			lines[i] = "\t" + line
		}
	}
	if !strings.Contains(string(source), "func Example() {\n"+strings.Join(lines, "\n")+"\n\t// Output:") {
		t.Error("the example in README.md is not the body of Example in engine/example_test.go")
	}
}
