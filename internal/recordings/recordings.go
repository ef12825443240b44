// Package recordings has sessions of real clients as lines of ksbench exec: the objects that they opened, created and closed, and their
// requests. A request has its handle, its identifier and the rest of its input, and the length and the content of its output buffer.
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
