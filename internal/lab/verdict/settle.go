package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// pair is one metric of one benchmark on both sides, and its row.
type pair struct {
	old, new Series
	row      Row
	twin     *pair // that says the same in another unit
}

// judge gives every pair its verdict, as one family. It returns how many rows were tested, and how values hang together.
func judge(pairs []*pair, opt Options) (tested int, s serial) {
	if !opt.Paired {
		s = discount(pairs)
	}
	judgeSeveralRuns(pairs)
	rows := make([]*Row, len(pairs))
	var alone []*Row
	for i, p := range pairs {
		rows[i] = &p.row
		if p.twin == nil {
			alone = append(alone, &p.row)
		}
	}
	tested = settle(alone, opt)
	sampled := 0
	for _, r := range alone {
		if r.P != nil {
			sampled++
		}
	}
	for _, p := range pairs {
		if p.twin != nil {
			p.row.P, p.row.Holm, p.row.blind = p.twin.row.P, p.twin.row.Holm, p.twin.row.blind
		}
	}
	for _, r := range rows {
		if r.Verdict == "" {
			r.judge(sampled, opt)
		}
	}
	return tested, s
}

// settle corrects the p-values of the rows that could be called for their number, which it returns.
//
// A row that no values of its kind could fail does not weaken the others (R. E. Tarone, 1990). There are two such kinds. So few
// values that even sides wholly apart are no evidence among so many rows: these rows are blind. And values that lie so close
// together that, however they had been dealt to the two sides, the change would have been below the floor: a quiet
// row. Both are known from the values of both sides together, which is what a permutation test takes as given.
func settle(rows []*Row, opt Options) int {
	var able []*Row
	for _, r := range rows {
		switch {
		case r.Verdict != "" || r.P == nil:
		case r.Test != testRuns && min(r.Old.N, r.New.N) < report.MinRounds:
			r.blind = true
		case r.moved.reach >= r.floor:
			able = append(able, r)
		}
	}
	slices.SortFunc(able, func(a, b *Row) int { return cmp.Compare(a.moved.attainable, b.moved.attainable) })
	family := 0
	for k := 1; k <= len(able); k++ { // the least k such that no more than k rows attain alpha/k
		family, _ = slices.BinarySearchFunc(able, opt.Alpha/float64(k), func(r *Row, level float64) int {
			if r.moved.attainable <= level {
				return -1
			}
			return 1
		})
		if family <= k {
			break
		}
	}
	for _, r := range able[family:] {
		r.blind = true
	}
	holm(able[:family])
	return family
}

// holm multiplies the k-th smallest of n p-values by n-k+1, and keeps their order.
func holm(rows []*Row) {
	byP := slices.SortedStableFunc(slices.Values(rows), func(a, b *Row) int { return cmp.Compare(*a.P, *b.P) })
	least := 0.0
	for k, r := range byP {
		least = max(least, min(*r.P*float64(len(byP)-k), 1))
		p := least
		r.Holm = &p
	}
}

func (r *Row) judge(family int, opt Options) {
	if r.P == nil || r.blind {
		r.blind = true
		r.Verdict = Insufficient
		if r.P != nil || len(r.Warnings) == 0 { // else it says already why there is no test
			r.warn(needed(family, r.Test, opt.Alpha))
		}
		return
	}
	m := r.moved
	significant := r.Holm != nil && *r.Holm < opt.Alpha
	switch {
	case math.IsInf(m.low, 0):
		r.Verdict = Inconclusive
	case -r.floor < m.low && m.high < r.floor, m.low == 0 && m.high == 0:
		r.Verdict = Same
	case significant && m.shift >= r.floor && m.low > 0:
		r.Verdict = r.sided(true)
	case significant && m.shift <= -r.floor && m.high < 0:
		r.Verdict = r.sided(false)
	default:
		r.Verdict = Inconclusive
	}
}

// sided is the verdict of a change to more or to less.
func (r *Row) sided(more bool) Verdict {
	if r.Better == Unknown {
		return Changed
	}
	if more == (r.Better == Higher) {
		return Improved
	}
	return Regressed
}

// needed says how many samples on each side could tell a difference among so many rows, if all of them lay apart.
func needed(family int, test string, alpha float64) string {
	n := report.MinRounds
	least := leastRankP
	if test == testPaired {
		least = func(n, _ int) float64 { return leastSignP(n) }
	}
	for least(n, n)*float64(max(family, 1)) > alpha {
		n++
	}
	text := fmt.Sprintf("needs %d samples on each side to find a difference", n)
	if family > 1 {
		text += fmt.Sprintf(" among %d rows", family)
	}
	return text
}
