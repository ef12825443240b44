package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// BenchmarkCost reports what a request costs from C, as ratios to what IoControl takes from Go, the least of rounds that take turns:
//
//	go test -run '^$' -bench Cost -benchtime 40x ./cmd/libksdispatch
func BenchmarkCost(b *testing.B) {
	program := compile(b, "cost")
	least := map[string]float64{}
	note := func(name string, ns float64) {
		if old, ok := least[name]; !ok || ns < old {
			least[name] = ns
		}
	}
	for b.Loop() {
		note("IoControl", ioControlCost(b))
		for line := range strings.Lines(run(b, nil, program, "3")) {
			var name string
			var ns float64
			_, err := fmt.Sscan(line, &name, &ns)
			require.NoError(b, err)
			note(name, ns)
		}
	}
	b.ReportMetric(0, "ns/op") // of starting programs
	for name, ns := range least {
		if name != "IoControl" {
			b.ReportMetric(ns/least["IoControl"], name+":Go")
		}
		b.ReportMetric(ns, name+"-ns")
	}
}

// costManifest has the object of cost.c whose handler is the library's.
const costManifest = `{"schema":"ksdispatch/manifest/v1","driver":"cost","objects":[{"object":"one","property_sets":[` +
	`{"guid":"45ffaaa0-6e1b-11d0-bcf2-444553540000","items":[{"id":4,"get":true,"min_data":4,"get_handler":"store"}]}]}]}`

// ioControlCost returns what the requests of cost.c to that object cost in Go, in ns.
func ioControlCost(b *testing.B) float64 {
	m, err := manifest.Parse([]byte(costManifest), "cost")
	require.NoError(b, err)
	table, err := engine.Compile(m.Objects[0].Config(manifest.Options{}))
	require.NoError(b, err)

	h, err := device.New(table).Open()
	require.NoError(b, err)
	defer h.Close()
	in, out := make([]byte, ks.SizeIdentifier), make([]byte, 4)
	ks.Identifier{Set: m.Objects[0].PropertySets[0].Set, ID: 4, Flags: ks.PropertyTypeGet}.Put(in)
	const requests = 20000
	least := math.Inf(1)
	for range 3 {
		start := time.Now()
		for range requests {
			if n, status := h.IoControl(ks.IoctlProperty, in, out); status != ks.StatusSuccess || n != 4 {
				b.Fatalf("IoControl: %v, %d", status, n)
			}
		}
		least = min(least, float64(time.Since(start).Nanoseconds())/requests)
	}
	return least
}
