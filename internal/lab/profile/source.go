package profile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/gosource"
	"github.com/ksdispatch/ksdispatch/internal/input"
)

// maxSource is more than any file of this module has.
const maxSource = 4 << 20

// Source knows which functions a module's source has, those of tests included, which record profiles, too. The zero value is
// not usable.
type Source struct {
	root     string
	packages map[string]map[string]bool // by directory below root: "Function" and "Type.Method"
}

// FindSource returns the source of this module, of which dir is a directory or below one. An error says that it is
// somewhere else.
func FindSource(ctx context.Context, dir string) (*Source, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for {
		text, err := input.ReadFile(ctx, filepath.Join(at, "go.mod"), maxSource)
		if err == nil && bytes.HasPrefix(text, []byte("module "+strings.TrimSuffix(module, "/")+"\n")) {
			return &Source{at, map[string]map[string]bool{}}, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if filepath.Dir(at) == at {
			return nil, fmt.Errorf("%s is not in the source of %s", dir, strings.TrimSuffix(module, "/"))
		}
		at = filepath.Dir(at)
	}
}

var (
	typeArguments = regexp.MustCompile(`\[[^\[\]]*\]`)
	receiver      = regexp.MustCompile(`^\(\*?([^()]+)\)\.(.*)$`)
)

// split takes a name of the runtime apart: "github.com/.../table.(*Table[...]).Lookup.func1" is the directory engine/table
// and the function "Table.Lookup". Of names that the compiler made up, such as that of an initialisation, the function is "".
func split(name string) (dir, function string) {
	for typeArguments.MatchString(name) {
		name = typeArguments.ReplaceAllString(name, "")
	}
	if rest, found := strings.CutPrefix(name, "main."); found {
		dir, name = "cmd/ksbench", rest
	} else {
		name = strings.TrimPrefix(name, module)
		slash := strings.LastIndexByte(name, '/') + 1
		dot := slash + strings.IndexByte(name[slash:], '.')
		if dot < slash {
			return name, ""
		}
		dir, name = name[:dot], name[dot+1:]
	}
	of := ""
	if m := receiver.FindStringSubmatch(name); m != nil {
		of, name = m[1]+".", m[2]
	}
	name, _, _ = strings.Cut(name, ".")
	name, _, _ = strings.Cut(name, "-") // the body of a loop over a function
	if of == "" && (name == "init" || name == "glob") {
		return dir, ""
	}
	return dir, of + name
}

// Has reports whether the source has the function that the runtime gives that name. Methods with a value receiver appear
// as "Type.Method" in both.
func (s *Source) Has(ctx context.Context, name string) (bool, error) {
	dir, function := split(name)
	known, err := s.functions(ctx, dir)
	if err != nil || function == "" {
		return err == nil && len(known) > 0, err
	}
	if known[function] {
		return true, nil
	}
	// T.M of a value receiver, written without parentheses: the method's name was cut off.
	rest := strings.TrimPrefix(typeArguments.ReplaceAllString(name, ""), module+dir+".")
	parts := strings.SplitN(strings.TrimPrefix(rest, "main."), ".", 3)
	return len(parts) > 1 && known[parts[0]+"."+parts[1]], nil
}

// functions parses a package. A directory that does not exist has none.
func (s *Source) functions(ctx context.Context, dir string) (map[string]bool, error) {
	if known, ok := s.packages[dir]; ok {
		return known, nil
	}
	known := map[string]bool{}
	paths, err := filepath.Glob(filepath.Join(s.root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		text, err := input.ReadFile(ctx, path, maxSource)
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				known[gosource.Name(f)] = true
			}
		}
	}
	s.packages[dir] = known
	return known, nil
}
