package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report as described by report.schema.json, indented so that two reports can be compared as text.
func (r *Report) WriteJSON(w io.Writer) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
