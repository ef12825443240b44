package verdict

import "math"

// pairTwins finds the rows that say again what another of their benchmark says: MB/s is the size by ns/op. Tested twice, they would
// weaken all others.
func pairTwins(pairs []*pair) {
	first := map[string]*pair{} // by benchmark: what the others could be twins of
	for _, p := range pairs {
		if p.row.Count || p.row.P == nil {
			continue
		}
		other, ok := first[p.new.id]
		switch {
		case !ok:
			first[p.new.id] = p
		case twins(p, other):
			p.twin = other
		}
	}
}

// twins reports whether the products or the quotients of all values are one number, but for what their printing rounds.
func twins(p, q *pair) bool {
	if len(p.old.Values) != len(q.old.Values) || len(p.new.Values) != len(q.new.Values) {
		return false
	}
	one := func(of func(v, w float64) float64) bool {
		low, high := math.Inf(1), math.Inf(-1)
		for _, side := range [][2][]float64{{p.old.Values, q.old.Values}, {p.new.Values, q.new.Values}} {
			for i, v := range side[0] {
				x := of(v, side[1][i])
				low, high = min(low, x), max(high, x)
			}
		}
		return low > 0 && high <= low*(1+rounding)
	}
	if p.row.Better != q.row.Better && one(func(v, w float64) float64 { return v * w }) {
		return true
	}
	return p.row.Better == q.row.Better && one(func(v, w float64) float64 { return v / w })
}

// rounding is what printing two numbers of three digits takes off their product.
const rounding = 0.01
