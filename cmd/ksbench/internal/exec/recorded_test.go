package exec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

// deviation is why an embedded driver does not answer as the device of a recording did, which was the same driver with pin handlers
// of its host around it.
type deviation struct {
	handle string // of the request, in part
	set    ks.GUID
	ids    []uint32
	rule   string // that decided the driver's answer
	status []string
	count  map[string]int // of requests, by recording
	reason string
}

const (
	success  = "0x00000000"
	overflow = "0x80000005"
	tooSmall = "0xc0000023"
	notFound = "0xc0000225"
	noSet    = "0xc0000230"
)

var deviations = []deviation{
	{"#wave", kssets.KSPROPSETID_Pin, []uint32{kssets.KSPROPERTY_PIN_INTERFACES}, "PN-7", []string{overflow, tooSmall},
		map[string]int{"wavert": 4, "wavecyclic": 4},
		"the driver's pin has two interfaces, as its port adds looped streaming; each recorded device had one of the two"},
	{"#wave", kssets.KSPROPSETID_Pin, []uint32{kssets.KSPROPERTY_PIN_DATARANGES}, "PN-9", []string{overflow, success},
		map[string]int{"wavert": 4, "wavecyclic": 4},
		"PN-11: the client does not say that it knows attribute lists, so it is not shown the one that the recorded device counted"},
	{"#wave", kssets.KSPROPSETID_Pin, []uint32{kssets.KSPROPERTY_PIN_PHYSICALCONNECTION}, "PN-14", []string{notFound},
		map[string]int{"wavert": 4, "wavecyclic": 4},
		"the driver registers its connections when it starts, under the names that its devices have then; its tables have none"},
	{"mic#topo", kssets.KSPROPSETID_Pin, []uint32{kssets.KSPROPERTY_PIN_NAME}, "PN-13", []string{"0xc0000034"},
		map[string]int{"wavert": 1, "wavecyclic": 1},
		"the name is a GUID that a registry has a text for, and there is no registry"},
	{"pin", kssets.KSPROPSETID_RtAudio, []uint32{kssets.KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION, kssets.KSPROPERTY_RTAUDIO_HWLATENCY,
		kssets.KSPROPERTY_RTAUDIO_POSITIONREGISTER, kssets.KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT,
		kssets.KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT}, "P-24", []string{noSet}, map[string]int{"wavert": 20},
		"the buffers of a stream are the port's, whose sets are in no table of the driver"},
	{"pin", kssets.KSPROPSETID_Audio, []uint32{kssets.KSPROPERTY_AUDIO_POSITION}, "P-24", []string{noSet}, map[string]int{"wavert": 113},
		"the position of a stream is the port's, too"},
}

// TestRecordings sends two sessions of PortAudio's WDM-KS host, request by request as they were recorded, to the filters of the embedded
// driver. The answer is that of the recording, or one of deviations says why not.
func TestRecordings(t *testing.T) {
	for name, lines := range map[string]int{"wavert": 228, "wavecyclic": 89} {
		t.Run(name, func(t *testing.T) {
			compared, differ, unexplained := replayRecording(t, name, deviations)
			require.Equal(t, lines, compared)
			require.Empty(t, unexplained)
			for i, d := range deviations {
				require.Equal(t, d.count[name], differ[i], d.reason)
			}
		})
	}
}

// TestRecordingsNotice is its control: without one of the deviations, some request is not explained.
func TestRecordingsNotice(t *testing.T) {
	for i, d := range deviations {
		others := append(append([]deviation{}, deviations[:i]...), deviations[i+1:]...)
		_, _, unexplained := replayRecording(t, "wavert", others)
		require.Len(t, unexplained, d.count["wavert"], "without %q", d.reason)
	}
}

// replayRecording compares a recording with what the embedded driver answers. differ counts the requests that each of known explains.
func replayRecording(t *testing.T, name string, known []deviation) (compared int, differ []int, unexplained []string) {
	m, err := drivers.Load("wds-simpleaudiosample")
	require.NoError(t, err)
	s, err := New(m, Options{Explain: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()

	file, err := os.ReadFile(filepath.Join("testdata", "objects", "portaudio-"+name+"-recorded.jsonl"))
	require.NoError(t, err)
	type answer struct {
		Status string `json:"status"`
		Bytes  int    `json:"bytes_returned"`
		Output string `json:"output"`
		Rule   string `json:"rule"`
	}
	var requests []json.RawMessage
	var want []answer
	var text strings.Builder
	for line := range strings.Lines(string(file)) {
		var l struct {
			Request  json.RawMessage
			Recorded answer
		}
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		requests, want = append(requests, l.Request), append(want, l.Recorded)
		text.Write(l.Request)
		text.WriteByte('\n')
	}
	outcomes, malformed := run(t, s, text.String())
	require.Zero(t, malformed)
	got := strings.Split(strings.TrimSpace(outcomes), "\n")
	require.Len(t, got, len(want))

	differ = make([]int, len(known))
	for i, w := range want {
		var g answer
		require.NoError(t, json.Unmarshal([]byte(got[i]), &g))
		if g.Status == w.Status && g.Bytes == w.Bytes && strings.HasPrefix(g.Output, w.Output) {
			continue
		}
		var q struct {
			Handle string
			Set    string
			ID     uint32
		}
		require.NoError(t, json.Unmarshal(requests[i], &q))
		if n := slices.IndexFunc(known, func(d deviation) bool {
			return strings.Contains(q.Handle, d.handle) && q.Set == d.set.String() && slices.Contains(d.ids, q.ID) && g.Rule == d.rule &&
				slices.Contains(d.status, g.Status)
		}); n >= 0 {
			differ[n]++
		} else {
			unexplained = append(unexplained, string(requests[i])+"\nrecorded "+w.Status+"\ngot      "+got[i])
		}
	}
	return len(want), differ, unexplained
}
