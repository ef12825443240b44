package exec

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPins asks filters that a manifest describes about their pins and nodes. The outcomes were made by another reading of the rules
// than this project's, and agree with it.
func TestPins(t *testing.T) {
	requests, err := os.ReadFile("testdata/pins.jsonl")
	require.NoError(t, err)
	got, malformed := run(t, session(t, "testdata/pins.json", Options{Explain: true}), string(requests))
	require.Zero(t, malformed)
	if *rewrite {
		require.NoError(t, os.WriteFile("testdata/pins-expected.jsonl", []byte(got), 0o666))
	}
	want, err := os.ReadFile("testdata/pins-expected.jsonl")
	require.NoError(t, err)
	expect(t, string(requests), string(want), got)
}
