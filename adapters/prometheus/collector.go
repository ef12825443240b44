// Package prometheus exports what device.Observe has seen as Prometheus metrics.
//
// It is a module of its own, so that a program without Prometheus does not have it among its modules.
package prometheus

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ksdispatch/ksdispatch/engine/device"
)

// Collector is a prometheus.Collector of one observation. It reads when it is scraped, so that requests pay nothing for it.
type Collector struct {
	observation *device.Observation

	requests, refusals, latency *prometheus.Desc
}

var _ prometheus.Collector = (*Collector)(nil)

// NewCollector returns a collector of what o sees:
//
//	ks_requests_total{device,item,verb,status}   requests that a handler had
//	ks_refusals_total{device,item,status,rule}   requests that the dispatcher refused
//	ks_latency_seconds{device,item,verb}         a summary of the times that were taken, one request in ObserveConfig.SampleEvery
//
// The device's name keeps those of several collectors apart. Items are called what ObserveConfig.Name says.
func NewCollector(device string, o *device.Observation) *Collector {
	labels := prometheus.Labels{"device": device}
	return &Collector{
		observation: o,
		requests:    prometheus.NewDesc("ks_requests_total", "Requests that a handler had.", []string{"item", "verb", "status"}, labels),
		refusals:    prometheus.NewDesc("ks_refusals_total", "Requests that the dispatcher refused.", []string{"item", "status", "rule"}, labels),
		latency:     prometheus.NewDesc("ks_latency_seconds", "Times of handlers that were sampled.", []string{"item", "verb"}, labels),
	}
}

// Describe is that of prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	to <- c.requests
	to <- c.refusals
	to <- c.latency
}

// quantiles are those of the summaries.
var quantiles = []float64{0.5, 0.9, 0.99, 0.999}

// Collect is that of prometheus.Collector.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	for _, it := range c.observation.Items() {
		item := c.observation.ItemName(it.Set, it.ID)
		for status, n := range it.Statuses {
			to <- prometheus.MustNewConstMetric(c.requests, prometheus.CounterValue, float64(n), item, it.Verb, status.String())
		}
		if it.Latency.Samples == 0 {
			continue
		}
		at := make(map[float64]float64, len(quantiles))
		for _, q := range quantiles {
			at[q] = it.Latency.Quantile(q).Seconds()
		}
		to <- prometheus.MustNewConstSummary(c.latency, it.Latency.Samples, it.Latency.Sum.Seconds(), at, item, it.Verb)
	}
	for _, r := range c.observation.Refusals() {
		to <- prometheus.MustNewConstMetric(c.refusals, prometheus.CounterValue, float64(r.Requests),
			c.observation.ItemName(r.Set, r.ID), r.Status.String(), r.Rule)
	}
}
