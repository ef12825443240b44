package arena

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestInlining asks the compiler whether the fast paths fit into its budget, and whether it puts them where they are
// called. allocSlow, which cannot be inlined, is the negative control.
func TestInlining(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command here")
	}
	out, err := exec.Command(goTool, "build", "-gcflags=-m=2", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		name   string
		inline bool
	}{{"TryAlloc", true}, {"TryFree", true}, {"AllocUninit", true}, {"Free", true}, {"allocSlow", false}} {
		name := `\(\*Arena\)\.` + c.name
		if !regexp.MustCompile(`can inline ` + name + ` with cost`).Match(out) {
			reason := regexp.MustCompile(`cannot inline ` + name + `: .*`).Find(out)
			if c.inline || reason == nil {
				t.Errorf("%s", reason)
			}
		} else if !c.inline {
			t.Errorf("negative control: %s can be inlined", c.name)
		}
	}
	for _, call := range []string{"TryAlloc", "TryFree"} {
		if !strings.Contains(string(out), "inlining call to (*Arena)."+call) {
			t.Errorf("no call of %s is inlined", call)
		}
	}
}
