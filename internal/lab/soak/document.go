package soak

import (
	"fmt"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Document is the result for people.
func (r *Result) Document() *doc.Document {
	d := &doc.Document{
		Title: fmt.Sprintf("ksbench soak: %v, seed %d", r.Elapsed.Round(time.Millisecond), r.Seed),
		Lead: []string{"Each request was to be answered once, as ordered, and in order; what pended to be completed once; each buffer to be " +
			"freed, each event to end, each goroutine too; memory to stay as it was."},
	}
	t := doc.Table{Columns: []doc.Column{{Name: "what", Words: true}, {Name: "times"}}}
	for _, c := range []struct {
		what string
		n    int64
	}{
		{"sessions, of a device and a handle each", r.Sessions}, {"requests", r.Requests}, {"pended", r.Pended},
		{"of these on overlapped handles", r.Overlapped},
		{"of these completed", r.Completed}, {"of these cancelled", r.Cancelled}, {"panics", r.Panics},
		{"requests without memory", r.Exhausted}, {"swaps of the dispatcher", r.Swaps}, {"removals of a device", r.Removals},
		{"events enabled", r.Events}, {"pauses, to look at the balance", int64(r.Pauses)},
	} {
		t.Rows = append(t.Rows, []string{c.what, fmt.Sprint(c.n)})
	}
	d.Sections = []doc.Section{{Table: t}}
	if r.Resident[1] != 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("resident after a minute %s, at the end %s (%s)", doc.Bytes(float64(r.Resident[0])),
			doc.Bytes(float64(r.Resident[1])), doc.Percent(float64(r.Resident[1])/float64(r.Resident[0])-1)))
	}
	d.Summary = []string{"no fault"}
	if r.Fault != "" {
		d.Summary = []string{"fault: " + r.Fault}
	}
	return d
}
