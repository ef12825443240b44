package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

// check runs the command.
func check(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), append([]string{"check"}, args...), strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
	return path
}

const checkedManifest = `{"schema":"ksdispatch/manifest/v1","driver":"d\u001b[2J","source":"here","objects":[
{"object":"filter","property_sets":[
 {"set_name":"MINE","guid":"45ffaaa0-6e1b-11d0-bcf2-444553540000","items":[
  {"name":"mine","id":4,"get":true,"set":true,"min_property":40,"min_data":4,"serialized_size":4,
   "relations":[{"guid":"45ffaaa0-6e1b-11d0-bcf2-444553540000","id":13},{"guid":"45ffaaa0-6e1b-11d0-bcf2-444553540000","id":9999}],
   "values":{"type_guid":"97e99ba0-bdea-11cf-a5d6-28db04c10000","type_id":3,"members":[
    {"members_flags":2,"members_size":16,"members_count":1,"flags":0,"data":"0000010000000000000080ff00000000"},
    {"members_flags":3,"members_size":4,"members_count":1,"flags":1,"data":"fcffffff"}]}},
  {"name":"own","id":9999,"get":true,"get_handler":"emit:0123456789abcdef0123456789abcdef","serialized_size":1,"support_handler":"accept"}],
  "fast_io":[{"id":4,"get":true},{"id":4,"set":true}]}]},
{"object":"odd","property_item_size":71,"method_sets":[{"set_name":"M","guid":"11111111-0000-0000-0000-000000000000",
  "items":[{"name":"run","id":1,"min_method":24,"flags":1},{"name":"walk","id":2,"handler":null},{"name":"sit","id":3}],
  "fast_io":[{"id":1},{"id":2},{"id":4}]}],
 "event_sets":[{"set_name":"E","guid":"22222222-0000-0000-0000-000000000000","items":[{"name":"tick","id":2}]},
               {"guid":"33333333-0000-0000-0000-000000000000","items":[]}]},
{"object":"empty"}]}`

// TestCheckText is a whole table: names of the headers before those of the manifest, and what a file says kept from the
// terminal.
func TestCheckText(t *testing.T) {
	path := writeFile(t, "m.json", checkedManifest)
	code, out, err := check(t, path)
	require.Equal(t, exitOK, code, err)
	require.Empty(t, err)
	_, table, _ := strings.Cut(out, "\n")
	require.Regexp(t, `^`+regexp.QuoteMeta(path)+`: driver "d\\x1b\[2J", 3 objects, digest [0-9a-f]{16}; source: here\n`, out)
	require.Equal(t, `
object "filter"

KSPROPSETID_Audio {45ffaaa0-6e1b-11d0-bcf2-444553540000}: property set, 2 items
  property                        ID  access                                                  fast     request  data  serialized  values                                                             relations
  KSPROPERTY_AUDIO_VOLUMELEVEL     4  get set                                                 get set       40     4  4           KSPROPTYPESETID_General/VT_I4; -8388608..0 step 65536; default -4  KSPROPERTY_AUDIO_MUTE own
  own                           9999  get=emit:0123456789abcdef0123456789a... support=accept  -             24     0  asked for   -                                                                  -

object "odd", property_item_size 71: every property request fails: PropertyItemSize 71 is not a multiple of 8 (P-3); use 0 for plain items

M {11111111-0000-0000-0000-000000000000}: method set, 3 items
  method  ID  fast  request  data  flags
  run      1  yes        24     0  read
  walk     2  -          24     0  none
  sit      3  -          24     0  none

E {22222222-0000-0000-0000-000000000000}: event set, 1 item
  event  ID  data  extra
  tick    2    32      0

(no name) {33333333-0000-0000-0000-000000000000}: event set, 0 items

object "empty": no sets
`, table)
}

// TestCheckJSON says the same to programs.
func TestCheckJSON(t *testing.T) {
	code, out, err := check(t, "--format", "json", writeFile(t, "m.json", checkedManifest))
	require.Equal(t, exitOK, code, err)
	var files []checkedFile
	require.NoError(t, json.Unmarshal([]byte(out), &files))
	require.Len(t, files, 1)
	require.Len(t, files[0].Objects, 3)
	require.Contains(t, files[0].Objects[1].Refused, "not a multiple of 8")
	require.Equal(t, property{Name: "KSPROPERTY_AUDIO_VOLUMELEVEL", ID: 4, Get: "store", Set: "store", Fast: []string{"get", "set"},
		MinProperty: 40, MinData: 4, SerializedSize: 4, ValueType: "KSPROPTYPESETID_General/VT_I4",
		Values: []string{"-8388608..0 step 65536", "default -4"}, Relations: []string{"KSPROPERTY_AUDIO_MUTE", "own"},
	}, files[0].Objects[0].PropertySets[0].Items[0])
	methods := files[0].Objects[1].MethodSets[0].Items
	require.Equal(t, []bool{true, false, false}, []bool{methods[0].Fast, methods[1].Fast, methods[2].Fast})
}

// TestCheckDrivers checks the embedded drivers, all in one go.
func TestCheckDrivers(t *testing.T) {
	var args []string
	for _, name := range drivers.Names() {
		args = append(args, filepath.Join("..", "..", "engine", "manifest", "drivers", "data", name+".json"))
	}
	code, out, err := check(t, args...)
	require.Equal(t, exitOK, code, err)
	require.Equal(t, len(args), strings.Count(out, ": driver "))
	require.NotContains(t, out, "warning:")
}

// TestCheckDoubts warns of what loads and is a mistake most likely, and of nothing beside it.
func TestCheckDoubts(t *testing.T) {
	path := writeFile(t, "m.json", `{"schema":"ksdispatch/manifest/v1","driver":"d","objects":[{"object":"node","property_sets":[
{"guid":"45ffaaa0-6e1b-11d0-bcf2-444553540000","items":[{"name":"KSPROPERTY_AUDIO_MUTE","id":4,"get":true},
  {"name":"KSPROPERTY_AUDIO_MUTE","id":13,"min_data":4,"serialized_size":3},{"id":5,"min_data":4,"serialized_size":1},
  {"name":"0x6","id":6,"min_data":4,"serialized_size":4}]}]}]}`)
	code, out, err := check(t, path)
	require.Equal(t, exitOK, code, err)
	require.Equal(t, 2, strings.Count(out, "warning: "), out)
	require.Contains(t, out, "id 4 is KSPROPERTY_AUDIO_VOLUMELEVEL, not KSPROPERTY_AUDIO_MUTE")
	require.Contains(t, out, "id 13: serialized_size 3 is below min_data 4")
	_, out, _ = check(t, "--format", "json", path)
	var files []checkedFile
	require.NoError(t, json.Unmarshal([]byte(out), &files))
	require.Len(t, files[0].Warnings, 2)
}

// TestCheckBroken reports every file, the good ones too, and exits with 2.
func TestCheckBroken(t *testing.T) {
	good := writeFile(t, "good.json", checkedManifest)
	broken := writeFile(t, "broken.json", `{"schema":"other"}`)
	absent := filepath.Join(t.TempDir(), "absent.json")
	for _, format := range []string{"text", "json"} {
		code, out, err := check(t, "--format", format, broken, good, absent)
		require.Equal(t, exitBadInput, code)
		for _, says := range []string{"broken.json:1:11: schema: expected", "absent.json"} {
			require.Contains(t, err, says)
		}
		require.Contains(t, out, "KSPROPERTY_AUDIO_VOLUMELEVEL")
		require.Contains(t, out, "broken")
	}
	for _, args := range [][]string{nil, {"--format", "md", good}, {"--loud", good}} {
		code, _, _ := check(t, args...)
		require.Equal(t, exitBadInput, code)
	}
}

// TestCheckRequests decodes request files without answering them.
func TestCheckRequests(t *testing.T) {
	good := writeFile(t, "good.jsonl", execGet+execGet)
	bad := writeFile(t, "bad.jsonl", "{}\n{\n"+`{"object":"nobody"}`+strings.Repeat("\n[]", 30))

	code, out, err := check(t, "--manifest", execManifest, good)
	require.Equal(t, exitOK, code, err)
	require.Equal(t, good+": 2 requests, all well formed\n", out)

	code, out, err = check(t, "--manifest", execManifest, good, bad)
	require.Equal(t, exitBadInput, code)
	require.Contains(t, out, "good.jsonl: 2 requests")
	require.NotContains(t, out, "bad.jsonl: 33")
	require.Contains(t, err, "bad.jsonl:2: ")
	require.Contains(t, err, `bad.jsonl:3: object: there is no object "nobody"`)
	require.Contains(t, err, "and 12 more malformed lines")

	code, _, err = check(t, good)
	require.Equal(t, exitBadInput, code)
	require.Contains(t, err, "--manifest")
	code, _, err = check(t, "--manifest", "absent.json", good)
	require.Equal(t, exitBadInput, code)
	require.Contains(t, err, "absent.json")
	code, _, _ = check(t, "--manifest", execManifest, filepath.Join(t.TempDir(), "absent.jsonl"))
	require.Equal(t, exitBadInput, code)
}

// TestDescribeMembers shows lists that are not ranges of 32-bit integers, or not honest about it.
func TestDescribeMembers(t *testing.T) {
	i4 := ks.Identifier{Set: kssets.KSPROPTYPESETID_General, ID: 3}
	for _, c := range []struct {
		kind    ks.Identifier
		h       ks.MembersHeader
		members []byte
		want    string
	}{
		{i4, ks.MembersHeader{MembersFlags: 1, MembersSize: 8, MembersCount: 1}, []byte{0xff, 0xff, 0xff, 0xff, 5, 0, 0, 0}, "-1..5"},
		{i4, ks.MembersHeader{MembersFlags: 3, MembersSize: 4, MembersCount: 6}, make([]byte, 24), "0, 0, 0, 0, 2 more"},
		{i4, ks.MembersHeader{MembersFlags: 3, MembersSize: 4}, nil, "none"},
		{i4, ks.MembersHeader{MembersFlags: 3, MembersSize: 0, MembersCount: 1<<32 - 1, Flags: 1}, nil, "default 4294967295 values of 0 bytes"},
		{ks.Identifier{}, ks.MembersHeader{MembersFlags: 2, MembersSize: 16, MembersCount: 1}, make([]byte, 16), "1 stepped ranges of 16 bytes"},
		{i4, ks.MembersHeader{MembersFlags: 9, MembersSize: 4, MembersCount: 1}, make([]byte, 4), "1 members of kind 9 of 4 bytes"},
		{i4, ks.MembersHeader{}, nil, "0 members of kind 0 of 0 bytes"},
	} {
		require.Equal(t, c.want, describeMembers(c.kind, &engine.MembersList{MembersHeader: c.h, Members: c.members}))
	}
}
