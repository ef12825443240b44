package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/ksdispatch/ksdispatch/internal/bom"
)

// config is a file of defaults: YAML with the names of flags, at the top those of every command, under a command's name its
// own. What stands on the command line wins.
//
//	quiet: true
//	run:
//	  rounds: 30
//	  manifest: [mine.json, yours.json]
type config struct {
	path   string // "" if there is none
	values map[string]setting
	used   map[string]string // flags that got their value here, and where it stands
}

// setting is a value and its place, under "command flag" or " flag".
type setting struct {
	value any
	place string
	known bool
}

// defaultConfig is read if nobody names another.
const defaultConfig = ".ksbench.yaml"

// maxConfig is more than anybody writes.
const maxConfig = 1 << 20

// readConfig reads the file that the arguments name, or the default one if it exists. It looks at the arguments itself,
// before they are parsed, because parsing them needs the defaults.
func readConfig(args []string) (*config, error) {
	c := &config{values: map[string]setting{}, used: map[string]string{}}
	path, named := defaultConfig, false
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--config="); ok {
			path, named = value, true
		} else if arg == "--config" && i+1 < len(args) {
			path, named = args[i+1], true
		}
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return c, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxConfig) {
		err = errors.New("not a file of defaults")
	}
	var text []byte
	if err == nil {
		text, err = readText(path)
	}
	if err != nil {
		return nil, fmt.Errorf("--config %s: %w", path, err)
	}
	c.path = path
	return c, c.parse(text)
}

// readText returns what a file holds after a byte order mark.
func readText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := bom.Skip(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(text)
}

func (c *config) parse(text []byte) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	for i, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType {
			continue
		}
		if i > 0 {
			return fmt.Errorf("%s: a second document; put all defaults into one", c.at(doc.Body))
		}
		if err := c.walk("", doc.Body); err != nil {
			return err
		}
	}
	return nil
}

// walk takes a mapping of flags, or at the top also of commands to such mappings.
func (c *config) walk(command string, node ast.Node) error {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		return fmt.Errorf("%s: expected names of flags and their values, such as rounds: 30", c.at(node))
	}
	for entries := mapping.MapRange(); entries.Next(); {
		key, value := entries.Key(), entries.Value()
		name := key.GetToken().Value
		if _, nested := value.(ast.MapNode); nested && command == "" {
			c.values[name] = setting{place: c.at(key)}
			if err := c.walk(name, value); err != nil {
				return err
			}
			continue
		}
		id := command + " " + name
		if _, twice := c.values[id]; twice {
			return fmt.Errorf("%s: %s is there twice", c.at(key), name)
		}
		v, err := c.value(value)
		if err != nil {
			return err
		}
		c.values[id] = setting{value: v, place: c.at(key)}
	}
	return nil
}

// value is a scalar as text, which the flag parses, or a list of them.
func (c *config) value(node ast.Node) (any, error) {
	if list, ok := node.(*ast.SequenceNode); ok {
		var all []any
		for _, element := range list.Values {
			v, err := c.value(element)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	}
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, nil
	}
	return nil, fmt.Errorf("%s: expected text, a number, true, false, or a list of them", c.at(node))
}

func (c *config) at(node ast.Node) string {
	p := node.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", c.path, p.Line, p.Column)
}

// Validate reports names that are no command's and no flag's. It is called by kong.
func (c *config) Validate(app *kong.Application) error {
	c.know("", app.Node)
	for _, command := range app.Children {
		if s, ok := c.values[command.Name]; ok {
			s.known = true
			c.values[command.Name] = s
		}
		c.know(command.Name, command)
	}
	first := ""
	for id, s := range c.values {
		if !s.known && (first == "" || s.place < c.values[first].place) {
			first = id
		}
	}
	if first == "" {
		return nil
	}
	command, name, isFlag := strings.Cut(first, " ")
	switch {
	case !isFlag:
		return fmt.Errorf("%s: there is no command %s; ksbench --help lists them", c.values[first].place, command)
	case command == "":
		return fmt.Errorf("%s: there is no flag --%s of every command; put flags of a command under its name", c.values[first].place, name)
	}
	return fmt.Errorf("%s: %s has no flag --%s; ksbench %s --help lists them", c.values[first].place, command, name, command)
}

func (c *config) know(command string, node *kong.Node) {
	for _, f := range node.Flags {
		if s, ok := c.values[command+" "+f.Name]; ok && f.Name != "help" && f.Name != "config" {
			s.known = true
			c.values[command+" "+f.Name] = s
		}
	}
}

// Resolve gives a flag its value. It is called by kong for flags that the command line does not have.
func (c *config) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	command := ""
	if parent.Command != nil {
		command = parent.Command.Name
	}
	s, ok := c.values[command+" "+flag.Name]
	if !ok {
		return nil, nil
	}
	c.used[flag.Name] = s.place
	return s.value, nil
}
