package main

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// tool returns the path of a program, or skips the test.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("the C library is not tested here: there is no %s", name)
	}
	return path
}

func run(t testing.TB, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), "%s %q\n%s", name, args, &out)
	return out.String()
}

var built struct {
	once sync.Once
	dir  string
	err  error
	out  []byte
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// library builds the shared library once and returns its directory.
func library(t testing.TB) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the C library is tested on Linux, and on Windows by CI")
	}
	tool(t, "gcc")
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "libksdispatch"); built.err == nil {
			cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", filepath.Join(built.dir, "libksdispatch.so"), ".")
			cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
			built.out, built.err = cmd.CombinedOutput()
		}
	})
	require.NoError(t, built.err, "%s", built.out)
	return built.dir
}

// strict is how C is compiled.
var strict = []string{"-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-O1", "-I."}

// compile compiles a program of testdata with the library and returns its path.
func compile(t testing.TB, name string, flags ...string) string {
	t.Helper()
	lib := library(t)
	path := filepath.Join(t.TempDir(), name)
	args := slices.Concat([]string{"-std=c99"}, strict, flags,
		[]string{"testdata/" + name + ".c", "-o", path, "-L" + lib, "-lksdispatch", "-pthread", "-Wl,-rpath," + lib})
	run(t, nil, "gcc", args...)
	return path
}

// programs of testdata, with their arguments; the name of a new file follows. Each checks itself.
var programs = [][]string{{"handlers"}, {"pending", "2000"}, {"async", "2000"}, {"pins"}, {"swap"}, {"events"}, {"watch"}, {"contexts"},
	{"misuse", "2000"}, {"version1"}, {"cost", "1"}}

func TestPrograms(t *testing.T) {
	for _, program := range programs {
		t.Run(program[0], func(t *testing.T) {
			path := compile(t, program[0])
			for _, debug := range []string{"cgocheck=1", "cgocheck=1,asyncpreemptoff=1,invalidptr=1"} {
				run(t, []string{"GODEBUG=" + debug, "GOGC=5"}, path, append(program[1:len(program):len(program)], filepath.Join(t.TempDir(), "new"))...)
			}
		})
	}
}

// The programs under what checks memory, undefined behaviour, threads on C's side and on Go's, and the rules of cgo. It builds the
// library for most of them: KSDISPATCH_C=all asks for it.
func TestCheckedPrograms(t *testing.T) {
	if os.Getenv("KSDISPATCH_C") != "all" {
		t.Skip("KSDISPATCH_C=all runs the programs under the sanitizers")
	}
	plain := library(t)
	shared, memory := []string{"-buildmode=c-shared"}, []string{"-fsanitize=address,undefined", "-fno-sanitize-recover=all"}
	checked := []string{"CGO_CFLAGS=-O1 -g -fsanitize=thread", "CGO_LDFLAGS=-fsanitize=thread"}
	for _, variant := range []struct {
		name      string
		compiler  string   // gcc unless it says so
		build     []string // of the library; nil for the one that is there
		buildEnv  []string
		compile   []string
		addresses bool // are to be the same in each run: this checker cannot do with others
	}{
		{name: "address", compile: memory},
		{name: "clang", compiler: "clang", build: shared, buildEnv: []string{"CC=clang"}, compile: memory},
		{name: "thread", build: shared, compile: []string{"-fsanitize=thread"}, addresses: true, buildEnv: checked},
		{name: "race", build: []string{"-buildmode=c-archive", "-race"}, compile: []string{"-no-pie"}},
		{name: "cgocheck2", build: shared, buildEnv: []string{"GOEXPERIMENT=cgocheck2"}},
	} {
		t.Run(variant.name, func(t *testing.T) {
			compiler := tool(t, cmp.Or(variant.compiler, "gcc"))
			lib := []string{"-L" + plain, "-lksdispatch", "-Wl,-rpath," + plain}
			if variant.build != nil {
				dir := t.TempDir()
				file, flags := "libksdispatch.so", []string{"-L" + dir, "-lksdispatch", "-Wl,-rpath," + dir}
				if slices.Contains(variant.build, "-buildmode=c-archive") {
					file = "libksdispatch.a"
					flags = []string{filepath.Join(dir, file), "-lm", "-ldl"}
				}
				lib = flags
				run(t, append(variant.buildEnv, "CGO_ENABLED=1"), "go",
					slices.Concat([]string{"build"}, variant.build, []string{"-o", filepath.Join(dir, file), "."})...)
			}
			for _, program := range programs {
				path := filepath.Join(t.TempDir(), program[0])
				run(t, nil, compiler, slices.Concat([]string{"-std=c99"}, strict, variant.compile,
					[]string{"testdata/" + program[0] + ".c", "-o", path, "-pthread"}, lib)...)
				command := slices.Concat([]string{path}, program[1:], []string{filepath.Join(t.TempDir(), "new")})
				if variant.addresses {
					command = append([]string{tool(t, "setarch"), "-R"}, command...)
				}
				run(t, nil, command[0], command[1:]...)
			}
		})
	}
}

// A request allocates nothing on Go's heap, whether its handler answers or leaves it pending: many requests have the collector run as
// often as few. One object of 16 bytes a request would have it run ten times more.
func TestAllocations(t *testing.T) {
	collections := func(program string, args ...string) int {
		out := run(t, []string{"GODEBUG=gctrace=1", "GOGC=5"}, program, args...)
		return len(regexp.MustCompile(`(?m)^gc \d+ @`).FindAllString(out, -1))
	}
	for _, program := range [][]string{{"cost", "1", "16"}, {"pending", "1000", "40000"}} {
		path := compile(t, program[0])
		require.LessOrEqual(t, collections(path, program[2]), collections(path, program[1])+5, program[0])
	}
	require.Greater(t, collections(compile(t, "misuse"), "2000"), 15, "what allocates is seen")
}

// The checks of the programs see faults: with a library whose answers are others a program fails.
func TestProgramsFail(t *testing.T) {
	lib := library(t)
	path := filepath.Join(t.TempDir(), "handlers")
	source, err := os.ReadFile("testdata/handlers.c")
	require.NoError(t, err)
	wrong := bytes.Replace(source, []byte("stored = 7;"), []byte("stored = 8;"), 1)
	require.NotEqual(t, source, wrong)
	file := filepath.Join(t.TempDir(), "handlers.c")
	require.NoError(t, os.WriteFile(file, wrong, 0o600))
	run(t, nil, "gcc", "-I.", "-Itestdata", file, "-o", path, "-L"+lib, "-lksdispatch", "-Wl,-rpath,"+lib)
	require.Error(t, exec.Command(path).Run())
}

// The header is C99 and C++, with every warning an error, alone and included twice.
func TestHeader(t *testing.T) {
	for _, compiler := range [][]string{{"gcc", "-x", "c", "-std=c99"}, {"gcc", "-x", "c", "-std=c17"}, {"g++", "-x", "c++", "-std=c++11"},
		{"clang", "-x", "c", "-std=c99"}, {"clang++", "-x", "c++", "-std=c++17"}} {
		t.Run(strings.Join(compiler, " "), func(t *testing.T) {
			path := tool(t, compiler[0])
			file := filepath.Join(t.TempDir(), "include")
			require.NoError(t, os.WriteFile(file, []byte("#include \"ksdispatch.h\"\n#include \"ksdispatch.h\"\n"), 0o600))
			run(t, nil, path, slices.Concat(compiler[1:], strict, []string{"-fsyntax-only", file})...)
		})
	}
}

// declaredFunctions returns the functions of the header, in order.
func declaredFunctions(t *testing.T) (names []string) {
	t.Helper()
	header, err := os.ReadFile("ksdispatch.h")
	require.NoError(t, err)
	for _, m := range prototypes.FindAllSubmatch(header, -1) {
		names = append(names, string(m[1]))
	}
	slices.Sort(names)
	require.Greater(t, len(names), 12)
	return names
}

var prototypes = regexp.MustCompile(`(?m)^KSD_API [^;]*?\b(ksd_\w+)\(`)

// The library that make builds exports what the header declares, and nothing else.
func TestExports(t *testing.T) {
	library(t)
	nm, mk := tool(t, "nm"), tool(t, "make")
	out := t.TempDir()
	run(t, nil, mk, "-s", "OUT="+out, "PREFIX="+filepath.Join(out, "installed"), "install")
	var got []string
	for line := range strings.Lines(run(t, nil, nm, "-D", "--defined-only", filepath.Join(out, "installed/lib/libksdispatch.so"))) {
		got = append(got, strings.Fields(line)[2])
	}
	slices.Sort(got)
	require.Equal(t, declaredFunctions(t), got)

	// What was installed serves a program that knows nothing but pkg-config.
	t.Run("pkg-config", func(t *testing.T) {
		pkg := tool(t, "pkg-config")
		env := []string{"PKG_CONFIG_PATH=" + filepath.Join(out, "installed/lib/pkgconfig")}
		flags := strings.Fields(run(t, env, pkg, "--cflags", "--libs", "ksdispatch"))
		program := filepath.Join(out, "handlers")
		run(t, nil, "gcc", append([]string{"testdata/handlers.c", "-o", program}, flags...)...)
		run(t, []string{"LD_LIBRARY_PATH=" + filepath.Join(out, "installed/lib")}, program)
	})
	t.Run("static", func(t *testing.T) {
		program := filepath.Join(out, "static")
		run(t, nil, "gcc", "-I.", "testdata/handlers.c", "-o", program, filepath.Join(out, "installed/lib/libksdispatch.a"), "-pthread")
		run(t, nil, program)
	})
}

// So does the library for Windows.
func TestExportsWindows(t *testing.T) {
	library(t)
	const prefix = "x86_64-w64-mingw32-"
	tool(t, prefix+"gcc")
	objdump, mk := tool(t, prefix+"objdump"), tool(t, "make")
	out := t.TempDir()
	run(t, nil, mk, "-s", "CC="+prefix+"gcc", "OUT="+out, "windows")
	_, table, found := strings.Cut(run(t, nil, objdump, "-p", filepath.Join(out, "ksdispatch.dll")), "[Ordinal/Name Pointer] Table")
	require.True(t, found)
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^\s*\[ *\d+\].* (\w+)$`).FindAllStringSubmatch(table, -1) {
		got = append(got, m[1])
	}
	slices.Sort(got)
	require.Equal(t, declaredFunctions(t), got)
}
