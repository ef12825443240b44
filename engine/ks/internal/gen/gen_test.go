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
}

// TestCommittedTables makes every table again and expects the committed file, byte by byte.
func TestCommittedTables(t *testing.T) {
	for name, table := range tables {
		want, err := table.generate(table.facts)
		if err != nil {
			t.Fatalf("facts/%s.json: %v", name, err)
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
	} {
		table := tables[name]
		changed := bytes.Replace(table.facts, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, table.facts) {
			t.Fatalf("facts/%s.json lacks %s", name, change[0])
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
