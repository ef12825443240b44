package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the same tables as Markdown, ready for a README or a comment.
func (r *Report) WriteMarkdown(w io.Writer) error {
	p := r.page()
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n%s\n\n%s\n", escape(p.title), escape(p.machine), escape(p.reading))
	for _, s := range p.sections {
		fmt.Fprintf(&b, "\n### %s\n\n", escape(s.title))
		writeRow(&b, s.header)
		b.WriteString("|:---|" + strings.Repeat("---:|", len(s.header)-2) + ":---|\n")
		for _, row := range s.rows {
			writeRow(&b, row)
		}
	}
	b.WriteString("\n")
	for _, line := range p.legend {
		fmt.Fprintf(&b, "- %s\n", escape(line))
	}
	for _, line := range p.warnings {
		fmt.Fprintf(&b, "- warning: %s\n", escape(line))
	}
	for _, line := range p.verdict {
		fmt.Fprintf(&b, "\n%s\n", escape(line))
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

// markup are the characters that would end a cell or start emphasis, a strike-through, a link or a tag.
var markup = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "~", `\~`)

func escape(s string) string { return markup.Replace(s) }
