package verdict

import (
	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// runs are the samples of a series, apart as they were measured.
func (s Series) runs() [][]float64 {
	if len(s.Runs) == 0 {
		return [][]float64{s.Values}
	}
	out, from := make([][]float64, 0, len(s.Runs)), 0
	for _, n := range s.Runs {
		out = append(out, s.Values[from:from+n])
		from += n
	}
	return out
}

// betweenRuns is what the centres of runs say about one row, of which at least one side has several: how far new ones lie from
// old ones, and how far runs lie from each other though nothing changed.
func betweenRuns(row *Row, old, new Series) deviation {
	was, is := logRuns(old), logRuns(new)
	b := deviation{row: row, share: 1/float64(len(was)) + 1/float64(len(is))}
	within, freedom := 0.0, 0.0
	center := func(runs [][]float64) (mean, per float64) {
		centers := make([]float64, len(runs))
		for i, r := range runs {
			centers[i] = stats.Median(r)
			mean += centers[i] / float64(len(runs))
			per += 1 / float64(len(r)) / float64(len(runs))
			for _, v := range r {
				within += (v - centers[i]) * (v - centers[i])
			}
			freedom += float64(len(r) - 1)
		}
		for _, c := range centers {
			b.variance += (c - mean) * (c - mean)
		}
		b.freedom += float64(len(runs) - 1)
		return mean, per
	}
	before, perOld := center(was)
	after, perNew := center(is)
	b.shift = after - before
	b.variance /= b.freedom
	// The spread of the centres is that of the runs that there are several of. One of fewer samples has a wider one.
	if freedom > 0 {
		if len(was) > 1 {
			b.extra += max(perNew-perOld, 0) / float64(len(is)) * within / freedom
		} else {
			b.extra += max(perOld-perNew, 0) / float64(len(was)) * within / freedom
		}
	}
	return b
}

func logRuns(s Series) [][]float64 {
	runs := s.runs()
	out := make([][]float64, len(runs))
	for i, r := range runs {
		out[i] = logs(r)
	}
	return out
}

// judgeSeveralRuns judges the times of which a side has several runs by how far runs lie apart.
func judgeSeveralRuns(pairs []*pair) {
	byUnit := map[string][]deviation{}
	for _, p := range pairs {
		if !p.timed() || !p.row.scale.log || p.row.Test != testUnpaired || len(p.old.Runs)+len(p.new.Runs) == 0 {
			continue
		}
		p.row.Test = testRuns
		p.row.Old.Runs, p.row.New.Runs = len(p.old.runs()), len(p.new.runs())
		byUnit[p.row.Unit] = append(byUnit[p.row.Unit], betweenRuns(&p.row, p.old, p.new))
	}
	for _, rows := range byUnit {
		judgeDeviations(rows)
	}
}
