package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteText writes the findings for a terminal, what to do under each.
func (d Diagnosis) WriteText(w io.Writer) error {
	var b strings.Builder
	e := d.Environment
	fmt.Fprintf(&b, "%s, %d cores, GOMAXPROCS=%d, %s/%s, %s, %s\n\n", e.CPU, e.Cores, e.GOMAXPROCS, e.OS, e.Arch, e.GoVersion, e.Level)
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "%-8s %-15s %s\n", f.Grade, f.Name, f.Saw)
		if f.Advice != "" {
			fmt.Fprintf(&b, "%24s -> %s\n", "", f.Advice)
		}
	}
	b.WriteString("\n" + d.Summary() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
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

// WriteJSON writes the diagnosis for programs.
func (d Diagnosis) WriteJSON(w io.Writer) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
