package report

import (
	"errors"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is how long single requests took, measured in a pass of its own: the rounds time batches and know only means.
// All times are in nanoseconds.
//
// Reading a clock costs about as much as a request. So only one request in Every is timed, the others run between two of
// those as they do in the rounds, and the distribution of the clock alone stands beside: a Service is that of the request
// and one reading, and nothing is subtracted.
//
// In an open loop (Settings.Rate) requests have intended start times, whether or not the one before is done. Service is
// the time from the real start, Response from the intended one; they differ by the waiting that a closed loop leaves out
// (coordinated omission). There every request is timed.
type Latency struct {
	Every    int           `json:"every"` // one request in so many is timed
	Service  Distribution  `json:"service"`
	Response *Distribution `json:"response,omitempty"` // open loop only
	Clock    Distribution  `json:"clock"`              // two readings of the clock with nothing between them
	Behind   int64         `json:"behind,omitempty"`   // open loop: requests that began after the intended start of the next
}

// NewLatency summarises histograms that have a value each; that of responses is nil in a closed loop.
func NewLatency(every int, behind int64, clock, service, response *hdrhistogram.Histogram) (*Latency, error) {
	l := &Latency{Every: every, Behind: behind}
	if response != nil {
		l.Response = new(Distribution)
	}
	for i, d := range l.named() {
		var err error
		if *d.of, err = NewDistribution([]*hdrhistogram.Histogram{clock, service, response}[i]); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// mergeLatencies adds passes over one row.
func mergeLatencies(passes []*Latency) (*Latency, error) {
	every, behind, kinds := passes[0].Every, int64(0), len(passes[0].named())
	sums := make([]*hdrhistogram.Histogram, 3)
	for i := range kinds {
		sums[i] = NewHistogram()
	}
	for _, l := range passes {
		if l.Every != every || len(l.named()) != kinds {
			return nil, errors.New("latencies were not taken in the same way")
		}
		for i, d := range l.named() {
			if err := d.of.addTo(sums[i]); err != nil {
				return nil, err
			}
		}
		behind += l.Behind
	}
	return NewLatency(every, behind, sums[0], sums[1], sums[2])
}

// namedDistribution is one of the distributions of a latency under the name that tables show.
type namedDistribution struct {
	name string
	of   *Distribution
}

// named lists the distributions that there are.
func (l *Latency) named() []namedDistribution {
	list := []namedDistribution{{"clock", &l.Clock}, {"service", &l.Service}}
	if l.Response != nil {
		list = append(list, namedDistribution{"response", l.Response})
	}
	return list
}
