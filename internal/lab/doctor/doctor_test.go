package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// patient is a machine whose clock, files and speed are made up.
type patient struct {
	subject
	at   time.Time
	step time.Duration // of the clock
	slow func() float64
}

func healthy() *patient {
	p := &patient{at: time.Unix(1e9, 0), step: 30, slow: func() float64 { return 1 }}
	p.subject = subject{cores: 4, root: fstest.MapFS{
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor":            file("performance\n"),
		"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor":            file("performance\n"),
		"sys/devices/system/clocksource/clocksource0/current_clocksource": file("tsc\n"),
		"proc/stat": file("cpu  100 0 100 9000 0 0 0 0 0 0\ncpu0 1 2\n"),
	}}
	p.now = func() time.Time {
		p.at = p.at.Add(30)
		return p.at.Truncate(p.step)
	}
	p.work = func(n int) { p.at = p.at.Add(time.Duration(float64(n) * p.slow())) }
	p.wait = func(context.Context, time.Duration) { p.stat("cpu  101 0 101 9398 0 0 0 0 0 0\n") }
	return p
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func (p *patient) stat(line string) { p.root.(fstest.MapFS)["proc/stat"] = file(line) }

func (p *patient) set(name, text string) { p.root.(fstest.MapFS)[name] = file(text) }

func TestDiagnoses(t *testing.T) {
	for _, c := range []struct {
		name, finding string
		grade         Grade
		ail           func(p *patient)
	}{
		{"healthy", "", Good, func(*patient) {}},
		{"a governor that saves", "frequency", Warning, func(p *patient) {
			p.set("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n")
		}},
		{"a slow clock source", "clock source", Warning, func(p *patient) {
			p.set("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n")
		}},
		{"a clock of 2 us", "clock", Warning, func(p *patient) { p.step = 2 * time.Microsecond }},
		{"a clock of a millisecond", "clock", Bad, func(p *patient) { p.step = time.Millisecond }},
		{"a neighbour", "other load", Warning, func(p *patient) {
			p.wait = func(context.Context, time.Duration) { p.stat("cpu  200 0 100 9300 0 0 0 0 0 0\n") }
		}},
		{"no core left", "other load", Bad, func(p *patient) {
			p.wait = func(context.Context, time.Duration) { p.stat("cpu  450 0 100 9050 0 0 0 0 0 0\n") }
		}},
		{"a thief now and then", "stolen time", Warning, func(p *patient) {
			p.wait = func(context.Context, time.Duration) { p.stat("cpu  100 0 100 9396 0 0 0 4 0 0\n") }
		}},
		{"a thief", "stolen time", Bad, func(p *patient) {
			p.wait = func(context.Context, time.Duration) { p.stat("cpu  100 0 100 9350 0 0 0 50 0 0\n") }
		}},
		{"noise", "noise", Warning, func(p *patient) { p.slow = func() float64 { return 1 + 0.2*rand.Float64() } }},
		{"much noise", "noise", Bad, func(p *patient) { p.slow = func() float64 { return 1 + rand.Float64() } }},
	} {
		p := healthy()
		c.ail(p)
		findings, err := p.examine(t.Context(), report.Environment{Virtualization: "none"})
		require.NoError(t, err)
		require.Len(t, findings, 7)
		for _, f := range findings {
			want := Good
			if f.Name == c.finding {
				want = c.grade
			}
			require.Equal(t, want, f.Grade, "%s: %+v", c.name, f)
			require.Equal(t, want == Good, f.Advice == "", "%s: %+v", c.name, f)
		}
	}
	require.Equal(t, Warning, hypervisor("kvm").Grade)
	require.Equal(t, Unknown, hypervisor("unknown").Grade)
}

// What a system does not say is no reason to complain, and no reason to fall over.
func TestSilentSystems(t *testing.T) {
	for _, stat := range []string{"", "cpu", "cpu a b c d e f g h", "cpu 1 2 3"} {
		p := healthy()
		p.root = fstest.MapFS{}
		if stat != "" {
			p.stat(stat)
		}
		p.wait = func(context.Context, time.Duration) {}
		findings, err := p.examine(t.Context(), report.Environment{})
		require.NoError(t, err)
		for _, f := range findings {
			if f.Name != "clock" && f.Name != "noise" {
				require.Equal(t, Unknown, f.Grade, "%+v", f)
			}
		}
	}
	p := healthy()
	p.now = func() time.Time { return time.Unix(1e9, 0) }
	require.Equal(t, Bad, p.clock().Grade)
}

func TestExamine(t *testing.T) {
	d, err := Examine(t.Context())
	require.NoError(t, err)
	require.Len(t, d.Findings, 7)
	var text, data bytes.Buffer
	require.NoError(t, errors.Join(doc.Write(&text, d, "text", 0), doc.Write(&data, d, "json", 0)))
	for _, f := range d.Findings {
		require.Contains(t, text.String(), f.Saw)
	}
	var again Diagnosis
	require.NoError(t, json.Unmarshal(data.Bytes(), &again))
	require.Equal(t, d, again)
	require.True(t, strings.HasSuffix(text.String(), d.Summary()+"\n"))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Examine(ctx)
	require.ErrorIs(t, err, context.Canceled)
}
