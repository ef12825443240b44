package report

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

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

// Distribution is a histogram and what most readers want of it. All figures follow from the histogram, so that merging
// histograms merges them.
type Distribution struct {
	Count     int64     `json:"count"`
	Min       int64     `json:"min"`
	Mean      float64   `json:"mean"`
	P50       int64     `json:"p50"`
	P90       int64     `json:"p90"`
	P99       int64     `json:"p99"`
	P999      int64     `json:"p99_9"`
	P9999     int64     `json:"p99_99"`
	Max       int64     `json:"max"`
	Histogram Histogram `json:"histogram"`
}

// The histograms of a report track 1 ns to a minute with 3 significant digits: a value is known to a part in a thousand,
// and exactly below 2048.
const (
	LowestLatency  = 1
	HighestLatency = 60_000_000_000
	LatencyDigits  = 3
)

// NewHistogram returns an empty histogram of the range and the precision that reports use.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(LowestLatency, HighestLatency, LatencyDigits)
}

// NewDistribution summarises a histogram that has at least one value.
func NewDistribution(h *hdrhistogram.Histogram) (Distribution, error) {
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return Distribution{}, fmt.Errorf("encode a histogram: %w", err)
	}
	q := h.ValueAtPercentilesSlice([]float64{50, 90, 99, 99.9, 99.99})
	return Distribution{
		Count: h.TotalCount(), Min: h.Min(), Mean: h.Mean(), Max: h.Max(),
		P50: q[0], P90: q[1], P99: q[2], P999: q[3], P9999: q[4],
		Histogram: Histogram(encoded),
	}, nil
}

// Histogram is an HDR histogram in its own interchange format: V2, compressed, in base64.
type Histogram string

// Decode returns the histogram. Its range and precision are those of every report, whatever the text asks for: a header of
// some bytes could ask for gigabytes.
func (h Histogram) Decode() (*hdrhistogram.Histogram, error) {
	if err := h.checkHeader(); err != nil {
		return nil, err
	}
	return hdrhistogram.Decode([]byte(h))
}

func (h Histogram) checkHeader() error {
	packed, err := base64.StdEncoding.DecodeString(string(h))
	if err != nil {
		return err
	}
	if len(packed) < 8 {
		return errors.New("truncated")
	}
	z, err := zlib.NewReader(bytes.NewReader(packed[8:])) // past the cookie and the length
	if err != nil {
		return err
	}
	var header struct {
		Cookie, Payload, Offset, Digits int32
		Lowest, Highest                 int64
	}
	if err := binary.Read(z, binary.BigEndian, &header); err != nil {
		return fmt.Errorf("truncated: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	if header.Digits != LatencyDigits || header.Lowest != LowestLatency || header.Highest != HighestLatency {
		return fmt.Errorf("%d digits of %d to %d; histograms of a report have %d digits of %d to %d", header.Digits, header.Lowest, header.Highest,
			LatencyDigits, LowestLatency, int64(HighestLatency))
	}
	return nil
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

func mergeDistributions(list []*Distribution) (Distribution, error) {
	sum := NewHistogram()
	for _, d := range list {
		h, err := d.Histogram.Decode()
		if err != nil {
			return Distribution{}, err
		}
		if dropped := sum.Merge(h); dropped > 0 {
			return Distribution{}, fmt.Errorf("%d values do not fit", dropped)
		}
	}
	return NewDistribution(sum)
}

// quantile is a figure of a distribution under the name that people use.
type quantile struct {
	name  string
	value int64
}

func (d *Distribution) quantiles() []quantile {
	return []quantile{{"min", d.Min}, {"p50", d.P50}, {"p90", d.P90}, {"p99", d.P99}, {"p99.9", d.P999}, {"p99.99", d.P9999}, {"max", d.Max}}
}

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

// latencySections shows the latencies of each path: the clock's first, without which the others cannot be read.
func (r *Report) latencySections() (sections []section) {
	for _, path := range r.Paths {
		s := section{
			title:  "latency, " + path.Name + ": nanoseconds of single requests",
			header: []string{"workload", "implementation", "of", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max", "timed"},
		}
		for i := range r.Results {
			res := &r.Results[i]
			if res.Path != path.Name || res.Latency == nil {
				continue
			}
			for _, l := range res.Latency.named() {
				row := []string{printable(res.Workload), printable(res.Impl), l.name}
				for _, q := range l.of.quantiles() {
					row = append(row, fmt.Sprint(q.value))
				}
				s.rows = append(s.rows, append(row, timed(res.Latency, l)))
			}
		}
		if len(s.rows) > 0 {
			sections = append(sections, s)
		}
	}
	return sections
}

// timed says how many there are of a distribution, and which.
func timed(l *Latency, d namedDistribution) string {
	text := fmt.Sprint(d.of.Count)
	switch {
	case d.name == "clock":
		return text + " readings"
	case d.name == "response" && l.Behind > 0:
		return fmt.Sprintf("%s, %.2g %% sent after the next was due", text, 100*float64(l.Behind)/float64(d.of.Count))
	case l.Every > 1:
		return fmt.Sprintf("%s, 1 in %d", text, l.Every)
	}
	return text
}

// latencyReading says how to read those sections.
func (r *Report) latencyReading() string {
	text := "A service is the time of one request and of one reading of the clock, whose own distribution stands above it; nothing is subtracted."
	if r.Settings.Rate > 0 {
		text += fmt.Sprintf("\nRequests were meant to start %.6g times a second. Service counts from the real start, response from the intended one:\n"+
			"the difference is waiting, which a client sees and a closed loop leaves out (coordinated omission).", r.Settings.Rate)
	}
	return text
}
