package doc

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Table is rows of as many cells as there are columns.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// Column is how the cells of a column are shown.
type Column struct {
	Name     string
	Words    bool // aligned left, and folded where there is no room; figures are aligned right, and whole
	Key      bool // of the names of a row, which are repeated where the table goes on below; the first column if there is none
	Optional int  // above 0: can be left out where there is no room, the highest first
}

// Figures are columns of figures with these names, after a column of words.
func Figures(words string, figures ...string) []Column {
	columns := []Column{{Name: words, Words: true}}
	for _, name := range figures {
		columns = append(columns, Column{Name: name})
	}
	return columns
}

const (
	gap    = 2  // before each column
	narrow = 22 // as narrow as a column of longer words gets before columns are left out
	least  = 14 // and before the table goes on below
)

// Markdown is the table as Markdown.
func (t Table) Markdown() string {
	var b strings.Builder
	row := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + Escape(c) + " ")
		}
		b.WriteString("|\n")
	}
	names, rule := make([]string, len(t.Columns)), "|"
	for i, c := range t.Columns {
		names[i] = c.Name
		rule += map[bool]string{true: ":---|", false: "---:|"}[c.Words]
	}
	row(names)
	b.WriteString(rule + "\n")
	for _, cells := range t.Rows {
		row(cells)
	}
	return b.String()
}

func (d *Document) writeText(w io.Writer, width int) error {
	var b strings.Builder
	paragraph := func(line string) {
		for _, part := range fold(line, width) {
			b.WriteString(part + "\n")
		}
	}
	apart := func() { // by one empty line, and not at the top
		if b.Len() > 0 {
			b.WriteString("\n")
		}
	}
	if d.Title != "" {
		paragraph(d.Title)
	}
	for _, line := range d.Lead {
		paragraph(line)
	}
	for _, s := range d.Sections {
		apart()
		if s.Title != "" {
			paragraph(s.Title)
		}
		if len(s.Table.Rows) > 0 {
			s.Table.text(&b, width)
		}
		b.WriteString(s.Drawing)
	}
	for _, lines := range [][]string{d.Notes, d.Summary} {
		if len(lines) > 0 {
			apart()
		}
		for _, line := range lines {
			paragraph(line)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// text lays the table out in columns that line up.
func (t Table) text(b *strings.Builder, width int) {
	wide, tight := make([]int, len(t.Columns)), make([]int, len(t.Columns)) // with all words on one line; with as many folds as there may be
	var keys []int
	for i, c := range t.Columns {
		if c.Key {
			keys = append(keys, i)
		}
		heads := []string{c.Name}
		if !c.Words {
			heads = strings.Fields(c.Name) // one may stand under the other
		}
		for _, h := range heads {
			wide[i] = max(wide[i], length(h))
		}
		for _, row := range t.Rows {
			for line := range strings.SplitSeq(row[i], "\n") {
				wide[i] = max(wide[i], length(line))
			}
		}
	}
	if keys == nil {
		keys = []int{0}
	}
	tighten := func(most int) {
		for i, c := range t.Columns {
			if tight[i] = wide[i]; c.Words && width > 0 {
				tight[i] = min(wide[i], most)
			}
		}
	}
	tighten(narrow)
	take := func(columns []int) (room int) {
		room = width
		for _, i := range columns {
			room -= gap + tight[i]
		}
		return room
	}
	var shown []int
	for i := range t.Columns {
		shown = append(shown, i)
	}
	var left []string
	for width > 0 && take(shown) < 0 {
		dispensable := slices.MaxFunc(shown, func(i, j int) int { return t.Columns[i].Optional - t.Columns[j].Optional })
		if t.Columns[dispensable].Optional == 0 {
			break
		}
		left = append(left, Printable(t.Columns[dispensable].Name))
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == dispensable })
	}
	if width > 0 && take(shown) < 0 {
		tighten(min(least, width/3))
	}
	if width > 0 && take(shown) < 0 { // the names lead each part
		shown = slices.Concat(keys, slices.DeleteFunc(shown, func(i int) bool { return slices.Contains(keys, i) }))
	}
	for {
		block := shown[:len(keys)] // the names, and as many others as there is room for
		for len(block) < len(shown) && (width == 0 || len(block) == len(keys) || take(shown[:len(block)+1]) >= 0) {
			block = shown[:len(block)+1]
		}
		t.block(b, block, wide, tight, take(block))
		if len(block) == len(shown) {
			break
		}
		b.WriteString("\n")
		shown = slices.Concat(keys, shown[len(block):])
	}
	if len(left) > 0 {
		b.WriteString(strings.Join(fold(fmt.Sprintf("  (left out at %d columns: %s)", width, strings.Join(left, ", ")), width), "\n") + "\n")
	}
}

// block writes some of the columns. room is what words can have more than the least.
func (t Table) block(b *strings.Builder, columns, wide, tight []int, room int) {
	widths := slices.Clone(tight)
	for _, i := range columns {
		more := min(wide[i]-widths[i], max(room, 0))
		widths[i] += more
		room -= more
	}
	write := func(cell func(i int) string) {
		cells, height := make([][]string, len(columns)), 0
		for k, i := range columns {
			for line := range strings.SplitSeq(cell(i), "\n") {
				cells[k] = append(cells[k], fold(line, widths[i])...)
			}
			height = max(height, len(cells[k]))
		}
		for n := range height {
			line := ""
			for k, i := range columns {
				text := ""
				if n < len(cells[k]) {
					text = cells[k][n]
				}
				pad := strings.Repeat(" ", max(widths[i]-length(text), 0))
				if t.Columns[i].Words {
					text += pad
				} else {
					text = pad + text
				}
				line += strings.Repeat(" ", gap) + text
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	write(func(i int) string { return t.Columns[i].Name })
	for _, row := range t.Rows {
		write(func(i int) string { return row[i] })
	}
}

// fold breaks a line at spaces, and a word longer than the width after a slash, a comma, an underscore or a hyphen or, if it has none,
// anywhere. Width 0 is none. Lines after the first are indented like the first.
func fold(line string, width int) (lines []string) {
	rest := []rune(Printable(line))
	indent := 0
	for indent < len(rest) && rest[indent] == ' ' {
		indent++
	}
	for width > indent && len(rest) > width {
		at := lastIndex(rest[indent:width+1], " ") + indent
		if at <= indent {
			if at = lastIndex(rest[indent:width], "/,_-") + indent + 1; at <= indent {
				at = width
			}
		}
		lines = append(lines, strings.TrimRight(string(rest[:at]), " "))
		for at < len(rest) && rest[at] == ' ' {
			at++
		}
		rest = slices.Concat(rest[:0:0], []rune(strings.Repeat(" ", indent)), rest[at:])
	}
	return append(lines, string(rest))
}

func lastIndex(line []rune, any string) int {
	for i := len(line) - 1; i >= 0; i-- {
		if strings.ContainsRune(any, line[i]) {
			return i
		}
	}
	return -1
}

func length(s string) int { return utf8.RuneCountInString(s) }

// Printable replaces what could steer a terminal: control characters, and those that change the direction of the text.
func Printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) || unicode.Is(unicode.Zs, c) { // Zs are spaces of other widths
			return c
		}
		return '?'
	}, s)
}
