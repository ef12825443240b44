package engine_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/gosource"
)

// compareGolden compares text with a file of testdata. KSDISPATCH_REWRITE=1 rewrites the file; the change is then reviewed
// like code.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if os.Getenv("KSDISPATCH_REWRITE") != "" {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for _, l := range gotLines {
		if !slices.Contains(wantLines, l) {
			t.Errorf("+ %s", l)
		}
	}
	for _, l := range wantLines {
		if !slices.Contains(gotLines, l) {
			t.Errorf("- %s", l)
		}
	}
	if t.Failed() || got != string(want) {
		t.Errorf("%s differs; if that is meant: KSDISPATCH_REWRITE=1 go test -run '^%s$' ./engine", name, t.Name())
	}
}

// exported lists the exported declarations of a package, one a line, without bodies, comments and unexported fields.
func exported(t *testing.T, dir string) (lines []string) {
	t.Helper()
	fset := token.NewFileSet()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name.Name == "main" || !ast.FileExports(file) {
			continue
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && !token.IsExported(gosource.Receiver(d)) {
					continue
				}
				d.Body = nil
				lines = append(lines, oneLine(t, fset, d))
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && v.Names[0].Name != "_" {
						for i, name := range v.Names {
							line := d.Tok.String() + " " + name.Name
							if v.Type != nil {
								line += " " + oneLine(t, fset, v.Type)
							}
							if d.Tok == token.CONST && i < len(v.Values) {
								line += " = " + oneLine(t, fset, v.Values[i])
							}
							lines = append(lines, line)
						}
						continue
					}
					lines = append(lines, d.Tok.String()+" "+oneLine(t, fset, spec))
				}
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines) // files of one package that exclude each other declare the same
}

func oneLine(t *testing.T, fset *token.FileSet, node any) string {
	t.Helper()
	var b bytes.Buffer
	if err := printer.Fprint(&b, fset, node); err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, l := range strings.Split(b.String(), "\n") {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			parts = append(parts, l)
		}
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), ",; ", ", ") // where a line is broken is no matter of the API
}

// TestExportedAPI keeps the names that users may rely on in a golden file, so that a new one is a reviewed change.
func TestExportedAPI(t *testing.T) {
	var b strings.Builder
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		if e.Name() == "internal" || e.Name() == "testdata" || e.Name() == "kssets" { // kssets is generated from a file of facts
			return fs.SkipDir
		}
		if lines := exported(t, path); len(lines) != 0 {
			fmt.Fprintf(&b, "package %s\n", filepath.ToSlash(filepath.Join("engine", path)))
			for _, l := range lines {
				fmt.Fprintf(&b, "\t%s\n", l)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "api.txt", b.String())
}

// TestExportedAPIOfBench is TestExportedAPI for the other package that a user imports.
func TestExportedAPIOfBench(t *testing.T) {
	compareGolden(t, "../../bench/testdata/api.txt", strings.Join(exported(t, "../bench"), "\n")+"\n")
}

// TestDependencies: what a program gets with the engine is the standard library and xxhash.
func TestDependencies(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	deps := func(packages ...string) []string {
		t.Helper()
		args := append([]string{"list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}"}, packages...)
		var stderr bytes.Buffer
		cmd := exec.Command(goTool, args...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, &stderr)
		}
		list := strings.Fields(string(out))
		slices.Sort(list)
		return list
	}
	for _, p := range deps("./...") {
		if !strings.HasPrefix(p, "github.com/ksdispatch/ksdispatch/engine") && p != "github.com/cespare/xxhash/v2" {
			t.Errorf("engine/... imports %s", p)
		}
	}
	// The dispatcher itself carries less than its siblings do, and no test's dependency.
	compareGolden(t, "deps.txt", strings.Join(deps(".", "./device"), "\n")+"\n")
}
