package exec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// malformed lines of every kind, and a part of what the error says.
var malformed = []struct{ line, says string }{
	{``, "empty line"},
	{" \t\r", "empty line"},
	{`null`, "found null"},
	{`[]`, "found an array"},
	{`"x"`, "found a string"},
	{`17`, "found a number"},
	{"\ufeff{}", "expected an object"},
	{`{`, "expected a key, found the end"},
	{`{"i"`, "expected :"},
	{`{"i":`, "found the end"},
	{`{"i":1`, "expected , or }"},
	{`{"i":1,`, "expected a key, found the end"},
	{`{"i":1,}`, "expected a key"},
	{`{"i":1}}`, "expected the end of the line"},
	{`{"i":1} {}`, "expected the end of the line"},
	{`{"i" 1}`, "expected :"},
	{`{i:1}`, "expected a key"},
	{`{'i':1}`, "expected a key"},
	{`{"i":1 "id":2}`, "expected , or }"},
	{`{"i`, "no end"},
	{`{"tag":"x\`, "no end"},
	{`{"tag":"x\"}`, "no end"},
	{`{"tag":"\q"}`, "escape"},
	{`{"tag":"\ud8"}`, "escape"},
	{"{\"tag\":\"\x01\"}", "control character"},
	{"{\"tag\":\"\xff\"}", "not UTF-8"},
	{"{\"tag\":\"\\n\xff\"}", "not UTF-8"},
	{`{"surprise":1}`, `unknown key "surprise"`},
	{`{"I":1}`, `unknown key "I"`},
	{`{"x_note":1}`, "unknown key"},
	{`{"i":1,"i":1}`, "i given twice"},
	{`{"id":1,"\u0069d":1}`, "id given twice"},
	{`{"i":"1"}`, "i: found a string"},
	{`{"i":null}`, "i: found null"},
	{`{"i":01}`, "not a number"},
	{`{"i":1.}`, "not a number"},
	{`{"i":-}`, "not a number"},
	{`{"i":1e}`, "not a number"},
	{`{"i":+1}`, "found '+'"},
	{`{"id":-1}`, "from 0 to 4294967295, found -1"},
	{`{"id":1.5}`, "found 1.5"},
	{`{"id":1e3}`, "found 1e3"},
	{`{"id":4294967296}`, "found 4294967296"},
	{`{"id":"4"}`, "found a string"},
	{`{"id":true}`, "found true"},
	{`{"id":[1]}`, "found an array"},
	{`{"in":4294967296}`, "in: expected"},
	{`{"out":99999999999999999999999999}`, "out: expected"},
	{`{"flags":{}}`, "found an object"},
	{`{"flags":""}`, "flags: no name; write a number, or names"},
	{`{"flags":"GOT"}`, "flags: there is no KSPROPERTY_TYPE_GOT; did you mean GET?"},
	{`{"flags":"GET|"}`, "flags: there is no KSPROPERTY_TYPE_"},
	{`{"op":"method","flags":"RELATIONS"}`, "flags: there is no KSMETHOD_TYPE_RELATIONS"},
	{`{"flags":"1"}`, "flags: there is no KSPROPERTY_TYPE_1"},
	{`{"set":"KSPROPSETID_Adio"}`, `set: no standard set is called "KSPROPSETID_Adio"; write its GUID, or a name such as KSPROPSETID_Audio; `},
	{`{"set":"KSPROPSETID_Adio"}`, "did you mean KSPROPSETID_Audio?"},
	{`{"info0":18446744073709551616}`, "from 0 to 18446744073709551615"},
	{`{"information":-1}`, "information: expected"},
	{`{"file":-1}`, "file: expected"},
	{`{"count":-1}`, "count: expected"},
	{`{"op":"generate","count":1000001}`, "count: 1000001 is too many"},
	{`{"op":"generate","count":4294967295}`, "generate at most 1000000 times"},
	{`{"notification":4294967296}`, "notification: expected"},
	{`{"event_data":"x"}`, "event_data: expected"},
	{`{"op":"enable_event","out":7,"data":"00000000"}`, "data has 4 bytes, which with the 4 of notification is more than out, 7"},
	{`{"op":"enable_event","data":"00"}`, "data has 1 bytes, which with the 4 of notification is more than out, 0"},
	{`{"op":"disable_event","out":3,"data":"00000000"}`, "data has 4 bytes, which is more than out, 3"},
	{`{"set":1}`, "set: expected a string, found a number"},
	{`{"set":""}`, "set: "},
	{`{"set":"45ffaaa0-6e1b-11d0-bcf2-44455354000"}`, "set: "},
	{`{"set":"45ffaaa0-6e1b-11d0-bcf2-44455354000g"}`, "set: "},
	{`{"extra":"abc"}`, "whole number of bytes"},
	{`{"extra":"0g"}`, "not hexadecimal"},
	{`{"extra":"0x00"}`, "not hexadecimal"},
	{`{"data":"a b "}`, "not hexadecimal"},
	{`{"data":[0]}`, "data: expected a string"},
	{`{"data":"00"}`, "more than out, 0"},
	{`{"out":1,"data":"0000"}`, "data has 2 bytes, which is more than out, 1"},
	{`{"op":"fast_property","data":"00"}`, "more than out"},
	{`{"alias":1}`, "expected true or false, found a number"},
	{`{"alias":"true"}`, "expected true or false"},
	{`{"alias":tru}`, "expected true or false"},
	{`{"alias":trueish}`, "expected , or }"},
	{`{"prepared":"yes"}`, "use true, false or"},
	{`{"prepared":1}`, "expected true or false"},
	{`{"op":"explode"}`, `unknown word "explode"; use one of property, fast_property, complete, dispatch_specific, close, method, `},
	{`{"op":"explode"}`, "fast_method, enable_event, disable_event, generate"},
	{`{"op":1}`, "expected a string"},
	{`{"op":"method","data":"00"}`, "more than out"},
	{`{"op":"fast_method","data":"00"}`, "more than out"},
	{`{"entry":"other"}`, "use one of with_allocator, plain"},
	{`{"allocator":"heap"}`, "use one of arena, none, fail, nobuffer"},
	{`{"entry":"plain","allocator":"heap"}`, "use one of arena"},
	{`{"memory":"fault"}`, "use one of ok, fault_in, fault_out"},
	{`{"mode":"root"}`, "use one of user, kernel"},
	{`{"object":"nobody"}`, `there is no object "nobody"`},
	{`{"object":7}`, "expected a string"},
	{`{"tag":7}`, "expected a string"},
	{`{"op":"complete"}`, "tag is missing"},
	{`{"op":"complete","tag":"never"}`, `no pended request has the tag "never"`},
	{`{"op":"complete","tag":"here","status":"0x00000103"}`, "cannot be completed"},
	{`{"op":"complete","tag":"here","status":"OK"}`, "no status"},
	{`{"op":"complete","tag":"here","status":"0x123456789"}`, "no status"},
	{`{"op":"complete","tag":"here","status":-5}`, "status: expected"},
	{`{"op":"complete","tag":"here","data":"0000000000"}`, "more than the output of the pended request, 4"},
	{`{"op":"dispatch_specific","program":"accept"}`, "tag is missing"},
	{`{"op":"dispatch_specific","tag":"here"}`, "program is missing"},
	{`{"op":"dispatch_specific","tag":"here","program":"sing"}`, "unknown program"},
	{`{"op":"dispatch_specific","tag":"here","program":"emit:0"}`, "emit:0"},
	{`{"op":"dispatch_specific","tag":"here","program":"range"}`, "program: range needs an item"},
	{`{"tag":"` + strings.Repeat("x", 100), "no end"},
	{`{"` + strings.Repeat("y", 100) + `":1}`, "..."},
}

// TestMalformed answers each of them in its place, and the lines between as if it were not there.
func TestMalformed(t *testing.T) {
	const pend = `{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":2,"flags":1,"out":4,"tag":"here"}`
	const good = `{"i":%d,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4,"data":"ffffffff"}`
	var text strings.Builder
	fmt.Fprintln(&text, pend)
	for i, m := range malformed {
		fmt.Fprintf(&text, "%s\n"+good+"\n", m.line, i)
	}
	fmt.Fprint(&text, `{"op":"complete","tag":"here","information":4,"data":"01020304"}`)
	outcomes, n := run(t, golden(t), text.String())
	require.Equal(t, len(malformed), n)

	lines := strings.Split(strings.TrimSuffix(outcomes, "\n"), "\n")
	require.Len(t, lines, 2*len(malformed)+2)
	require.Contains(t, lines[len(lines)-1], `"output":"01020304"`)
	for i, m := range malformed {
		var answer map[string]any
		require.NoError(t, json.Unmarshal([]byte(lines[2*i+1]), &answer), lines[2*i+1])
		require.Len(t, answer, 2)
		require.Equal(t, float64(2*i+2), answer["line"])
		require.Contains(t, answer["error"], m.says, "%.80q", m.line)
		require.LessOrEqual(t, len(lines[2*i+1]), 300)
		require.Contains(t, lines[2*i+2], fmt.Sprintf(`{"i":%d,"status":"0x00000000"`, i))
	}
}

// Sets and flags have names, whatever the order of the keys.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		line  string
		flags uint32
	}{
		{`{"set":"KSPROPSETID_Audio","flags":"GET"}`, 1},
		{`{"set":"KSPROPSETID_Audio","flags":"KSPROPERTY_TYPE_SET | TOPOLOGY"}`, 0x10000002},
		{`{"flags":"ONESHOT","op":"enable_event","set":"KSPROPSETID_Audio"}`, 2},
		{`{"op":"fast_method","set":"KSPROPSETID_Audio","flags":"SEND"}`, 1},
		{`{"set":"KSPROPSETID_Audio","flags":"0"}`, 0},
		{`{"set":"{45FFAAA0-6E1B-11D0-BCF2-444553540000}","flags":512}`, 512},
	} {
		var d decoder
		var q request
		require.NoError(t, d.decode([]byte(`{"flags":"SETSUPPORT"}`), &q))
		require.NoError(t, d.decode([]byte(c.line), &q), c.line)
		require.Equal(t, "45ffaaa0-6e1b-11d0-bcf2-444553540000", q.set.String(), c.line)
		require.Equal(t, c.flags, q.flags, c.line)
	}
}

// FuzzDecode holds the decoder against encoding/json: what it accepts is JSON and says the same there.
func FuzzDecode(f *testing.F) {
	for _, m := range malformed {
		f.Add([]byte(m.line))
	}
	f.Add([]byte(` { "i" : -0.5e+7 , "tag" : "\u00e9\"\\" , "id":4294967295,"set":"{45FFAAA0-6e1b-11d0-bcf2-444553540000}" } `))
	f.Add([]byte(`{"in":0,"out":3,"extra":"","data":"AbCd","alias":true,"prepared":"forged","info0":18446744073709551615}`))
	f.Add([]byte(`{"op":"enable_event","out":1,"data":""}`)) // the notification is no data, however short it is cut
	f.Add([]byte(`{"op":"enable_event","out":5,"data":"01"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var d decoder
		var q request
		if err := d.decode(line, &q); err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.UseNumber()
		var want map[string]any
		require.NoError(t, dec.Decode(&want), "accepted %q, which is not JSON", line)
		same := func(key string, got any) {
			if w, ok := want[key]; ok {
				require.Equal(t, fmt.Sprint(w), fmt.Sprint(got), "%s of %q", key, line)
			}
		}
		same("i", string(q.i))
		same("id", q.id)
		if _, words := want["flags"].(string); !words {
			same("flags", q.flags)
		}
		same("in", q.in)
		same("out", q.out)
		same("file", q.file)
		same("info0", q.info0)
		same("alias", q.alias)
		same("tag", string(q.tag))
		same("mode", q.mode)
		for key, got := range map[string][]byte{"extra": q.extra, "data": q.data} {
			if w, ok := want[key].(string); ok {
				require.Equal(t, strings.ToLower(w), hex.EncodeToString(got), "%s of %q", key, line)
			}
		}
		if s, ok := want["set"].(string); ok && kssets.ByName(s) == nil {
			require.Equal(t, strings.ToLower(strings.Trim(s, "{}")), q.set.String(), "%q", line)
		}
	})
}
