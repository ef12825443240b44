package report

import "github.com/ksdispatch/ksdispatch/internal/lab/stats"

// ScalePoint is how a table of one size answers one kind of requests, and what it costs.
type ScalePoint struct {
	Keys          int       `json:"keys"`
	Requests      string    `json:"requests"` // "random", "sequential", "zipf": hits in that order; "miss": strangers
	Impl          string    `json:"impl"`     // the name of one of the report's Impls
	Batch         int       `json:"batch"`    // keys looked up by one call; 1 is Lookup itself
	NsPerOp       float64   `json:"ns_per_op"`
	Spread        float64   `json:"spread"`
	Interval      *Interval `json:"interval,omitempty"`
	Samples       []float64 `json:"ns_samples"`       // of the rounds; points of the same keys and requests took turns
	BytesPerKey   float64   `json:"bytes_per_key"`    // live heap, with all that is not filled
	BuildNsPerKey float64   `json:"build_ns_per_key"` // median, if there was time for several
}

// Cache is a level of the processor's memory, as one core sees it.
type Cache struct {
	Name  string `json:"name"` // "L1d"
	Bytes int    `json:"bytes"`
}

// NewScalePoint summarises the rounds of one implementation, in nanoseconds per request.
func NewScalePoint(keys int, requests, impl string, batch int, ns []float64) ScalePoint {
	return ScalePoint{Keys: keys, Requests: requests, Impl: impl, Batch: batch, NsPerOp: stats.Median(ns), Spread: stats.Spread(ns),
		Interval: interval(ns), Samples: ns}
}
