// Package doc holds what a command has to say before it becomes text, Markdown, CSV or JSON: a document of sections,
// tables and notes.
//
// Commands build a Document of plain strings; this package alone lays out, escapes and folds. Names in reports come
// from files that anybody may have written, and nothing written here can steer a terminal or break out of a Markdown
// cell.
//
// Text has a width; 0 means as wide as necessary. A table that does not fit first drops the columns that its maker
// marked as dispensable, then folds words, and then continues below itself. A figure is never broken.
package doc

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Document is a title, tables and what is to be said of them. Every part may be absent.
type Document struct {
	Title    string
	Lead     []string // where it was measured and how to read it
	Sections []Section
	Notes    []string
	Summary  []string // the last lines of a text; without a title, the first of Markdown
}

// Section is a table under its title. Drawing is text that is laid out already, which Markdown leaves out.
type Section struct {
	Title   string
	Table   Table
	Drawing string
}

// Documented is what people can read.
type Documented interface{ Document() *Document }

// Write writes v in a format: "text" and "md" of its document, "json" of v, and others if v has the method for it. Text is as wide as
// width allows, 0 for any.
func Write(w io.Writer, v Documented, format string, width int) error {
	switch format {
	case "text":
		return v.Document().writeText(w, width)
	case "md":
		return v.Document().writeMarkdown(w)
	case "csv":
		if v, ok := v.(interface{ WriteCSV(io.Writer) error }); ok {
			return v.WriteCSV(w)
		}
	case "bench":
		if v, ok := v.(interface{ WriteGoBench(io.Writer) error }); ok {
			return v.WriteGoBench(w)
		}
	case "json":
		if v, ok := v.(interface{ WriteJSON(io.Writer) error }); ok { // by itself, if it is large
			return v.WriteJSON(w)
		}
		return writeJSON(w, v)
	}
	return fmt.Errorf("there is no format %q of this", format)
}

// writeJSON writes nothing of a value that cannot be written whole.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := b.WriteTo(w)
	return err
}

// WriteCSV writes a header and rows as they come. Names lose what is not printable.
func WriteCSV(w io.Writer, header []string, rows iter.Seq[[]string]) error {
	c := csv.NewWriter(w) // keeps the first error for Error
	_ = c.Write(header)
	for row := range rows {
		for i := range row {
			row[i] = Printable(row[i])
		}
		if c.Write(row) != nil {
			break
		}
	}
	c.Flush()
	return c.Error()
}

func (d *Document) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	list := d.Notes
	if d.Title != "" {
		fmt.Fprintf(&b, "**%s**\n", Escape(d.Title))
		for _, line := range d.Lead {
			fmt.Fprintf(&b, "\n%s\n", Escape(line))
		}
	} else {
		for i, line := range d.Summary {
			fmt.Fprintf(&b, "%s**%s**\n", strings.Repeat("\n", min(i, 1)), Escape(line))
		}
		list = append(d.Lead[:len(d.Lead):len(d.Lead)], d.Notes...)
	}
	for _, s := range d.Sections {
		if s.Title != "" && s.Drawing == "" {
			fmt.Fprintf(&b, "\n### %s\n", Escape(s.Title))
		}
		if len(s.Table.Rows) > 0 {
			b.WriteString("\n" + s.Table.Markdown())
		}
	}
	if len(list) > 0 {
		b.WriteString("\n")
	}
	for _, line := range list {
		fmt.Fprintf(&b, "- %s\n", Escape(line))
	}
	if d.Title != "" {
		for _, line := range d.Summary {
			fmt.Fprintf(&b, "\n%s\n", Escape(line))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markup are the characters that would end a cell or start emphasis, a link, a mention, a reference, a formula or a tag.
var markup = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "~", `\~`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;", "#", "&#35;", "$", "&#36;", "://", ":&#47;&#47;", "www.", "www&#46;")

// Escape is the text as Markdown that shows it and does nothing else. A line break stays one.
func Escape(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = markup.Replace(Printable(line))
	}
	return strings.Join(lines, "<br>")
}
