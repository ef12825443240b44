// Package sheet has the head, the colours and the policy of all HTML pages. Under that policy a browser runs no script and loads
// nothing. A page is one file that needs nothing else.
package sheet

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

var (
	//go:embed base.css
	base string
	//go:embed head.html
	head string
)

// Sheet is the style of pages, and the Content-Security-Policy that allows it.
type Sheet struct {
	CSS    template.CSS
	Policy string
}

// New adds rules to those of all pages. The policy allows this one sheet, and forms to where the page is from. The icon is empty, and
// data: keeps browsers from asking for one.
func New(rules template.CSS) Sheet {
	css := template.CSS(base) + rules
	sum := sha256.Sum256([]byte(css))
	return Sheet{css, fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; form-action 'self'",
		base64.StdEncoding.EncodeToString(sum[:]))}
}

// Head is what the template "head" needs: what a page is executed with has one embedded.
type Head struct {
	Sheet
	Title   string
	Refresh int // seconds after which a browser is to load the page again; 0: never
}

// Template parses a page that begins with {{template "head" .}} and goes on with <body>. Its function name is doc.Printable, for what
// strangers may have named; cell is the same for a cell of a table. It panics if text is wrong.
func Template(text string) *template.Template {
	t := template.New("page").Funcs(template.FuncMap{"name": doc.Printable, "cell": cell})
	template.Must(t.New("head").Parse(head))
	return template.Must(t.Parse(text))
}

// cell lets a name break behind each underscore, and so a table be narrower.
func cell(text string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(doc.Printable(text)), "_", "_<wbr>"))
}
