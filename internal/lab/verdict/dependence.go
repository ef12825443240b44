package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// serial is how strongly each value hangs together with the one before: the coefficient of an autoregressive process of first
// order (G. U. Yule, 1927), 0 where values are independent.
type serial float64

const (
	leastSerial = 4    // values of a series that say something about it
	mostSerial  = 0.9  // beyond it, a series is one value that wanders
	leastPhi    = 0.1  // of less, nothing is to be seen in a verdict
	detected    = 2.33 // standard errors above none: the 99 % quantile of the standard normal distribution
)

// serialOf estimates the dependence that series have in common, as they come from one machine; one series of ten says next to
// nothing. It is 0 unless chance is excluded. The estimate of a short series is biased downwards (F. H. C. Marriott, J. A. Pope,
// 1954); what it is expected to be is worked out for each length, and so the bias is taken out.
func serialOf(series [][]float64) serial {
	weighed := map[int]float64{} // by length: how often
	sum, excess, variance := 0.0, 0.0, 0.0
	for _, s := range series {
		n := float64(len(s))
		if len(s) < leastSerial || slices.Min(s) == slices.Max(s) {
			continue
		}
		r := autocorrelation(ranks(s))
		weighed[len(s)] += n
		sum += n * r
		excess += n * (r + 1/n)                 // independent values have -1/n on average
		variance += (n - 2) * (n - 2) / (n - 1) // n² times that of r (P. A. P. Moran, 1948)
	}
	if variance == 0 || excess < detected*math.Sqrt(variance) {
		return 0
	}
	low, high := 0.0, mostSerial
	for high-low > 1e-3 {
		phi := (low + high) / 2
		expected := 0.0
		for n, weight := range weighed {
			expected += weight * process(n, phi).correlation
		}
		if expected < sum {
			low = phi
		} else {
			high = phi
		}
	}
	if low < leastPhi {
		return 0
	}
	return serial(low)
}

// autocorrelation is that of neighbours, -1/n on average if there is none.
func autocorrelation(values []float64) float64 {
	mean, product, square := 0.0, 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for i, v := range values {
		square += (v - mean) * (v - mean)
		if i > 0 {
			product += (v - mean) * (values[i-1] - mean)
		}
	}
	return product / square
}

// ranks keeps outliers from hiding what hangs together.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	out := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			out[k] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}

// moments are what n values of a process lead one to believe.
type moments struct {
	correlation float64 // of neighbours, as it is estimated
	inflation   float64 // variance of the mean, in terms of the variance that the values seem to have, over n
	freedom     float64 // degrees of freedom of that variance
}

// process works the moments out of the covariance matrix of the process, whose mean is taken off rows and columns.
func process(n int, phi float64) moments {
	if n > longSeries {
		m := process(longSeries, phi)
		m.freedom *= float64(n) / longSeries
		return m
	}
	covariance := func(i, j int) float64 { return math.Pow(phi, math.Abs(float64(i-j))) }
	rows, all := make([]float64, n), 0.0
	for i := range n {
		for j := range n {
			rows[i] += covariance(i, j) / float64(n)
		}
		all += rows[i] / float64(n)
	}
	centred := func(i, j int) float64 { return covariance(i, j) - rows[i] - rows[j] + all }
	var trace, neighbours, squares, products float64
	for i := range n {
		trace += centred(i, i)
		if i > 0 {
			neighbours += centred(i, i-1)
		}
		for j := range n {
			squares += centred(i, j) * centred(i, j)
			if i > 0 {
				products += centred(i, j) * centred(i-1, j)
			}
		}
	}
	// The estimate is a quotient; its expectation is developed to second order about those of its parts.
	quotient := neighbours / trace
	return moments{
		correlation: quotient + 2*(squares*quotient-products)/(trace*trace),
		inflation:   all * float64(n) * float64(n-1) / trace,
		freedom:     trace * trace / squares,
	}
}

// longSeries is the length from which moments no longer change, but for the degrees of freedom.
const longSeries = 60

// discount estimates the dependence that the times of both sides have in common, and takes it off the evidence of each.
func discount(pairs []*pair) serial {
	var series [][]float64
	measured := map[string]bool{} // a benchmark's other metrics have the same noise
	for _, p := range pairs {
		if !p.timed() || measured[p.new.id] && p.new.id != "" {
			continue
		}
		measured[p.new.id] = true
		series = append(append(series, p.old.runs()...), p.new.runs()...)
	}
	s := serialOf(series)
	if s == 0 {
		return 0
	}
	byUnit := map[string][]deviation{}
	for i, p := range pairs {
		if !p.timed() || p.row.Old.N < 2 || p.row.New.N < 2 {
			continue
		}
		unit := p.row.Unit
		if !p.row.scale.log { // its variance is that of no other row
			unit += fmt.Sprint(" ", i)
		}
		byUnit[unit] = append(byUnit[unit], s.deviation(p))
	}
	for _, rows := range byUnit {
		judgeDeviations(rows)
	}
	return s
}

// timed reports whether the values are tested, and are no counts.
func (p *pair) timed() bool { return p.row.P != nil && !p.row.Count }

// deviation is what dependent values leave of the evidence: their variance seems smaller than it is, and their means vary more.
func (s serial) deviation(p *pair) deviation {
	old, new := p.old.Values, p.new.Values
	if p.row.scale.log {
		old, new = logs(old), logs(new)
	}
	d := deviation{row: &p.row, shift: p.row.found.shift, least: p.row.found.p}
	for _, side := range [][]float64{old, new} {
		m := process(len(side), float64(s))
		d.share += m.inflation / float64(len(side))
		d.freedom += m.freedom
		d.variance += squares(side) / float64(len(old)+len(new)-2)
	}
	return d
}

// squares is the sum of the squared distances from the mean.
func squares(values []float64) (sum float64) {
	mean := 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum
}
