package report

import (
	"fmt"
	"strings"
)

// undecided reports that the interval allows both answers, or that there is none.
func undecided(ratio Ratio) bool {
	return ratio.Interval == nil || ratio.Interval.Low <= 1 && ratio.Interval.High >= 1
}

// verdict says where the engine loses to a peer in this run. A limit does less than any dispatcher and is no opponent.
// Nothing is said from too few rounds: a verdict from them would be a guess.
func (r *Report) verdict() []string {
	var lost, close []string
	compared, judged, peers := 0, 0, map[string]bool{}
	for _, result := range r.Results {
		for _, ratio := range result.Ratios {
			if r.kind(ratio.To) != Peer {
				continue
			}
			compared++
			peers[ratio.To] = true
			if ratio.Interval == nil {
				continue
			}
			judged++
			where := fmt.Sprintf("%s/%s to %s (%s)", printable(result.Workload), result.Path, ratio.To, times(ratio.Ratio))
			switch {
			case ratio.Interval.High < 1:
				lost = append(lost, where)
			case undecided(ratio):
				close = append(close, where)
			}
		}
	}
	var against []string
	for _, impl := range r.Impls {
		if peers[impl.Name] {
			against = append(against, impl.Name)
		}
	}
	switch {
	case compared == 0:
		return []string{"Where the engine loses: nothing was compared in this run."}
	case judged == 0:
		return []string{fmt.Sprintf("Where the engine loses: no verdict from fewer than %d rounds.", MinRounds)}
	}
	verdict := fmt.Sprintf("Where the engine loses: nowhere in this run, in %d comparisons with %s.", judged, strings.Join(against, ", "))
	if len(lost) > 0 {
		verdict = fmt.Sprintf("Where the engine loses, %d of %d comparisons with %s: %s.", len(lost), judged, strings.Join(against, ", "),
			strings.Join(lost, ", "))
	}
	lines := []string{verdict}
	if len(close) > 0 {
		lines = append([]string{"Too close to tell: " + listed(close) + "."}, lines...)
	}
	return lines
}

// listed joins names, but not more than a reader looks through.
func listed(names []string) string {
	if len(names) > 6 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}
