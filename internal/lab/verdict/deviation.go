package verdict

import (
	"math"

	"github.com/aclements/go-moremath/mathx"
)

// deviation is how far a row moved, and how far such rows move though nothing changed.
type deviation struct {
	row      *Row
	shift    float64
	variance float64 // of one value, or of one run's centre
	freedom  float64 // degrees of freedom of the variance
	share    float64 // the variance of the shift, in terms of this one
	extra    float64 // what the variance of the shift has besides
	least    float64 // the p-value that is at least given
}

// judgeDeviations gives each row the p-value and the interval of Student's t. A few values hardly tell a row's variance, so it
// borrows from those of the other rows as much as they are alike (G. K. Smyth, 2004): the prior is estimated from all rows, and
// its degrees of freedom add to the row's own.
func judgeDeviations(rows []deviation) {
	prior, weight := priorVariance(rows)
	all := 0.0
	for _, d := range rows {
		all += d.freedom
	}
	for _, d := range rows {
		variance := (d.freedom*d.variance + weight*prior) / (d.freedom + weight)
		freedom := min(d.freedom+weight, all, mostFreedom)
		standard := math.Sqrt(variance*d.share + d.extra)
		half := standard * student(confidence, freedom)
		found := difference{shift: d.shift, low: d.shift - half, high: d.shift + half, reach: math.Inf(1), p: 1}
		switch {
		case standard > 0:
			found.p = tails(d.shift/standard, freedom)
		case d.shift != 0:
			found.p = 0
		}
		found.p = max(found.p, d.least)
		d.row.take(found, d.row.scale)
	}
}

// tails is how often Student's t lies as far from 0 as v.
func tails(v, freedom float64) float64 { return mathx.BetaInc(freedom/(freedom+v*v), freedom/2, 0.5) }

// student is the distance from 0 within which t lies so often.
func student(often, freedom float64) float64 {
	low, high := 0.0, 1.0
	for tails(high, freedom) > 1-often {
		high *= 2
	}
	for range 60 {
		if v := (low + high) / 2; tails(v, freedom) > 1-often {
			low = v
		} else {
			high = v
		}
	}
	return high
}

// mostFreedom stands for infinitely many degrees of freedom.
const mostFreedom = 1000

// priorVariance fits a scaled F distribution to the variances by the first two moments of their logarithms.
func priorVariance(rows []deviation) (variance, freedom float64) {
	least := 0.0 // stands for a variance of 0, which has no logarithm
	for _, b := range rows {
		least += 1e-4 * b.variance / float64(len(rows))
	}
	if least == 0 {
		return 0, 0
	}
	mean, noise := 0.0, 0.0
	logarithms := make([]float64, len(rows))
	for i, b := range rows {
		logarithms[i] = math.Log(max(b.variance, least)) - digamma(b.freedom/2) + math.Log(b.freedom/2)
		mean += logarithms[i] / float64(len(rows))
		noise += trigamma(b.freedom/2) / float64(len(rows))
	}
	if len(rows) < 2 {
		return 0, 0
	}
	spread := 0.0
	for _, l := range logarithms {
		spread += (l - mean) * (l - mean) / float64(len(rows)-1)
	}
	if spread <= noise { // they differ no more than chance makes them
		return math.Exp(mean), mostFreedom
	}
	low, high := 1e-3, float64(mostFreedom)
	for range 60 { // trigamma falls
		if v := (low + high) / 2; trigamma(v/2) > spread-noise {
			low = v
		} else {
			high = v
		}
	}
	return math.Exp(mean + digamma(low/2) - math.Log(low/2)), low
}

// digamma and trigamma are the first two derivatives of the logarithm of the gamma function: their recurrence up to
// where the asymptotic series holds.
func digamma(x float64) float64 {
	v := 0.0
	for ; x < 8; x++ {
		v -= 1 / x
	}
	s := 1 / (x * x)
	return v + math.Log(x) - 1/(2*x) - s*(1.0/12-s*(1.0/120-s/252))
}

func trigamma(x float64) float64 {
	v := 0.0
	for ; x < 8; x++ {
		v += 1 / (x * x)
	}
	s := 1 / (x * x)
	return v + (1+1/(2*x)+s*(1.0/6-s*(1.0/30-s/42)))/x
}
