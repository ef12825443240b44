package module

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/gosource"
)

// A link of a comment that leads nowhere shows as brackets and tells of a name that is gone.
func TestLinksOfCommentsLeadSomewhere(t *testing.T) {
	packages := map[string]*declared{} // by directory
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "testdata" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		dir := filepath.Dir(path)
		if packages[dir] == nil {
			packages[dir] = &declared{names: map[string]bool{}}
		}
		packages[dir].add(path, file)
		return nil
	}))
	named := map[string][]*declared{} // by the name of the package
	links := 0
	for dir, p := range packages {
		named[filepath.Base(dir)] = append(named[filepath.Base(dir)], p)
	}
	for _, p := range packages {
		for _, l := range p.links {
			links++
			require.True(t, l.leads(p, named), "%s: [%s] names nothing", l.path, l.to)
		}
	}
	require.Greater(t, links, 50)

	// Negative controls.
	p := &declared{names: map[string]bool{}}
	file, err := parser.ParseFile(token.NewFileSet(), "", `package a
// B is [C], [B.D], [b.C] and [F]; not E[T], [0], nor a list of
//
//	[H]
type B struct{ D int }
func F() {}
`, parser.ParseComments)
	require.NoError(t, err)
	p.add("a.go", file)
	var broken []string
	for _, l := range p.links {
		if !l.leads(p, map[string][]*declared{"b": {p}}) {
			broken = append(broken, l.to)
		}
	}
	require.Equal(t, []string{"C", "b.C"}, broken)
}

// declared are the names of a package, and the links of its comments.
type declared struct {
	names map[string]bool // Function, Type, Type.Method, Type.Field
	links []link
}

type link struct{ path, to string }

var linked = regexp.MustCompile(`(?:^|[^\w\])])\[\*?((?:[a-z]\w*\.)?[A-Z]\w*(?:\.[A-Z]\w*)?)\]`)

func (p *declared) add(path string, file *ast.File) {
	for _, group := range file.Comments {
		for line := range strings.Lines(group.Text()) {
			if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "    ") {
				continue
			}
			for _, m := range linked.FindAllStringSubmatch(line, -1) {
				p.links = append(p.links, link{path, m[1]})
			}
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			p.names[gosource.Name(d)] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				p.addSpec(spec)
			}
		}
	}
}

func (p *declared) addSpec(spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			p.names[name.Name] = true
		}
	case *ast.TypeSpec:
		p.names[s.Name.Name] = true
		var fields *ast.FieldList
		switch of := s.Type.(type) {
		case *ast.StructType:
			fields = of.Fields
		case *ast.InterfaceType:
			fields = of.Methods
		default:
			return
		}
		for _, f := range fields.List {
			for _, name := range f.Names {
				p.names[s.Name.Name+"."+name.Name] = true
			}
		}
	}
}

// leads reports whether a package has the name. Of packages that are not of the module nothing is known.
func (l link) leads(own *declared, named map[string][]*declared) bool {
	if own.names[l.to] {
		return true
	}
	pkg, name, qualified := strings.Cut(l.to, ".")
	if !qualified || strings.ToLower(pkg[:1]) != pkg[:1] {
		return false
	}
	others := named[pkg]
	for _, p := range others {
		if p.names[name] {
			return true
		}
	}
	return len(others) == 0
}
