package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEvents(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `enable: STATUS_SUCCESS
change 1
change 2
change 3
disable: STATUS_SUCCESS
disable: STATUS_UNSUCCESSFUL
`, out.String())
}
