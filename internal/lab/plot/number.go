package plot

import (
	"math"
	"strconv"
	"strings"
)

// Number writes a value as people do: three or four digits, thousands set apart by a thin space, 1e+07 from ten million on.
func Number(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case v == 0:
		return "0"
	case a >= 1e7 || a < 1e-4:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case a >= 1e4:
		digits := strconv.FormatFloat(v, 'f', 0, 64)
		return digits[:len(digits)-3] + "\u2009" + digits[len(digits)-3:]
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	decimals := 2 - int(math.Floor(math.Log10(a)))
	text := strconv.FormatFloat(v, 'f', min(max(decimals, 0), 6), 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Nanoseconds writes a time in the unit that keeps it short: 47 ns, 1.58 µs, 20 ms, 3 s.
func Nanoseconds(v float64) string {
	switch a := math.Abs(v); {
	case a >= 999.5e6:
		return Number(v/1e9) + " s"
	case a >= 999.5e3:
		return Number(v/1e6) + " ms"
	case a >= 999.5:
		return Number(v/1e3) + " µs"
	}
	return Number(v) + " ns"
}

// Times writes a factor: 0.95×.
func Times(v float64) string { return Number(v) + "×" }
