package outlier

import "testing"

func TestCount(t *testing.T) {
	// The quartiles of the nine values in the middle of each row are 3 and 7: fences at -3 and 13, and at -9 and 19.
	base := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}
	for _, c := range []struct {
		name   string
		values []float64
		want   Counts
	}{
		{"none", base, Counts{}},
		{"equal", []float64{4, 4, 4, 4, 4}, Counts{}},
		{"too few", []float64{1, 1, 1000}, Counts{}},
		// With one more value above, the quartiles are 3.25 and 7.75, d = 4.5: fences at 14.5 and 21.25.
		{"on the mild fence", append(base[:9:9], 14.5), Counts{}},
		{"mild", append(base[:9:9], 14.6), Counts{HighMild: 1}},
		{"on the severe fence", append(base[:9:9], 21.25), Counts{HighMild: 1}},
		{"severe", append(base[:9:9], 21.3), Counts{HighSevere: 1}},
		// Mirrored: 2.25 and 6.75.
		{"low mild", append(base[:9:9], -4.6), Counts{LowMild: 1}},
		{"low severe", append(base[:9:9], -11.3), Counts{LowSevere: 1}},
		{"equal but one", []float64{4, 4, 4, 4, 4, 4.1}, Counts{HighSevere: 1}},
	} {
		if got := Count(c.values); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
