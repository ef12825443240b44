package doc

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/perf/benchunit"
)

// Number writes what was measured: three digits, no zeros after the last of a fraction.
func Number(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case v == 0:
		return "0"
	case a >= 1e9 || a < 1e-4:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	decimals := max(2-int(math.Floor(math.Log10(a))), 0)
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if decimals > 0 {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// Count writes what was counted, to four decimals: 0 is none.
func Count(v float64) string {
	text := strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64)
	if v != 0 && (text == "0" || text == "-0") {
		return "<0.0001"
	}
	return text
}

// Times writes a factor: 0.95x.
func Times(v float64) string { return Number(v) + "x" }

// Percent writes a change of 0.05 as +5.0%.
func Percent(v float64) string {
	switch p := 100 * v; {
	case math.Abs(p) >= 999.5:
		return fmt.Sprintf("%+.0f%%", p)
	case math.Abs(p) < 0.05:
		return "0.0%"
	default:
		return fmt.Sprintf("%+.1f%%", p)
	}
}

// Within writes how far an interval reaches from its middle: " ±2%", or nothing if that is not known.
func Within(middle, low, high float64) string {
	if middle == 0 || math.IsNaN(low+high) {
		return ""
	}
	return fmt.Sprintf(" ±%.0f%%", 100*max(high-middle, middle-low)/math.Abs(middle))
}

// Quantity writes a value with its unit's prefix: 1.580µs for 1580 ns/op, 12.00Ki for 12288 B/op.
func Quantity(v float64, unit string) string {
	v, unit = benchunit.Tidy(v, unit)
	text := benchunit.Scale(v, benchunit.ClassOf(unit))
	if strings.HasPrefix(unit, "sec") {
		text += "s"
	}
	return text
}

// Nanoseconds writes a time in the unit that keeps it short: 47 ns, 1.58 µs, 20 ms, 3 s.
func Nanoseconds(v float64) string { return prefixed(v, 1000, " ns", " µs", " ms", " s") }

// Bytes writes a size in a binary unit: 32 KiB.
func Bytes(v float64) string { return prefixed(v, 1024, " B", " KiB", " MiB", " GiB") }

// Short writes a number in thousands and millions: 8, 10k, 4M.
func Short(v float64) string { return prefixed(v, 1000, "", "k", "M", "G") }

func prefixed(v, base float64, units ...string) string {
	i := 0
	for ; i < len(units)-1 && math.Abs(v) >= base-0.0005*base; i++ {
		v /= base
	}
	return Number(v) + units[i]
}

// Plural writes a number of things: 1 row, 2 rows.
func Plural[N int | int64 | uint64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Listed joins names, but not more than a reader looks through.
func Listed(names []string) string {
	if len(names) > 6 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}
