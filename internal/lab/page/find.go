package page

import (
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// find returns the row of these names, nil if the report has none.
func (r Report) find(workload, path, impl string) *report.Result {
	return r.rows[report.Row{Workload: workload, Path: path, Impl: impl}]
}

// began is when the run did, the beginning of time if the report does not say.
func (r Report) began() time.Time {
	t, err := time.Parse(time.RFC3339, r.Environment.Time)
	if err != nil {
		return time.Time{}
	}
	return t
}

// when is the same for people.
func (r Report) when() string {
	if t := r.began(); !t.IsZero() {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return r.Environment.Time
}

// peers are the implementations that do the same as the engine.
func (r Report) peers() (names []string) {
	for _, impl := range r.Impls {
		if impl.Kind == report.Peer {
			names = append(names, impl.Name)
		}
	}
	return names
}

// ratio is how many times as long as the engine another implementation takes, nil if that was not measured.
func (r Report) ratio(workload, path, impl string) *report.Ratio {
	engine := r.find(workload, path, r.Engine())
	if engine == nil {
		return nil
	}
	for i := range engine.Ratios {
		if engine.Ratios[i].To == impl {
			return &engine.Ratios[i]
		}
	}
	return nil
}

// class is the name of a judgement in the style sheet.
func class(j report.Judgement) string {
	switch j {
	case report.Faster:
		return "good"
	case report.Slower:
		return "bad"
	}
	return "open"
}
