package main

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// pattern is a regular expression; the zero value, of a flag that was not given, has none and is for all.
type pattern struct{ *regexp.Regexp }

// UnmarshalText is called by kong.
func (p *pattern) UnmarshalText(text []byte) (err error) {
	p.Regexp, err = regexp.Compile(string(text))
	return err
}

func (p pattern) String() string {
	if p.Regexp == nil {
		return ""
	}
	return p.Regexp.String()
}

// The values of flags that are numbers in a range. What kong reads into them is in it; 0 is a flag that was not given.
type (
	rounds     int     // of a measurement
	rate       float64 // requests a second
	width      int     // of text, in columns
	percentage float64 // 5% is 0.05; the sign may be left out
	tolerance  float64 // a percentage that may be 0
)

const (
	maxRounds = 10000
	maxWidth  = 10000
	maxRate   = 1_000_000_000 // a request a nanosecond
)

// UnmarshalText is called by kong.
func (r *rounds) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxRounds {
		return fmt.Errorf("%q: must be 1 to %d", text, maxRounds)
	}
	*r = rounds(n)
	return nil
}

// UnmarshalText is called by kong.
func (w *width) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 20 || n > maxWidth {
		return fmt.Errorf("%q: must be 20 to %d columns", text, maxWidth)
	}
	*w = width(n)
	return nil
}

// or returns the rounds that were asked for, or as many as there are otherwise.
func (r rounds) or(otherwise int) int {
	if r == 0 {
		return otherwise
	}
	return int(r)
}

// UnmarshalText is called by kong.
func (r *rate) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(v > 0 && v <= maxRate) {
		return fmt.Errorf("%q: must be more than 0 and at most %d", text, maxRate)
	}
	*r = rate(v)
	return nil
}

// UnmarshalText is called by kong.
func (p *percentage) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "%"), 64)
	if err != nil || math.IsNaN(v) || v <= 0 || v > 1000 {
		return fmt.Errorf("%q: must be a percentage above 0, such as 5%%", text)
	}
	*p = percentage(v / 100)
	return nil
}

// UnmarshalText is called by kong.
func (t *tolerance) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "%"), 64)
	if err != nil || !(v >= 0 && v <= 1000) {
		return fmt.Errorf("%q: must be a percentage from 0, such as 0.5%%", text)
	}
	*t = tolerance(v / 100)
	return nil
}
