package exec

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A request whose buffer is longer than the limit goes as far as it goes without one. One byte less is answered.
func TestLongBuffers(t *testing.T) {
	const (
		limit  = 100_000
		none   = `"status":"0xc000009a".*"calls":\[\]`
		failed = `"size":100032,"status":"0xc000009a"\}\],"irp_flags":\[\]`
		input  = `"size":100032,"input_operation":true,"status":"0xc000009a"\}\],"irp_flags":\[\]`
	)
	for name, c := range map[string]struct {
		manifest, line, refused string
		kept                    string // "" if one byte less is answered otherwise
	}{
		"custom":        {"manifest", `"id":1,"flags":1`, none + `,"allocations":\[\{"by":"custom",` + input, ""},
		"pool":          {"manifest", `"id":1,"flags":1,"entry":"plain"`, none + `,"allocations":\[\{"by":"pool",` + failed, ""},
		"BASICSUPPORT":  {"manifest", `"id":1,"flags":512`, none, ""},
		"a pass before": {"manifest", `"id":1,"flags":1,"prepared":true`, none, ""},
		"input":         {"manifest", `"id":1,"flags":1,"in":4294000000`, none, ""},
		"method":        {"methods", `"op":"method","id":2,"flags":1`, none, ""},
		"locked":        {"methods", `"op":"method","id":7,"flags":1`, none, ""},
		"event":         {"events", `"op":"enable_event","id":1,"flags":1,"event_data":1`, none, ""},
		"fast":          {"manifest", `"op":"fast_property","id":1,"flags":1`, `"handled":false.*"calls":\[\]`, ""},

		// What fails before is what it was.
		"unknown item": {"manifest", `"id":99,"flags":1`, `"status":"0xc0000225"`, `"status":"0xc0000225"`},
		"flags":        {"manifest", `"id":1,"flags":3`, `"status":"0xc000000d"`, `"status":"0xc000000d"`},
		"not needed":   {"methods", `"op":"method","id":4,"flags":1`, `"status":"0x00000000"`, `"status":"0x00000000"`},
		"forged":       {"manifest", `"id":1,"flags":1,"prepared":"forged"`, `"status":"0xc000000d"`, `"status":"0xc000000d"`},
	} {
		answer := func(more string, out uint32) string {
			s := session(t, "testdata/"+c.manifest+".json", Options{MaxOut: limit})
			set, object := "aaaaaaaa-0000-0000-0000-000000000001", "plain"
			if c.manifest != "manifest" {
				set, object = "11111111-2222-3333-4455-66778899aabb", ""
			}
			if object != "" {
				more += `,"object":"` + object + `"`
			}
			text, malformed := run(t, s, fmt.Sprintf(`{"set":"%s","out":%d,%s}`, set, out, more))
			require.Zero(t, malformed, text)
			return text
		}
		require.Regexp(t, c.refused, answer(c.line, limit+1), name)
		if c.kept == "" {
			require.NotRegexp(t, c.refused, answer(strings.ReplaceAll(c.line, `,"in":4294000000`, ""), limit), name)
		} else {
			require.Regexp(t, c.kept, answer(c.line, limit), name)
		}
	}
}

// A length that P-5 refuses stays refused, and one just below it takes no memory, by default.
func TestLongestLengths(t *testing.T) {
	s := golden(t)
	const get = `{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":%d}`
	answer, _ := run(t, s, fmt.Sprintf(get, uint32(4294967295)))
	require.Contains(t, answer, `"rule":"P-5"`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, op := range []string{"property", "fast_property"} {
		for range 100 {
			answer, _ := run(t, s, strings.Replace(fmt.Sprintf(get, uint32(4294967264)), "{", `{"op":"`+op+`",`, 1))
			require.Regexp(t, `STATUS_INSUFFICIENT_RESOURCES|"handled":false`, answer)
		}
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}
