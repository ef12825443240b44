package exec

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMethods answers requests for methods whose outcomes were read against the rules before they were committed.
func TestMethods(t *testing.T) {
	requests, err := os.ReadFile("testdata/methods.jsonl")
	require.NoError(t, err)
	got, malformed := run(t, session(t, "testdata/methods.json", Options{Explain: true}), string(requests))
	require.Zero(t, malformed)
	if *rewrite {
		require.NoError(t, os.WriteFile("testdata/methods-expected.jsonl", []byte(got), 0o666))
	}
	want, err := os.ReadFile("testdata/methods-expected.jsonl")
	require.NoError(t, err)
	expect(t, string(requests), string(want), got)
}
