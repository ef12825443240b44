package page

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// The page shows a difference with its place, its request, both answers and the rule; without traffic there is no section.
func TestPageShowsTraffic(t *testing.T) {
	show := func(r *report.Report) string {
		var b bytes.Buffer
		require.NoError(t, Write(&b, Of("report.json", r)))
		return b.String()
	}
	r := &report.Report{Environment: report.Environment{CPU: "any"}}
	require.NotContains(t, show(r), `id="traffic"`)
	r.Traffic = []report.Traffic{{Point: "mine.json", Item: "KSPROPERTY_AUDIO_MUTE", Verb: "GET", Requests: 21, Differ: 1,
		Answers: []report.Answer{{Status: "SUCCESS", Requests: 20}, {Status: "NOT_FOUND", Requests: 1}}}}
	r.Differences = []report.Difference{{Point: "mine.json", File: "<day>.kst", Block: 3, Offset: 700, Record: 60, Handle: 2,
		Item: "KSPROPERTY_AUDIO_MUTE", Verb: "GET", In: 24, Out: 4, Rule: "P-16",
		Recorded: report.Response{Status: "DEVICE_NOT_READY", Digest: "0a"}, Answered: report.Response{Status: "NOT_FOUND", Digest: "0b"}}}
	html := strings.ReplaceAll(show(r), "<wbr>", "") // where a name may break
	for _, want := range []string{`id="traffic"`, "Answers that differ: 1.", "SUCCESS 20, NOT_FOUND 1",
		"&lt;day&gt;.kst, block 3 at 700, record 60",
		"mine.json: h2 GET KSPROPERTY_AUDIO_MUTE, in 24, out 4", "DEVICE_NOT_READY, n 0, digest 0a", "NOT_FOUND, n 0, digest 0b",
		">P-16<"} {
		require.Contains(t, html, want)
	}
}
