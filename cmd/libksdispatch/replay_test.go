package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

// requestLines asks for every property of a driver's objects in each way that has another answer.
func requestLines(t *testing.T, driver string) string {
	m, err := drivers.Load(driver)
	require.NoError(t, err)
	var lines strings.Builder
	for _, o := range m.Objects {
		for _, set := range o.PropertySets {
			for _, item := range set.Items {
				for _, flags := range []uint32{ks.PropertyTypeGet, ks.PropertyTypeSet, ks.PropertyTypeBasicSupport, 0x12345} {
					for _, out := range []int{0, 1, 4, 100} {
						fmt.Fprintf(&lines, `{"object":%q,"set":"%v","id":%d,"flags":%d,"out":%d,"extra":"%016x","data":"%s"}`+"\n",
							o.Name, set.Set, item.ID, flags, out, out, strings.Repeat("5a", out/2))
					}
				}
			}
		}
	}
	return lines.String()
}

// A client in C gets what exec answers to the same lines.
func TestReplay(t *testing.T) {
	program := compile(t, "replay")
	ksbench := filepath.Join(t.TempDir(), "ksbench")
	run(t, nil, "go", "build", "-o", ksbench, "../ksbench")
	for _, driver := range []string{"wds-sysvad", "wds-avscamera", "wdk81-ac97"} {
		t.Run(driver, func(t *testing.T) {
			lines := requestLines(t, driver)
			file := filepath.Join("../../engine/manifest/drivers/data", driver+".json")
			want := answers(t, lines, ksbench, "exec", "--manifest", file)
			require.Greater(t, len(want), 100)
			require.Equal(t, want, answers(t, lines, program, file))
		})
	}
}

// So it does with handles that are opened and closed, pins that are created, and the sessions of a real host.
func TestReplayObjects(t *testing.T) {
	program := compile(t, "replay")
	const dir = "../ksbench/internal/exec/testdata/objects/"
	for _, name := range []string{"connection", "create", "pinset", "portaudio-wavecyclic", "portaudio-wavert"} {
		t.Run(name, func(t *testing.T) {
			lines, err := os.ReadFile(dir + name + "-requests.jsonl")
			require.NoError(t, err)
			expected, err := os.ReadFile(dir + name + "-expected.jsonl")
			require.NoError(t, err)
			want := outcomes(t, expected)
			require.Greater(t, len(want), 40)
			require.Equal(t, want, answers(t, string(lines), program, dir+name+"-manifest.json"))
		})
	}
}

// seen is what a client sees of an outcome.
type seen struct {
	Status, Output string
	Returned       uint32 `json:"bytes_returned"`
	Win32          uint32
}

// answers runs a program on lines and returns the outcomes.
func answers(t *testing.T, lines, name string, args ...string) []seen {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(lines), os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	return outcomes(t, out)
}

// outcomes reads outcome lines.
func outcomes(t *testing.T, lines []byte) (all []seen) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var s seen
		require.NoError(t, json.Unmarshal(line, &s))
		all = append(all, s)
	}
	return all
}
