package device_test

import (
	"bytes"
	"encoding/json"
	"expvar"
	"log/slog"
	"math/rand/v2"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var _ expvar.Var = (*device.Observation)(nil)

func askFour(h *device.Handle, id, flags uint32) {
	in := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: testSet, ID: id, Flags: flags}.Put(in)
	h.IoControl(ks.IoctlProperty, in, make([]byte, 4))
}

// observed is a device with an item that answers, and one that fails as it is told to.
func observed(t testing.TB, what device.ObserveConfig) (*device.Device, *device.Observation) {
	t.Helper()
	config := engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{
		{ID: 1, MinData: 4, Get: produces(1, 2, 3, 4), Set: func(_ *engine.IRP, _, data []byte) ks.Status { return ks.Status(data[0]) << 28 }},
	}}}}
	o := device.Observe(&config, what)
	return device.New(compile(t, config)), o
}

func TestObservationCountsEachRequestOnce(t *testing.T) {
	const handles, n = 4, 1000
	dev, o := observed(t, device.ObserveConfig{SampleEvery: 3}) // 4
	var all sync.WaitGroup
	for range handles {
		h, err := dev.Open()
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for i := range n {
				askFour(h, 1, ks.PropertyTypeGet)
				in := make([]byte, ks.SizeIdentifier)
				ks.Identifier{Set: testSet, ID: 1, Flags: ks.PropertyTypeSet}.Put(in)
				h.IoControl(ks.IoctlProperty, in, []byte{[]byte{0, 12}[i%2], 0, 0, 0})
				askFour(h, 9, ks.PropertyTypeGet)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	items := o.Items()
	if len(items) != 2 || items[0].Verb != "get" || items[1].Verb != "set" || items[0].Set != testSet || items[0].ID != 1 {
		t.Fatalf("%+v", items)
	}
	get, set := &items[0], &items[1]
	if get.Requests != handles*n || len(get.Statuses) != 1 || get.Statuses[ks.StatusSuccess] != handles*n {
		t.Errorf("get: %d requests, %v", get.Requests, get.Statuses)
	}
	if set.Requests != handles*n || set.Statuses[ks.StatusSuccess] != handles*n/2 || set.Statuses[0xC0000000] != handles*n/2 {
		t.Errorf("set: %d requests, %v", set.Requests, set.Statuses)
	}
	if s := get.Latency.Samples; s == 0 || s > handles*n/4 {
		t.Errorf("%d samples of %d requests, want one in 4", s, handles*n)
	}
	if l := &get.Latency; l.Quantile(0.5) < 0 || l.Quantile(0.5) > l.Quantile(0.99) || l.Quantile(1) > l.Max {
		t.Errorf("p50 %v, p99 %v, max %v", l.Quantile(0.5), l.Quantile(0.99), l.Max)
	}
	want := device.ObservedRefusal{Set: testSet, ID: 9, Status: ks.StatusNotFound, Rule: "P-24", Requests: handles * n}
	if r := o.Refusals(); len(r) != 1 || r[0] != want {
		t.Errorf("%+v, want %+v", r, want)
	}
}

// TestEachSampleIsInItsHistogram: those that are on their way there when somebody reads, too, of handles that are used at once.
func TestEachSampleIsInItsHistogram(t *testing.T) {
	const handles, n = 3, 500
	dev, o := observed(t, device.ObserveConfig{SampleEvery: 1})
	var all sync.WaitGroup
	for range handles {
		h := openAgain(t, dev)
		all.Go(func() {
			for range n {
				askFour(h, 1, ks.PropertyTypeGet)
				_ = o.Items()
			}
			askFour(h, 1, ks.PropertyTypeSet)
		})
	}
	all.Wait()
	for i, it := range o.Items() {
		if l := &it.Latency; it.Requests != [...]uint64{handles * n, handles}[i] || l.Samples != it.Requests || l.Sum < l.Max {
			t.Errorf("%s: %d samples of %d requests, in all %v, the longest %v", it.Verb, l.Samples, it.Requests, l.Sum, l.Max)
		}
	}
}

// TestOneRequestIn1024IsTimed: unless somebody chooses otherwise, and the JSON says so.
func TestOneRequestIn1024IsTimed(t *testing.T) {
	dev, o := observed(t, device.ObserveConfig{})
	h := openAgain(t, dev)
	for range 3 * 1024 {
		askFour(h, 1, ks.PropertyTypeGet)
	}
	if n := o.Items()[0].Latency.Samples; n < 2 || n > 3 || !strings.Contains(o.String(), `"sample_every":1024`) {
		t.Errorf("%d samples of %d requests; %s", n, 3*1024, o)
	}
}

func TestObservationIsJSONWithNames(t *testing.T) {
	var log bytes.Buffer
	dev, o := observed(t, device.ObserveConfig{SampleEvery: 1, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Name: func(_ ks.GUID, id uint32) string { return map[uint32]string{1: "THE_ITEM"}[id] }})
	h, err := dev.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	askFour(h, 1, ks.PropertyTypeGet)
	askFour(h, 9, ks.PropertyTypeGet)
	var got struct {
		SampleEvery int `json:"sample_every"`
		Items       []struct {
			Item, Verb string
			Requests   int
			Statuses   map[string]int
			Samples    int
			P50        int64
		}
		Refused []struct{ Item, Status, Rule string }
	}
	if err := json.Unmarshal([]byte(o.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.SampleEvery != 1 || len(got.Items) != 1 || got.Items[0].Item != "THE_ITEM" || got.Items[0].Statuses["STATUS_SUCCESS"] != 1 ||
		got.Items[0].Samples != 1 || got.Items[0].P50 < 0 { // 0 is less than a tick of a coarse clock
		t.Errorf("%s", o)
	}
	if name := testSet.String() + " 9"; len(got.Refused) != 1 || got.Refused[0].Item != name || got.Refused[0].Rule != "P-24" {
		t.Errorf("%s", o)
	}
	for _, want := range []string{"request refused", "STATUS_NOT_FOUND", "rule=P-24", testSet.String()} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log says %q, want %q in it", &log, want)
		}
	}
	if strings.Contains(log.String(), "THE_ITEM") {
		t.Error("negative control: an answered request is logged")
	}
}

// The latest events are kept, those before them counted.
func TestEventsAreKeptInARing(t *testing.T) {
	dev, o := observed(t, device.ObserveConfig{SampleEvery: 1, Events: 3})
	h, err := dev.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for range 4 {
		askFour(h, 1, ks.PropertyTypeGet)
	}
	askFour(h, 9, ks.PropertyTypeGet)
	list, dropped := o.Events()
	if len(list) != 3 || dropped != 2 || list[0].Verb != "get" || list[0].Status != ks.StatusSuccess || list[0].Rule != "" ||
		list[2].ID != 9 || list[2].Rule != "P-24" || list[2].Status != ks.StatusNotFound || list[2].Time.Before(list[0].Time) {
		t.Errorf("%d dropped, %+v", dropped, list)
	}
	if list, dropped := o.Events(); len(list) != 0 || dropped != 2 {
		t.Errorf("%d dropped, then %+v", dropped, list)
	}
	dev, o = observed(t, device.ObserveConfig{SampleEvery: 1})
	h, err = dev.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	askFour(h, 1, ks.PropertyTypeGet)
	if list, dropped := o.Events(); len(list) != 0 || dropped != 0 {
		t.Errorf("nobody asked for events: %d dropped, %+v", dropped, list)
	}
}

// A profile says which set a handler is of, and nothing of what runs after it.
func TestHandlersRunUnderLabels(t *testing.T) {
	labels := func() string {
		var b bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, want := range []bool{true, false} {
		var inside string
		config := engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{
			{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { inside = labels(); panic("a fault") }}}}},
			OnPanic: func(any, []byte) {}}
		device.Observe(&config, device.ObserveConfig{Labels: want,
			Name: func(_ ks.GUID, id uint32) string { return "KSPROPSETID_Test/ITEM" }})
		h := openAgain(t, device.New(compile(t, config)))
		askFour(h, 1, ks.PropertyTypeGet)
		const label = `"ks.set":"KSPROPSETID_Test"`
		if got := strings.Contains(inside, label); got != want {
			t.Errorf("labels %v, but in the profile of the handler %v", want, got)
		}
		if strings.Contains(labels(), label) {
			t.Error("the labels stay")
		}
	}
}

// What clients ask for does not make an observation grow without bound.
func TestRefusalsAreBounded(t *testing.T) {
	dev, o := observed(t, device.ObserveConfig{})
	h, err := dev.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	const n = 3000
	for i := range uint32(n) {
		askFour(h, 100+i, ks.PropertyTypeGet)
	}
	list, sum := o.Refusals(), uint64(0)
	for _, r := range list {
		sum += r.Requests
	}
	if len(list) != 1025 || sum != n || list[0].Status != 0 || list[0].Requests != n-1024 {
		t.Errorf("%d kinds, %d refusals, first %+v", len(list), sum, list[0])
	}
}

// A histogram has at most 1/16 more than what was measured, and never less.
func TestHistogramSteps(t *testing.T) {
	rng := testkit.Rand(t)
	for range 100_000 {
		ns := rng.Uint64() >> (24 + rand.N(40))
		if got := device.Rounded(ns); got < ns || got-ns > ns/16 {
			t.Fatalf("%v is counted as %v", time.Duration(ns), time.Duration(got))
		}
	}
	if got := device.Rounded(1 << 63); got != 1<<40-1 {
		t.Errorf("the longest is counted as %d", got)
	}
}

// Who observes after another, or refuses, is asked as well.
func TestObservationKeepsWhatWasThere(t *testing.T) {
	var told []engine.Refusal
	items := []engine.PropertyItem{{ID: 1, Get: produces(1)}}
	config := engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: items}},
		OnRefuse: func(r engine.Refusal) { told = append(told, r) }}
	first := device.Observe(&config, device.ObserveConfig{})
	second := device.Observe(&config, device.ObserveConfig{})
	other := engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: items}}}
	if device.Observe(&other, device.ObserveConfig{}).Items() != nil {
		t.Error("nothing was asked, and something is observed")
	}
	h := openAgain(t, device.New(compile(t, config)))
	askFour(h, 1, ks.PropertyTypeGet)
	askFour(h, 2, ks.PropertyTypeGet)
	for _, o := range []*device.Observation{first, second} {
		if items, refused := o.Items(), o.Refusals(); len(items) != 1 || items[0].Requests != 1 || len(refused) != 1 {
			t.Errorf("%+v, %+v", items, refused)
		}
	}
	if len(told) != 1 || told[0].ID != 2 {
		t.Errorf("%+v", told)
	}
}
