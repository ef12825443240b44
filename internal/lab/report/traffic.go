package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Traffic is what clients asked of an item with one verb, and how a point answered it.
type Traffic struct {
	Point    string   `json:"point"` // what answered: a manifest, or "recorded" for the recording itself
	Item     string   `json:"item"`
	Verb     string   `json:"verb"`
	Requests uint64   `json:"requests"`
	Differ   uint64   `json:"differ"` // requests that were answered in another way than they were recorded
	Answers  []Answer `json:"answers"`
	Sizes    []Size   `json:"sizes,omitempty"` // of the requests, if they were asked for
}

// Answer is how many requests had a status.
type Answer struct {
	Status   string `json:"status"`
	Requests uint64 `json:"requests"`
}

// Size is how many requests had buffers of these lengths, in bytes.
type Size struct {
	In       uint32 `json:"in"`
	Out      uint32 `json:"out"`
	Requests uint64 `json:"requests"`
}

// Difference is a request, or something else that was recorded, that a point answered in another way.
type Difference struct {
	Point    string   `json:"point"`
	File     string   `json:"file"`
	Trace    string   `json:"trace,omitempty"` // the first of its parts, if that is another file
	Block    int      `json:"block"`           // of the trace, from 0
	Offset   int64    `json:"offset"`          // of the block's header in the file, in bytes
	Record   uint64   `json:"record"`          // its order in the trace
	Handle   uint32   `json:"handle"`
	Object   string   `json:"object,omitempty"`
	Item     string   `json:"item"`
	Verb     string   `json:"verb"`
	In       uint32   `json:"in"`  // length of the input, in bytes
	Out      uint32   `json:"out"` // length of the output buffer, in bytes
	Recorded Response `json:"recorded"`
	Answered Response `json:"answered"`
	Rule     string   `json:"rule,omitempty"` // by which the point decided
	Why      string   `json:"why,omitempty"`  // it was not sent
}

// Response is one answer.
type Response struct {
	Status      string `json:"status"`
	Information uint64 `json:"information"`
	Digest      string `json:"digest"`           // of the output, xxhash64 in hexadecimal
	Output      string `json:"output,omitempty"` // the first bytes of it in hexadecimal, where they are known
}

func (d *Difference) trace() string { return cmp.Or(d.Trace, d.File) }

// MaxDifferences is how many differences a report has at most.
const MaxDifferences = 1000

// maxTraffic is how many rows of traffic a document shows.
const maxTraffic = 40

func (t *Traffic) key() [3]string { return [3]string{t.Point, t.Item, t.Verb} }

// SortTraffic brings traffic and differences into the order of a report: by point, the items that are asked most first; by point, trace
// and record.
func (r *Report) SortTraffic() {
	slices.SortFunc(r.Traffic, func(a, b Traffic) int {
		return cmp.Or(cmp.Compare(a.Point, b.Point), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Item, b.Item),
			cmp.Compare(a.Verb, b.Verb))
	})
	for _, t := range r.Traffic {
		slices.SortFunc(t.Answers, func(a, b Answer) int {
			return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Status, b.Status))
		})
		slices.SortFunc(t.Sizes, func(a, b Size) int {
			return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.In, b.In), cmp.Compare(a.Out, b.Out))
		})
	}
	SortDifferences(r.Differences)
	r.Differences = r.Differences[:min(len(r.Differences), MaxDifferences)]
}

// SortDifferences brings differences into the order of a report: by point, trace and record.
func SortDifferences(all []Difference) {
	slices.SortFunc(all, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Point, b.Point), cmp.Compare(a.trace(), b.trace()), cmp.Compare(a.Record, b.Record))
	})
}

// AddTraffic adds that of another report, and leaves the order to SortTraffic.
func (r *Report) AddTraffic(other *Report) {
	at := map[[3]string]int{}
	for i := range r.Traffic {
		at[r.Traffic[i].key()] = i
	}
	for _, t := range other.Traffic {
		i, ok := at[t.key()]
		if !ok {
			at[t.key()] = len(r.Traffic)
			t.Answers, t.Sizes = slices.Clone(t.Answers), slices.Clone(t.Sizes)
			r.Traffic = append(r.Traffic, t)
			continue
		}
		sum := &r.Traffic[i]
		sum.Requests += t.Requests
		sum.Differ += t.Differ
		for _, a := range t.Answers {
			if j := slices.IndexFunc(sum.Answers, func(b Answer) bool { return b.Status == a.Status }); j >= 0 {
				sum.Answers[j].Requests += a.Requests
			} else {
				sum.Answers = append(sum.Answers, a)
			}
		}
		for _, s := range t.Sizes {
			if j := slices.IndexFunc(sum.Sizes, func(b Size) bool { return b.In == s.In && b.Out == s.Out }); j >= 0 {
				sum.Sizes[j].Requests += s.Requests
			} else {
				sum.Sizes = append(sum.Sizes, s)
			}
		}
	}
	r.Differences = append(r.Differences, other.Differences...)
}

// checkTraffic reports what cannot be.
func (r *Report) checkTraffic() error {
	seen := map[[3]string]bool{}
	for i := range r.Traffic {
		t := &r.Traffic[i]
		where := fmt.Sprintf("traffic[%d]", i)
		if t.Point == "" || t.Item == "" || t.Verb == "" || seen[t.key()] {
			return fmt.Errorf("%s: point %q, item %q, verb %q: must be there, once", where, t.Point, t.Item, t.Verb)
		}
		seen[t.key()] = true
		var answers, sizes uint64
		for _, a := range t.Answers {
			if a.Status == "" || a.Requests < 1 || a.Requests > t.Requests {
				return fmt.Errorf("%s.answers: %q %d: out of range", where, a.Status, a.Requests)
			}
			answers += a.Requests
		}
		for _, s := range t.Sizes {
			sizes += min(s.Requests, t.Requests+1)
		}
		if t.Requests > most || answers != t.Requests || len(t.Sizes) > 0 && sizes != t.Requests {
			return fmt.Errorf("%s: %d requests, but %d answers and %d sizes", where, t.Requests, answers, sizes)
		}
	}
	for i := range r.Differences {
		if d := &r.Differences[i]; d.Point == "" || d.File == "" || d.Item == "" || d.Verb == "" || d.Block < 0 || d.Offset < 0 ||
			d.Recorded.Status == "" || d.Answered.Status == "" {
			return fmt.Errorf("differences[%d]: a point, a file, a block, an item and both answers must be there", i)
		}
	}
	if len(r.Differences) > MaxDifferences {
		return fmt.Errorf("differences: %d, of at most %d", len(r.Differences), MaxDifferences)
	}
	return nil
}

// Differ is how many answers differ, in all.
func (r *Report) Differ() (n uint64) {
	for i := range r.Traffic {
		n += r.Traffic[i].Differ
	}
	return n
}

// TrafficTables are the traffic, what differs first, and the first differences.
func (r *Report) TrafficTables() (sections []doc.Section) {
	if len(r.Traffic) > 0 {
		t := doc.Table{Columns: []doc.Column{{Name: "point", Words: true, Key: true}, {Name: "item", Words: true, Key: true},
			{Name: "verb", Words: true}, {Name: "requests"}, {Name: "differ"}, {Name: "answers", Words: true}}}
		shown := slices.Clone(r.Traffic) // what differs first
		slices.SortStableFunc(shown, func(a, b Traffic) int { return cmp.Compare(b.Differ, a.Differ) })
		for _, x := range shown[:min(len(shown), maxTraffic)] {
			var answers []string
			for _, a := range x.Answers {
				answers = append(answers, fmt.Sprintf("%s %d", a.Status, a.Requests))
			}
			t.Rows = append(t.Rows, []string{x.Point, x.Item, x.Verb, fmt.Sprint(x.Requests), fmt.Sprint(x.Differ), strings.Join(answers, ", ")})
		}
		title := "traffic: what was asked, and how it was answered"
		if len(shown) > maxTraffic {
			title += fmt.Sprintf("; %d of %d rows", maxTraffic, len(shown))
		}
		sections = append(sections, doc.Section{Title: title, Table: t})
	}
	if len(r.Differences) > 0 {
		t := doc.Table{Columns: []doc.Column{{Name: "where", Words: true, Key: true}, {Name: "request", Words: true},
			{Name: "recorded", Words: true}, {Name: "answered", Words: true}, {Name: "rule", Words: true}}}
		for _, d := range r.Differences[:min(len(r.Differences), maxTraffic)] {
			answered := d.Answered.String()
			if d.Why != "" {
				answered = "not sent: " + d.Why
			}
			t.Rows = append(t.Rows, []string{fmt.Sprintf("%s, block %d at %d, record %d", d.File, d.Block, d.Offset, d.Record),
				fmt.Sprintf("%s: h%d %s %s, in %d, out %d", d.Point, d.Handle, d.Verb, d.Item, d.In, d.Out), d.Recorded.String(), answered, d.Rule})
		}
		sections = append(sections, doc.Section{Title: fmt.Sprintf("the first %d of %d differences", len(t.Rows), r.Differ()), Table: t})
	}
	return sections
}

// String is the answer in a few words.
func (a Response) String() string {
	text := fmt.Sprintf("%s, n %d", a.Status, a.Information)
	if a.Output != "" {
		return text + ", " + a.Output
	}
	return text + ", digest " + a.Digest
}
