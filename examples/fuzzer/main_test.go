package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Both faults are found, brought down to what shows them, and saved as traces that show them again.
func TestFaultsAreFoundAndMinimized(t *testing.T) {
	var out strings.Builder
	found := filepath.Join(t.TempDir(), "found")
	require.NoError(t, run(&out, 5000, 1, found))
	require.Contains(t, out.String(), "5000 rounds, 2 faults")
	lengths := map[string]int{}
	for i := range 2 {
		data, err := os.ReadFile(fmt.Sprintf("%s-%d.kst", found, i+1))
		require.NoError(t, err)
		list, err := requests(data)
		require.NoError(t, err)
		name := fault(list)
		lengths[name[:strings.Index(name, ":")]] = len(list)
	}
	require.Equal(t, map[string]int{"(*equalizer).setBands": 1, "(*equalizer).getLevel": 4}, lengths)
}

// What the client itself sends is no fault.
func TestTheClientMakesNoMistake(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out, 0, 1, ""))
	require.Equal(t, "0 rounds, 0 faults\n", out.String())
}
