// Package recordings has what real clients did, as lines of ksbench exec: what they opened, created and closed, and what they asked,
// which is the handle, the identifier, what follows that in the input, what the output buffer held and how long it was.
package recordings

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed *.jsonl
var files embed.FS

const suffix = ".jsonl"

// Names names the clients.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the directory is in the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), suffix)
	}
	return names
}

// Lines are what a client did. The error for a name that is none names them all.
func Lines(name string) ([]byte, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("there is no recorded client %q; there are: %s", name, strings.Join(Names(), ", "))
	}
	return files.ReadFile(name + suffix)
}
