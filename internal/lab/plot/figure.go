package plot

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

//go:embed style.css
var style string

// Style is the style sheet of the figures, for the page that holds them: once is enough for all.
func Style() template.CSS { return template.CSS(style) }

// Figure is a drawn chart.
type Figure struct {
	ID      string // unique in a page
	Title   string
	Summary string     // what the picture shows, in words
	Marks   int        // values drawn
	Header  []string   // of the table
	Table   [][]string // the same values

	width, height float64
	body          strings.Builder
}

// widths of the pictures in their own units. CSS pixels are about as many on a desktop; on a phone the picture shrinks, and
// the style sheet enlarges the letters, for which the charts leave room.
const (
	width      = 520.0
	letter     = 7.4 // of an average letter
	lineHeight = 18.0
)

// Inline is the figure as an element of a page that has the [Style].
func (f *Figure) Inline() template.HTML {
	var b strings.Builder
	f.open(&b, "", 0)
	b.WriteString(f.body.String())
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// heading is the height of the title in a file. In a page the title is the page's to show.
const heading = 28.0

// WriteSVG writes the figure as a file of its own, under its title.
func (f *Figure) WriteSVG(w io.Writer) error {
	var b strings.Builder
	f.open(&b, ` xmlns="http://www.w3.org/2000/svg"`, heading)
	fmt.Fprintf(&b, "<style>%s</style>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n", style)
	title, _ := fit(f.Title, f.width-12)
	fmt.Fprintf(&b, "<text class=\"heading\" x=\"4\" y=\"19\">%s</text>\n<g transform=\"translate(0 %s)\">\n", escape(title), num(heading))
	b.WriteString(f.body.String())
	b.WriteString("</g></svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// open begins the element, with so much room above the chart.
func (f *Figure) open(b *strings.Builder, namespace string, above float64) {
	id := escape(f.ID)
	fmt.Fprintf(b, `<svg%s class="plot" role="img" aria-labelledby="%s-title %s-desc" viewBox="0 0 %s %s" data-marks="%d">`,
		namespace, id, id, num(f.width), num(f.height+above), f.Marks)
	fmt.Fprintf(b, "\n<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", id, escape(f.Title), id, escape(f.Summary))
}

// add appends an element; attributes are of the package's own making, names go through escape.
func (f *Figure) add(format string, args ...any) { fmt.Fprintf(&f.body, format+"\n", args...) }

// text sets a name, cut to fit a room and then whole in the tooltip.
func (f *Figure) text(class string, x, y, room float64, s string) {
	cut, whole := fit(s, room)
	tip := ""
	if !whole {
		tip = "<title>" + escape(s) + "</title>"
	}
	f.add(`<text class="%s" x="%s" y="%s">%s%s</text>`, class, num(x), num(y), escape(cut), tip)
}

// fit cuts a text to what fits into so much room.
func fit(s string, room float64) (cut string, whole bool) {
	n := max(int(room/letter), 2)
	if utf8.RuneCountInString(s) <= n {
		return s, true
	}
	return string([]rune(s)[:n-1]) + "…", false
}

func extent(s string) float64 { return letter * float64(utf8.RuneCountInString(s)) }

// num writes a coordinate to a tenth.
func num(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(doc.Printable(s))) // a Builder does not fail
	return b.String()
}
