package main

import (
	"os"
	"path/filepath"
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
