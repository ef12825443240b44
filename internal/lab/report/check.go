package report

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// check reports the first thing in a report that cannot be: a row of no workload, a time that is none, samples that do
// not pair. A report that passes can be summarised, compared and merged without further questions.
func (r *Report) check() error {
	if r.SchemaVersion < 1 {
		return fmt.Errorf("schemaVersion: %d: not a report of ksbench", r.SchemaVersion)
	}
	if r.SchemaVersion > SchemaVersion {
		return newer(r.SchemaVersion)
	}
	if err := r.checkHead(); err != nil {
		return err
	}
	names := map[string]map[string]bool{"workload": {}, "path": {}, "impl": {}}
	for _, list := range []struct {
		of   string
		n    int
		name func(i int) string
	}{
		{"workload", len(r.Workloads), func(i int) string { return r.Workloads[i].Name }},
		{"path", len(r.Paths), func(i int) string { return r.Paths[i].Name }},
		{"impl", len(r.Impls), func(i int) string { return r.Impls[i].Name }},
	} {
		for i := range list.n {
			name := list.name(i)
			if name == "" || names[list.of][name] {
				return fmt.Errorf("%ss[%d].name: %q: must be there, once", list.of, i, name)
			}
			names[list.of][name] = true
		}
	}
	rows, rounds := map[string]bool{}, map[string]int{}
	for i := range r.Results {
		res := &r.Results[i]
		where := fmt.Sprintf("results[%d]", i)
		for _, ref := range [][2]string{{"workload", res.Workload}, {"path", res.Path}, {"impl", res.Impl}} {
			if of, name := ref[0], ref[1]; !names[of][name] {
				return fmt.Errorf("%s.%s: %q: not among the %ss", where, of, name, of)
			}
		}
		if rows[res.Name()] {
			return fmt.Errorf("%s: %s is there twice", where, doc.Printable(res.Name()))
		}
		rows[res.Name()] = true
		if err := res.check(); err != nil {
			return fmt.Errorf("%s%w", where, err)
		}
		n, other := rounds[res.Workload]
		if other && n != len(res.Samples) {
			return fmt.Errorf("%s.samples: %d, but %d in other rows of %s: they do not pair", where, len(res.Samples), n,
				doc.Printable(res.Workload))
		}
		rounds[res.Workload] = len(res.Samples)
		whole := !r.Incomplete && len(r.Shards) == 0
		if n := len(res.Samples); n > r.Settings.Rounds || whole && n != r.Settings.Rounds {
			return fmt.Errorf("%s.samples: %d, but settings.rounds is %d", where, n, r.Settings.Rounds)
		}
	}
	for _, section := range []struct {
		name string
		list any
	}{{"targets", r.Targets}, {"stages", r.Stages}, {"scale", r.Scale}} {
		if where := beyond(reflect.ValueOf(section.list)); where != "" {
			return fmt.Errorf("%s%s: out of range", section.name, where)
		}
	}
	if err := r.Load.check(); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	for i := range r.Scale {
		if err := r.Scale[i].check(); err != nil {
			return fmt.Errorf("scale[%d]%w", i, err)
		}
	}
	return r.checkTraffic()
}

// beyond returns the path of a number that is none or out of any range, "" if there is none.
func beyond(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); !within(math.Abs(f), 0) {
			return ": " + fmt.Sprint(f)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return beyond(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if where := beyond(v.Index(i)); where != "" {
				return fmt.Sprintf("[%d]%s", i, where)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if where := beyond(v.Field(i)); where != "" {
				name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
				return "." + name + where
			}
		}
	}
	return ""
}

func (r *Report) checkHead() error {
	e, s := &r.Environment, &r.Settings
	for _, known := range [][2]string{{"cpu", e.CPU}, {"os", e.OS}, {"arch", e.Arch}, {"go_version", e.GoVersion}, {"level", e.Level},
		{"commit", e.Commit}} {
		if known[1] == "" {
			return fmt.Errorf("environment.%s: missing", known[0])
		}
	}
	if e.Cores < 1 || e.GOMAXPROCS < 1 {
		return fmt.Errorf("environment: %d cores, gomaxprocs %d: must be at least 1", e.Cores, e.GOMAXPROCS)
	}
	if _, err := time.Parse(time.RFC3339, e.Time); e.Time != "" && err != nil {
		return fmt.Errorf("environment.time: %w", err)
	}
	if s.Rounds < 1 || s.Requests < 1 || s.BatchNs < 0 || s.Prime < 0 || !within(s.Rate, 0) || s.Pin != nil && *s.Pin < 0 {
		return fmt.Errorf("settings: rounds %d, requests %d, batch_ns %d, prime %d, rate %v: out of range", s.Rounds, s.Requests, s.BatchNs,
			s.Prime, s.Rate)
	}
	for i, impl := range r.Impls {
		if !slices.Contains([]Kind{Engine, Peer, Limit}, impl.Kind) {
			return fmt.Errorf("impls[%d].kind: %q: must be engine, peer or limit", i, impl.Kind)
		}
	}
	for i, shard := range r.Shards {
		if shard.Rounds < 1 {
			return fmt.Errorf("shards[%d].rounds: %d: must be at least 1", i, shard.Rounds)
		}
	}
	return nil
}

func (r *Result) check() error {
	if len(r.Samples) == 0 {
		return fmt.Errorf(".samples: none")
	}
	low, high := math.Inf(1), 0.0
	for i, s := range r.Samples {
		if s.Operations < 1 || !within(s.NsPerOp, least) || !within(s.AllocsPerOp, 0) || !within(s.BytesPerOp, 0) || s.GCCycles < 0 {
			return fmt.Errorf(".samples[%d]: %+v: out of range", i, s)
		}
		low, high = min(low, s.NsPerOp), max(high, s.NsPerOp)
	}
	if !within(r.NsPerOp, low) || r.NsPerOp > high {
		return fmt.Errorf(".ns_per_op: %v: no median of samples from %v to %v", r.NsPerOp, low, high)
	}
	if !within(r.AllocsPerOp, 0) || !within(r.BytesPerOp, 0) || !within(r.Spread, 0) {
		return fmt.Errorf(": allocs_per_op %v, bytes_per_op %v, spread %v: out of range", r.AllocsPerOp, r.BytesPerOp, r.Spread)
	}
	if err := r.Interval.check(); err != nil {
		return fmt.Errorf(".interval: %w", err)
	}
	for i, ratio := range r.Ratios {
		if !within(ratio.Ratio, least) {
			return fmt.Errorf(".ratios[%d].ratio: %v: must be more than 0", i, ratio.Ratio)
		}
		if err := ratio.Interval.check(); err != nil {
			return fmt.Errorf(".ratios[%d].interval: %w", i, err)
		}
	}
	if r.Latency == nil {
		return nil
	}
	return r.Latency.check()
}

func (p *ScalePoint) check() error {
	if p.Keys < 1 || p.Batch < 1 || !within(p.NsPerOp, least) || !within(p.Spread, 0) || !within(p.BytesPerKey, 0) ||
		!within(p.BuildNsPerKey, 0) {
		return fmt.Errorf(": keys %d, batch %d, ns_per_op %v, spread %v, bytes_per_key %v, build_ns_per_key %v: out of range",
			p.Keys, p.Batch, p.NsPerOp, p.Spread, p.BytesPerKey, p.BuildNsPerKey)
	}
	for i, ns := range p.Samples {
		if !within(ns, least) {
			return fmt.Errorf(".ns_samples[%d]: %v: out of range", i, ns)
		}
	}
	if err := p.Interval.check(); err != nil {
		return fmt.Errorf(".interval: %w", err)
	}
	return nil
}

func (in *Interval) check() error {
	if in != nil && (!within(in.Low, 0) || in.Low > 0 && in.Low < least || !within(in.High, in.Low) || !within(in.Confidence, 0) ||
		in.Confidence > 1) {
		return fmt.Errorf("from %v to %v at %v: no interval", in.Low, in.High, in.Confidence)
	}
	return nil
}

func (l *Latency) check() error {
	if l.Every < 1 || l.Behind < 0 {
		return fmt.Errorf(".latency: every %d, behind %d: out of range", l.Every, l.Behind)
	}
	for _, d := range l.named() {
		if err := d.of.check(); err != nil {
			return fmt.Errorf(".latency.%s: %w", d.name, err)
		}
	}
	return nil
}

// check compares the figures with the histogram.
func (d *Distribution) check() error {
	h, err := d.Histogram.Decode()
	if err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	if h.TotalCount() != d.Count || d.Count < 1 {
		return fmt.Errorf("count is %d, but the histogram has %d values", d.Count, h.TotalCount())
	}
	q := [...]int64{d.Min, d.P50, d.P90, d.P99, d.P999, d.P9999, d.Max}
	if !slices.IsSorted(q[:]) || d.Min != h.Min() || d.Max != h.Max() || d.P50 != h.ValueAtPercentile(50) || !within(d.Mean, 0) {
		return fmt.Errorf("the figures are not those of the histogram")
	}
	return nil
}

// Of what is measured here nothing is further from one: a time in nanoseconds is less than 30 years. Who computes with such
// numbers, or draws them, gets neither infinities nor what is not a number.
const (
	least = 1e-9
	most  = 1e18
)

// within reports that v is a number, at least low and no more than anything can be.
func within(v, low float64) bool { return v >= low && v <= most }
