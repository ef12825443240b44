package load

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// report writes down what the clients saw.
func (l *load) report(clients []*client, samples []report.Sample, elapsed time.Duration, items, objects int) (*report.Report, error) {
	var total shard
	total.init()
	l.total(&total)
	steps := 0
	for _, s := range l.sessions {
		for i := range s.steps {
			if s.steps[i].op == opRequest {
				steps++
			}
		}
	}
	rep := report.New(machine.Describe(), report.Settings{Seed: l.Seed, Rounds: len(samples), Requests: steps,
		BatchNs: int64(l.Duration / intervals), Latency: true, Rate: l.Rate})
	path := report.Path{Name: "closed", Description: "clients that wait for each answer, wall time for each request of all of them together"}
	if l.Rate > 0 {
		path = report.Path{Name: "open", Description: "requests with intended starts, mean time from those to the answer"}
	}
	workload := report.Workload{Name: "load-" + l.Manifest.Driver, Objects: objects, Items: items, Digest: l.digest(),
		Description: fmt.Sprintf("%s of sessions with the objects of %s", doc.Plural(l.Clients, "client"), l.Manifest.Driver)}
	impl := report.Impl{Name: "engine", Kind: report.Engine, Description: "devices of the manifest, each shared by all clients"}
	rep.Paths, rep.Workloads, rep.Impls = []report.Path{path}, []report.Workload{workload}, []report.Impl{impl}
	res := report.NewVaried(workload.Name, path.Name, impl.Name, samples)
	latency := &report.Latency{Every: 1}
	var err error
	if latency.Service, err = report.NewDistribution(total.service); err != nil {
		return nil, err
	}
	clock := report.NewHistogram()
	for range 10_000 {
		start := time.Since(l.begin)
		report.Record(clock, int64(time.Since(l.begin)-start))
	}
	if latency.Clock, err = report.NewDistribution(clock); err != nil {
		return nil, err
	}
	if l.Rate > 0 {
		response, err := report.NewDistribution(total.response)
		if err != nil {
			return nil, err
		}
		latency.Response, latency.Behind = &response, total.behind
	}
	res.Latency = latency
	rep.Results = []report.Result{res}
	rep.Load = l.summary(clients, &total, elapsed)
	return rep, nil
}

func (l *load) summary(clients []*client, total *shard, elapsed time.Duration) *report.Load {
	each := make([]int64, len(clients))
	for i, c := range clients {
		each[i] = c.requests
	}
	x := report.NewLoad(each, elapsed)
	for name, n := range total.sessions {
		x.Sessions = append(x.Sessions, report.LoadCount{Name: name, Count: n})
	}
	for _, status := range slices.Sorted(maps.Keys(total.statuses)) {
		x.Statuses = append(x.Statuses, report.LoadStatus{Status: status.String(), Error: ks.Status(status).IsError(),
			Count: total.statuses[status]})
	}
	for text, n := range total.failures {
		x.Failures = append(x.Failures, report.LoadCount{Name: text, Count: n})
	}
	for _, list := range [][]report.LoadCount{x.Sessions, x.Failures} {
		slices.SortFunc(list, func(a, b report.LoadCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
		})
	}
	slices.SortStableFunc(x.Statuses, func(a, b report.LoadStatus) int { return cmp.Compare(b.Count, a.Count) })
	return x
}
