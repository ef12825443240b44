package report

import "fmt"

// latencySections shows the latencies of each path: the clock's first, without which the others cannot be read.
func (r *Report) latencySections() (sections []section) {
	for _, path := range r.Paths {
		s := section{
			title:  "latency, " + path.Name + ": nanoseconds of single requests",
			header: []string{"workload", "implementation", "of", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max", "timed"},
		}
		for i := range r.Results {
			res := &r.Results[i]
			if res.Path != path.Name || res.Latency == nil {
				continue
			}
			for _, l := range res.Latency.named() {
				row := []string{printable(res.Workload), printable(res.Impl), l.name}
				for _, q := range l.of.quantiles() {
					row = append(row, fmt.Sprint(q.value))
				}
				s.rows = append(s.rows, append(row, timed(res.Latency, l)))
			}
		}
		if len(s.rows) > 0 {
			sections = append(sections, s)
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
func (r *Report) latencyReading() string {
	text := "A service is the time of one request and of one reading of the clock, whose own distribution stands above it; nothing is subtracted."
	if r.Settings.Rate > 0 {
		text += fmt.Sprintf("\nRequests were meant to start %.6g times a second. Service counts from the real start, response from the intended one:\n"+
			"the difference is waiting, which a client sees and a closed loop leaves out (coordinated omission).", r.Settings.Rate)
	}
	return text
}
