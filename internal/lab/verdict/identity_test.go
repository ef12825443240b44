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
	const split = " has figures of more than one goarch: amd64, 386; split it"
	const both = "X goarch=amd64 regressed, X goarch=386 same; old" + split + "; new" + split
	// Wanted are what became of each, what is gone and added, and why times do not compare.
	for _, c := range []struct{ name, old, new, want string }{
		{"packages of one last element", "x/m/a X-4 100; x/n/a X-4 900", "x/m/a X-4 400; x/n/a X-4 900", "m/a.X regressed, n/a.X same"},
		{"modules of one major version", "a/p/v2 X-4 100; a/q/v2 X-4 900", "a/q/v2 X-4 900; a/p/v2 X-4 400", "q/v2.X same, p/v2.X regressed"},
		{"a package that comes", "m/a X-4 100", "m/a X-4 150; m/b X-4 100", "a.X regressed, +b.X"},
		{"a package that goes", "m/a X-4 100; m/b X-4 100", "m/b X-4 150", "b.X regressed, -a.X"},
		{"a package of the same last element that comes", "m/a X-4 100", "n/a X-4 100; m/a X-4 150", "m/a.X regressed, +n/a.X"},
		{"no package, and one", "- X-4 100", "m/a X-4 150", "X regressed"},
		{"no package before one", "- X-4 100; m/a X-4 300", "- X-4 150; m/a X-4 300", "X regressed, a.X same"},
		{"-cpu 1,2 then 1,2,4", "m X 100; m X-2 60", "m X 150; m X-2 60; m X-4 40", "X regressed, X-2 same, +X-4"},
		{"-cpu 4 then 4,8", "m X-4 100", "m X-4 150; m X-8 60", "X-4 regressed, +X-8"},
		{"-cpu 4,8 then 8", "m X-4 150; m X-8 60", "m X-8 90", "X-8 regressed, -X-4"},
		{"-cpu 1 then 1,4", "m X 100", "m X 150; m X-4 60", "X regressed, +X-4"},
		{"a number in a name, one CPU", "m X 100", "m X 150; m Y/size-64 60", "X regressed, +Y/size-64"},
		{"a number in a name that goes, one CPU", "m X 100; m Y/size-64 60", "m X 150", "X regressed, -Y/size-64"},
		{"sizes, one CPU", "m X/size-100 100", "m X/size-100 150; m X/size-200 60", "X/size-100 regressed, +X/size-200"},
		{"sizes, eight CPUs", "m X/size-100-8 100", "m X/size-100-8 150; m X/size-200-8 60", "X/size-100 regressed, +X/size-200"},
		{"-1 in a name", "m S/Add 50; m S/Add-1 100", "m S/Add 50; m S/Add-1 150", "S/Add same, S/Add-1 regressed"},
		{"another GOMAXPROCS", "m X-4 100; m Y-4 100", "m X-8 150; m Y-8 100", "X regressed, Y same; GOMAXPROCS: 4, now 8"},
		{"one CPU, then several", "m X 100; m Y/n-64 100", "m X-8 150; m Y/n-64-8 100", "X regressed, Y/n-64 same; GOMAXPROCS: 1, now 8"},
		{"several CPUs, then one", "m X/size-64-8 100", "m X/size-64 150", "X/size-64 regressed; GOMAXPROCS: 8, now 1"},
		{"a name like another", "m X-8 100; m Y-8 100", "m X 150; m Y 100; m X-8 500", "X regressed, Y same, +X-8; GOMAXPROCS: 8, now 1"},
		{"configuration within a side", "n: a; m X-4 100; n: b; m X-4 900", "n: a; m X-4 400; n: b; m X-4 900", "X n=a regressed, X n=b same"},
		{"configuration that goes", "note: a; m X-4 100; note: b; m X-4 900", "note: b; m X-4 1400", "X note=b regressed, -X note=a"},
		{"configuration that begins later", "m X-4 100; n: b; m X-4 900", "m X-4 100; n: b; m X-4 1400", "X n=nothing same, X n=b regressed"},
		{"configuration of packages", "n: a; m/a X-4 100; n: b; m/b X-4 900", "n: a; m/a X-4 400; n: b; m/b X-4 900", "a.X regressed, b.X same"},
		{"a time of each package", "at: 1; m/a X-4 100; at: 2; m/b X-4 900", "at: 3; m/a X-4 400; at: 4; m/b X-4 900", "a.X regressed, b.X same"},
		{"a commit", "commit: 1; m X-4 100", "commit: 2; m X-4 150", "X regressed"},
		{"two architectures", "m X-4 100; goarch: 386; m X-4 900", "m X-4 150; goarch: 386; m X-4 900", both},
	} {
		t.Run(c.name, func(t *testing.T) {
			side := func(name, lines string) *Measurements {
				m, err := ReadGoBench(strings.NewReader(text(strings.Split(lines, "; ")...)), name, nil)
				require.NoError(t, err)
				return m
			}
			old, new := side("old", c.old), side("new", c.new)
			compared, err := New(old, new, Options{})
			require.NoError(t, err)
			var got []string
			for _, r := range compared.Rows {
				got = append(got, r.Name+" "+string(r.Verdict))
			}
			for _, name := range compared.OnlyOld {
				got = append(got, "-"+strings.TrimSuffix(name, " ns/op"))
			}
			for _, name := range compared.OnlyNew {
				got = append(got, "+"+strings.TrimSuffix(name, " ns/op"))
			}
			reasons := Incomparable(old, new)
			require.Equal(t, c.want, strings.Join(append([]string{strings.Join(got, ", ")}, reasons...), "; "))
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
