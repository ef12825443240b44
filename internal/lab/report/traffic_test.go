package report

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// traffic is a report of traffic alone, with rows of items that other calls have too.
func traffic(rng *rand.Rand, file string) *Report {
	r := sample(1)
	r.Results, r.Workloads, r.Paths, r.Impls = []Result{}, []Workload{}, []Path{}, []Impl{}
	for _, item := range []string{"KSPROPERTY_AUDIO_MUTE", "KSPROPERTY_AUDIO_VOLUMELEVEL", "-"} {
		t := Traffic{Point: "mine", Item: item, Verb: "GET"}
		for _, status := range []string{"SUCCESS", "NOT_FOUND"} {
			n := 1 + rng.Uint64N(50)
			t.Answers = append(t.Answers, Answer{status, n})
			t.Sizes = append(t.Sizes, Size{24, 4 + rng.Uint32N(2), n})
			t.Requests += n
		}
		if t.Sizes[0].Out == t.Sizes[1].Out {
			t.Sizes[1].Out += 8
		}
		t.Differ = rng.Uint64N(t.Requests)
		r.Traffic = append(r.Traffic, t)
	}
	for range rng.IntN(4) {
		r.Differences = append(r.Differences, Difference{Point: "mine", File: file, Block: 3, Offset: 700, Record: rng.Uint64(),
			Item: "-", Verb: "GET", Recorded: Response{"SUCCESS", 4, "00", ""}, Answered: Response{"NOT_FOUND", 0, "00", ""}, Rule: "P-1"})
	}
	r.SortTraffic()
	return r
}

// In whatever order and groups the reports of traffic are merged, the sum is the same.
func TestTrafficMergesInAnyOrder(t *testing.T) {
	rng := testkit.Rand(t)
	var sources []Source
	for _, name := range []string{"a", "b", "c", "d"} {
		sources = append(sources, Source{name, traffic(rng, name)})
	}
	all, err := Merge(sources)
	require.NoError(t, err)
	want, err := json.Marshal([]any{all.Traffic, all.Differences})
	require.NoError(t, err)
	for range 10 {
		rng.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
		left, err := Merge(sources[:2])
		require.NoError(t, err)
		again, err := Merge(append([]Source{{"left", left}}, slices.Clone(sources[2:])...))
		require.NoError(t, err)
		got, err := json.Marshal([]any{again.Traffic, again.Differences})
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
}

func TestTrafficMatchesTheSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("report.schema.json")
	require.NoError(t, err)
	r := traffic(testkit.Rand(t), "a.kst")
	r.Differences = append(r.Differences[:0], Difference{Point: "mine", File: "a.kst", Record: 9, Item: "-", Verb: "GET",
		Recorded: Response{"SUCCESS", 4, "00", ""}, Answered: Response{"NOT_FOUND", 0, "00", ""}, Rule: "P-1"})
	text := render(t, r.WriteJSON)
	require.NoError(t, schema.Validate(mustParse(t, text)))
	again, err := Read(strings.NewReader(text), "file")
	require.NoError(t, err)
	require.Equal(t, text, render(t, again.WriteJSON), "it changes when it is read and written")
	sections := again.Document().Sections
	require.Len(t, sections, 2)
	require.Equal(t, []string{"a.kst, block 0 at 0, record 9", "mine: h0 GET -, in 0, out 0", "SUCCESS, n 4, digest 00",
		"NOT_FOUND, n 0, digest 00", "P-1"}, sections[1].Table.Rows[0])
	for name, bad := range map[string]string{
		"other counts": strings.Replace(text, fmt.Sprintf(`"requests": %d,`, r.Traffic[0].Requests), `"requests": 1,`, 1),
		"no status":    strings.Replace(text, `"status": "SUCCESS"`, `"status": ""`, 1),
		"twice":        strings.Replace(text, `"KSPROPERTY_AUDIO_MUTE"`, `"-"`, 1),
	} {
		require.NotEqual(t, text, bad, name)
		_, err := Read(strings.NewReader(bad), "file")
		require.Error(t, err, name)
	}
}
