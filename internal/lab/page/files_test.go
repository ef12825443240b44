package page

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A folder without reports is named.
func TestReadFilesNamesTheFolder(t *testing.T) {
	dir := t.TempDir()
	_, _, err := ReadFiles(t.Context(), []string{dir})
	require.ErrorIs(t, err, ErrNoReport)
	require.ErrorContains(t, err, dir+": no report to show")
}
