package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCamera(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `range: STATUS_SUCCESS, 92 bytes
true -64 64 1
default: STATUS_SUCCESS, 60 bytes
set: STATUS_SUCCESS, 0 bytes
set: STATUS_INVALID_PARAMETER, 0 bytes
get: STATUS_SUCCESS, 40 bytes
brightness 10
enable: STATUS_SUCCESS, 0 bytes
size: STATUS_BUFFER_OVERFLOW, 40 bytes
focus: STATUS_SUCCESS, 0 bytes
again: STATUS_DEVICE_BUSY, 0 bytes
state: STATUS_SUCCESS, 40 bytes
STATUS_PENDING, mode 0x2
state: STATUS_SUCCESS, 40 bytes
STATUS_SUCCESS, mode 0x80
`, out.String())
}
