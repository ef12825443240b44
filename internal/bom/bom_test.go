package bom

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestSkip(t *testing.T) {
	for text, want := range map[string]string{"": "", "{": "{", "\ufeff": "", "\ufeff{}": "{}", "\ufeff\ufeff{}": "\ufeff{}",
		"\xef\xbb{": "\xef\xbb{", "\xff{": "\xff{"} {
		r, err := Skip(iotest.OneByteReader(strings.NewReader(text)))
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	for _, text := range []string{"\xff\xfe{\x00", "\xfe\xff\x00{"} {
		_, err := Skip(strings.NewReader(text))
		require.ErrorContains(t, err, "is UTF-16; save it as UTF-8")
	}
	r, err := Skip(iotest.ErrReader(io.ErrClosedPipe))
	require.NoError(t, err)
	_, err = r.ReadByte()
	require.ErrorIs(t, err, io.ErrClosedPipe)
}
