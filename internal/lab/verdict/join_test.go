package verdict

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/benchtext"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

func join(t *testing.T, texts ...string) (string, []string, error) {
	t.Helper()
	var all []*benchtext.Text
	var names []string
	for i, text := range texts {
		read, err := benchtext.Read(strings.NewReader(text), "file")
		require.NoError(t, err)
		all, names = append(all, read), append(names, string(rune('a'+i)))
	}
	joined, notes, err := Join(all, names)
	if err != nil {
		require.ErrorAs(t, err, new(*report.Unlike))
		return "", nil, err
	}
	var b strings.Builder
	require.NoError(t, joined.Write(&b))
	again, err := benchtext.Read(strings.NewReader(b.String()), "joined")
	require.NoError(t, err)
	require.Equal(t, joined.Results, again.Results)
	return b.String(), notes, nil
}

// What is one benchmark in the texts is one in what they become.
func TestJoin(t *testing.T) {
	joined, notes, err := join(t, "Unit x better=higher\n"+text("at: 1", "m/a X-4 100", "m/b X-4 300"), text("at: 2", "m/b X-4 310"),
		text("at: 3", "m/a X-4 110"))
	require.NoError(t, err)
	require.Equal(t, []string{"left out, as it differs: at: 1, now 2"}, notes)
	require.Contains(t, joined, "Unit x better=higher\n")
	require.NotContains(t, joined, "at:")
	m := read(t, joined)
	require.Len(t, m.Series, 2)
	require.Equal(t, "a.X", m.Series[0].Name)
	require.Len(t, m.Series[0].Values, 20)
	require.Len(t, m.Series[1].Values, 20)

	joined, notes, err = join(t, text("note: a", "m X-4 100", "note: b", "m X-4 200"), text("note: b", "m X-4 210"))
	require.NoError(t, err)
	require.Empty(t, notes)
	m = read(t, joined)
	require.Len(t, m.Series, 2)
	require.Len(t, m.Series[1].Values, 20)

	joined, _, err = join(t, text("- X-4 100"), text("m X-4 110"))
	require.NoError(t, err)
	require.Len(t, read(t, joined).Series, 1)
}

func TestJoinRefuses(t *testing.T) {
	for _, c := range []struct{ a, b, why string }{
		{text("cpu: C", "m X-4 100"), text("cpu: D", "m X-4 100"), "a and b: CPU: C, now D"},
		{text("m X-4 100"), text("m X-8 100"), "a and b: GOMAXPROCS: 4, now 8"},
		{text("m X-4 100"), text("m X-4 100"), "a and b: the same run"},
		{"Unit x better=lower\n" + text("m X-4 100"), "Unit x better=higher\n" + text("m X-4 110"), "unit x: better is lower and higher"},
	} {
		_, _, err := join(t, c.a, c.b)
		require.ErrorContains(t, err, c.why)
	}
}
