package otel_test

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/ksdispatch/ksdispatch/adapters/otel"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// A volume control whose requests a reader collects.
func Example() {
	var level atomic.Int32
	set, err := typed.PropertySet(kssets.KSPROPSETID_Audio, typed.ScalarVar(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, &level))
	if err != nil {
		fmt.Println(err)
		return
	}
	config := engine.Config{PropertySets: []engine.PropertySet{set}}
	seen := device.Observe(&config, device.ObserveConfig{Name: kssets.PropertyName})
	d, err := engine.Compile(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := device.New(d).Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	reader := metric.NewManualReader()
	meter := metric.NewMeterProvider(metric.WithReader(reader)).Meter("volume")
	if _, err := otel.Register(meter, "volume", seen); err != nil {
		fmt.Println(err)
		return
	}

	for id, n := range map[uint32]int{kssets.KSPROPERTY_AUDIO_VOLUMELEVEL: 3, kssets.KSPROPERTY_AUDIO_MUTE: 1} {
		in := make([]byte, ks.SizeIdentifier)
		ks.Identifier{Set: kssets.KSPROPSETID_Audio, ID: id, Flags: ks.PropertyTypeGet}.Put(in)
		for range n {
			h.IoControl(ks.IoctlProperty, in, make([]byte, 4))
		}
	}

	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		sum, ok := m.Data.(metricdata.Sum[int64])
		if !ok {
			continue
		}
		for _, point := range sum.DataPoints {
			item, _ := point.Attributes.Value(attribute.Key("item"))
			fmt.Println(m.Name, item.AsString(), point.Value)
		}
	}
	// Output:
	// ks.requests KSPROPSETID_Audio/KSPROPERTY_AUDIO_VOLUMELEVEL 3
	// ks.refusals KSPROPSETID_Audio/KSPROPERTY_AUDIO_MUTE 1
}
