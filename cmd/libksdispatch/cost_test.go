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

// ioControlCost returns what the requests of cost.c cost in Go, in ns.
func ioControlCost(b *testing.B) float64 {
	guid := ks.MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540000")
	get := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, []byte{5, 0, 0, 0}))
		return ks.StatusSuccess
	}
	table, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: guid, Items: []engine.PropertyItem{
		{ID: 4, MinProperty: ks.SizeIdentifier, MinData: 4, Get: get}}}}})
	require.NoError(b, err)
	h, err := device.New(table).Open()
	require.NoError(b, err)
	defer h.Close()
	in, out := make([]byte, ks.SizeIdentifier), make([]byte, 4)
	ks.Identifier{Set: guid, ID: 4, Flags: ks.PropertyTypeGet}.Put(in)
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
