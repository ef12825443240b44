package report

import "errors"

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

// mergeLatencies adds passes over one row.
func mergeLatencies(passes []*Latency) (*Latency, error) {
	sum := &Latency{Every: passes[0].Every}
	var service, response, clock []*Distribution
	for _, l := range passes {
		if l.Every != sum.Every || (l.Response == nil) != (passes[0].Response == nil) {
			return nil, errors.New("latencies were not taken in the same way")
		}
		service, clock = append(service, &l.Service), append(clock, &l.Clock)
		if l.Response != nil {
			response = append(response, l.Response)
		}
		sum.Behind += l.Behind
	}
	var err error
	if sum.Service, err = mergeDistributions(service); err != nil {
		return nil, err
	}
	if sum.Clock, err = mergeDistributions(clock); err != nil {
		return nil, err
	}
	if len(response) > 0 {
		r, err := mergeDistributions(response)
		if err != nil {
			return nil, err
		}
		sum.Response = &r
	}
	return sum, nil
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
