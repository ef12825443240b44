package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bench writes one benchmark's results as go test does.
func bench(b *strings.Builder, rng *rand.Rand, name string, n int, center, sd float64, more ...string) {
	for range n {
		fmt.Fprintf(b, "Benchmark%s-2\t1000\t%.5g ns/op", name, center*math.Exp(sd*rng.NormFloat64()))
		for _, m := range more {
			fmt.Fprintf(b, "\t%s", m)
		}
		b.WriteString("\n")
	}
}

func reading(t *testing.T, b *strings.Builder) *Measurements {
	t.Helper()
	m, err := ReadGoBench(strings.NewReader(b.String()), "file", nil)
	require.NoError(t, err)
	return m
}

// many reads so many benchmarks, each by its factor.
func many(t *testing.T, rng *rand.Rand, rows, n int, sd float64, factor func(row int) float64) *Measurements {
	var b strings.Builder
	for row := range rows {
		bench(&b, rng, fmt.Sprintf("R%d", row), n, 100*factor(row), sd)
	}
	return reading(t, &b)
}

func same(int) float64 { return 1 }

// Of 200 quiet rows one that moved is judged nearly as if it were alone; three samples of others take nothing from it.
func TestRowsThatCannotFailWeakenNone(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 1)) // fixed: what is promised is seldom, and not never
	one := func(row int) float64 {
		if row == 7 {
			return 1.5
		}
		return 1
	}
	c, err := New(many(t, rng, 200, 6, 0.01, same), many(t, rng, 200, 6, 0.01, one), Options{Effect: 0.05})
	require.NoError(t, err)
	require.Equal(t, 1, c.Tested)
	require.Equal(t, Regressed, c.Rows[7].Verdict)
	require.Equal(t, 1, c.Counts[Regressed])

	old, new := many(t, rng, 60, 3, 0.1, same), many(t, rng, 60, 3, 0.1, same)
	var b, d strings.Builder
	bench(&b, rng, "Z", 6, 100, 0.1)
	bench(&d, rng, "Z", 6, 300, 0.1)
	old.Series, new.Series = append(old.Series, reading(t, &b).Series...), append(new.Series, reading(t, &d).Series...)
	c, err = New(old, new, Options{Effect: 0.05})
	require.NoError(t, err)
	require.Equal(t, 1, c.Tested)
	require.Equal(t, Regressed, c.Rows[60].Verdict)
	require.Equal(t, 60, c.Counts[Insufficient])
}

// MB/s is the size by ns/op, and is not tested again; another throughput is.
func TestTwins(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 1)) // fixed: what is promised is seldom, and not never
	side := func(factor float64) *Measurements {
		var b strings.Builder
		for row := range 10 {
			for range 8 {
				ns := 100 * factor * math.Exp(0.03*rng.NormFloat64())
				fmt.Fprintf(&b, "BenchmarkR%d-2\t1000\t%.4g ns/op\t%.2f MB/s\t%.4g hits/s\n", row, ns, 6400/ns, 50*math.Exp(0.1*rng.NormFloat64()))
			}
		}
		return reading(t, &b)
	}
	c, err := New(side(1), side(1.6), Options{Effect: 0.05})
	require.NoError(t, err)
	require.Equal(t, 20, c.Tested, "of 30 rows")
	for _, r := range c.Rows {
		if r.Unit == "MB/s" {
			require.Equal(t, Regressed, r.Verdict)
			require.InDelta(t, 1/1.6-1, *r.Change, 0.05)
		}
	}
}

// What all benchmarks do together is the machine's; what one does beside them, or what few do, is not.
func TestShift(t *testing.T) {
	all := func(by float64) func(int) float64 { return func(int) float64 { return by } }
	for _, c := range []struct {
		name      string
		rows      int
		factor    func(row int) float64
		regressed int
		improved  int
		shift     float64 // 0: none
	}{
		{"nothing", 20, same, 0, 0, 0},
		{"all slower", 20, all(1.1), 0, 0, 0.1},
		{"all slower, and one more than they", 20, func(row int) float64 { return []float64{1.1, 1.5}[min(max(1-row, 0), 1)] }, 1, 0, 0.1},
		{"all faster", 20, all(1 / 1.5), 0, 20, 0},
		{"half of them", 20, func(row int) float64 { return []float64{1, 1.2}[row%2] }, 10, 0, 0},
		{"one", 20, func(row int) float64 { return []float64{1, 1.2}[min(max(1-row, 0), 1)] }, 1, 0, 0},
		{"all of four", 4, all(1.1), 4, 0, 0},
		{"one alone", 1, all(1.3), 1, 0, 0},
		{"four times", 20, all(4), 20, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(16, 1)) // fixed: what is promised is seldom, and not never
			got, err := New(many(t, rng, c.rows, 10, 0.01, same), many(t, rng, c.rows, 10, 0.01, c.factor), Options{Effect: 0.05})
			require.NoError(t, err)
			require.Equal(t, c.regressed, got.Counts[Regressed], got.Summary())
			require.Equal(t, c.improved, got.Counts[Improved], got.Summary())
			if c.shift == 0 {
				require.Nil(t, got.Shift)
			} else {
				require.NotNil(t, got.Shift)
				require.InDelta(t, c.shift, *got.Shift, 0.02)
			}
		})
	}
}

func TestCountFloor(t *testing.T) {
	floor := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		unit     string
		old, new float64
		floor    *float64
		want     Verdict
	}{
		{unitAllocs, 0, 1, nil, Regressed},
		{unitAllocs, 1, 0, nil, Improved},
		{unitAllocs, 1000, 1001, nil, Regressed},
		{unitAllocs, 10000, 10001, nil, Same},
		{unitAllocs, 10000, 10001, floor(0), Regressed},
		{unitAllocs, 0, 0.01, nil, Regressed}, // of a report, which counts finer
		{unitBytes, 4096, 4097, nil, Same},
		{unitBytes, 4096, 4104, nil, Regressed},
		{unitBytes, 4096, 4104, floor(0.01), Same},
		{unitBytes, 0, 7, nil, Same},
		{unitBytes, 0, 8, nil, Regressed},
		{unitBytes, 100000, 100008, nil, Same},
		{"bits/key", 2.5, 2.51, nil, Regressed},
		{"bits/key", 2.5, 2.501, nil, Same},
		{"bits/key", 2.5, 2.501, floor(0), Regressed},
	} {
		r := Compare(times(3, c.old), times(3, c.new), Options{Exact: true, CountFloor: c.floor, unit: c.unit})
		require.Equal(t, c.want, r.Verdict, "%+v", c)
		if c.want == Regressed && c.old != 0 {
			require.NotEqual(t, "0.0%", r.change())
		}
	}
}

// Runs that lie apart by themselves are no regression, which one run before and one after would have been. A change beyond is.
func TestBetweenRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 1)) // fixed: what is promised is seldom, and not never
	run := func(factor float64) *Measurements {
		return many(t, rng, 20, 10, 0.005, func(row int) float64 {
			apart := math.Exp(0.04 * rng.NormFloat64())
			if row == 0 {
				return apart * factor
			}
			return apart
		})
	}
	var runs []*Measurements
	for range 5 {
		runs = append(runs, run(1))
	}
	alone, err := New(run(1), run(1), Options{Effect: 0.05})
	require.NoError(t, err)
	require.NotZero(t, alone.Counts[Regressed], "one run knows nothing of others")

	old, err := Together("baseline", runs...)
	require.NoError(t, err)
	c, err := New(old, run(1), Options{Effect: 0.05})
	require.NoError(t, err)
	require.Zero(t, c.Counts[Regressed], c.Summary())
	for _, r := range c.Rows {
		require.Equal(t, testRuns, r.Test)
		require.Equal(t, 50, r.Old.N)
	}
	c, err = New(old, run(1.5), Options{Effect: 0.05})
	require.NoError(t, err)
	require.Equal(t, Regressed, c.Rows[0].Verdict)
	require.Equal(t, 1, c.Counts[Regressed])
}

func TestRunsOfAnotherMachineAreNotTogether(t *testing.T) {
	a, err := ReadGoBench(strings.NewReader("cpu: A\nBenchmarkX-2 1 1 ns/op\n"), "a", nil)
	require.NoError(t, err)
	b, err := ReadGoBench(strings.NewReader("cpu: B\nBenchmarkX-2 1 1 ns/op\n"), "b", nil)
	require.NoError(t, err)
	_, err = Together("main", a, b)
	require.ErrorContains(t, err, "main: runs 1 and 2 are not comparable: CPU: A, now B")
}

// A run that is kept twice would make runs seem to lie closer together. Counts may well be equal.
func TestOneRunIsNotTwo(t *testing.T) {
	read := func(text string) *Measurements {
		t.Helper()
		m, err := ReadGoBench(strings.NewReader(text), "file", nil)
		require.NoError(t, err)
		return m
	}
	const one = "BenchmarkX-2 1 10 ns/op 8 B/op\nBenchmarkX-2 1 11 ns/op 8 B/op\n"
	const other = "BenchmarkX-2 1 11 ns/op 8 B/op\nBenchmarkX-2 1 12 ns/op 8 B/op\n"
	_, err := Together("main", read(one), read(other), read(one))
	require.ErrorContains(t, err, "main: runs 1 and 3 are the same run")
	_, err = Together("main", read(one), read(other))
	require.NoError(t, err)
	_, err = Together("main", read("BenchmarkX-2 1 8 B/op\n"), read("BenchmarkX-2 1 8 B/op\n"))
	require.NoError(t, err)
}

// What is expected of a short series of a process is what simulation finds; that nothing hangs together is found as well.
func TestSerial(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 1)) // fixed: what is promised is seldom, and not never
	for _, phi := range []float64{0, 0.5, 0.8} {
		sum, found, variance, within := 0.0, 0.0, 0.0, 0.0
		const trials, rows, n = 50, 40, 10
		for range trials {
			var series [][]float64
			for range rows {
				v, x, mean := make([]float64, n), rng.NormFloat64(), 0.0
				for i := range v {
					if i > 0 {
						x = phi*x + math.Sqrt(1-phi*phi)*rng.NormFloat64()
					}
					v[i] = x
					mean += x / n
				}
				series = append(series, v)
				sum += autocorrelation(ranks(v)) / trials / rows
				variance += mean * mean / trials / rows
				within += squares(v) / (n - 1) / trials / rows
			}
			found += float64(serialOf(series)) / trials
		}
		m := process(n, phi)
		require.InDelta(t, m.correlation, sum, 0.03)
		require.InDelta(t, phi, found, 0.1)
		require.InEpsilon(t, m.inflation, variance*n/within, 0.2)
	}
}

// Gamma's derivatives at points where they are known.
func TestGammaDerivatives(t *testing.T) {
	const euler = 0.57721566490153286
	require.InDelta(t, -euler, digamma(1), 1e-9)
	require.InDelta(t, -euler-2*math.Ln2, digamma(0.5), 1e-9)
	require.InDelta(t, math.Pi*math.Pi/6, trigamma(1), 1e-9)
	require.InDelta(t, math.Pi*math.Pi/2, trigamma(0.5), 1e-9)
	require.InDelta(t, 2.228139, student(0.95, 10), 1e-5)
	require.InDelta(t, 0.05, tails(12.7062, 1), 1e-5)
}

// What is measured again is known as what was measured first, whatever names are short for; what is not there is said.
func TestConfirm(t *testing.T) {
	read := func(text string) *Measurements {
		t.Helper()
		m, err := ReadGoBench(strings.NewReader(text), "file", nil)
		require.NoError(t, err)
		return m
	}
	results := func(pkg string, allocs ...int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "pkg: %s\n", pkg)
		for i, n := range allocs {
			fmt.Fprintf(&b, "BenchmarkGet%c-2 100 5 ns/op 8 B/op %d allocs/op\n", 'A'+i, n)
		}
		return b.String()
	}
	compare := func(old, new string) *Comparison {
		t.Helper()
		c, err := New(read(old), read(new), Options{})
		require.NoError(t, err)
		return c
	}
	first := func() *Comparison {
		c := compare(results("m/cache", 1, 1)+results("n/cache", 1), results("m/cache", 2, 1)+results("n/cache", 1))
		require.Equal(t, 1, c.Counts[Regressed])
		return c
	}
	for _, test := range []struct {
		name      string
		again     *Comparison
		regressed int
		missing   []string
		lacks     int
	}{
		{"again", compare(results("m/cache", 1), results("m/cache", 2)), 1, nil, 6},
		{"not again", compare(results("m/cache", 1, 1), results("m/cache", 1, 1)), 0, nil, 3},
		{"of another package", compare(results("n/cache", 1), results("n/cache", 1)), 1, []string{"m/cache.GetA allocs/op"}, 6},
		{"all of it", first(), 1, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := first()
			require.Len(t, test.again.Lacks(c), test.lacks)
			require.Equal(t, test.missing, c.Confirm(test.again))
			require.Equal(t, test.regressed, c.Counts[Regressed])
		})
	}
}
