package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"github.com/ksdispatch/ksdispatch/internal/near"
)

// globalFlags are the flags of every command.
type globalFlags struct {
	Config  string `placeholder:"FILE" help:"Take defaults of flags from this file (default: .ksbench.yaml, if there is one)."`
	Width   width  `placeholder:"COLUMNS" help:"How wide text may be (default: as the terminal is, else $COLUMNS, else as wide as it takes)."`
	Quiet   bool   `short:"q" help:"Say nothing but results and errors."`
	Verbose bool   `short:"v" help:"Say first which settings a command has, and where they come from."`
}

// completion answers a shell that asks for completions, and ends the process then; otherwise it does nothing.
func completion(parser *kong.Kong) {
	kongcompletion.Register(parser, kongcompletion.WithPredictor("file", complete.PredictFiles("*")))
}

// settings says what a command was called with, so that it can be called so again.
func settings(w io.Writer, parsed *kong.Context, defaults *config) {
	if defaults.path != "" {
		fmt.Fprintf(w, "ksbench: defaults from %s\n", defaults.path)
	}
	var flags []string
	for _, f := range parsed.Selected().Flags {
		if v := reflect.Indirect(reflect.ValueOf(parsed.FlagValue(f))); v.IsValid() { // of --pin, where 0 is a CPU, a pointer
			flags = append(flags, fmt.Sprintf("--%s=%v", f.Name, v))
		}
	}
	fmt.Fprintf(w, "ksbench: %s %s\n", parsed.Selected().Name, strings.Join(flags, " "))
}

// commandLine is the command with the flags that it was called with, but for those that only say where its output goes, and how.
func commandLine(parsed *kong.Context) (words []string) {
	words = []string{parsed.Selected().Name} // which need not stand first, or at all
	for _, p := range parsed.Path {
		switch {
		case p.Positional != nil:
			words = append(words, valuesOf(p.Positional.Target)...)
		case p.Flag == nil || slices.Contains([]string{"out", "format", "html", "trace", "dir", "config", "width", "quiet", "verbose"},
			p.Flag.Name):
		default:
			for _, value := range valuesOf(p.Flag.Target) {
				words = append(words, strings.TrimSuffix("--"+p.Flag.Name+"="+value, "=true"))
			}
		}
	}
	return words
}

// valuesOf writes a value of kong's as on a command line.
func valuesOf(v reflect.Value) (values []string) {
	if v = reflect.Indirect(v); v.Kind() != reflect.Slice {
		return []string{fmt.Sprint(v.Interface())}
	}
	for i := range v.Len() {
		values = append(values, fmt.Sprint(v.Index(i).Interface()))
	}
	return values
}

var flagName = regexp.MustCompile(`--([a-z][a-z-]*)`)

// advice is what to do about bad arguments: mend the file of defaults, if they came from there, or look at the help.
func advice(parsed *kong.Context, defaults *config, err error) string {
	if m := flagName.FindStringSubmatch(err.Error()); m != nil && defaults != nil {
		if place, ok := defaults.used[m[1]]; ok {
			return fmt.Sprintf("It was set in %s; change it there.", place)
		}
	}
	if of, ok := errors.AsType[*kong.ParseError](err); ok {
		parsed = of.Context
	}
	command := "ksbench"
	if parsed != nil {
		for _, p := range parsed.Path {
			if p.Command != nil {
				command += " " + p.Command.Name
			}
		}
	}
	return fmt.Sprintf("Try %q.", command+" --help")
}

var negative = regexp.MustCompile(`^-([0-9.]|[^-].*:)`)

// rewrite makes of "help COMMAND" what kong knows, and keeps a value that begins with a dash, a number or a filter, with its flag.
func rewrite(parser *kong.Kong, args []string) (out []string, err error) {
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:len(args):len(args)], "--help")
		if len(args) == 1 {
			return args, nil
		}
		if !slices.ContainsFunc(parser.Model.Children, func(n *kong.Node) bool { return n.Name == args[0] }) {
			return nil, fmt.Errorf("there is no command %s%s", args[0], near.Hint(args[0], commandNames(parser.Model.Node)))
		}
	}
	for i, arg := range args {
		if i > 0 && negative.MatchString(arg) && strings.HasPrefix(args[i-1], "--") && !strings.Contains(args[i-1], "=") {
			out[len(out)-1] += "=" + arg
			continue
		}
		out = append(out, arg)
	}
	return out, nil
}

func commandNames(n *kong.Node) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, c := range n.Children {
			if !yield(c.Name) {
				return
			}
		}
	}
}
