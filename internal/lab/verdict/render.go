package verdict

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteJSON writes the comparison for programs, as comparison.schema.json describes it.
func (c *Comparison) WriteJSON(w io.Writer) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// WriteText writes the comparison as a table for a terminal.
func (c *Comparison) WriteText(w io.Writer) error {
	p := c.page()
	var b strings.Builder
	for _, line := range append(p.sides, p.reading) {
		fmt.Fprintln(&b, line)
	}
	if len(p.rows) > 0 {
		b.WriteString("\n")
		writeAligned(&b, append([][]string{p.header}, p.rows...), figures)
	}
	fmt.Fprintf(&b, "\n%s\n", p.summary)
	for _, line := range p.notes {
		fmt.Fprintln(&b, line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeAligned aligns words left and figures right.
func writeAligned(b *strings.Builder, lines [][]string, figures func(column int) bool) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, line := range lines {
		var row strings.Builder
		for i, text := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if figures(i) {
				text = pad + text
			} else {
				text += pad
			}
			row.WriteString("  " + text)
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
}

// figures are the columns old, new and change.
func figures(column int) bool { return 3 <= column && column <= 5 }

// WriteText writes what the measurements are, a line for each series.
func (m *Measurements) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", m.describe())
	lines := [][]string{{"benchmark", "unit", "median", "samples"}}
	for _, s := range m.Series {
		row := test(s.Values, s.Values, Options{Exact: s.Exact}.withDefaults())
		row.Unit = s.Unit
		lines = append(lines, []string{printable(s.Name), printable(row.unit()), row.Old.format(row), fmt.Sprint(len(s.Values))})
	}
	writeAligned(&b, lines, func(column int) bool { return column >= 2 })
	for _, warning := range m.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", printable(warning))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdown writes the comparison as a comment for a pull request.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	p := c.page()
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n", escape(p.summary))
	if len(p.rows) > 0 {
		b.WriteString("\n")
		writeRow(&b, p.header)
		for i := range p.header {
			if figures(i) {
				b.WriteString("|---:")
			} else {
				b.WriteString("|:---")
			}
		}
		b.WriteString("|\n")
		for _, row := range p.rows {
			writeRow(&b, row)
		}
	}
	b.WriteString("\n")
	for _, line := range append(append(p.sides, p.reading), p.notes...) {
		fmt.Fprintf(&b, "- %s\n", escape(line))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeRow(b *strings.Builder, cells []string) {
	b.WriteString("|")
	for _, c := range cells {
		b.WriteString(" " + escape(c) + " |")
	}
	b.WriteString("\n")
}

// markup are the characters that would end a cell or start emphasis, a strike-through, a link, a mention or a tag.
var markup = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;",
	"~", `\~`, "@", "&#64;")

func escape(s string) string { return markup.Replace(s) }
