package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The volume control is the same in every language.
func TestExamples(t *testing.T) {
	lib := library(t)
	path := filepath.Join(lib, "libksdispatch.so")
	levels := []string{"-6", "-12.5", "3"}
	const want = "-6 dB: STATUS_SUCCESS; the level is -6.00 dB\n" +
		"-12.5 dB: STATUS_SUCCESS; the level is -12.50 dB\n" +
		"3 dB: STATUS_INVALID_PARAMETER; the level is -12.50 dB\n"
	t.Run("cpp", func(t *testing.T) {
		tool(t, "g++")
		program := filepath.Join(t.TempDir(), "volume")
		run(t, nil, "g++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I.", "../../examples/cpp/volume.cpp", "-o", program,
			"-L"+lib, "-lksdispatch", "-Wl,-rpath,"+lib)
		require.Equal(t, want, run(t, nil, program, levels...))
	})
	t.Run("python", func(t *testing.T) {
		tool(t, "python3")
		require.Equal(t, want, run(t, nil, "python3", append([]string{"../../examples/python/volume.py", path}, levels...)...))
	})
	t.Run("rust", func(t *testing.T) {
		tool(t, "cargo")
		env := []string{"KSDISPATCH_LIB=" + lib, "CARGO_TARGET_DIR=" + t.TempDir()}
		if err := os.Symlink(path, filepath.Join(lib, "libksdispatch.so.1")); !os.IsExist(err) {
			require.NoError(t, err)
		}
		args := []string{"run", "--quiet", "--offline", "--locked", "--manifest-path", "../../examples/rust/Cargo.toml", "--"}
		require.Equal(t, want, run(t, env, "cargo", append(args, levels...)...))
	})
}

// The fuzz harness of a driver in C: it finds nothing in the driver, and what is planted there.
func TestFuzzHarness(t *testing.T) {
	lib := library(t)
	source, err := os.ReadFile("../../examples/c/volume.c")
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"the driver":          {},
		"a range that leaks":  {"value < -96 * 65536", "value < -97 * 65536"},
		"a status of its own": {"return KSD_INVALID_PARAMETER;", "return (ksd_status)0xc1234567;"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			driver := strings.Replace(string(source), change[0], change[1], 1)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "volume.c"), []byte(driver), 0o600))
			harness, err := os.ReadFile("../../examples/c/fuzz.c")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "fuzz.c"), harness, 0o600))
			program := filepath.Join(dir, "fuzz")
			run(t, nil, "gcc", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-DLOOP", "-I.", filepath.Join(dir, "fuzz.c"), "-o", program,
				"-L"+lib, "-lksdispatch", "-Wl,-rpath,"+lib)
			out, err := exec.Command(program, "200000").CombinedOutput()
			if change[0] == "" {
				require.NoError(t, err, "%s", out)
			} else {
				require.Error(t, err)
				require.Contains(t, string(out), "not so")
			}
		})
	}
}

// With libFuzzer, as its first lines say, it finds nothing either.
func TestFuzzHarnessLibFuzzer(t *testing.T) {
	lib := library(t)
	clang := tool(t, "clang")
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.c")
	const target = "int LLVMFuzzerTestOneInput(const void *d, unsigned long n);\n" +
		"int LLVMFuzzerTestOneInput(const void *d, unsigned long n) { return d == 0 && n; }\n"
	require.NoError(t, os.WriteFile(empty, []byte(target), 0o600))
	if out, err := exec.Command(clang, "-fsanitize=fuzzer,address", empty, "-o", filepath.Join(dir, "empty")).CombinedOutput(); err != nil {
		t.Skipf("this clang has no libFuzzer: %s", out)
	}
	program := filepath.Join(dir, "fuzz")
	run(t, nil, clang, "-fsanitize=fuzzer,address", "-g", "-I.", "../../examples/c/fuzz.c", "-o", program, "-L"+lib, "-lksdispatch",
		"-Wl,-rpath,"+lib)
	out := run(t, nil, program, "-runs=20000", "-artifact_prefix="+dir+"/")
	require.Contains(t, out, "Done 20000 runs")
}
