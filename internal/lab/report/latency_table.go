package report

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// latencySections shows the latencies of each path: the clock's first, without which the others cannot be read.
func (r *Report) latencySections() (sections []doc.Section) {
	for _, path := range r.Paths {
		t := doc.Table{Columns: doc.Figures("workload", "implementation", "of", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max", "timed")}
		for i := range 3 {
			t.Columns[i].Words, t.Columns[i].Key = true, true
		}
		t.Columns[len(t.Columns)-1] = doc.Column{Name: "timed", Words: true, Optional: 1}
		for i := range r.Results {
			res := &r.Results[i]
			if res.Path != path.Name || res.Latency == nil {
				continue
			}
			for _, l := range res.Latency.named() {
				row := []string{res.Workload, res.Impl, l.name}
				for _, q := range l.of.quantiles() {
					row = append(row, fmt.Sprint(q.value))
				}
				t.Rows = append(t.Rows, append(row, timed(res.Latency, l)))
			}
		}
		if len(t.Rows) > 0 {
			sections = append(sections, doc.Section{Title: "latency, " + path.Name + ": nanoseconds of single requests", Table: t})
		}
	}
	return sections
}

// timed says how many there are of a distribution, and which.
func timed(l *Latency, d namedDistribution) string {
	text := fmt.Sprint(d.of.Count)
	switch {
	case d.name == "clock":
		return text + " readings"
	case d.name == "response" && l.Behind > 0:
		return fmt.Sprintf("%s, %.2g %% sent after the next was due", text, 100*float64(l.Behind)/float64(d.of.Count))
	case l.Every > 1:
		return fmt.Sprintf("%s, 1 in %d", text, l.Every)
	}
	return text
}

// latencyReading says how to read those sections.
func (r *Report) latencyReading() []string {
	lines := []string{"A service is the time of one request and of one reading of the clock, whose own distribution stands above it; " +
		"nothing is subtracted."}
	if r.Settings.Rate > 0 {
		lines = append(lines, fmt.Sprintf("Requests were meant to start %.6g times a second. Service counts from the real start, response "+
			"from the intended one: "+
			"the difference is waiting, which a client sees and a closed loop leaves out (coordinated omission).", r.Settings.Rate))
	}
	return lines
}
