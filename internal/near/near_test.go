package near

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHint(t *testing.T) {
	known := []string{"run", "gate", "compare", "report", "KSPROPSETID_Audio"}
	for _, c := range []struct{ word, want string }{
		{"comapre", "; did you mean compare?"},
		{"rnu", "; did you mean run?"},
		{"gat", "; did you mean gate?"},
		{"REPORT", "; did you mean report?"},
		{"KSPROPSETID_Adio", "; did you mean KSPROPSETID_Audio?"},
		{"ksproperty", ""},
		{"", ""},
		{"xyz", ""},
	} {
		require.Equal(t, c.want, Hint(c.word, slices.Values(known)), c.word)
	}
	require.Equal(t, "; did you mean cat or hat?", Hint("bat", slices.Values([]string{"hat", "cat", "dog"})))
	require.Empty(t, Hint("bat", slices.Values([]string{"hat", "cat", "mat", "rat", "sat"})))
}
