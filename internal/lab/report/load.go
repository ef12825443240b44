package report

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Load is what many clients saw that sent at the same time.
type Load struct {
	Clients   int          `json:"clients"`
	ElapsedNs int64        `json:"elapsed_ns"`
	Requests  int64        `json:"requests"` // that were answered
	Least     int64        `json:"least"`    // requests of the client that had the fewest
	Median    int64        `json:"median"`
	Most      int64        `json:"most"`
	Fairness  float64      `json:"fairness"` // Jain's index of the requests a client: 1 if all had the same, 1/clients if one had all
	Sessions  []LoadCount  `json:"sessions"` // that went to their end
	Statuses  []LoadStatus `json:"statuses"` // of the requests
	Failures  []LoadCount  `json:"failures"` // opens, creates and closes that failed, by error
}

// LoadCount is how often there was something.
type LoadCount struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// LoadStatus is how many requests ended with a status.
type LoadStatus struct {
	Status string `json:"status"`
	Error  bool   `json:"error"` // its severity
	Count  int64  `json:"count"`
}

// NewLoad summarises the requests of each client; there is at least one.
func NewLoad(requests []int64, elapsed time.Duration) *Load {
	sorted := slices.Sorted(slices.Values(requests))
	l := &Load{Clients: len(sorted), ElapsedNs: int64(elapsed), Least: sorted[0], Median: sorted[len(sorted)/2], Most: sorted[len(sorted)-1],
		Sessions: []LoadCount{}, Statuses: []LoadStatus{}, Failures: []LoadCount{}}
	squares := 0.0
	for _, n := range sorted {
		l.Requests += n
		squares += float64(n) * float64(n)
	}
	if squares > 0 {
		l.Fairness = float64(l.Requests) * float64(l.Requests) / (float64(len(sorted)) * squares)
	}
	return l
}

func (l *Load) check() error {
	if l == nil {
		return nil
	}
	if l.Clients < 1 || l.ElapsedNs < 1 || l.Least < 0 || l.Median < l.Least || l.Most < l.Median || l.Requests < l.Most ||
		!within(l.Fairness, 0) || l.Fairness > 1+least {
		return errors.New("out of range")
	}
	for _, list := range [][]LoadCount{l.Sessions, l.Failures} {
		for _, c := range list {
			if c.Count < 1 {
				return fmt.Errorf("%s: %d: must be at least 1", doc.Printable(c.Name), c.Count)
			}
		}
	}
	var sum int64
	for _, s := range l.Statuses {
		if s.Count < 1 {
			return fmt.Errorf("%s: %d: must be at least 1", doc.Printable(s.Status), s.Count)
		}
		sum += s.Count
	}
	if sum != l.Requests {
		return fmt.Errorf("statuses of %d requests, of %d", sum, l.Requests)
	}
	return nil
}

// Errors is how many requests ended with an error.
func (l *Load) Errors() (n int64) {
	for _, s := range l.Statuses {
		if s.Error {
			n += s.Count
		}
	}
	return n
}

// Lines are the load in words, without its tables.
func (l *Load) Lines() []string {
	elapsed := time.Duration(l.ElapsedNs)
	return []string{
		fmt.Sprintf("%s answered %d requests in %v, %s a second; %s ended with an error.", doc.Plural(l.Clients, "client"), l.Requests,
			elapsed.Round(time.Millisecond), doc.Short(float64(l.Requests)/elapsed.Seconds()), l.share(l.Errors())),
		fmt.Sprintf("Each client had %d to %d requests, the median %d; fairness %.3f (Jain's index, 1 if all had the same).", l.Least, l.Most,
			l.Median, l.Fairness),
	}
}

func (l *Load) share(n int64) string {
	return fmt.Sprintf("%.3g %%", 100*float64(n)/float64(max(l.Requests, 1)))
}

// Tables are the statuses, the sessions, and what failed; captions stand beside.
func (l *Load) Tables() (sections []doc.Section) {
	t := doc.Table{Columns: []doc.Column{{Name: "status", Words: true}, {Name: "requests"}, {Name: "share"}}}
	for _, s := range l.Statuses {
		t.Rows = append(t.Rows, []string{s.Status, fmt.Sprint(s.Count), l.share(s.Count)})
	}
	sections = append(sections, doc.Section{Title: "Statuses", Table: t})
	for _, of := range []struct {
		title, column string
		list          []LoadCount
	}{{"Sessions", "session", l.Sessions}, {"Opens, creates and closes that failed", "error", l.Failures}} {
		t := doc.Table{Columns: []doc.Column{{Name: of.column, Words: true}, {Name: "times"}}}
		for _, c := range of.list {
			t.Rows = append(t.Rows, []string{c.Name, fmt.Sprint(c.Count)})
		}
		if len(t.Rows) > 0 {
			sections = append(sections, doc.Section{Title: of.title, Table: t})
		}
	}
	return sections
}
