//go:build !(purego || invariants || race)

package table

import (
	"os/exec"
	"strings"
	"testing"
)

// TestInlined holds the compiler to what Lookup's comment says: it is inlined where it is called, and has no bounds
// checks. It compiles the package as the tests do, and prints the compiler's reason.
func TestInlined(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command")
	}
	compile := func(flags, dir string) string {
		out, err := exec.Command(goTool, "build", "-gcflags="+flags, dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	said := func(out string, words ...string) (lines []string) {
	line:
		for l := range strings.Lines(out) {
			for _, w := range words {
				if !strings.Contains(l, w) {
					continue line
				}
			}
			lines = append(lines, strings.TrimSpace(l))
		}
		return lines
	}
	inlining := compile("-m=2", "./testdata/caller")
	if len(said(inlining, "caller/lookup.go", "inlining call to table.(*Table[", "]).Lookup")) != 1 {
		t.Errorf("Lookup is not inlined: %q", said(inlining, "inline table.(*Table[go.shape", "]).Lookup"))
	}
	if len(said(inlining, "caller/lookup.go", "inlining call to table.(*Direct[", "]).Lookup")) != 1 {
		t.Errorf("Direct.Lookup is not inlined: %q", said(inlining, "inline table.(*Direct[go.shape", "]).Lookup"))
	}
	if len(said(inlining, "caller/lookup.go", "inlining call to table.(*Direct[", "]).Find")) != 1 {
		t.Errorf("Direct.Find is not inlined: %q", said(inlining, "inline table.(*Direct[go.shape", "]).Find"))
	}
	// Negative control: LookupBatch is too large, and the same search says so.
	if len(said(inlining, "caller/lookup.go", "inlining call to table.(*Table[", "]).LookupBatch")) != 0 {
		t.Error("LookupBatch is inlined: the test sees what is not there")
	}
	checks := compile("-d=ssa/check_bce", "./testdata/caller")
	if found := said(checks, "lookup.go", "Found Is"); len(found) != 0 {
		t.Errorf("bounds checks: %q", found)
	}
	if len(said(checks, "control.go", "Found Is")) != 1 {
		t.Error("the bounds check of the negative control was not seen")
	}
}
