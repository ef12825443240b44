package main

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"
)

// manners are the flags of every command.
type manners struct {
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

var flagName = regexp.MustCompile(`--([a-z][a-z-]*)`)

// advice is what to do about bad arguments: mend the file of defaults, if they came from there, or look at the help.
func advice(parser *kong.Kong, defaults *config, err error) string {
	if m := flagName.FindStringSubmatch(err.Error()); m != nil && defaults != nil {
		if place, ok := defaults.used[m[1]]; ok {
			return fmt.Sprintf("It was set in %s; change it there.", place)
		}
	}
	return `Try "ksbench --help".`
}
