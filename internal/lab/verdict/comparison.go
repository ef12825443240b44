package verdict

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// SchemaVersion is raised when a field of a comparison changes its meaning or goes away.
const SchemaVersion = 1

// Comparison is what two sets of measurements have to say about each other.
type Comparison struct {
	SchemaVersion int       `json:"schemaVersion"`
	Old           Side      `json:"old"`
	New           Side      `json:"new"`
	Alpha         float64   `json:"alpha"`                        // chance of any false alarm among the rows
	Effect        float64   `json:"effect"`                       // least relative change that counts
	Tested        int       `json:"tested"`                       // rows that could be called: what each is corrected for
	Serial        serial    `json:"serial_correlation,omitempty"` // of neighbouring values, where there is any
	Shift         *float64  `json:"shift,omitempty"`              // by which most benchmarks moved together, if rows were taken back for it
	Rows          []Row     `json:"rows"`
	GeoMeans      []GeoMean `json:"geomeans,omitempty"`
	Counts        Counts    `json:"counts"`   // of the verdicts, those of rows that OnlyChanges dropped included
	OnlyOld       []string  `json:"only_old"` // rows that one side alone has, "name unit"
	OnlyNew       []string  `json:"only_new"`
	Warnings      []string  `json:"warnings"`

	text bool // the new side is of go test
}

// ErrNothingInCommon says that no row is in both measurements.
var ErrNothingInCommon = errors.New("nothing in common: no benchmark is in both")

// nothing is ErrNothingInCommon, with the configuration that may be the reason.
func nothing(a *alignment) error {
	if len(a.keys) == 0 {
		return ErrNothingInCommon
	}
	keys := strings.Join(a.keys, ",")
	return fmt.Errorf("%w; configuration tells them apart: if it is only a log, --ignore %s", ErrNothingInCommon, doc.Printable(keys))
}

// New compares what two measurements have in common, in the order of the new ones. Of reports the engine's rows are compared; the
// limits, which no change of the engine can touch, only say whether the machine was the same. opt's Exact and Better come from the
// series.
func New(old, new *Measurements, opt Options) (*Comparison, error) {
	opt = opt.withDefaults()
	Align(old, new)
	c := &Comparison{SchemaVersion: SchemaVersion, Old: old.Side, New: new.Side, Alpha: opt.Alpha, Effect: opt.Effect, Rows: []Row{},
		OnlyOld: []string{}, OnlyNew: []string{}, Warnings: slices.Concat([]string{}, old.Warnings, new.Warnings), text: new.text}
	if differ := old.aligned.differ; len(differ) > 0 {
		c.Warnings = append(c.Warnings, "the sides differ in more than the code, it may be: "+joined(differ))
	}
	before := map[rowKey]Series{}
	for _, s := range old.Series {
		before[s.key()] = s
	}
	found := map[rowKey]bool{}
	var limits []float64
	var pairs []*pair
	for _, s := range new.Series {
		k := s.key()
		was, ok := before[k]
		if ok && s.Kind == report.Limit && !s.Exact {
			if row := Compare(was.Values, s.Values, Options{}); row.Change != nil {
				limits = append(limits, *row.Change)
			}
		}
		if s.Kind == report.Limit || s.Kind == report.Peer {
			continue
		}
		if !ok {
			c.OnlyNew = append(c.OnlyNew, s.Name+" "+s.Unit)
			continue
		}
		found[k] = true
		each := opt
		var warning string
		each.Exact, each.unit = s.Exact || was.Exact, s.Unit
		each.Better, warning = direction(was, s, opt)
		row := test(was.Values, s.Values, each)
		if warning != "" {
			row.warn(warning)
		}
		row.Name, row.Kind, row.measured = s.Name, s.Kind, s
		pairs = append(pairs, &pair{old: was, new: s, row: row})
	}
	for _, s := range old.Series {
		if s.Kind != report.Limit && s.Kind != report.Peer && !found[s.key()] {
			c.OnlyOld = append(c.OnlyOld, s.Name+" "+s.Unit)
		}
	}
	if len(pairs) == 0 {
		return nil, nothing(old.aligned)
	}
	pairTwins(pairs)
	c.Tested, c.Serial = judge(pairs, opt)
	for _, p := range pairs {
		p.row.confirm(p.old, p.new, opt)
	}
	if !opt.Paired {
		c.Shift = takeBackShift(pairs, c.Tested, opt)
	}
	c.Counts = Counts{}
	for _, p := range pairs {
		if p.row.Verdict == Changed {
			p.row.warn(fmt.Sprintf("nothing says which is better: a line \"Unit %s better=lower\" in the text does, "+
				"and --lower-is-better or --higher-is-better %s", p.row.Unit, p.row.Unit))
		}
		c.Counts[p.row.Verdict]++
		c.Rows = append(c.Rows, p.row)
	}
	c.GeoMeans = geoMeans(c.Rows)
	c.warn(limits)
	return c, nil
}

// confirm takes back a verdict on times that is the machine's. The limits do the least that the rounds of a row allow and call no
// engine: a change of the code is also one of the time divided by theirs in the same round, a change of the machine is not.
func (r *Row) confirm(old, new Series, opt Options) {
	if r.Verdict != Improved && r.Verdict != Regressed || len(old.control) != len(old.Values) || len(new.control) != len(new.Values) ||
		len(old.control) == 0 {
		return
	}
	relative := func(s Series) []float64 {
		out := slices.Clone(s.Values)
		for i := range out {
			out[i] /= s.control[i]
		}
		return out
	}
	opt.Exact, opt.Better = false, r.Better
	if c := Compare(relative(old), relative(new), opt); c.Verdict != r.Verdict {
		r.warn(fmt.Sprintf("would be %s, but what floor and bare took in the same rounds does not confirm it: measure again on a quieter machine",
			r.Verdict))
		r.Verdict = Inconclusive
	}
}

// warn says what the machine did.
func (c *Comparison) warn(limits []float64) {
	if c.Serial > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("values hang together with those before them (correlation %.2f): "+
			"they count for fewer, and intervals are wider; let both sides take turns to know more", c.Serial))
	}
	if slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Test == testRuns }) {
		c.Warnings = append(c.Warnings, "there are several runs: p-values and intervals are those of the spread between them, not within them")
	}
	if c.Shift != nil {
		c.Warnings = append(c.Warnings, fmt.Sprintf("most benchmarks moved together by about %s, as another state of the machine makes them: "+
			"such rows are not called regressed; measure both sides again, in turns if you can", doc.Percent(*c.Shift)))
	}
	if len(limits) == 0 {
		return
	}
	slices.Sort(limits)
	if moved := stats.Quantile(limits, 0.5); math.Abs(moved) >= c.Effect {
		c.Warnings = append(c.Warnings,
			fmt.Sprintf("floor and bare, which do not call the engine, changed by %s as well: the machine was not the same", doc.Percent(moved)))
	}
}

// Confirm takes back the regressions that another comparison of the same rows does not find as well, and returns the names of those
// that it says nothing about. As it takes back only, the chance of a false alarm is no larger than it was.
func (c *Comparison) Confirm(again *Comparison) (missing []string) {
	second := c.counterparts(again)
	for i := range c.Rows {
		r := &c.Rows[i]
		switch {
		case r.Verdict != Regressed:
		case second[i] == nil:
			missing = append(missing, r.Name+" "+r.Unit)
		case second[i].Verdict != Regressed:
			r.warn(fmt.Sprintf("would be regressed, but is %s when measured again", second[i].Verdict))
			r.Verdict = Inconclusive
			c.Counts[Regressed]--
			c.Counts[Inconclusive]++
		}
	}
	if c.Counts[Regressed] == 0 {
		delete(c.Counts, Regressed)
	}
	return missing
}

// Lacks names the rows of another comparison that c says nothing about.
func (c *Comparison) Lacks(other *Comparison) (missing []string) {
	for i, r := range other.counterparts(c) {
		if r == nil {
			missing = append(missing, other.Rows[i].Name+" "+other.Rows[i].Unit)
		}
	}
	return missing
}

// counterparts returns for each row the row of another comparison that is of the same metric, nil for none. They are known as
// those of two sides are: names are short in each comparison as its own benchmarks allow.
func (c *Comparison) counterparts(other *Comparison) []*Row {
	a, b := c.measured(), other.measured()
	Align(a, b)
	of := map[rowKey]*Row{}
	for i, s := range b.Series {
		of[s.key()] = &other.Rows[i]
	}
	rows := make([]*Row, len(c.Rows))
	for i, s := range a.Series {
		rows[i] = of[s.key()]
	}
	return rows
}

// measured are the new measurements of the rows.
func (c *Comparison) measured() *Measurements {
	m := &Measurements{Side: c.New, text: c.text}
	for _, r := range c.Rows {
		m.Series = append(m.Series, r.measured)
	}
	return m
}

// Counts are how many rows have each verdict.
type Counts map[Verdict]int

// Changed reports whether any row improved, regressed or changed otherwise.
func (c *Comparison) Changed() bool {
	return c.Counts[Improved]+c.Counts[Regressed]+c.Counts[Changed] > 0
}

// OnlyChanges drops the rows without a change.
func (c *Comparison) OnlyChanges() {
	c.Rows = slices.DeleteFunc(c.Rows, func(r Row) bool { return !slices.Contains([]Verdict{Improved, Regressed, Changed}, r.Verdict) })
}

const unknown = "unknown"

// Incomparable returns the reasons for which times of the two sides must not be compared, none if they may. What a side does not
// say is no reason.
func Incomparable(old, new *Measurements) (reasons []string) {
	Align(old, new)
	return unlike(old, new)
}

// unlike is Incomparable of sides that are aligned.
func unlike(old, new *Measurements) (reasons []string) {
	a, b := old.Environment, new.Environment
	differ := func(what, x, y string) {
		if x != y && x != unknown && y != unknown && x != "" && y != "" {
			reasons = append(reasons, fmt.Sprintf("%s: %s, now %s", what, doc.Printable(x), doc.Printable(y)))
		}
	}
	differ("CPU", a.CPU, b.CPU)
	differ("operating system", a.OS, b.OS)
	differ("architecture", a.Arch, b.Arch)
	differ("GOMAXPROCS", count(a.GOMAXPROCS), count(b.GOMAXPROCS))
	differ("instruction set", a.Level, b.Level)
	differ("untimed cycles before a batch", old.primed, new.primed)
	return slices.Concat(reasons, old.mixed, new.mixed, OtherWork(old, new))
}

// OtherWork names the workloads that are not the same work on both sides, which forbids comparing even their counts.
func OtherWork(old, new *Measurements) (reasons []string) {
	compared := map[string]bool{}
	for _, s := range new.Series {
		name, _, _ := strings.Cut(s.Name, "/")
		was, now := old.work[name], new.work[name]
		switch {
		case compared[name] || was == (work{}) || now == (work{}):
		case was.shape != now.shape:
			reasons = append(reasons, fmt.Sprintf("workload %s: %s, now %s", doc.Printable(name), was.shape, now.shape))
		case was.digest != now.digest && was.digest != "" && now.digest != "":
			reasons = append(reasons, fmt.Sprintf("workload %s: digest %s, now %s: other tables or requests", doc.Printable(name),
				doc.Printable(was.digest), doc.Printable(now.digest)))
		}
		compared[name] = true
	}
	return reasons
}

func count(n int) string {
	if n == 0 {
		return unknown
	}
	return fmt.Sprint(n)
}
