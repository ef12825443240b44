package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/internal/input"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// Point is what answers: the objects of a manifest under some settings.
type Point struct {
	Name     string
	file     string // of the manifest
	Manifest []byte
	Object   string // stands for those without a name
	Compat   string // as traffic.ParseCompat reads it
	Pad      string // how many sets and items each table has more, as in 2000x20; "" is none
}

// readPoint is the point of a manifest as it is.
func readPoint(ctx context.Context, name, object string) (Point, error) {
	f, err := input.OpenNamed(ctx, name, manifest.MaxSize)
	if err != nil {
		return Point{}, fmt.Errorf("--manifest: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		err = fmt.Errorf("--manifest: %w", err)
	}
	return Point{Name: name, file: name, Manifest: text, Object: object}, err
}

// under is the point with other settings.
func (p Point) under(compat, pad string) Point {
	if p.Compat = compat; compat != "" {
		p.Name += ", " + compat
	}
	if p.Pad = pad; pad != "" {
		p.Name += ", " + pad + " more"
	}
	return p
}

// target makes devices of a point.
func (p *Point) target() (*traffic.Target, error) {
	m, err := manifest.Load(bytes.NewReader(p.Manifest), p.Name)
	if err != nil {
		return nil, err
	}
	compat, err := traffic.ParseCompat(p.Compat)
	if err != nil {
		return nil, fmt.Errorf("--compat: %w", err)
	}
	more, err := padding(p.Pad)
	if err != nil {
		return nil, err
	}
	t := &traffic.Target{Manifest: m, Object: p.Object, Configure: func(c *engine.Config) {
		c.Compat = compat
		c.PropertySets = slices.Concat(c.PropertySets, more)
	}}
	if err := t.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return t, nil
}

// maxPad is how many items a table may have more.
const maxPad = 1_000_000

// padding are property sets that no request asks for: a table is as big as that of a driver with so many more.
func padding(size string) ([]engine.PropertySet, error) {
	if size == "" {
		return nil, nil
	}
	var sets, items int
	_, err := fmt.Sscanf(size, "%dx%d", &sets, &items)
	if err != nil || size != fmt.Sprintf("%dx%d", sets, items) || sets < 1 || items < 1 || sets > maxPad || sets*items > maxPad {
		return nil, fmt.Errorf("--pad %q: must be SETSxITEMS, as in 2000x20, and at most %d items", size, maxPad)
	}
	get := func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSuccess }
	rng, all := rand.New(rand.NewPCG(uint64(sets), uint64(items))), make([]engine.PropertySet, sets)
	for i := range all {
		for j := range all[i].Set {
			all[i].Set[j] = byte(rng.Uint32())
		}
		all[i].Items = make([]engine.PropertyItem, items)
		for j := range all[i].Items {
			all[i].Items[j] = engine.PropertyItem{ID: uint32(j), Get: get}
		}
	}
	return all, nil
}
