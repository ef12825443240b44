package page

import "github.com/ksdispatch/ksdispatch/internal/lab/doc"

// loads is what many clients saw.
func loads(in Input) (*section, error) {
	r := in.last(func(r Report) bool { return r.Load != nil })
	if r.Load == nil {
		return nil, nil
	}
	lines := r.Load.Lines()
	s := &section{ID: "load", Title: "Load", Headline: lines[0], Text: lines[1:]}
	s.Tables = tables(r.Load.Tables())
	return s, nil
}

// tables are those of a document.
func tables(sections []doc.Section) (all []table) {
	for _, of := range sections {
		t := table{Caption: of.Title}
		for _, c := range of.Table.Columns {
			t.Header = append(t.Header, c.Name)
		}
		for _, row := range of.Table.Rows {
			t.Rows = append(t.Rows, plain(row...))
		}
		all = append(all, t)
	}
	return all
}
