package soak

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// within has try make do with a time, and with twice that if it could not: what happens in a time depends on the machine.
func within(t *testing.T, d time.Duration, try func(time.Duration) (problem string)) {
	t.Helper()
	for problem := try(d); problem != ""; problem = try(d) {
		require.Less(t, d, time.Minute, problem)
		d *= 2
	}
}

// A soak without a fault finds none, and everything has happened in it.
func TestClean(t *testing.T) {
	within(t, time.Second, func(duration time.Duration) (problem string) {
		res, err := Run(t.Context(), Options{Duration: duration, Seed: 1, Patience: time.Minute})
		require.NoError(t, err)
		require.Empty(t, res.Fault)
		require.Nil(t, res.Trace)
		require.Equal(t, res.Pended, res.Completed+res.Cancelled)
		if res.Overlapped == 0 {
			return "no request on an overlapped handle"
		}
		return ""
	})
}

// Each planted fault is found and named, and the trace of the sessions in which it was has it again when it is replayed to such a
// driver, and not when it is replayed to one that is as it should be. With an even seed the fault is on an overlapped handle, if it is one
// that a trace of such a handle can have.
func TestPlanted(t *testing.T) {
	for _, c := range []struct {
		plant    string
		seed     uint64
		patience time.Duration // a request that is lost takes all of it
	}{
		{PlantLost, 1, time.Second / 2},
		{PlantLost, 2, time.Second / 2},
		{PlantDoubled, 1, time.Minute},
		{PlantDoubled, 2, time.Minute},
		{PlantLeaked, 1, time.Minute},
	} {
		t.Run(fmt.Sprint(c.plant, c.seed), func(t *testing.T) {
			within(t, c.patience, func(patience time.Duration) string { return found(t, c.plant, c.seed, patience) })
		})
	}
}

// found says what is wrong with how a planted fault is found. To those who have too little patience a request is lost that is not.
func found(t *testing.T, plant string, seed uint64, patience time.Duration) (problem string) {
	res, err := Run(t.Context(), Options{Duration: time.Hour, Seed: seed, Plant: plant, Patience: patience})
	require.NoError(t, err)
	if !strings.HasPrefix(res.Fault, plant+": ") || res.Trace == nil {
		return "found: " + res.Fault
	}
	r, err := trace.NewReader(bytes.NewReader(res.Trace), int64(len(res.Trace)), plant)
	require.NoError(t, err)
	require.NoError(t, r.Torn())
	recorded, ok := Of(r.Header())
	require.True(t, ok)
	require.Equal(t, plant, recorded)
	replay := func(plant string) (differences int64, fault string) {
		d := NewDriver(patience, func() {})
		defer d.Close()
		again, err := trace.Replay(t.Context(), r, d.Opener(plant), trace.ReplayOptions{Verify: true})
		require.NoError(t, err)
		if f := d.Fault(); f != nil {
			fault = f.Error()
		}
		return int64(again.Differences), fault
	}
	if differences, fault := replay(recorded); differences != 0 || fault != res.Fault {
		return fmt.Sprintf("found: %s; replayed: %s, with %d differences", res.Fault, fault, differences)
	}
	if _, fault := replay(""); fault != "" {
		return "replayed without the plant: " + fault
	}
	return ""
}

// Memory that a driver keeps is noticed and named: it is in no session, and so in no trace.
func TestPlantedMemory(t *testing.T) {
	within(t, 4*time.Second, func(duration time.Duration) (problem string) {
		res, err := Run(t.Context(), Options{Duration: duration, Seed: 1, Plant: PlantMemory, Patience: time.Minute, minute: duration / 4})
		require.NoError(t, err)
		require.Nil(t, res.Trace)
		if !strings.HasPrefix(res.Fault, "memory: ") {
			return "found: " + res.Fault
		}
		return ""
	})
}

// The clients that stay are asked again, and a handle that no longer answers is noticed.
func TestClientsThatStay(t *testing.T) {
	s := newSoaker(&run{Options: Options{Patience: time.Minute}, failed: make(chan struct{})}, 0)
	defer s.driver.Close()
	c, err := s.gather()
	require.NoError(t, err)
	require.Len(t, c.handles, standing)
	c.ask(c.handles)
	c.ask(c.handles[1:2])
	require.Nil(t, s.fault)
	require.EqualValues(t, standing+1, s.requests.Load())
	c.leave()
	c.ask(c.handles[:1])
	require.Equal(t, "answer", s.fault.Kind)
}

// What no plant does is noticed, too: counts out of balance, a goroutine that is left, an answer that is not the one ordered.
func TestNoticed(t *testing.T) {
	begin := func() *run { return &run{Options: Options{Patience: time.Millisecond}, failed: make(chan struct{})} }
	for kind, spoil := range map[string]func(*run){
		"lost":    func(r *run) { r.soakers[0].driver.tally.pended.Add(1) },
		"panic":   func(r *run) { r.soakers[0].driver.tally.panics.Add(1) },
		"entries": func(r *run) { r.events.Add(1) },
	} {
		r := begin()
		s := newSoaker(r, 0)
		r.soakers = append(r.soakers, s)
		r.look()
		require.Nil(t, r.fault)
		spoil(r)
		r.look()
		s.driver.Close()
		require.NotNil(t, r.fault)
		require.Equal(t, kind, r.fault.Kind)
	}
	r := begin()
	r.settle(0) // never reached, as this goroutine is one
	require.NotNil(t, r.fault)
	require.Equal(t, "goroutines", r.fault.Kind)

	record := func(number uint32) *Fault {
		r := begin()
		r.Patience = time.Minute
		s := newSoaker(r, 0)
		defer s.driver.Close()
		dev, err := s.driver.Device("")
		require.NoError(t, err)
		var kst bytes.Buffer
		recorder, err := trace.NewRecorder(&kst, trace.Config{Wait: true})
		require.NoError(t, err)
		h, err := recorder.Open(dev, Source)
		require.NoError(t, err)
		c := &client{soaker: s, dev: dev, handle: h}
		require.True(t, c.send(slow, 2))
		if number == 0 {
			c.answered++ // as if the driver had missed one
			number = 3
		}
		c.send(answer, number)
		require.NoError(t, h.Close())
		require.NoError(t, recorder.Close())
		return s.driver.Fault()
	}
	require.Nil(t, record(3))
	require.Equal(t, "order", record(1).Kind)
	require.Equal(t, "order", record(2).Kind)
	require.Equal(t, "answer", record(0).Kind)
}
