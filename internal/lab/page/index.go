package page

import (
	"fmt"
	"io"
	"net/url"

	"github.com/ksdispatch/ksdispatch/internal/lab/sheet"
)

// Index is what the list of a folder's reports is made from.
type Index struct {
	Title   string
	Reports []Report // oldest first
	Skipped []error  // files that are no reports
	Runs    []Run    // that are measuring now
	Follow  bool     // load the list again and again while there are runs
}

// Run is a measurement that has not ended.
type Run struct {
	Name        string // of the report to come
	Text        string // what it does, and how long it will take
	Done, Total int
	Stale       bool // it does not say anything any more
}

// refresh is after how many seconds a list that follows runs looks again. That is for the reader to start and to stop (WCAG
// 2.2, 2.2.1): a page that loads itself takes a screen reader back to its beginning.
const refresh = 2

// WriteIndex writes the list, newest first.
func WriteIndex(w io.Writer, in Index) error {
	f := frame{Head: sheet.Head{Title: in.Title}, Lead: fmt.Sprintf("%d reports.", len(in.Reports))}
	if len(in.Runs) > 0 {
		f.Sections = append(f.Sections, &section{ID: "running", Title: "Running", Runs: in.Runs})
		if in.Follow {
			f.Refresh = refresh
			f.Links = append(f.Links, Link{Text: "Stop following", URL: "/"})
		} else {
			f.Links = append(f.Links, Link{Text: fmt.Sprintf("Follow: look again every %d seconds", refresh), URL: "/?follow=1"})
		}
	}
	list := &section{ID: "reports", Title: "Reports"}
	t := table{Caption: "newest first", Header: []string{"report", "began", "commit", "machine", "rounds", "rows"}}
	for i := len(in.Reports) - 1; i >= 0; i-- {
		r := in.Reports[i]
		row := plain(r.Name, r.when(), r.Environment.Commit, r.Environment.CPU, fmt.Sprint(r.Settings.Rounds), fmt.Sprint(len(r.Results)))
		if r.Bench != nil {
			row[4].Text, row[5].Text = "", fmt.Sprint(len(r.Bench.Series))
		}
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
		f.Links = append(f.Links, Link{Text: "History of all", URL: "/history"})
	}
	for _, err := range in.Skipped {
		list.Notes = append(list.Notes, "passed over: "+err.Error())
	}
	f.Sections = append(f.Sections, list)
	return f.write(w)
}
