package traces

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/sheet"
)

var (
	//go:embed page.css
	pageStyle string
	//go:embed page.html
	pageText string

	pageSheet    = sheet.New(template.CSS(pageStyle))
	pageTemplate = sheet.Template(pageText)
)

type pageHandle struct {
	Name, Object, From, To string
	Requests, Errors       uint64
	Bars                   []bar
}

// bar is a step of a timeline, in a drawing that is barHeight high.
type bar struct{ X, Y, H, EY, EH float64 }

const barHeight = 44

type pageTable struct {
	ID, Title string
	doc.Table
}

// WriteHTML writes the summary as one page that needs nothing else: no script, no request. What a trace says is escaped, and what does
// not print is replaced.
func (s *Summary) WriteHTML(w io.Writer) error {
	d := s.Document()
	page := struct {
		sheet.Head
		Bucket, Length string
		Lead, Notes    []string
		Steps          int
		Handles        []pageHandle
		Tables         []pageTable
	}{
		Head: sheet.Head{Sheet: pageSheet, Title: s.name}, Lead: printable(d.Lead), Notes: printable(d.Notes),
		Bucket: doc.Nanoseconds(float64(s.bucket)), Length: doc.Nanoseconds(float64(s.length)), Steps: min(int(s.length/s.bucket)+1, buckets),
	}
	most := uint64(1)
	for _, h := range s.handles {
		for _, b := range h.line {
			most = max(most, b.requests)
		}
	}
	for i, o := range s.opened {
		h := s.handles[o.Handle]
		if i == shownRows {
			break
		}
		if h == nil {
			h = new(handleSummary)
		}
		p := pageHandle{Name: fmt.Sprintf("h%d", o.Handle), Object: doc.Printable(s.object(o.Handle)), Requests: h.requests, Errors: h.errors,
			From: doc.Nanoseconds(float64(h.first)), To: doc.Nanoseconds(float64(h.last))}
		for i, b := range h.line {
			if b.requests == 0 {
				continue
			}
			height := max(barHeight*float64(b.requests)/float64(most), 1)
			bad := height * float64(b.errors) / float64(b.requests)
			p.Bars = append(p.Bars, bar{X: float64(i), Y: barHeight - height, H: height, EY: barHeight - bad, EH: bad})
		}
		page.Handles = append(page.Handles, p)
	}
	for _, section := range d.Sections[1:] {
		t := pageTable{ID: strings.ReplaceAll(strings.ToLower(section.Title), " ", "-"), Title: section.Title, Table: section.Table}
		for i, row := range t.Rows {
			t.Rows[i] = printable(row)
		}
		page.Tables = append(page.Tables, t)
	}
	return pageTemplate.Execute(w, page)
}

func printable(texts []string) []string {
	shown := make([]string, len(texts))
	for i, text := range texts {
		shown[i] = doc.Printable(text)
	}
	return shown
}
