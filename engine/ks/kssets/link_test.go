package kssets

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestLinking builds two programs and looks at their symbols. One uses names only and must not carry the tables. One uses
// a lookup: it is the control that carries them, and must have nothing of this package to run when it starts, while the
// packages that do show.
func TestLinking(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command")
	}
	const table = "github.com/ksdispatch/ksdispatch/engine/ks/kssets.sets"
	inits := []string{
		"github.com/ksdispatch/ksdispatch/engine/ks/kssets.init", "github.com/ksdispatch/ksdispatch/engine/ks/kssets..inittask",
		"github.com/ksdispatch/ksdispatch/engine/ks.init", "github.com/ksdispatch/ksdispatch/engine/ks..inittask",
	}
	for _, program := range []struct {
		dir     string
		carries bool
	}{{"names", false}, {"lookup", true}} {
		exe := filepath.Join(t.TempDir(), program.dir)
		if out, err := exec.Command(tool, "build", "-o", exe, "./testdata/"+program.dir).CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		out, err := exec.Command(tool, "tool", "nm", exe).Output()
		if err != nil {
			t.Fatalf("go tool nm: %v", err)
		}
		symbols := map[string]bool{}
		for line := range bytes.Lines(out) {
			if f := bytes.Fields(line); len(f) > 0 {
				symbols[string(f[len(f)-1])] = true
			}
		}
		if symbols[table] != program.carries {
			t.Errorf("program %s carries %s: %t; want %t", program.dir, table, symbols[table], program.carries)
		}
		for _, s := range inits {
			if symbols[s] {
				t.Errorf("program %s has %s: something is built when it starts", program.dir, s)
			}
		}
		if control := "os..inittask"; !symbols[control] {
			t.Errorf("program %s lacks %s: the test above would not notice one", program.dir, control)
		}
	}
}
