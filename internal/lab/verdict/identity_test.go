package verdict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// text is the output of a run of packages: a line is "package name value", and "key: value" is configuration.
func text(lines ...string) string {
	var b strings.Builder
	b.WriteString("goos: linux\ngoarch: amd64\n")
	pkg := ""
	for _, line := range lines {
		f := strings.Fields(line)
		if strings.HasSuffix(f[0], ":") {
			fmt.Fprintln(&b, line)
			continue
		}
		if f[0] != pkg && f[0] != "-" {
			pkg = f[0]
			fmt.Fprintf(&b, "pkg: %s\n", pkg)
		}
		for i := range 10 {
			fmt.Fprintf(&b, "Benchmark%s\t100\t%s.%d ns/op\n", f[1], f[2], i*7%10)
		}
	}
	return b.String() + "PASS\n"
}

func TestAlign(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new []string
		rows     string // "name verdict"
		gone     string
		added    string
		reasons  string // for which times do not compare
	}{
		{name: "packages of one last element", old: []string{"x/m/cache X-4 100", "x/n/cache X-4 900"},
			new: []string{"x/m/cache X-4 400", "x/n/cache X-4 900"}, rows: "m/cache.X regressed, n/cache.X same"},
		{name: "modules of one major version", old: []string{"a.com/p/v2 X-4 100", "a.com/q/v2 X-4 900"},
			new: []string{"a.com/q/v2 X-4 900", "a.com/p/v2 X-4 400"}, rows: "q/v2.X same, p/v2.X regressed"},
		{name: "a package that comes", old: []string{"m/a X-4 100"}, new: []string{"m/a X-4 150", "m/b X-4 100"}, rows: "a.X regressed",
			added: "b.X"},
		{name: "a package that goes", old: []string{"m/a X-4 100", "m/b X-4 100"}, new: []string{"m/b X-4 150"}, rows: "b.X regressed",
			gone: "a.X"},
		{name: "a package of the same last element that comes", old: []string{"m/a X-4 100"}, new: []string{"n/a X-4 100", "m/a X-4 150"},
			rows: "m/a.X regressed", added: "n/a.X"},
		{name: "no package, and one", old: []string{"- X-4 100"}, new: []string{"m/a X-4 150"}, rows: "X regressed"},
		{name: "no package before one", old: []string{"- X-4 100", "m/a X-4 300"}, new: []string{"- X-4 150", "m/a X-4 300"},
			rows: "X regressed, a.X same"},
		{name: "-cpu 1,2 then 1,2,4", old: []string{"m X 100", "m X-2 60"}, new: []string{"m X 150", "m X-2 60", "m X-4 40"},
			rows: "X regressed, X-2 same", added: "X-4"},
		{name: "-cpu 4 then 4,8", old: []string{"m X-4 100"}, new: []string{"m X-4 150", "m X-8 60"}, rows: "X-4 regressed", added: "X-8"},
		{name: "-cpu 4,8 then 8", old: []string{"m X-4 150", "m X-8 60"}, new: []string{"m X-8 90"}, rows: "X-8 regressed", gone: "X-4"},
		{name: "-cpu 1 then 1,4", old: []string{"m X 100"}, new: []string{"m X 150", "m X-4 60"}, rows: "X regressed", added: "X-4"},
		{name: "a number in a name, one CPU", old: []string{"m X 100"}, new: []string{"m X 150", "m Y/size-64 60"}, rows: "X regressed",
			added: "Y/size-64"},
		{name: "a number in a name that goes, one CPU", old: []string{"m X 100", "m Y/size-64 60"}, new: []string{"m X 150"}, rows: "X regressed",
			gone: "Y/size-64"},
		{name: "sizes, one CPU", old: []string{"m X/size-100 100"}, new: []string{"m X/size-100 150", "m X/size-200 60"},
			rows: "X/size-100 regressed", added: "X/size-200"},
		{name: "sizes, eight CPUs", old: []string{"m X/size-100-8 100"}, new: []string{"m X/size-100-8 150", "m X/size-200-8 60"},
			rows: "X/size-100 regressed", added: "X/size-200"},
		{name: "-1 in a name", old: []string{"m S/Add 50", "m S/Add-1 100"}, new: []string{"m S/Add 50", "m S/Add-1 150"},
			rows: "S/Add same, S/Add-1 regressed"},
		{name: "another GOMAXPROCS", old: []string{"m X-4 100", "m Y-4 100"}, new: []string{"m X-8 150", "m Y-8 100"},
			rows: "X regressed, Y same", reasons: "GOMAXPROCS: 4, now 8"},
		{name: "one CPU, then several", old: []string{"m X 100", "m Y/size-64 100"}, new: []string{"m X-8 150", "m Y/size-64-8 100"},
			rows: "X regressed, Y/size-64 same", reasons: "GOMAXPROCS: 1, now 8"},
		{name: "several CPUs, then one", old: []string{"m X/size-64-8 100"}, new: []string{"m X/size-64 150"}, rows: "X/size-64 regressed",
			reasons: "GOMAXPROCS: 8, now 1"},
		{name: "a name that looks like the other GOMAXPROCS", old: []string{"m X-8 100", "m Y-8 100"},
			new: []string{"m X 150", "m Y 100", "m X-8 500"}, rows: "X regressed, Y same", added: "X-8", reasons: "GOMAXPROCS: 8, now 1"},
		{name: "configuration within a side", old: []string{"note: a", "m X-4 100", "note: b", "m X-4 900"},
			new:  []string{"note: a", "m X-4 400", "note: b", "m X-4 900"},
			rows: "X note=a regressed, X note=b same"},
		{name: "configuration that goes", old: []string{"note: a", "m X-4 100", "note: b", "m X-4 900"}, new: []string{"note: b", "m X-4 1400"},
			rows: "X note=b regressed", gone: "X note=a"},
		{name: "configuration that begins within a side", old: []string{"m X-4 100", "note: b", "m X-4 900"},
			new: []string{"m X-4 100", "note: b", "m X-4 1400"}, rows: "X note=nothing same, X note=b regressed"},
		{name: "configuration of packages", old: []string{"note: a", "m/a X-4 100", "note: b", "m/b X-4 900"},
			new:  []string{"note: a", "m/a X-4 400", "note: b", "m/b X-4 900"},
			rows: "a.X regressed, b.X same"},
		{name: "a time of each package", old: []string{"at: 1", "m/a X-4 100", "at: 2", "m/b X-4 900"},
			new:  []string{"at: 3", "m/a X-4 400", "at: 4", "m/b X-4 900"},
			rows: "a.X regressed, b.X same"},
		{name: "a commit", old: []string{"commit: 1", "m X-4 100"}, new: []string{"commit: 2", "m X-4 150"}, rows: "X regressed"},
		{name: "two architectures", old: []string{"m X-4 100", "goarch: arm64", "m X-4 900"},
			new: []string{"m X-4 150", "goarch: arm64", "m X-4 900"}, rows: "X goarch=amd64 regressed, X goarch=arm64 same",
			reasons: "old has figures of more than one goarch: amd64, arm64; split it; new has figures of more than one goarch: amd64, arm64; " +
				"split it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			side := func(name string, lines []string) *Measurements {
				m, err := ReadGoBench(strings.NewReader(text(lines...)), name, nil)
				require.NoError(t, err)
				return m
			}
			old, new := side("old", c.old), side("new", c.new)
			got, err := New(old, new, Options{})
			require.NoError(t, err)
			var rows []string
			for _, r := range got.Rows {
				rows = append(rows, r.Name+" "+string(r.Verdict))
			}
			plain := func(names []string) string { return strings.ReplaceAll(strings.Join(names, ", "), " ns/op", "") }
			require.Equal(t, c.rows, strings.Join(rows, ", "))
			require.Equal(t, c.gone, plain(got.OnlyOld))
			require.Equal(t, c.added, plain(got.OnlyNew))
			require.Equal(t, c.reasons, strings.Join(Incomparable(old, new), "; "))
		})
	}
}

// What is not the same benchmark is not compared, and what differs between the sides alone is said.
func TestAlignNothing(t *testing.T) {
	for _, c := range [][2][]string{
		{{"m/a X-4 100"}, {"m/b X-4 100"}},
		{{"- X-4 100"}, {"m/a X-4 100", "m/b X-4 100"}},
		{{"m X-4 100"}, {"m Y-4 100"}},
		{{"note: a", "m X-4 100", "note: b", "m X-4 200"}, {"note: c", "m X-4 100"}},
	} {
		_, err := New(read(t, text(c[0]...)), read(t, text(c[1]...)), Options{})
		require.ErrorIs(t, err, ErrNothingInCommon, "%v", c)
	}
	c, err := New(read(t, text("note: a", "tip: 1", "m X-4 100")), read(t, text("note: b", "m X-4 100")), Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"the sides differ in more than the code, it may be: note: a, now b; tip: 1, now nothing"}, c.Warnings)
}

// What only looks like configuration can be ignored, and the error says so.
func TestIgnore(t *testing.T) {
	old, new := read(t, text("note: 1", "m X-4 100", "note: 2", "m X-4 110")), read(t, text("note: 3", "m X-4 100", "note: 4", "m X-4 110"))
	_, err := New(old, new, Options{})
	require.ErrorIs(t, err, ErrNothingInCommon)
	require.ErrorContains(t, err, "--ignore note")
	for _, m := range []*Measurements{old, new} {
		m.Ignore([]string{"note"})
		require.Len(t, m.Series, 1)
		require.Len(t, m.Series[0].Values, 20)
	}
	c, err := New(old, new, Options{})
	require.NoError(t, err)
	require.Len(t, c.Rows, 1)
}
