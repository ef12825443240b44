package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// settle corrects the p-values for their number and gives every row that has none its verdict. It returns how many were tested.
func settle(rows []Row, opt Options) int {
	var tested []*Row
	for i := range rows {
		if rows[i].Verdict == "" && rows[i].P != nil {
			tested = append(tested, &rows[i])
		}
	}
	holm(tested)
	for i := range rows {
		if r := &rows[i]; r.Verdict == "" {
			r.judge(len(tested), opt)
		}
	}
	return len(tested)
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
	if r.P == nil || min(r.Old.N, r.New.N) < report.MinRounds || r.attainable*float64(family) > opt.Alpha {
		r.Verdict = Insufficient
		if r.P != nil || len(r.Warnings) == 0 { // else it says already why there is no test
			r.warn(needed(family, r.Test, opt.Alpha))
		}
		return
	}
	significant := *r.Holm < opt.Alpha
	switch {
	case r.Change == nil:
		r.judgeUnlogged(significant, opt)
	case r.Interval == nil: // nothing to measure an effect by
		r.Verdict = Inconclusive
	case -opt.Effect < r.Interval.Low && r.Interval.High < opt.Effect:
		r.Verdict = Same
	case significant && *r.Change >= opt.Effect && r.Interval.Low > 0:
		r.Verdict = r.sided(true)
	case significant && *r.Change <= -opt.Effect && r.Interval.High < 0:
		r.Verdict = r.sided(false)
	default:
		r.Verdict = Inconclusive
	}
}

// judgeUnlogged judges by the medians, of which the one before may be zero: then any change is a large one.
func (r *Row) judgeUnlogged(significant bool, opt Options) {
	moved := r.New.Center - r.Old.Center
	switch {
	case significant && moved != 0 && math.Abs(moved) >= opt.Effect*math.Abs(r.Old.Center):
		r.Verdict = r.sided(moved > 0)
	case *r.P == 1 && moved == 0:
		r.Verdict = Same
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
