package selftest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// noise draws the values of one series, as factors about 1.
type noise func(rng *rand.Rand, n int) []float64

// each makes values that are independent of each other.
func each(draw func(rng *rand.Rand) float64) noise {
	return func(rng *rand.Rand, n int) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = draw(rng)
		}
		return values
	}
}

const spread = 0.03 // standard deviation of the noise that is normal

var (
	normal = each(func(rng *rand.Rand) float64 { return 1 + spread*rng.NormFloat64() })
	skewed = each(func(rng *rand.Rand) float64 {
		return math.Exp(spread*rng.NormFloat64()) * (1 + spread*rng.ExpFloat64())
	})
	outliers = each(func(rng *rand.Rand) float64 {
		v := 1 + spread*rng.NormFloat64()
		if rng.Float64() < 0.03 {
			v *= 1.5 + 3*rng.ExpFloat64()
		}
		return v
	})
	bimodal = each(func(rng *rand.Rand) float64 {
		v := 1 + 0.01*rng.NormFloat64()
		if rng.IntN(3) == 0 {
			v *= 1.2
		}
		return v
	})
	quantised = each(func(rng *rand.Rand) float64 { return math.Round(20*(1+spread*rng.NormFloat64())) / 20 })
)

// serial makes values of an autoregressive process of first order, stationary from the first.
func serial(phi float64) noise {
	return func(rng *rand.Rand, n int) []float64 {
		values, x := make([]float64, n), rng.NormFloat64()
		for i := range values {
			if i > 0 {
				x = phi*x + math.Sqrt(1-phi*phi)*rng.NormFloat64()
			}
			values[i] = 1 + spread*x
		}
		return values
	}
}

// trial is a gate of simulated benchmarks.
type trial struct {
	rows, n    int
	runs       int     // of the baseline, 1 if 0
	noise      noise   // of the times
	between    float64 // standard deviation of a factor of each row in each run
	common     float64 // factor of all rows of the new run
	counts     bool    // B/op vary from run to run
	slower     float64 // factor of the first row of the new run
	packages   int     // that the rows are in, 1 if 0
	throughput bool    // MB/s besides
}

// text writes what go test would.
func (t trial) text(rng *rand.Rand, changed bool) string {
	var b strings.Builder
	b.WriteString("goos: linux\ngoarch: amd64\ncpu: simulated\n")
	packages := max(t.packages, 1)
	for p := range packages {
		fmt.Fprintf(&b, "pkg: example.com/%c/simulated\n", 'a'+p)
		for row := p; row < t.rows; row += packages {
			center := 100 * math.Pow(1.7, float64(row%20))
			center *= math.Exp(t.between * rng.NormFloat64())
			if changed {
				center *= max(t.common, 1)
				if row == 0 && t.slower > 0 {
					center *= t.slower
				}
			}
			for _, v := range t.noise(rng, t.n) {
				fmt.Fprintf(&b, "BenchmarkR%d-2\t1000\t%.5g ns/op", row/packages, center*v)
				if t.throughput {
					fmt.Fprintf(&b, "\t%.2f MB/s", 64000/(center*v))
				}
				if t.counts {
					fmt.Fprintf(&b, "\t%d B/op\t%d allocs/op", 4096+rng.IntN(100), 100+rng.IntN(5))
				}
				b.WriteString("\n")
			}
		}
	}
	b.WriteString("PASS\n")
	return b.String()
}

func (t trial) measure(rng *rand.Rand, changed bool) (*verdict.Measurements, error) {
	return verdict.Read(strings.NewReader(t.text(rng, changed)), "simulated", nil)
}

// gate measures both sides and compares them as a gate does by default.
func (t trial) gate(rng *rand.Rand) (*verdict.Comparison, error) {
	var runs []*verdict.Measurements
	for range max(t.runs, 1) {
		m, err := t.measure(rng, false)
		if err != nil {
			return nil, err
		}
		runs = append(runs, m)
	}
	old, err := verdict.Together("simulated", runs...)
	if err != nil {
		return nil, err
	}
	new, err := t.measure(rng, true)
	if err != nil {
		return nil, err
	}
	return verdict.New(old, new, verdict.Options{Effect: gateEffect})
}

// gateEffect is the floor of ksbench gate.
const gateEffect = 0.05

// Promise is what verdicts must be worth on one kind of noise, and were.
type Promise struct {
	Name  string  `json:"name"`
	Event string  `json:"event"` // what is counted
	Rate  float64 `json:"rate"`
	Low   float64 `json:"low"` // that are promised
	High  float64 `json:"high"`

	trial trial
	count func(t trial, c *verdict.Comparison) (happened, of int)
}

// OK reports whether the rate is as promised.
func (p Promise) OK() bool { return p.Low <= p.Rate && p.Rate <= p.High }

// falseAlarm is that any row of a gate regressed though none was changed.
func falseAlarm(t trial, c *verdict.Comparison) (int, int) {
	if c.Counts[verdict.Regressed] > 0 {
		return 1, 1
	}
	return 0, 1
}

// found is that the row that was changed regressed.
func found(t trial, c *verdict.Comparison) (int, int) {
	for _, r := range c.Rows {
		if strings.HasSuffix(r.Name, "R0") && r.Unit == "ns/op" && r.Verdict == verdict.Regressed {
			return 1, 1
		}
	}
	return 0, 1
}

// covered counts the intervals of times that hold the true change.
func covered(t trial, c *verdict.Comparison) (in, of int) {
	for _, r := range c.Rows {
		if r.Unit == "ns/op" && r.Interval != nil {
			of++
			if truth := max(t.common, 1) - 1; r.Interval.Low <= truth && truth <= r.Interval.High {
				in++
			}
		}
	}
	return in, of
}

func promises() []Promise {
	alarm := func(name string, high float64, t trial) Promise {
		return Promise{Name: name, Event: "false alarm", High: high, trial: t, count: falseAlarm}
	}
	finds := func(name string, t trial) Promise {
		return Promise{Name: name, Event: "found", Low: 0.95, High: 1, trial: t, count: found}
	}
	covers := func(name string, low, high float64, t trial) Promise {
		return Promise{Name: name, Event: "interval holds", Low: low, High: high, trial: t, count: covered}
	}
	table := trial{rows: 20, n: 10}
	of := func(n noise) trial { t := table; t.noise = n; return t }
	counting := trial{rows: 40, n: 10, noise: normal, counts: true}
	drifting := trial{rows: 20, n: 10, noise: normal, runs: 5, between: 0.03}
	two := trial{rows: 20, n: 10, noise: normal, packages: 2, throughput: true}
	planted := func(t trial, by float64) trial { t.slower = by; return t }
	return []Promise{
		alarm("normal", 0.05, of(normal)),
		alarm("skewed", 0.05, of(skewed)),
		alarm("outliers", 0.05, of(outliers)),
		alarm("two modes", 0.05, of(bimodal)),
		alarm("quantised", 0.05, of(quantised)),
		alarm("two packages, MB/s", 0.05, two),
		alarm("40 rows, B/op vary", 0.05, counting),
		alarm("200 rows, outliers", 0.05, trial{rows: 200, n: 10, noise: outliers}),
		alarm("AR(1) 0.8", 0.10, of(serial(0.8))),
		alarm("AR(1) 0.5", 0.10, of(serial(0.5))),
		alarm("baseline of 5 runs, 3 % between", 0.10, drifting),
		finds("+10 % in 1 of 20", planted(of(normal), 1.1)),
		finds("+10 % in 1 of 20, two packages", planted(two, 1.1)),
		finds("+50 % in 1 of 200, outliers", planted(trial{rows: 200, n: 10, noise: outliers}, 1.5)),
		finds("+50 % in 1 of 20, AR(1) 0.8", planted(of(serial(0.8)), 1.5)),
		finds("+30 % in 1 of 20, baseline of 5 runs", planted(drifting, 1.3)),
		covers("normal", 0.93, 0.97, of(normal)),
		covers("outliers", 0.93, 0.97, of(outliers)),
		covers("two modes", 0.93, 0.98, of(bimodal)),
		covers("AR(1) 0.8", 0.85, 1, of(serial(0.8))),
		covers("baseline of 5 runs, 3 % between", 0.93, 0.97, drifting),
	}
}

// Simulation is what came of all promises.
type Simulation struct {
	Seed     uint64    `json:"seed"`
	Trials   int       `json:"trials"` // gates of each kind
	Promises []Promise `json:"promises"`
}

// OK reports whether all promises hold.
func (s *Simulation) OK() bool { return s.broken() == 0 }

func (s *Simulation) broken() (n int) {
	for _, p := range s.Promises {
		if !p.OK() {
			n++
		}
	}
	return n
}

// Simulate tries the verdicts on so many gates of each kind of noise. The result depends on the seed alone.
func Simulate(ctx context.Context, seed uint64, trials int, progress func(done, total int, name string)) (*Simulation, error) {
	s := &Simulation{Seed: seed, Trials: trials, Promises: promises()}
	for k := range s.Promises {
		if err := s.Promises[k].try(ctx, seed+uint64(k)<<32, trials); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(k+1, len(s.Promises), s.Promises[k].Name)
		}
	}
	return s, nil
}

// Document has a line for each promise.
func (s *Simulation) Document() *doc.Document {
	d := &doc.Document{
		Lead: []string{fmt.Sprintf("%s of each kind, of 20 rows and 10 samples a side unless it says otherwise; "+
			"changes of less than %s do not count",
			doc.Plural(s.Trials, "simulated gate"), strings.TrimPrefix(doc.Percent(gateEffect), "+"))},
		Summary: []string{"All promises hold."},
	}
	if n := s.broken(); n == 1 {
		d.Summary = []string{"1 promise does not hold."}
	} else if n > 1 {
		d.Summary = []string{fmt.Sprintf("%d promises do not hold.", n)}
	}
	t := doc.Table{Columns: []doc.Column{{Name: "noise", Words: true}, {Name: "rate of", Words: true}, {Name: "is"}, {Name: "promised"},
		{Words: true}}}
	for _, p := range s.Promises {
		promised, mark := fmt.Sprintf("%.0f to %.0f%%", 100*p.Low, 100*p.High), "ok"
		switch {
		case p.Low == 0:
			promised = fmt.Sprintf("at most %.0f%%", 100*p.High)
		case p.High == 1:
			promised = fmt.Sprintf("at least %.0f%%", 100*p.Low)
		}
		if !p.OK() {
			mark = "FAILED"
		}
		t.Rows = append(t.Rows, []string{p.Name, p.Event, fmt.Sprintf("%.1f%%", 100*p.Rate), promised, mark})
	}
	d.Sections = []doc.Section{{Table: t}}
	return d
}

func (p *Promise) try(ctx context.Context, seed uint64, trials int) error {
	var happened, of, next atomic.Int64
	var group sync.WaitGroup
	var failed atomic.Pointer[error]
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for ctx.Err() == nil && failed.Load() == nil {
				i := next.Add(1) - 1
				if i >= int64(trials) {
					return
				}
				c, err := p.trial.gate(rand.New(rand.NewPCG(seed, uint64(i))))
				if err != nil {
					failed.Store(&err)
					return
				}
				a, b := p.count(p.trial, c)
				happened.Add(int64(a))
				of.Add(int64(b))
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.Rate = float64(happened.Load()) / float64(of.Load())
	return nil
}
