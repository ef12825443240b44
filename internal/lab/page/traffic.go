package page

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// traffic is what clients asked, and what was answered in another way than it was recorded.
func traffic(in Input) (*section, error) {
	r := in.last(func(r Report) bool { return hasTraffic(r.Report) })
	if !hasTraffic(r.Report) {
		return nil, nil
	}
	return &section{ID: "traffic", Title: "Traffic", Headline: fmt.Sprintf("Answers that differ: %d.", r.Differ()),
		Tables: tables(r.TrafficTables())}, nil
}

func hasTraffic(r *report.Report) bool { return len(r.Traffic) > 0 || len(r.Differences) > 0 }
