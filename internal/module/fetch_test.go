package module

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const root = "../.."

// Go refuses a whole module, on every system, for one file whose name some system cannot have: a device of Windows such as NUL, or
// names that differ in case only. CheckDir passes over the modules within a module, so each is looked at by itself.
func TestEveryFileCanBeFetched(t *testing.T) {
	modules := []string{root, filepath.Join(root, "bench", "peers"), filepath.Join(root, "internal", "lab", "browser"),
		filepath.Join(root, "fleet")}
	for _, dir := range modules {
		require.NoError(t, unfetchable(t, dir), dir)
	}
	// Negative control.
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "testdata"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/reserved\n"), 0o666))
	require.NoError(t, unfetchable(t, dir))
	if runtime.GOOS != "windows" { // which has no such files
		require.NoError(t, os.WriteFile(filepath.Join(dir, "testdata", "nul"), nil, 0o666))
		require.ErrorContains(t, unfetchable(t, dir), `"nul" disallowed`)
	}
}

func unfetchable(t *testing.T, dir string) error {
	t.Helper()
	checked, err := zip.CheckDir(dir)
	require.NotEmpty(t, checked.Valid, dir)
	if err == nil {
		err = checked.Err()
	}
	return err
}

// The README's program, in a module of its own that gets this one from a proxy as anybody would, builds and prints what
// Example of package engine says.
func TestReadmeBuildsAgainstTheFetchedModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds in a module cache of its own")
	}
	version := module.Version{Path: "github.com/ksdispatch/ksdispatch", Version: "v0.0.1"}
	proxy, user := publish(t, version), t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(user, name), []byte(text), 0o666))
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum")) // so that no dependency's checksum is asked of a server
	require.NoError(t, err)
	write("go.mod", "module example.com/user\n\ngo 1.26.0\n")
	write("go.sum", string(sums))
	write("main.go", program(t))

	// A cache of its own, since a version is fetched once; dependencies come from the user's, then from the user's proxies.
	// The build cache stays the user's.
	ambient := strings.Fields(run(t, user, nil, "env", "GOMODCACHE", "GOPROXY"))
	require.Len(t, ambient, 2)
	proxies := []string{fileURL(proxy), fileURL(filepath.Join(ambient[0], "cache", "download")), ambient[1]}
	env := []string{"GOMODCACHE=" + filepath.Join(t.TempDir(), "mod"), "GOPROXY=" + strings.Join(proxies, ","), "GOFLAGS=-modcacherw",
		"GONOSUMDB=" + version.Path, "GONOPROXY=none", "GOPRIVATE=", "GOWORK=off"}
	run(t, user, env, "get", version.String())
	require.Equal(t, "0 STATUS_SUCCESS\n4 STATUS_SUCCESS -6 dB\n", run(t, user, env, "run", "."))
	// Negative control: the program was built against what was fetched, and not against the tree.
	require.Contains(t, run(t, user, env, "list", "-m", "-f", "{{.Version}} {{.Replace}}", version.Path), version.Version+" <nil>")
}

// publish makes the folder of a proxy that has one version of this module.
func publish(t *testing.T, version module.Version) string {
	t.Helper()
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(version.Path), "@v")
	require.NoError(t, os.MkdirAll(dir, 0o777))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"list":                    version.Version + "\n",
		version.Version + ".info": `{"Version":"` + version.Version + `"}`,
		version.Version + ".mod":  string(mod),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
	}
	f, err := os.Create(filepath.Join(dir, version.Version+".zip"))
	require.NoError(t, err)
	require.NoError(t, zip.CreateFromDir(f, version, root))
	require.NoError(t, f.Close())
	return proxy
}

// program is the Go of README.md with what the page leaves out around it.
func program(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	_, rest, begun := strings.Cut(string(readme), "```go\n")
	body, _, ended := strings.Cut(rest, "```\n")
	require.True(t, begun && ended, "README.md has no block of Go")
	return `package main

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

func main() {
` + body + "}\n"
}

func fileURL(path string) string {
	path = filepath.ToSlash(path)
	return "file://" + strings.Repeat("/", 1-strings.Count(path[:1], "/")) + path // file:///C:/x on Windows
}

// run calls the go command and returns what it prints.
func run(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	text, err := cmd.Output()
	require.NoError(t, err, "go %s: %s", strings.Join(args, " "), &errs)
	return string(text)
}
