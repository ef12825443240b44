// Command gen writes the generated tables of package ks and package kssets from the facts in its directory facts.
//
//	gen status FILE    the NTSTATUS constants, their names and Win32 codes, for package ks
//	gen sets FILE      the standard property, method and event sets and their items, for package kssets
//	gen names FILE     a name for each GUID and each item id of those sets, for package kssets
//
// The facts are names, numbers and sizes taken from public headers; see the comments of the two packages. gen imports
// neither package, so that a table can be made again after it was lost. It refuses facts that contradict each other.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/format"
	"io"
	"os"
)

var (
	//go:embed facts/status.json
	statusFacts []byte
	//go:embed facts/sets.json
	setsFacts []byte
)

// table is one file to generate.
type table struct {
	source   string // file of the facts
	facts    []byte
	generate func(facts []byte) ([]byte, error)
}

var tables = map[string]table{
	"status": {"facts/status.json", statusFacts, statusTable},
	"sets":   {"facts/sets.json", setsFacts, setsTable},
	"names":  {"facts/sets.json", setsFacts, setsNames},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("got %d arguments; want a table, status, sets or names, and the file to write", len(args))
	}
	t, ok := tables[args[0]]
	if !ok {
		return fmt.Errorf("no table %q; want status, sets or names", args[0])
	}
	text, err := t.generate(t.facts)
	if err != nil {
		return fmt.Errorf("%s: %w", t.source, err)
	}
	return os.WriteFile(args[1], text, 0o644)
}

// decode reads one JSON value that fills all of data and has no keys that v lacks.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("text follows the facts")
	}
	return nil
}

// finish formats generated source.
func finish(b *bytes.Buffer) ([]byte, error) {
	text, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("generated source does not parse: %w", err)
	}
	return text, nil
}
