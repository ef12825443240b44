package traffic

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// Files are lent as they are, and read as one; what lies in two of them is only read.
func TestParts(t *testing.T) {
	var p parts
	size := int64(0)
	for _, text := range []string{"0123", "", "456789"} {
		path := filepath.Join(t.TempDir(), "part")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		m, err := openMapped(path)
		require.NoError(t, err)
		require.Equal(t, len(text), m.Len())
		p = append(p, part{m, size})
		size += int64(len(text))
	}
	f := File{parts: p}
	const whole = "0123456789"
	for from := range whole {
		for to := from + 1; to <= len(whole); to++ {
			b := make([]byte, to-from)
			n, err := p.ReadAt(b, int64(from))
			require.NoError(t, err)
			require.Equal(t, whole[from:to], string(b[:n]))
			if lent := p.Slice(int64(from), to-from); from < 4 && to > 4 {
				require.Nil(t, lent)
			} else if lent != nil { // nowhere but on Unix
				require.Equal(t, whole[from:to], string(lent))
			}
		}
	}
	require.Nil(t, p.Slice(-1, 1))
	require.Nil(t, p.Slice(9, 2))
	_, err := p.ReadAt(make([]byte, 2), 9)
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, f.Close())
}

func TestOpenFaults(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.kst")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err := Open(empty)
	require.ErrorAs(t, err, new(*trace.BlockError))
	_, err = Open(empty + "s")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(t.TempDir())
	require.ErrorContains(t, err, "is no file")
}
