package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/ksdispatch/ksdispatch/internal/bom"
	"github.com/ksdispatch/ksdispatch/internal/input"
)

// config is a file of defaults: YAML with the names of flags, at the top those of every command, under a command's name its
// own. What stands on the command line wins.
//
//	quiet: true
//	run:
//	  rounds: 30
//	  manifest: [mine.json, yours.json]
//
// Whoever unpacks an archive or checks out a branch has a file of defaults that others wrote. It may not say what is written or
// who may look: flags of byHand come from the command line, or from a file that --config names.
type config struct {
	path   string // "" if there is none
	found  bool   // in the working directory: nobody named it
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

// maxConfig is more than anybody writes. The parser takes some 200 times as much memory.
const maxConfig = 64 << 10

// byHand are the flags, of whatever command, that say where something is written or from where others can read.
var byHand = map[string]bool{"out": true, "trace": true, "html": true, "dir": true, "listen": true, "public": true}

// readConfig reads the file that the arguments name, or the default one if it exists. It looks at the arguments itself,
// before they are parsed, because parsing them needs the defaults.
func readConfig(ctx context.Context, args []string) (*config, error) {
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
	text, err := readText(ctx, path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return c, nil
	}
	if err != nil {
		return nil, fault("--config", path, err)
	}
	c.path, c.found = path, !named
	return c, c.parse(text)
}

// readText returns what a file holds after a byte order mark.
func readText(ctx context.Context, path string) ([]byte, error) {
	f, err := input.Open(ctx, path, maxConfig)
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
	documents := yaml.NewDecoder(bytes.NewReader(text))
	for first := true; ; first = false {
		var doc yaml.Node
		switch err := documents.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %s", c.path, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		body := doc.Content[0]
		if body.ShortTag() == "!!null" {
			continue
		}
		if !first {
			return fmt.Errorf("%s: a second document; put all defaults into one", c.at(body))
		}
		if err := c.walk("", body); err != nil {
			return err
		}
	}
}

// walk takes a mapping of flags, or at the top also of commands to such mappings.
func (c *config) walk(command string, node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: expected names of flags and their values, such as rounds: 30", c.at(node))
	}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := key.Value // "" of what is no text, which nothing is called
		id := command + " " + name
		nested := value.Kind == yaml.MappingNode && command == ""
		if nested {
			id = name
		}
		if _, twice := c.values[id]; twice {
			return fmt.Errorf("%s: %s is there twice", c.at(key), name)
		}
		s := setting{place: c.at(key)}
		var err error
		if !nested {
			s.value, err = c.value(value)
		}
		c.values[id] = s
		if nested {
			err = c.walk(name, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// value is a scalar as text, which the flag parses, or a list of them.
func (c *config) value(node *yaml.Node) (any, error) {
	if node.Kind != yaml.SequenceNode {
		return c.scalar(node)
	}
	var all []any
	for _, element := range node.Content {
		v, err := c.scalar(element)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func (c *config) scalar(node *yaml.Node) (any, error) {
	if node.Kind == yaml.ScalarNode {
		switch node.ShortTag() {
		case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
			return node.Value, nil
		}
	}
	return nil, fmt.Errorf("%s: expected text, a number, true, false, or a list of them", c.at(node))
}

func (c *config) at(node *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", c.path, node.Line, node.Column)
}

// Validate reports names that are no command's and no flag's, and flags that the file may not set. It is called by
// kong.
func (c *config) Validate(app *kong.Application) error {
	c.know("", app.Node)
	for _, command := range app.Children {
		if s, ok := c.values[command.Name]; ok {
			s.known = true
			c.values[command.Name] = s
		}
		c.know(command.Name, command)
	}
	for id, s := range c.values {
		if _, name, _ := strings.Cut(id, " "); c.found && s.known && byHand[name] {
			return fmt.Errorf("%s: %s, which was only found here, may not set --%s: give the flag, or the file as --config %[2]s", s.place, c.path,
				name)
		}
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
		for _, name := range append(f.Aliases, f.Name) {
			if s, ok := c.values[command+" "+name]; ok && name != "help" && name != "config" {
				s.known = true
				c.values[command+" "+name] = s
			}
		}
	}
}

// Resolve gives a flag its value. It is called by kong for flags that the command line does not have.
func (c *config) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	command := ""
	if parent.Command != nil {
		command = parent.Command.Name
	}
	for _, name := range append(flag.Aliases, flag.Name) {
		if s, ok := c.values[command+" "+name]; ok {
			c.used[flag.Name] = s.place
			return s.value, nil
		}
	}
	return nil, nil
}
