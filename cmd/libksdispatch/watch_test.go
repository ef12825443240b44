package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// What a program records can be read, and has what it asked: nothing of a handle that was open before.
func TestTrace(t *testing.T) {
	program := compile(t, "watch")
	path := filepath.Join(t.TempDir(), "driver.kst")
	run(t, nil, program, path)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	r, err := trace.NewReader(f, info.Size(), path)
	require.NoError(t, err)
	require.NoError(t, r.Torn())
	require.Len(t, r.Header().Sources, 1)
	require.Equal(t, "wds-sysvad", r.Header().Sources[0].Name)
	kinds, statuses, pended := make(map[trace.Kind]int), make(map[ks.Status]int), 0
	for rec, err := range r.Records() {
		require.NoError(t, err)
		kinds[rec.Kind]++
		if rec.Kind == trace.KindRequest {
			statuses[rec.Status]++
			if rec.Flags&trace.FlagPended != 0 {
				pended++
			}
		}
	}
	require.Equal(t, map[trace.Kind]int{trace.KindOpen: 2, trace.KindRequest: 12, trace.KindCreate: 2, trace.KindCancel: 1,
		trace.KindGenerate: 1, trace.KindClose: 2}, kinds) // a lane, and a pin that was refused
	require.Equal(t, map[ks.Status]int{ks.StatusNotFound: 10, ks.StatusSuccess: 1, ks.StatusCancelled: 1}, statuses)
	require.Equal(t, 2, pended)
}
