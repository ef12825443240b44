package latency

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is a machine on which a reading of the clock and a request take as long as the test says.
type world struct {
	clock   int64
	reading int64
	service func(i int) int64
	sent    []int // positions, one per request
	slept   time.Duration
	settled int
}

func (w *world) machine() machine {
	return machine{
		now:    func() int64 { w.clock += w.reading; return w.clock },
		sleep:  func(d time.Duration) { w.clock += int64(d); w.slept += d },
		settle: func() { w.settled++ },
	}
}

func (w *world) send(at, n int) {
	for i := range n {
		w.clock += w.service(len(w.sent))
		w.sent = append(w.sent, at+i)
	}
}

func TestClosedLoopTimesOneInSoMany(t *testing.T) {
	w := &world{reading: 25, service: func(i int) int64 { return 100 + int64(i%16) }}
	r, err := w.machine().measure(context.Background(), w.send, Config{Cycle: 64, Every: 16, Duration: time.Millisecond})
	require.NoError(t, err)
	require.Equal(t, 1, w.settled)
	// A value takes 16 requests of 107.5 ns on average and five readings.
	require.InDelta(t, 1e6/(16*107.5+5*25), float64(r.Service.TotalCount()), 1)
	require.Len(t, w.sent, 16*int(r.Service.TotalCount()))
	for i, at := range w.sent {
		require.Equal(t, i%64, at%64, "the cycle is sent in order")
	}
	require.Equal(t, r.Service.TotalCount(), r.Clock.TotalCount())
	require.Equal(t, int64(25), r.Clock.Min())
	require.Equal(t, int64(25), r.Clock.Max())
	require.Equal(t, int64(100+15+25), r.Service.Min(), "a service is the last of the sixteen and one reading of the clock")
	require.Equal(t, int64(100+15+25), r.Service.Max())
	require.Nil(t, r.Response)
}

func TestLeastIsMore(t *testing.T) {
	w := &world{service: func(int) int64 { return 1e9 }}
	r, err := w.machine().measure(context.Background(), w.send, Config{Cycle: 8, Every: 2, Duration: time.Millisecond, Least: 7})
	require.NoError(t, err)
	require.EqualValues(t, 7, r.Service.TotalCount())
}

// A request that stalls keeps those waiting that were to start meanwhile. The response time says so, the service time
// does not: that is the whole point of an open loop.
func TestOpenLoopShowsTheWaitingBehindAStall(t *testing.T) {
	const gap = 1000 // ns, of a million a second
	w := &world{service: func(i int) int64 {
		if i == 500 {
			return 100 * gap
		}
		return gap / 10
	}}
	w.reading = 1
	r, err := w.machine().measure(context.Background(), w.send, Config{Cycle: 64, Rate: 1e6, Duration: time.Millisecond})
	require.NoError(t, err)
	require.EqualValues(t, 1000, r.Service.TotalCount())
	require.EqualValues(t, 1000, r.Response.TotalCount())
	slow := func(h interface{ ValueAtPercentile(float64) int64 }, percentile float64) bool {
		return h.ValueAtPercentile(percentile) > 5*gap
	}
	require.False(t, slow(r.Service, 99.8), "one service was slow")
	require.True(t, slow(r.Service, 100))
	// The stall delays 100 starts; the queue drains at 900 ns a request, so that about 111 wait for longer than a gap.
	require.True(t, slow(r.Response, 91), "a tenth of the responses waited")
	require.False(t, slow(r.Response, 88))
	require.InDelta(t, 110, float64(r.Behind), 3)
}

// Beyond what can be served, responses grow without end and services do not.
func TestOpenLoopBeyondCapacity(t *testing.T) {
	w := &world{reading: 1, service: func(int) int64 { return 2000 }}
	r, err := w.machine().measure(context.Background(), w.send, Config{Cycle: 64, Rate: 1e6, Duration: time.Millisecond})
	require.NoError(t, err)
	require.LessOrEqual(t, r.Service.Max(), int64(2010))
	require.Greater(t, r.Response.Max(), int64(900_000))
	require.Greater(t, r.Behind, int64(990))
}

func TestLongWaitsAreSlept(t *testing.T) {
	w := &world{reading: 10, service: func(int) int64 { return 50 }}
	r, err := w.machine().measure(context.Background(), w.send, Config{Cycle: 64, Rate: 10, Duration: time.Second})
	require.NoError(t, err)
	require.EqualValues(t, 10, r.Service.TotalCount())
	require.Greater(t, w.slept, 850*time.Millisecond)
	require.Less(t, r.Response.Max(), int64(1000), "slept for too long")
	require.Zero(t, r.Behind)
}

func TestCancelKeepsWhatThereIs(t *testing.T) {
	for _, rate := range []float64{0, 1e6, 10} {
		ctx, cancel := context.WithCancel(context.Background())
		w := &world{reading: 10}
		w.service = func(i int) int64 {
			if i == 5 {
				cancel()
			}
			return 50
		}
		r, err := w.machine().measure(ctx, w.send, Config{Cycle: 64, Every: 1, Rate: rate, Duration: time.Hour / 100})
		require.ErrorIs(t, err, context.Canceled, "rate %v", rate)
		require.GreaterOrEqual(t, r.Service.TotalCount(), int64(6))
		require.LessOrEqual(t, r.Service.TotalCount(), int64(6+patience))
	}
}

// The real clock: a reading takes some time, a request that sleeps takes at least as long as it sleeps.
func TestRealClock(t *testing.T) {
	r, err := Measure(context.Background(), func(int, int) { time.Sleep(time.Millisecond) }, Config{Cycle: 1, Every: 1, Least: 5})
	require.NoError(t, err)
	require.EqualValues(t, 5, r.Service.TotalCount())
	require.GreaterOrEqual(t, r.Service.Min(), int64(999_000)) // three digits
	require.Less(t, r.Clock.Min(), int64(100_000))
}

// Taking a value allocates nothing: a collection would be a latency of the measurement's own.
func TestValuesDoNotAllocate(t *testing.T) {
	var clock int64
	m := machine{now: func() int64 { clock += 20; return clock }, settle: func() {}}
	run := func(values int) float64 {
		least := math.Inf(1)
		for range 5 { // what else the process allocates can only add to it
			least = min(least, testing.AllocsPerRun(5, func() {
				_, _ = m.closed(context.Background(), func(int, int) {}, Config{Cycle: 1, Every: 2, Least: values})
			}))
		}
		return least
	}
	require.Equal(t, run(1), run(10_000))
}
