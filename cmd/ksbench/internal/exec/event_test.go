package exec

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEvents answers requests for events whose outcomes were read against the rules before they were committed.
func TestEvents(t *testing.T) {
	requests, err := os.ReadFile("testdata/events.jsonl")
	require.NoError(t, err)
	got, malformed := run(t, session(t, "testdata/events.json", Options{Explain: true}), string(requests))
	require.Zero(t, malformed)
	if *rewrite {
		require.NoError(t, os.WriteFile("testdata/events-expected.jsonl", []byte(got), 0o666))
	}
	want, err := os.ReadFile("testdata/events-expected.jsonl")
	require.NoError(t, err)
	expect(t, string(requests), string(want), got)
}
