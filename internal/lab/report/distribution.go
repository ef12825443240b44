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

// Record adds a value to a histogram of NewHistogram. What is out of its range becomes the nearest value that is not: what is longer than a
// minute is a minute.
func Record(h *hdrhistogram.Histogram, ns int64) {
	_ = h.RecordValue(min(max(ns, LowestLatency), HighestLatency)) // fails only outside of the range
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
		return fmt.Errorf("%d digits of %d to %d; histograms of a report have %d digits of %d to %d", header.Digits, header.Lowest,
			header.Highest, LatencyDigits, LowestLatency, int64(HighestLatency))
	}
	return nil
}

// addTo adds the histogram to another.
func (d *Distribution) addTo(sum *hdrhistogram.Histogram) error {
	h, err := d.Histogram.Decode()
	if err != nil {
		return err
	}
	if dropped := sum.Merge(h); dropped > 0 {
		return fmt.Errorf("%d values do not fit", dropped)
	}
	return nil
}

// quantile is a figure of a distribution under the name that people use.
type quantile struct {
	name  string
	value int64
}

func (d *Distribution) quantiles() []quantile {
	return []quantile{{"min", d.Min}, {"p50", d.P50}, {"p90", d.P90}, {"p99", d.P99}, {"p99.9", d.P999}, {"p99.99", d.P9999}, {"max", d.Max}}
}
