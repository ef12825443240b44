package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRecordsFit shows at once which records a change of the source has made stale.
func TestRecordsFit(t *testing.T) {
	records, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	if err := fit(root, records); err != nil {
		t.Error(err)
	}
}

// TestEveryRule wants a mutant of each rule of properties, methods, completion and the fast path.
func TestEveryRule(t *testing.T) {
	records, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	of, guards := map[string]int{}, 0
	for _, r := range records {
		of[r.rule]++
		if r.guard {
			guards++
		}
	}
	rules := "P-1 P-3 P-4 P-5 P-6 P-7 P-8 P-9 P-10 P-11 P-12 P-13 P-14 P-15 P-16 P-17 P-18 P-19 P-20 P-21 P-22 P-23 P-24 P-25 P-26 P-27 " +
		"P-28 P-29 P-30 P-31 P-32 P-33 P-34 P-35 P-36 P-37 P-38 P-39 P-40 P-41 P-42 P-43 P-44 P-45 P-50 P-51 P-60 P-61 P-62 P-70 P-71 P-72 " +
		"P-73 F-1 F-2 F-3 F-4 F-5 F-6 F-7 N-1 M-1 M-2 M-3 M-4 M-5 M-6 M-7 M-8 M-9 M-10 PN-1 PN-2 PN-3 PN-4 PN-5 PN-6 PN-7 PN-8 PN-9 " +
		"PN-10 PN-11 PN-12 PN-13 PN-14 PN-15 PN-18 PN-19 PN-20 PN-21 PN-22 PN-23 OB-6 OB-16 AT-1 AT-2 AT-3 AT-4 AT-5 AT-6 AT-7 AT-8 AT-9"
	for _, rule := range strings.Fields(rules) {
		if of[rule] == 0 {
			t.Errorf("%s has no mutant", rule)
		}
	}
	if guards < 10 {
		t.Errorf("%d guards, want 10", guards)
	}
}

// TestEveryFuzzTarget wants a planted bug for each fuzz target of the module: a target that finds nothing must be known to be
// able to.
func TestEveryFuzzTarget(t *testing.T) {
	records, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	planted := map[string]bool{}
	for _, r := range records {
		if r.fuzz != "" {
			planted[r.fuzz+" "+r.packages[0]] = true
		}
	}
	targets, err := fuzzTargets(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if !planted[target] {
			t.Errorf("%s has no planted bug", target)
		}
		delete(planted, target)
	}
	for target := range planted {
		t.Errorf("%s: there is no such target", target)
	}
}

var fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(`)

// fuzzTargets lists the fuzz targets of a module as records name them: FuzzX ./folder.
func fuzzTargets(root string) (targets []string, err error) {
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == ".git" || e.Name() == "testdata"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range fuzzTarget.FindAllSubmatch(b, -1) {
			targets = append(targets, string(m[1])+" ./"+filepath.ToSlash(dir))
		}
		return err
	})
	return targets, err
}

// TestFuzzTargets is the control of TestEveryFuzzTarget.
func TestFuzzTargets(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a/b/c_test.go": "func FuzzA(f *testing.F) {\n}\n\nfunc FuzzB(f *testing.F) {}\n// func FuzzC(\nfunc fuzzD() {}\n",
		"a/b/c.go":      "func FuzzE(f *testing.F) {}\n",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "a/b"), 0o755),
			os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	targets, err := fuzzTargets(dir)
	if want := []string{"FuzzA ./a/b", "FuzzB ./a/b"}; err != nil || !slices.Equal(targets, want) {
		t.Errorf("%q, %v; want %q", targets, err, want)
	}
}

// TestGuards removes the guards, which takes about a minute: KSDISPATCH_MUTATE=1 go test ./engine/internal/mutate.
func TestGuards(t *testing.T) {
	if os.Getenv("KSDISPATCH_MUTATE") == "" {
		t.Skip("KSDISPATCH_MUTATE is not set")
	}
	var out bytes.Buffer
	err := run(t.Context(), []string{"-guards"}, &out)
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
}

func TestParse(t *testing.T) {
	records, err := parse("# a comment\nP-1 a.go guard\n- x\n- y\n+ z\nsurvives it is the same\n\nP-2 b.go\n- q\nrun -race ./engine\n\n" +
		"P-3 c.go\n- r\n+ s\nfuzz FuzzX ./engine/ks\n")
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	a, b, c := records[0], records[1], records[2]
	if a.rule != "P-1" || a.file != "a.go" || !a.guard || a.from != "x\ny" || a.to != "z" || a.survives != "it is the same" || a.line != 2 ||
		b.to != "" || strings.Join(b.packages, " ") != "-race ./engine" || c.fuzz != "FuzzX" || c.packages[0] != "./engine/ks" {
		t.Errorf("read as %+v", records)
	}
	for _, text := range []string{"P-1\n- x\n", "P-1 a.go\n+ x\n", "P-1 a.go\n- x\n+ x\n", "P-1 a.go soon\n- x\n", "P-1 a.go\n* x\n",
		"P-1 a.go\n- x\nfuzz F\n"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// TestStale is the control of TestRecordsFit.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/a.go", []byte("one two two"), 0o644); err != nil {
		t.Fatal(err)
	}
	for from, ok := range map[string]bool{"one": true, "two": false, "three": false} {
		if err := fit(dir, []record{{rule: "P-1", file: "a.go", from: from}}); (err == nil) != ok {
			t.Errorf("%q: %v", from, err)
		}
	}
	if fit(dir, []record{{rule: "P-1", file: "b.go", from: "one"}}) == nil {
		t.Error("a record of a file that is not there fits")
	}
}

// TestHang: a mutant with which a test hangs is dead, unless the test hangs without it as well.
func TestHang(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for tests that hang")
	}
	defer func(usual time.Duration) { limit = usual }(limit)
	limit = time.Second
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\n\ngo 1.26\n")
	write("a.go", "package m\n\nconst hangs = false\n")
	write("a_test.go", "package m\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\nfunc TestA(t *testing.T) {\n\tif hangs {\n"+
		"\t\ttime.Sleep(time.Hour)\n\t}\n}\n")
	r := record{file: "a.go", from: "false", to: "true", packages: []string{"."}}
	if v := try(t.Context(), dir, r); v.err != nil || v.killer != hang {
		t.Errorf("killed by %q, %v\n%s", v.killer, v.err, v.output)
	}
	write("a.go", "package m\n\nconst hangs = true // not false\n")
	limit /= patient
	if v := try(t.Context(), dir, r); v.err == nil {
		t.Errorf("killed by %q, which hangs without the mutant", v.killer)
	}
}
