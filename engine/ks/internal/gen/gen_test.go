package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// files are the committed tables.
var files = map[string]string{
	"status": "../../status_table.go",
	"sets":   "../../kssets/sets_table.go",
	"names":  "../../kssets/names_table.go",
}

// TestCommittedTables makes every table again and expects the committed file, byte by byte.
func TestCommittedTables(t *testing.T) {
	for name, table := range tables {
		want, err := table.generate(table.facts)
		if err != nil {
			t.Fatalf("%s: %v", table.source, err)
		}
		got, err := os.ReadFile(files[name])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what its facts give; run go generate ./engine/ks/...", files[name])
		}
	}
}

// TestChangedFact is the control of TestCommittedTables: one changed digit must change the table.
func TestChangedFact(t *testing.T) {
	for name, change := range map[string][2]string{
		"status": {"0xC0000225", "0xC0000226"},
		"sets":   {`"request": 40, "data": 4`, `"request": 40, "data": 8`},
		"names":  {"45ffaaa0-", "45ffaab0-"},
	} {
		table := tables[name]
		changed := bytes.Replace(table.facts, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, table.facts) {
			t.Fatalf("%s lacks %s", table.source, change[0])
		}
		got, err := table.generate(changed)
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := table.generate(table.facts); bytes.Equal(got, want) {
			t.Errorf("table %s is the same with %s for %s", name, change[1], change[0])
		}
	}
}

func TestBadStatusFacts(t *testing.T) {
	one := `{"name": "STATUS_A", "value": "0x00000001"}`
	for _, c := range []struct{ facts, want string }{
		{`{`, "EOF"},
		{`{"statuses": []} x`, "text follows"},
		{`{"statuses": [{"name": "STATUS_A", "value": "0x00000001", "note": ""}]}`, "unknown field"},
		{`{"statuses": [{"name": "ERROR_A", "value": "0x00000001"}]}`, "not a STATUS_ name"},
		{`{"statuses": [{"name": "STATUS_A", "value": "1"}]}`, "eight digits"},
		{`{"statuses": [{"name": "STATUS_A", "value": "0x0000000g"}]}`, "eight digits"},
		{`{"statuses": [` + one + `, {"name": "STATUS_B", "value": "0x00000001"}]}`, "STATUS_B: value 0x00000001 is not above"},
		{`{"statuses": [` + one + `, {"name": "STATUS_A", "value": "0x00000002"}]}`, "StatusA is taken"},
		{`{"statuses": [{"name": "STATUS_A", "value": "0x80000001", "win32": 5}]}`, "go together"},
	} {
		if text, err := statusTable([]byte(c.facts)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("facts %s: %d bytes, error %v; want an error with %q", c.facts, len(text), err, c.want)
		}
	}
}

func TestBadSetsFacts(t *testing.T) {
	const guid = "00000000-0000-0000-0000-00000000000"
	sets := func(list ...string) string { return `{"sets": [` + strings.Join(list, ", ") + `]}` }
	set := func(name, digit, rest, items string) string {
		return `{"name": "` + name + `", "guid": "` + guid + digit + `", "header": "x.h", ` + rest + `, "items": [` + items + `]}`
	}
	const property, x = `"kind": "property"`, `{"name": "X_A", "id": 1}`
	for _, c := range []struct{ facts, want string }{
		{`[]`, "cannot unmarshal"},
		{sets(set("KSP 1", "1", property, "")), "not a C name"},
		{sets(set("KSP_1", "1", `"kind": "thing"`, "")), `no kind "thing"`},
		{sets(set("KSP_1", "A", property, "")), "not a lower-case GUID"},
		{sets(set("KSP_1", "1", property, ""), set("KSP_1", "2", property, "")), "KSP_1 is there twice"},
		{sets(set("KSP_1", "1", property, ""), set("KSP_2", "1", property, "")), "KSP_1 and KSP_2 have the same GUID"},
		{sets(set("KSP_1", "1", property, `{"name": "", "id": 1}`)), "not a C name"},
		{sets(set("KSP_1", "1", property, x+", "+x)), "X_A is item 1 of KSP_1 and item 1 of KSP_1"},
		{sets(set("KSP_1", "1", property+`, "enum": "E"`, x), set("KSP_2", "2", property+`, "enum": "F"`, x)), "X_A is item 1 of KSP_1"},
		{sets(set("KSP_1", "1", property, `{"name": "KSP_2", "id": 0}`), set("KSP_2", "2", property, "")), "KSP_2 is a set, and item 0 of KSP_1"},
		{sets(set("KSP_1", "1", property, `{"name": "KSP_1", "id": 3}`)), "KSP_1 is a set, and item 3 of KSP_1"},
		{sets(set("KSP_1", "1", property, `{"name": "X_A", "id": 1, "flags": "KSMETHOD_TYPE_READ"}`)), "KSP_1 is no method set"},
		{sets(set("KSP_1", "1", `"kind": "event"`, `{"name": "X_A", "id": 1, "access": ["get"]}`)), "KSP_1 is no property set"},
		{sets(set("KSP_1", "1", property, `{"name": "X_A", "id": 1, "access": ["gat"]}`)), `no access or flag "gat"`},
		{sets(set("KSP_1", "1", property, `{"name": "X_A", "id": -1}`)), "cannot unmarshal"},
	} {
		for name, generate := range map[string]func([]byte) ([]byte, error){"sets": setsTable, "names": setsNames} {
			if text, err := generate([]byte(c.facts)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s of %s: %d bytes, error %v; want an error with %q", name, c.facts, len(text), err, c.want)
			}
		}
	}
	// Sharing is fine where C shares: one enum for two sets, two names for one value, a set whose one item has its name.
	good := sets(set("KSP_1", "1", property+`, "enum": "E"`, x+`, {"name": "X_B", "id": 1}`),
		set("KSP_2", "2", property+`, "enum": "E"`, x), set("KSP_3", "3", property, `{"name": "KSP_3", "id": 0}`))
	for name, generate := range map[string]func([]byte) ([]byte, error){"sets": setsTable, "names": setsNames} {
		if _, err := generate([]byte(good)); err != nil {
			t.Errorf("%s of %s: %v", name, good, err)
		}
	}
}

func TestRun(t *testing.T) {
	if err := run(nil); err == nil || !strings.Contains(err.Error(), "0 arguments") {
		t.Errorf("no arguments: %v", err)
	}
	if err := run([]string{"statuses", "x"}); err == nil || !strings.Contains(err.Error(), `no table "statuses"`) {
		t.Errorf("unknown table: %v", err)
	}
	for name := range tables {
		file := t.TempDir() + "/table.go"
		if err := run([]string{name, file}); err != nil {
			t.Errorf("run %s: %v", name, err)
		}
		got, err := os.ReadFile(file)
		if want, _ := tables[name].generate(tables[name].facts); err != nil || !bytes.Equal(got, want) {
			t.Errorf("run %s wrote %d bytes, %v; want the %d of the table", name, len(got), err, len(want))
		}
	}
}
