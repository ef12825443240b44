package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVolume(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out, []string{"-6", "-12.3", "3", "-96"}))
	require.Equal(t, `an empty buffer: STATUS_BUFFER_OVERFLOW, 4 bytes needed
set -6 dB: STATUS_SUCCESS; the level is -6 dB
set -12.3 dB: STATUS_INVALID_PARAMETER; the level is -6 dB
set 3 dB: STATUS_INVALID_PARAMETER; the level is -6 dB
set -96 dB: STATUS_SUCCESS; the level is -96 dB
`, out.String())
	require.ErrorContains(t, run(io.Discard, []string{"loud"}), `level "loud"`)
}
