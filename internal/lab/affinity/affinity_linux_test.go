package affinity

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestPin(t *testing.T) {
	var before, pinned, after unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &before))
	cpu := 0
	for !before.IsSet(cpu) {
		cpu++
	}
	release, err := Pin(cpu)
	require.NoError(t, err)
	require.NoError(t, unix.SchedGetaffinity(0, &pinned))
	require.Equal(t, 1, pinned.Count())
	require.True(t, pinned.IsSet(cpu))
	release()
	require.NoError(t, unix.SchedGetaffinity(0, &after))
	require.Equal(t, before.Count(), after.Count())
}

func TestPinToACPUThatIsNotThere(t *testing.T) {
	for _, cpu := range []int{1023, 1 << 30, -1} {
		_, err := Pin(cpu)
		require.ErrorIs(t, err, Err)
	}
}
