package traces

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// Summary is what a trace has, counted.
type Summary struct {
	name    string
	header  trace.Header
	torn    error
	dropped uint64
	opened  []trace.Opened

	requests, errors uint64
	length           time.Duration
	handles          map[uint32]*handleSummary
	items            map[traffic.Item]*itemSummary
	slowest          []slow
	bucket           time.Duration // of the timelines
}

type handleSummary struct {
	requests, errors uint64
	first, last      time.Duration
	line             [buckets]bucket
}

// buckets is how many steps a timeline has.
const buckets = 120

type bucket struct{ requests, errors uint64 }

type itemSummary struct {
	traffic.Item
	requests uint64
	statuses map[ks.Status]uint64
	exact    uint64 // requests whose time was read from the clock
	took     time.Duration
}

// slow is a request that took long.
type slow struct {
	handle uint32
	order  uint64
	item   traffic.Item
	at     time.Duration
	took   time.Duration
	exact  bool
	status ks.Status
}

const slowestKept = 15

// maxItems is how many items are told apart; a hostile trace could have as many as requests.
const maxItems = 100_000

// Summarize reads a trace.
func Summarize(ctx context.Context, name string, r *trace.Reader) (*Summary, error) {
	s := &Summary{name: name, header: r.Header(), torn: r.Torn(), dropped: r.Dropped(), opened: r.Opened(), bucket: time.Millisecond,
		handles: make(map[uint32]*handleSummary), items: make(map[traffic.Item]*itemSummary)}
	n := 0
	for rec, err := range r.Records() {
		if n++; err == nil && n%4096 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		s.length = max(s.length, rec.Time+rec.Duration)
		if rec.Kind == trace.KindRequest {
			s.add(rec)
		}
	}
	return s, nil
}

func (s *Summary) add(rec *trace.Record) {
	h := s.handles[rec.Handle]
	if h == nil {
		h = &handleSummary{first: rec.Time}
		s.handles[rec.Handle] = h
	}
	for rec.Time/s.bucket >= buckets {
		s.double()
	}
	b := &h.line[rec.Time/s.bucket]
	s.requests++
	h.requests++
	b.requests++
	h.last = rec.Time + rec.Duration
	if rec.Status.IsError() {
		s.errors++
		h.errors++
		b.errors++
	}
	what := traffic.ItemOf(rec.Code, rec.In)
	it := s.items[what]
	if it == nil {
		if len(s.items) == maxItems {
			what = traffic.Item{Code: rec.Code, Foreign: true}
			it = s.items[what]
		}
		if it == nil {
			it = &itemSummary{Item: what, statuses: make(map[ks.Status]uint64)}
			s.items[what] = it
		}
	}
	it.requests++
	it.statuses[rec.Status]++
	exact := rec.Flags&trace.FlagExact != 0
	if exact {
		it.exact++
		it.took += rec.Duration
	}
	if len(s.slowest) < slowestKept || rec.Duration > s.slowest[len(s.slowest)-1].took {
		s.slowest = append(s.slowest, slow{rec.Handle, rec.Order, what, rec.Time, rec.Duration, exact, rec.Status})
		slices.SortStableFunc(s.slowest, func(a, b slow) int { return cmp.Compare(b.took, a.took) })
		s.slowest = s.slowest[:min(len(s.slowest), slowestKept)]
	}
}

// double makes a step of the timelines twice as long.
func (s *Summary) double() {
	s.bucket *= 2
	for _, h := range s.handles {
		var line [buckets]bucket
		for i, b := range h.line {
			line[i/2].requests += b.requests
			line[i/2].errors += b.errors
		}
		h.line = line
	}
}

// ranked are the items, the most asked first.
func (s *Summary) ranked() []*itemSummary {
	list := make([]*itemSummary, 0, len(s.items))
	for _, it := range s.items {
		list = append(list, it)
	}
	slices.SortFunc(list, func(a, b *itemSummary) int {
		return cmp.Or(cmp.Compare(b.requests, a.requests), cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Verb(), b.Verb()))
	})
	return list
}

// said are the statuses of an item, the most frequent first.
func (it *itemSummary) said() string {
	type count struct {
		status ks.Status
		n      uint64
	}
	var list []count
	for status, n := range it.statuses {
		list = append(list, count{status, n})
	}
	slices.SortFunc(list, func(a, b count) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.status, b.status)) })
	var parts []string
	for _, c := range list {
		parts = append(parts, fmt.Sprintf("%s %d", traffic.StatusName(c.status), c.n))
	}
	return strings.Join(parts, ", ")
}

// mean is how long the item takes, as far as the clock was read.
func (it *itemSummary) mean() string {
	if it.exact == 0 {
		return "-"
	}
	return doc.Nanoseconds(float64(it.took) / float64(it.exact))
}

// object says what a handle is open on.
func (s *Summary) object(handle uint32) string {
	for _, o := range s.opened {
		if o.Handle == handle {
			if o.Lane {
				return fmt.Sprintf("a lane of h%d", o.Parent)
			}
			if o.Parent != 0 {
				return fmt.Sprintf("created on h%d", o.Parent)
			}
			return o.Object
		}
	}
	return ""
}

// lead is what there is to be said of the whole.
func (s *Summary) lead() []string {
	h := &s.header
	lead := []string{
		fmt.Sprintf("%s of %s in %s, %s with an error", doc.Plural(int(s.requests), "request"), doc.Plural(len(s.opened), "handle"),
			doc.Nanoseconds(float64(s.length)), doc.Count(float64(s.errors))),
		fmt.Sprintf("recorded %s, %s/%s, %s", h.Start.Format(time.RFC3339), h.OS, h.Arch, h.Go),
	}
	if h.ClockEvery > 1 {
		lead = append(lead, fmt.Sprintf("the clock was read for one request in %d; the times of the others are to %s", h.ClockEvery,
			doc.Nanoseconds(float64(h.Tick))))
	}
	for _, src := range h.Sources {
		lead = append(lead, fmt.Sprintf("manifest %s, digest %s", src.Name, src.Digest))
	}
	return lead
}

// notes are what one has to know to believe it.
func (s *Summary) notes() (notes []string) {
	if s.torn != nil {
		notes = append(notes, s.torn.Error())
	}
	if s.dropped > 0 {
		notes = append(notes, fmt.Sprintf("%s were lost: the recorder was slower than the clients", doc.Plural(int(s.dropped), "record")))
	}
	return notes
}

// Document is that of doc.Documented.
func (s *Summary) Document() *doc.Document {
	d := &doc.Document{Title: s.name, Lead: s.lead(), Notes: s.notes()}
	t := doc.Table{Columns: []doc.Column{{Name: "handle", Key: true}, {Name: "object", Words: true}, {Name: "requests"}, {Name: "errors"},
		{Name: "from"}, {Name: "to"}, {Name: "when", Words: true, Optional: 1}}}
	for _, o := range s.opened {
		h := s.handles[o.Handle]
		if h == nil {
			h = new(handleSummary)
		}
		from, to := "-", "-"
		if h.requests > 0 {
			from, to = doc.Nanoseconds(float64(h.first)), doc.Nanoseconds(float64(h.last))
		}
		t.Rows = append(t.Rows, []string{fmt.Sprintf("h%d", o.Handle), s.object(o.Handle), fmt.Sprint(h.requests), fmt.Sprint(h.errors),
			from, to, s.spark(h)})
		if len(t.Rows) == shownRows && len(s.opened) > shownRows {
			d.Notes = append(d.Notes, fmt.Sprintf("the first %d handles of %d are shown", shownRows, len(s.opened)))
			break
		}
	}
	d.Sections = append(d.Sections, doc.Section{Title: "Handles", Table: t})

	t = doc.Table{Columns: []doc.Column{{Name: "item", Words: true, Key: true}, {Name: "verb", Words: true}, {Name: "requests"},
		{Name: "mean"}, {Name: "statuses", Words: true}}}
	for i, it := range s.ranked() {
		if i == shownRows {
			d.Notes = append(d.Notes, fmt.Sprintf("the %d items that are asked most of %d are shown", shownRows, len(s.items)))
			break
		}
		t.Rows = append(t.Rows, []string{it.Name(), it.Verb(), fmt.Sprint(it.requests), it.mean(), it.said()})
	}
	d.Sections = append(d.Sections, doc.Section{Title: "Items", Table: t})
	if len(t.Rows) == 0 {
		d.Sections = d.Sections[:1]
		return d
	}

	t = doc.Table{Columns: []doc.Column{{Name: "took"}, {Name: "at"}, {Name: "handle"}, {Name: "item", Words: true},
		{Name: "verb", Words: true}, {Name: "status", Words: true}}}
	for _, x := range s.slowest {
		t.Rows = append(t.Rows, []string{x.duration(), doc.Nanoseconds(float64(x.at)), fmt.Sprintf("h%d", x.handle), x.item.Name(), x.item.Verb(),
			traffic.StatusName(x.status)})
	}
	d.Sections = append(d.Sections, doc.Section{Title: "Slowest requests", Table: t})
	return d
}

// shownRows is how many rows a table has at most.
const shownRows = 40

// duration says how long a request took, as well as is known.
func (x *slow) duration() string {
	if x.exact {
		return doc.Nanoseconds(float64(x.took))
	}
	if x.took == 0 {
		return "< 1 tick"
	}
	return "~" + doc.Nanoseconds(float64(x.took))
}

// spark draws the timeline of a handle in 20 characters.
func (s *Summary) spark(h *handleSummary) string {
	const width = 20
	levels := []rune(" .:-=+*#")
	used := min(int(s.length/s.bucket)+1, buckets)
	var sums [width]uint64
	most := uint64(1)
	for i := range used {
		sum := &sums[i*width/used]
		*sum += h.line[i].requests
		most = max(most, *sum)
	}
	var b strings.Builder
	for _, n := range sums {
		level := int(n * uint64(len(levels)-1) / most)
		if n > 0 {
			level = max(level, 1)
		}
		b.WriteRune(levels[level])
	}
	return strings.TrimRight(b.String(), " ")
}

// Differences are those of a replay, side by side.
type Differences struct {
	Name       string
	Result     *trace.Result
	Verified   bool // answers were compared
	Reordered  bool // handles were not kept in order of each other
	Incomplete bool // requests of the recording are missing
}

// excuses are what may have made the differences, other than the manifest.
func (d *Differences) excuses() (lines []string) {
	if d.Reordered {
		lines = append(lines, "Each goroutine keeps the order of its handles alone, so that values that several handles read and write "+
			"may differ; --goroutines 1 keeps the order of all.")
	}
	if d.Incomplete {
		lines = append(lines, "The trace lacks requests that were sent: answers that depend on one differ.")
	}
	return lines
}

// Document is that of doc.Documented.
func (d *Differences) Document() *doc.Document {
	res := d.Result
	to := &doc.Document{Title: d.Name, Lead: []string{fmt.Sprintf("%s sent again in %s, %s requests a second",
		doc.Plural(int(res.Requests), "request"), doc.Nanoseconds(float64(res.Elapsed)),
		doc.Number(math.Round(float64(res.Requests)/max(res.Elapsed.Seconds(), 1e-9))))}}
	if d.Verified {
		to.Summary = []string{fmt.Sprintf("differences: %d", res.Differences)}
	}
	if len(res.First) == 0 {
		return to
	}
	t := doc.Table{Columns: []doc.Column{{Name: "record", Key: true}, {Name: "request", Words: true}, {Name: "", Words: true, Key: true},
		{Name: "recorded", Words: true}, {Name: "replayed", Words: true}}}
	for i := range res.First {
		x := &res.First[i]
		what := fmt.Sprintf("h%d %s", x.Record.Handle, x.Record.Kind)
		if x.Record.Kind == trace.KindRequest {
			it := traffic.ItemOf(x.Record.Code, x.Record.In)
			what = fmt.Sprintf("h%d %s %s, in %d, out %d", x.Record.Handle, it.Verb(), it.Name(), len(x.Record.In), x.Record.OutBytes)
		}
		first := []string{fmt.Sprint(x.Record.Order), what}
		add := func(name, recorded, replayed string) {
			if recorded == replayed {
				return
			}
			t.Rows = append(t.Rows, append(first, name, recorded, replayed))
			first = []string{"", ""}
		}
		if x.Why != "" {
			add("", x.Record.Status.String(), "not sent: "+x.Why)
			continue
		}
		if x.Status != x.Record.Status {
			add("status", x.Record.Status.String(), ruled(x))
		}
		add("n", fmt.Sprint(x.Record.Information), fmt.Sprint(x.Information))
		if x.Record.Kind == trace.KindRequest && x.Record.Digest != x.Digest {
			add("output", digested(x.Record.Digest, nil), digested(x.Digest, x.Output))
		}
	}
	title := "The first difference"
	if n := len(res.First); n > 1 {
		title = fmt.Sprintf("The first %d differences", n)
	}
	to.Sections = []doc.Section{{Title: title, Table: t}}
	to.Notes = d.excuses()
	return to
}

// ruled is the status of what was replayed, and the rule that decided.
func ruled(x *trace.Difference) string {
	if x.Rule == "" {
		return x.Status.String()
	}
	return x.Status.String() + " by " + x.Rule
}

// digested is an output by its digest, and by its bytes if they are there.
func digested(digest uint64, output []byte) string {
	switch {
	case digest == 0:
		return "none"
	case len(output) > 0:
		return fmt.Sprintf("%016x: % x", digest, output)
	}
	return fmt.Sprintf("%016x", digest)
}
