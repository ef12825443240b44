package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSysCaches(t *testing.T) {
	dir := t.TempDir()
	for i, c := range [][3]string{{"1", "Data", "48K"}, {"1", "Instruction", "32K"}, {"2", "Unified", "1024K"}, {"3", "Unified", "98304"},
		{"4", "Unified", "0K"}} {
		index := filepath.Join(dir, fmt.Sprintf("index%d", i))
		require.NoError(t, os.Mkdir(index, 0o777))
		for j, name := range []string{"level", "type", "size"} {
			require.NoError(t, os.WriteFile(filepath.Join(index, name), []byte(c[j]+"\n"), 0o666))
		}
	}
	require.Equal(t, "[{L1d 49152} {L2 1048576} {L3 98304}]", fmt.Sprint(sysCaches(dir)))
	require.Empty(t, sysCaches(filepath.Join(dir, "none")))
}

// Whatever the machine says, levels grow.
func TestCachesGrow(t *testing.T) {
	last := 0
	for _, c := range Caches() {
		require.Greater(t, c.Bytes, last, c.Name)
		last = c.Bytes
	}
}
