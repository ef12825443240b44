// Package otel exports what device.Observe has seen as OpenTelemetry metrics.
//
// It is a module of its own, so that a program without OpenTelemetry does not have it among its modules.
package otel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/ksdispatch/ksdispatch/engine/device"
)

// Register has a meter report what o sees, until the registration is undone. It reads when the meter's reader does, so that requests
// pay nothing for it. Instruments and their attributes are
//
//	ks.requests   device, item, verb, status     requests that a handler had
//	ks.refusals   device, item, status, rule     requests that the dispatcher refused
//	ks.latency    device, item, verb, quantile   in seconds, of the times that were taken, one request in ObserveConfig.SampleEvery
//
// The device's name keeps those of several observations apart. Items are called what ObserveConfig.Name says.
func Register(meter metric.Meter, device string, o *device.Observation) (metric.Registration, error) {
	requests, err1 := meter.Int64ObservableCounter("ks.requests", metric.WithDescription("Requests that a handler had."))
	refusals, err2 := meter.Int64ObservableCounter("ks.refusals", metric.WithDescription("Requests that the dispatcher refused."))
	latency, err3 := meter.Float64ObservableGauge("ks.latency", metric.WithUnit("s"),
		metric.WithDescription("Times of handlers that were sampled."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	of := attribute.String("device", device)
	return meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		for _, it := range o.Items() {
			item, verb := attribute.String("item", o.ItemName(it.Set, it.ID)), attribute.String("verb", it.Verb)
			for status, n := range it.Statuses {
				to.ObserveInt64(requests, int64(n), metric.WithAttributes(of, item, verb, attribute.String("status", status.String())))
			}
			if it.Latency.Samples == 0 {
				continue
			}
			for _, q := range []float64{0.5, 0.99, 1} {
				to.ObserveFloat64(latency, it.Latency.Quantile(q).Seconds(), metric.WithAttributes(of, item, verb, attribute.Float64("quantile", q)))
			}
		}
		for _, r := range o.Refusals() {
			to.ObserveInt64(refusals, int64(r.Requests), metric.WithAttributes(of, attribute.String("item", o.ItemName(r.Set, r.ID)),
				attribute.String("status", r.Status.String()), attribute.String("rule", r.Rule)))
		}
		return nil
	}, requests, refusals, latency)
}
