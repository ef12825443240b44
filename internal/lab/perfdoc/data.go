package perfdoc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/profile"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Data is what the page is filled from.
type Data struct {
	Targets, Stages, Run, RunPGO, Scale, Peers, PeersPGO *report.Report
	Profiles                                             []profile.Sidecar
}

// Load reads the reports from docs/performance and the sidecars from profiles, in the source's root.
func Load(root string) (*Data, error) {
	d := new(Data)
	for _, f := range []struct {
		name string
		into **report.Report
	}{{"targets.json", &d.Targets}, {"stages.json", &d.Stages}, {"run.json", &d.Run}, {"run-pgo.json", &d.RunPGO}, {"scale.json", &d.Scale},
		{"peers.json", &d.Peers}, {"peers-pgo.json", &d.PeersPGO}} {
		rep, err := report.ReadFile(context.Background(), filepath.Join(root, "docs", "performance", f.name))
		if f.into == &d.RunPGO && errors.Is(err, fs.ErrNotExist) { // its build takes minutes: a page may do without
			rep, err = new(report.Report), nil
		}
		if err != nil {
			return nil, err
		}
		*f.into = rep
	}
	paths, err := filepath.Glob(filepath.Join(root, "profiles", "*.json"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var s profile.Sidecar
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		d.Profiles = append(d.Profiles, s)
	}
	slices.SortFunc(d.Profiles, func(a, b profile.Sidecar) int { return strings.Compare(a.File, b.File) })
	if len(d.Profiles) == 0 {
		return nil, fmt.Errorf("%s: no profiles: go run ./cmd/ksbench profile --out profiles", filepath.Join(root, "profiles"))
	}
	return d, nil
}
