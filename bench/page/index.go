package page

import (
	"fmt"
	"io"
	"net/url"
)

// Index is what the list of a folder's reports is made from.
type Index struct {
	Title   string
	Reports []Report // oldest first
	Skipped []error  // files that are no reports
	Runs    []Run    // that are measuring now
}

// Run is a measurement that has not ended.
type Run struct {
	Name        string // of the report to come
	Text        string // what it does, and how long it will take
	Done, Total int
	Stale       bool // it does not say anything any more
}

// refresh is after how many seconds a list with runs looks again.
const refresh = 2

// WriteIndex writes the list, newest first.
func WriteIndex(w io.Writer, in Index) error {
	f := frame{Title: in.Title, Lead: fmt.Sprintf("%d reports.", len(in.Reports))}
	if len(in.Runs) > 0 {
		s := &section{ID: "running", Title: "Running", Text: []string{"The page looks again every two seconds."}, Runs: in.Runs}
		f.Sections = append(f.Sections, s)
		f.Refresh = refresh
	}
	list := &section{ID: "reports", Title: "Reports"}
	t := table{Caption: "newest first", Header: []string{"report", "began", "commit", "machine", "rounds", "rows"}}
	for i := len(in.Reports) - 1; i >= 0; i-- {
		r := in.Reports[i]
		row := plain(r.Name, r.Environment.Time, r.Environment.Commit, r.Environment.CPU, fmt.Sprint(r.Settings.Rounds), fmt.Sprint(len(r.Results)))
		row[0].URL = "/report?" + url.Values{"name": {r.Name}}.Encode()
		t.Rows = append(t.Rows, row)
		list.Names = append(list.Names, r.Name)
	}
	if len(t.Rows) > 0 {
		list.Tables = []table{t}
	} else {
		list.Text = []string{"There are none yet. Measure into this folder: ksbench run --format json --out FOLDER/NAME.json"}
	}
	if len(list.Names) < 2 {
		list.Names = nil // nothing to compare
	}
	if len(in.Reports) > 2 {
		f.Links = []Link{{Text: "History of all", URL: "/history"}}
	}
	for _, err := range in.Skipped {
		list.Notes = append(list.Notes, "passed over: "+err.Error())
	}
	f.Sections = append(f.Sections, list)
	return f.write(w)
}
