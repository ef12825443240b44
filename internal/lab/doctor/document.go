package doctor

import "github.com/ksdispatch/ksdispatch/internal/lab/doc"

// Document is the findings, what to do under each.
func (d Diagnosis) Document() *doc.Document {
	t := doc.Table{Columns: []doc.Column{{Name: "grade", Words: true}, {Name: "of", Words: true}, {Name: "seen", Words: true}}}
	for _, f := range d.Findings {
		saw := f.Saw
		if f.Advice != "" {
			saw += "\n-> " + f.Advice
		}
		t.Rows = append(t.Rows, []string{string(f.Grade), f.Name, saw})
	}
	return &doc.Document{Lead: []string{d.Environment.String()}, Sections: []doc.Section{{Table: t}}, Summary: []string{d.Summary()}}
}

// Summary is the diagnosis in a sentence.
func (d Diagnosis) Summary() string {
	counts := map[Grade]int{}
	for _, f := range d.Findings {
		counts[f.Grade]++
	}
	switch {
	case !d.Fit:
		return "Not fit to measure on: see what is bad above."
	case counts[Warning] > 0:
		return "Fit to measure on, with the cautions above."
	}
	return "Fit to measure on."
}
