package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Judgement is what an interval of a ratio allows to say of the engine.
type Judgement string

const (
	Faster    Judgement = "faster"
	Slower    Judgement = "slower"
	Undecided Judgement = "undecided"
	Unjudged  Judgement = "too few rounds"
)

// Judge says how the engine does. Only an interval that leaves out 1 is a verdict.
func (r Ratio) Judge() Judgement {
	switch in := r.Interval; {
	case in == nil:
		return Unjudged
	case in.Low > 1:
		return Faster
	case in.High < 1:
		return Slower
	}
	return Undecided
}

// Summary says how the engine did in comparison with its peers. A limit does less than any dispatcher and is no opponent. Nothing is
// said from too few rounds: a verdict from them would be a guess.
func (r *Report) Summary() []string {
	counts := map[Judgement]int{}
	var lost, close, against []string
	for i := range r.Results {
		result := &r.Results[i]
		for _, ratio := range result.Ratios {
			if r.kind(ratio.To) != Peer {
				continue
			}
			j := ratio.Judge()
			counts[j]++
			where := fmt.Sprintf("%s/%s to %s (%s)", result.Workload, result.Path, ratio.To, doc.Times(ratio.Ratio))
			switch j {
			case Slower:
				lost = append(lost, where)
			case Undecided:
				close = append(close, where)
			}
			if !slices.Contains(against, ratio.To) {
				against = append(against, ratio.To)
			}
		}
	}
	judged := counts[Faster] + counts[Slower] + counts[Undecided]
	switch {
	case judged+counts[Unjudged] == 0:
		return []string{"The engine was compared with nothing in this run."}
	case judged == 0:
		return []string{fmt.Sprintf("Too few rounds for a verdict: it takes at least %d.", MinRounds)}
	}
	lines := []string{fmt.Sprintf("Of %s with %s the engine is faster in %d, slower in %d, and %d are undecided.",
		doc.Plural(judged, "comparison"), strings.Join(against, ", "), counts[Faster], counts[Slower], counts[Undecided])}
	if len(close) > 0 {
		lines = append(lines, "Too close to tell: "+doc.Listed(close)+".")
	}
	if len(lost) > 0 {
		lines = append(lines, "It loses "+doc.Listed(lost)+".")
	}
	return lines
}
