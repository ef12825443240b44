package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMicrophone(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `enable: STATUS_SUCCESS, 0 bytes
mute: STATUS_SUCCESS, 0 bytes
jack: STATUS_BUFFER_OVERFLOW, 36 bytes
reset: STATUS_SUCCESS, 0 bytes
samples: STATUS_PENDING
samples: STATUS_PENDING
delivered: STATUS_SUCCESS, "8 bytes!"
gain: STATUS_NOT_FOUND, 0 bytes
swap: 1 added, 0 removed
gain: STATUS_SUCCESS, 4 bytes
pins: STATUS_SUCCESS, 4 bytes
there are 2
closed: STATUS_CANCELLED
volume 0
mute 1
samples 2
gain 1
jack 1
reset 1
`, out.String())
}
