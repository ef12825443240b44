package resident

import (
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

var kept []byte

// What is written to becomes resident, by either way to ask.
func TestBytes(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("this system does not say what is resident")
	}
	const size = 64 << 20
	kept = nil
	debug.FreeOSMemory()
	exact, count := Bytes(), counted()
	require.Positive(t, exact)
	require.Positive(t, count)
	kept = make([]byte, size)
	for i := 0; i < size; i += 4096 {
		kept[i] = 1
	}
	require.Greater(t, Bytes()-exact, size*3/4) // the race detector needs more
	require.Greater(t, counted()-count, size*3/4)
}
