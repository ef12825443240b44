// Package drivers embeds the property, method and event sets of twelve real drivers and driver samples, and the pins and topologies
// of their 48 filters, in the format of package manifest: what a measurement or a test runs on when its user names no driver. An
// object by itself is one table; Manifest.Filter makes whole filters of them. Where each comes from is in its manifest's Source and
// in PROVENANCE.md.
//
// It is a package of its own so that programs which load their own manifests do not carry its 400 KB.
package drivers

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

//go:embed data/*.json
var data embed.FS

// names is sorted, as a directory of an embed.FS is.
var names = func() []string {
	entries, err := data.ReadDir("data")
	if err != nil {
		panic(err) // the directive above guarantees the directory
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".json")
	}
	return names
}()

// Names returns the names of the drivers, sorted.
func Names() []string { return slices.Clone(names) }

// Load returns the manifest of the driver with that name, parsed anew by each call.
func Load(name string) (*manifest.Manifest, error) {
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("drivers: no driver %q; there are %s", name, strings.Join(names, ", "))
	}
	b, err := data.ReadFile("data/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("drivers: %w", err)
	}
	return manifest.Parse(b, name+".json")
}
