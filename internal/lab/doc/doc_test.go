package doc

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// some is a document with all parts; its names come from somebody who means mischief.
type some struct{ A, B string }

func (some) Document() *Document {
	return &Document{
		Title: "ten numbers", Lead: []string{"how to read it"},
		Sections: []Section{
			{Title: "irp: a request", Table: Table{
				Columns: []Column{{Name: "name", Words: true}, {Name: "old"}, {Name: "new"}, {Name: "interval", Optional: 2},
					{Name: "how it was got", Words: true, Optional: 1}},
				Rows: [][]string{
					{"short", "47.1 ±2%", "1.25µs", "+1.0% to +2.0%", "measured, one after the other, in turns"},
					{"@octocat|\x1b[31m<b>", "1", "2", "-", "counted\nand divided"},
				},
			}},
			{Title: "drawn", Drawing: "  |--|\n"},
		},
		Notes: []string{"warning: #1 of www.example.com"}, Summary: []string{"all is well"},
	}
}

func written(t testing.TB, v Documented, format string, width int) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, v, format, width))
	return b.String()
}

func TestText(t *testing.T) {
	require.Equal(t, `ten numbers
how to read it

irp: a request
  name                    old     new        interval  how it was got
  short              47.1 ±2%  1.25µs  +1.0% to +2.0%  measured, one after the other, in turns
  @octocat|?[31m<b>         1       2               -  counted
                                                       and divided

drawn
  |--|

warning: #1 of www.example.com

all is well
`, written(t, some{}, "text", 0))
	require.Equal(t, `ten numbers
how to read it

irp: a request
  name                    old     new  how it was got
  short              47.1 ±2%  1.25µs  measured, one after the
                                       other, in turns
  @octocat|?[31m<b>         1       2  counted
                                       and divided
  (left out at 62 columns: interval)

drawn
  |--|

warning: #1 of www.example.com

all is well
`, written(t, some{}, "text", 62))
}

func TestMarkdown(t *testing.T) {
	require.Equal(t, `**ten numbers**

how to read it

### irp: a request

| name | old | new | interval | how it was got |
|:---|---:|---:|---:|:---|
| short | 47.1 ±2% | 1.25µs | +1.0% to +2.0% | measured, one after the other, in turns |
| &#64;octocat\|?\[31m&lt;b&gt; | 1 | 2 | - | counted<br>and divided |

- warning: &#35;1 of www&#46;example.com

all is well
`, written(t, some{}, "md", 0))
}

// Without a title the summary is what a comment begins with.
func TestMarkdownWithoutATitle(t *testing.T) {
	d := some{}.Document()
	d.Title, d.Sections = "", nil
	var b bytes.Buffer
	require.NoError(t, d.writeMarkdown(&b))
	require.Equal(t, "**all is well**\n\n- how to read it\n- warning: &#35;1 of www&#46;example.com\n", b.String())
}

// Whatever a name is, its cell stays one cell, and it is no mention, reference, link or tag.
func TestEscape(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"@octocat", "&#64;octocat"},
		{"a|b", `a\|b`},
		{"`x`", "\\`x\\`"},
		{"<script>", "&lt;script&gt;"},
		{"&lt;", "&amp;lt;"},
		{"[a](b)", `\[a\](b)`},
		{"https://x", "https:&#47;&#47;x"},
		{"$x$", "&#36;x&#36;"},
		{"GH#1", "GH&#35;1"},
		{`\`, `\\`},
		{"a\x1b[31m\u202e", `a?\[31m?`},
		{"a\nb", "a<br>b"},
		{"a_b*c~d", `a\_b\*c\~d`},
	} {
		require.Equal(t, c.want, Escape(c.text), "%q", c.text)
	}
}

// Whatever the table and the width are: no line is wider, unless a figure or the names alone are; figures are whole; and what is not
// shown is said.
func TestTablesFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 1))
	for range 3000 {
		var table Table
		for i := range 1 + rng.IntN(12) {
			table.Columns = append(table.Columns,
				Column{Name: fmt.Sprintf("column%d", i), Words: i == 0 || rng.IntN(3) == 0, Optional: rng.IntN(3) * rng.IntN(2)})
		}
		table.Columns[0].Optional = 0
		for range 1 + rng.IntN(4) {
			var row []string
			for _, c := range table.Columns {
				text := fmt.Sprintf("%d.%dms ±%d%%", rng.IntN(1000), rng.IntN(10), rng.IntN(100))
				if c.Words {
					text = strings.Repeat("word/", rng.IntN(9)) + strings.Repeat("a word ", rng.IntN(9)) + "end"
				}
				row = append(row, text)
			}
			table.Rows = append(table.Rows, row)
		}
		width := 45 + rng.IntN(150)
		var b strings.Builder
		table.text(&b, width)
		text := b.String()
		for line := range strings.SplitSeq(text, "\n") {
			require.LessOrEqual(t, length(line), width, "%s", text)
		}
		for i, c := range table.Columns {
			shown := regexp.MustCompile(`\b` + c.Name + `\b`).MatchString(text)
			require.True(t, shown, "%s is neither shown nor named:\n%s", c.Name, text)
			dropped := strings.Contains(text, "left out") && regexp.MustCompile(`(?s)left out.*\b`+c.Name+`\b`).MatchString(text)
			for _, row := range table.Rows {
				if !c.Words && !dropped {
					require.Contains(t, text, row[i], "a figure is whole")
				}
			}
		}
	}
}

// A table that is too wide goes on below itself, under the names of its rows.
func TestTableGoesOnBelow(t *testing.T) {
	table := Table{Columns: Figures("name", "one", "two", "three"), Rows: [][]string{{"a", "1111111111", "2222222222", "3333333333"}}}
	var b strings.Builder
	table.text(&b, 32)
	require.Equal(t, "  name         one         two\n  a     1111111111  2222222222\n\n  name       three\n  a     3333333333\n", b.String())

	table.Columns[0].Key, table.Columns[2].Key = true, true
	b.Reset()
	table.text(&b, 32)
	require.Equal(t, "  name         two         one\n  a     2222222222  1111111111\n\n"+
		"  name         two       three\n  a     2222222222  3333333333\n", b.String())
}

func TestFold(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one two", 0, []string{"one two"}},
		{"one two", 3, []string{"one", "two"}},
		{"one  two", 4, []string{"one", "two"}},
		{"abcdefgh", 3, []string{"abc", "def", "gh"}},
		{"ab/cd/ef", 6, []string{"ab/cd/", "ef"}},
		{"load-of-a-driver", 12, []string{"load-of-a-", "driver"}},
		{"  one two", 6, []string{"  one", "  two"}},
		{"äöü äöü", 3, []string{"äöü", "äöü"}},
	} {
		require.Equal(t, c.want, fold(c.text, c.width), "%q in %d", c.text, c.width)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Number(0), "0"},
		{Number(4.345), "4.34"},
		{Number(9.999), "10"},
		{Number(47.04), "47"},
		{Number(158.3), "158"},
		{Number(-0.5), "-0.5"},
		{Number(123456), "123456"},
		{Number(3e9), "3e+09"},
		{Number(0.00012), "0.00012"},
		{Count(0), "0"},
		{Count(0.50295), "0.503"},
		{Count(0.00002), "<0.0001"},
		{Count(12345678), "12345678"},
		{Times(0.354), "0.354x"},
		{Times(125.4), "125x"},
		{Percent(0.05), "+5.0%"},
		{Percent(-0.0001), "0.0%"},
		{Percent(12.5), "+1250%"},
		{Within(100, 97, 102), " ±3%"},
		{Within(0, 0, 0), ""},
		{Nanoseconds(47), "47 ns"},
		{Nanoseconds(1580), "1.58 µs"},
		{Nanoseconds(999.9), "1 µs"},
		{Nanoseconds(2e7), "20 ms"},
		{Nanoseconds(3e9), "3 s"},
		{Bytes(708), "708 B"},
		{Bytes(2252.8), "2.2 KiB"},
		{Bytes(3 << 29), "1.5 GiB"},
		{Short(8), "8"},
		{Short(8192), "8.19k"},
		{Short(4e6), "4M"},
		{Quantity(1580, "ns/op"), "1.580µs"},
		{Quantity(12288, "B/op"), "12.00Ki"},
		{Plural(1, "row"), "1 row"},
		{Plural(0, "row"), "0 rows"},
		{Listed([]string{"a", "b", "c", "d", "e", "f", "g"}), "a, b, c, d, e and 2 more"},
	} {
		require.Equal(t, c.want, c.got)
	}
}

func TestJSONAndOtherFormats(t *testing.T) {
	require.Equal(t, "{\n  \"A\": \"<b>\",\n  \"B\": \"\"\n}\n", written(t, some{A: "<b>"}, "json", 0))
	require.ErrorContains(t, Write(new(bytes.Buffer), some{}, "csv", 0), `no format "csv"`)
	require.ErrorContains(t, Write(new(bytes.Buffer), some{}, "pdf", 0), `no format "pdf"`)
	var b bytes.Buffer
	require.NoError(t, WriteCSV(&b, []string{"a", "b"}, slices.Values([][]string{{"1,2", "x\x1by"}})))
	require.Equal(t, "a,b\n\"1,2\",x?y\n", b.String())
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	for _, format := range []string{"text", "md", "json"} {
		require.ErrorIs(t, Write(full{}, some{}, format, 80), errFull, format)
	}
	n := 0
	var endless iter.Seq[[]string] = func(yield func([]string) bool) {
		for yield([]string{strings.Repeat("x", 5000)}) && n < 1000 {
			n++
		}
	}
	require.ErrorIs(t, WriteCSV(full{}, []string{"a"}, endless), errFull)
	require.Less(t, n, 10, "nothing more is asked for")
}
