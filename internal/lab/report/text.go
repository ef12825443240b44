package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText writes the report as tables for a terminal: one per path, a line per workload, numbers aligned right.
func (r *Report) WriteText(w io.Writer) error {
	p := r.page()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", p.title, p.machine, p.reading)
	for _, s := range p.sections {
		fmt.Fprintf(&b, "\n%s\n", s.title)
		writeAligned(&b, s)
	}
	if len(p.legend) > 0 {
		b.WriteString("\n")
	}
	for _, line := range p.legend {
		fmt.Fprintf(&b, "%s\n", line)
	}
	for _, line := range p.warnings {
		fmt.Fprintf(&b, "\nwarning: %s\n", line)
	}
	b.WriteString("\n")
	for _, line := range p.verdict {
		fmt.Fprintf(&b, "%s\n", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeAligned(b *strings.Builder, s section) {
	widths := make([]int, len(s.header))
	lines := append([][]string{s.header}, s.rows...)
	for _, line := range lines {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	last := len(s.header) - 1
	for _, line := range lines {
		var row strings.Builder
		for i, text := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			switch i {
			case 0:
				row.WriteString("  " + text + pad)
			case last:
				row.WriteString("  " + text)
			default:
				row.WriteString("  " + pad + text)
			}
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
}
