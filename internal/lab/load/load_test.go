package load

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

func TestMix(t *testing.T) {
	m, err := ReadMix(strings.NewReader("# a comment\n\nsession random 3\nitem * * * 0\nitem KSPROPSETID_Audio 4 GET 9\n"+
		"item * 0x5 * 2 # behind\n"), "mix.txt")
	require.NoError(t, err)
	audio := ks.MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540000")
	require.Equal(t, uint64(9), m.item(&declared{set: audio, id: 4, verb: verbGet}))
	require.Zero(t, m.item(&declared{set: audio, id: 4, verb: verbSet}))
	require.Equal(t, uint64(2), m.item(&declared{set: audio, id: 5, verb: verbSet}))
	require.Equal(t, uint64(3), m.session(Random))
	require.Zero(t, m.session("portaudio-wavert"))
	require.Equal(t, uint64(1), (*Mix)(nil).session("any"))

	for text, want := range map[string]string{
		"\nclient a 1":             "mix.txt: line 2: \"client\"",
		"session a":                "line 1: session: 2 words",
		"session a 1\nsession a 2": "line 2: session a: is there twice",
		"session a 1.5":            `weight "1.5"`,
		"session a 1000001":        `weight "1000001"`,
		"item Nobody 1 GET 1":      `no standard set is called "Nobody"`,
		"item * x GET 1":           `id "x"`,
		"item * 4294967296 GET 1":  "id",
		"item * 1 get 1":           `verb "get"`,
		strings.Repeat("x", 1<<17): "line 1",
	} {
		_, err := ReadMix(strings.NewReader(text), "mix.txt")
		require.ErrorContains(t, err, want)
	}
}

// Every recorded line is a step with a handle that is open, and a device that there is: the one of its name, if there is one.
func TestRecordedSessions(t *testing.T) {
	const speaker = "filter SpeakerWaveMiniportFilterDescriptor (speakerwavtable.h)"
	for _, devices := range [][]string{{"a"}, {"a", "b", "c"}, {"a", speaker}} {
		all, err := recordedSessions(devices)
		require.NoError(t, err)
		require.Len(t, all, 2)
		for i, want := range []int{73, 212} {
			requests, open := 0, make([]bool, all[i].slots)
			for _, st := range all[i].steps {
				switch st.op {
				case opOpen:
					require.Less(t, st.from, len(devices))
					open[st.slot] = true
				case opCreatePin:
					require.True(t, open[st.from])
					require.NotEmpty(t, st.in)
					open[st.slot] = true
				case opClose:
					require.True(t, open[st.slot])
					open[st.slot] = false
				case opRequest:
					requests++
					require.True(t, open[st.slot])
					require.GreaterOrEqual(t, len(st.in), ks.SizeIdentifier)
					require.LessOrEqual(t, len(st.data), st.out)
				}
			}
			require.Equal(t, want, requests)
			require.NotContains(t, open, true)
		}
		if len(devices) == 2 {
			require.Equal(t, 1, all[0].steps[0].from)
		}
	}
	_, err := recordedSession("bad", []byte(`{"handle":"a","out":1}`+"\n"+`{"extra":"0"}`), []string{"a"})
	require.ErrorContains(t, err, "recording bad, line 2")
}

// The same seed draws the same sessions, another others; weights are kept to.
func TestRandomSessions(t *testing.T) {
	m, err := drivers.Load("wds-sysvad")
	require.NoError(t, err)
	var offers [][]declared
	for i := range m.Objects {
		offers = append(offers, declaredSteps(m, &m.Objects[i]))
	}
	a, err := drawSessions(1, offers, nil)
	require.NoError(t, err)
	b, err := drawSessions(1, offers, nil)
	require.NoError(t, err)
	require.Equal(t, a, b)
	c, err := drawSessions(2, offers, nil)
	require.NoError(t, err)
	require.NotEqual(t, a, c)
	only, err := drawSessions(1, offers, &Mix{items: []itemWeight{{}, {verb: verbSet, weight: 1}}})
	require.NoError(t, err)
	for _, s := range only {
		for _, st := range s.steps[1:] {
			q, ok := ks.DecodeIdentifier(st.in)
			require.True(t, ok)
			require.Equal(t, ks.PropertyTypeSet, q.Flags&^ks.PropertyTypeTopology)
		}
	}
	_, err = drawSessions(1, offers, &Mix{items: []itemWeight{{}}})
	require.ErrorContains(t, err, "nothing to ask")
}

// answering is a handle that answers everything, or fails to open.
type answering struct{ status ks.Status }

func (a answering) IoControl(uint32, []byte, []byte) (uint32, ks.Status) { return 0, a.status }
func (answering) CreatePin([]byte) (Handle, ks.Status)                   { return nil, ks.StatusNotFound }
func (answering) Close() error                                           { return nil }

func options(open func() (Handle, error)) Options {
	m, err := manifest.Parse([]byte(`{"schema":"ksdispatch/manifest/v1","driver":"d","objects":[{"object":"o","property_sets":[
		{"guid":"45ffaaa0-6e1b-11d0-bcf2-444553540000","items":[{"id":4,"get":true,"set":true}]}]}]}`), "m")
	if err != nil {
		panic(err)
	}
	return Options{Manifest: m, Clients: 30, Duration: time.Hour, Device: func(string) (func() (Handle, error), error) { return open, nil }}
}

// A load that is interrupted has a report of what ran, in which each client had a turn and each request has a status.
func TestInterruptedLoad(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	opt := options(func() (Handle, error) { return answering{ks.StatusNotFound}, nil })
	opt.Progress = func(l Live) {
		if l.Requests > 100_000 {
			cancel()
		}
	}
	rep, err := Run(ctx, opt)
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, rep.Incomplete)
	require.Greater(t, rep.Load.Requests, int64(100_000))
	require.Equal(t, rep.Load.Requests, rep.Load.Errors())
	require.Equal(t, rep.Load.Requests, rep.Results[0].Latency.Service.Count)
	require.Positive(t, rep.Load.Least)
	require.Len(t, rep.Load.Failures, 1, "the pins that are refused")
}

// Each client has a turn, and the load a report, though its time is over before it begins.
func TestLoadWithoutTime(t *testing.T) {
	for _, rate := range []float64{0, 1e12} { // at which all clients are due at once
		opt := options(func() (Handle, error) { return answering{ks.StatusSuccess}, nil })
		opt.Duration, opt.Rate = time.Nanosecond, rate
		rep, err := Run(t.Context(), opt)
		require.NoError(t, err)
		require.Positive(t, rep.Load.Least)
		require.NotEmpty(t, rep.Results[0].Samples)
	}
}

// A device that cannot be opened is counted, and a load in which nothing is answered is an error.
func TestLoadThatCannotOpen(t *testing.T) {
	opt := options(func() (Handle, error) { return nil, errors.New("no memory") })
	opt.Duration = 20 * time.Millisecond
	rep, err := Run(t.Context(), opt)
	require.Nil(t, rep)
	require.ErrorContains(t, err, "no request was answered")
}

// stalling is a handle whose first request takes long.
type stalling struct {
	answering
	once *sync.Once
	time time.Duration
}

func (s stalling) IoControl(uint32, []byte, []byte) (uint32, ks.Status) {
	s.once.Do(func() { time.Sleep(s.time) })
	return 0, ks.StatusSuccess
}

// A stall of 20 ms is seen by all who would have come in it: at 10,000 requests a second the first 100 have waited 10 ms at least. Their
// service shows it once, which is what the response is for.
func TestStallInOpenLoop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	opt := options(func() (Handle, error) { return stalling{once: &once, time: 20 * time.Millisecond}, nil })
	opt.Clients, opt.Rate = 1, 10_000
	opt.Progress = func(l Live) {
		if l.Requests > 200 {
			cancel()
		}
	}
	rep, err := Run(ctx, opt)
	require.ErrorIs(t, err, context.Canceled)
	l := rep.Results[0].Latency
	h, err := l.Response.Histogram.Decode()
	require.NoError(t, err)
	waited := int64(0)
	for _, bar := range h.Distribution() {
		if bar.From >= 9_000_000 {
			waited += bar.Count
		}
	}
	require.GreaterOrEqual(t, waited, int64(100))
	require.GreaterOrEqual(t, l.Behind, int64(100))
	require.GreaterOrEqual(t, l.Service.Max, int64(19_000_000))
}
