package model

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The recorded expectations are pairs of request and outcome lines; what each line means is told in package manifest and
// in ksbench's exec. The readers below take what those files hold and no more.

type manifestFile struct {
	Objects []struct {
		Object           string
		PropertyItemSize uint32 `json:"property_item_size"`
		PropertySets     []struct {
			GUID  guidText
			Items []struct {
				ID             uint32
				Get, Set       bool
				MinProperty    *uint32 `json:"min_property"`
				MinData        uint32  `json:"min_data"`
				SerializedSize uint32  `json:"serialized_size"`
				Relations      []struct {
					GUID guidText
					ID   uint32
				}
				Values *struct {
					TypeGUID guidText `json:"type_guid"`
					TypeID   uint32   `json:"type_id"`
					Members  []struct {
						MembersFlags uint32 `json:"members_flags"`
						MembersSize  uint32 `json:"members_size"`
						MembersCount uint32 `json:"members_count"`
						Flags        uint32
						Data         hexText
					}
				}
				GetHandler     *string `json:"get_handler"`
				SetHandler     *string `json:"set_handler"`
				SupportHandler *string `json:"support_handler"`
			}
			FastIO []Fast `json:"fast_io"`
		} `json:"property_sets"`
	}
}

type guidText ks.GUID

func (g *guidText) UnmarshalText(text []byte) error {
	f := strings.Split(string(text), "-")
	var raw [16]byte
	if _, err := hex.Decode(raw[:], []byte(strings.Join(f, ""))); err != nil {
		return err
	}
	*g = guidText{raw[3], raw[2], raw[1], raw[0], raw[5], raw[4], raw[7], raw[6],
		raw[8], raw[9], raw[10], raw[11], raw[12], raw[13], raw[14], raw[15]}
	return nil
}

type hexText []byte

func (h *hexText) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

type requestLine struct {
	I               int
	Object          string
	Op, Entry, Mode string
	Allocator       string
	Set             guidText
	ID, Flags, Out  uint32
	In              *uint32
	Extra, Data     hexText
	Info0           uint64
	File            int
}

// objects reads a manifest. The first object is the default one.
func objects(t *testing.T, path string) (first string, all map[string]Object) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f manifestFile
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	program := func(allowed bool, text *string, unnamed Program) Program {
		if !allowed {
			return Program{}
		}
		if text == nil {
			return unnamed
		}
		p, err := ParseProgram(*text)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return p
	}
	all = map[string]Object{}
	for _, fo := range f.Objects {
		o := Object{ItemSize: fo.PropertyItemSize}
		for _, fs := range fo.PropertySets {
			s := Set{GUID: ks.GUID(fs.GUID), Fast: fs.FastIO}
			for _, fi := range fs.Items {
				it := Item{ID: fi.ID, MinData: fi.MinData, MinProperty: 24, SerializedSize: fi.SerializedSize,
					Get:     program(fi.Get, fi.GetHandler, Program{Kind: Store}),
					Set:     program(fi.Set, fi.SetHandler, Program{Kind: Store}),
					Support: program(true, fi.SupportHandler, Program{})}
				if fi.MinProperty != nil {
					it.MinProperty = *fi.MinProperty
				}
				for _, r := range fi.Relations {
					it.Relations = append(it.Relations, ks.Identifier{Set: ks.GUID(r.GUID), ID: r.ID})
				}
				if fi.Values != nil {
					it.Values = &Values{TypeSet: ks.GUID(fi.Values.TypeGUID), TypeID: fi.Values.TypeID}
					for _, m := range fi.Values.Members {
						it.Values.Lists = append(it.Values.Lists, Members{m.MembersFlags, m.MembersSize, m.MembersCount, m.Flags, m.Data})
					}
				}
				s.Items = append(s.Items, it)
			}
			o.Sets = append(o.Sets, s)
		}
		all[fo.Object] = o
	}
	return f.Objects[0].Object, all
}

func (l *requestLine) request(t *testing.T) Request {
	t.Helper()
	q := Request{Plain: l.Entry == "plain", Set: ks.GUID(l.Set), ID: l.ID, Flags: l.Flags, Extra: l.Extra, In: uint32(24 + len(l.Extra)),
		Out: l.Out, Data: l.Data, Kernel: l.Mode == "kernel", File: l.File, Info0: l.Info0}
	if l.In != nil {
		q.In = *l.In
	}
	if l.Op == "fast_property" {
		q.Op = FastProperty
	} else if l.Op != "" && l.Op != "property" {
		t.Fatalf("request %d: op %q", l.I, l.Op)
	}
	kinds := map[string]Allocator{"": AllocGood, "arena": AllocGood, "none": AllocNone, "fail": AllocFail, "nobuffer": AllocNoBuffer}
	kind, ok := kinds[l.Allocator]
	if !ok {
		t.Fatalf("request %d: allocator %q", l.I, l.Allocator)
	}
	q.Allocator = kind
	return q
}

// line is an outcome in the shape of an expected line, as encoding/json reads one.
func line(o Outcome, fast bool) map[string]any {
	code := func(s ks.Status) string { return fmt.Sprintf("0x%08x", uint32(s)) }
	row := map[string]any{"information": float64(o.Information)}
	calls := []any{}
	for _, c := range o.Calls {
		r := map[string]any{"verb": c.Verb, "set": dashed(c.Set), "id": float64(c.ID), "in": float64(c.In), "out": float64(c.Out),
			"mode": "user", "status": code(c.Status)}
		if c.Kernel {
			r["mode"] = "kernel"
		}
		if !fast {
			r["request_offset"], r["set_slot"], r["item_slot"], r["data_offset"] = float64(c.RequestOffset), c.SetSlot, c.ItemSlot, any(nil)
			if c.DataOffset >= 0 {
				r["data_offset"] = float64(c.DataOffset)
			}
		}
		calls = append(calls, r)
	}
	row["calls"] = calls
	if fast {
		row["handled"] = o.Handled
		if !o.Handled {
			return row
		}
	} else {
		allocations := []any{}
		for _, a := range o.Allocations {
			r := map[string]any{"by": a.By, "size": float64(a.Size), "status": code(a.Status)}
			if a.By == "custom" {
				r["input_operation"] = a.InputOperation
			}
			allocations = append(allocations, r)
		}
		flags := []any{}
		for _, f := range []struct {
			bit  uint32
			name string
		}{{BufferedIO, "BUFFERED_IO"}, {DeallocateBuffer, "DEALLOCATE_BUFFER"}, {InputOperation, "INPUT_OPERATION"}} {
			if o.Flags&f.bit != 0 {
				flags = append(flags, f.name)
			}
		}
		row["allocations"], row["irp_flags"] = allocations, flags
	}
	row["status"], row["name"] = code(o.Status), fmt.Sprint(o.Status)
	if o.Pended {
		delete(row, "information")
		return row
	}
	row["bytes_returned"], row["win32"] = float64(o.BytesReturned), float64(o.Win32)
	if o.Output != nil {
		row["output"] = hex.EncodeToString(o.Output)
	}
	return row
}

func dashed(g ks.GUID) string {
	return fmt.Sprintf("%08x-%02x%02x-%02x%02x-%x-%x", u32(g[:]), g[5], g[4], g[7], g[6], g[8:10], g[10:])
}

// differences compares like for like, but for the name of a status that has none.
func differences(want, got map[string]any) []string {
	var d []string
	for k, w := range want {
		if k == "i" || k == "name" && w == "" {
			continue
		}
		if !same(w, got[k]) {
			d = append(d, fmt.Sprintf("%s = %v, want %v", k, got[k], w))
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			d = append(d, fmt.Sprintf("%s = %v, which is not expected", k, got[k]))
		}
	}
	slices.Sort(d)
	return d
}

func same(want, got any) bool {
	switch w := want.(type) {
	case []any:
		g, _ := got.([]any)
		return slices.EqualFunc(w, g, same)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k := range w {
			if !same(w[k], g[k]) {
				return false
			}
		}
		return true
	case string:
		return strings.EqualFold(w, fmt.Sprint(got))
	}
	return want == got
}

func lines[T any](t *testing.T, path string) []T {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []T
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		var row T
		if err := json.Unmarshal(sc.Bytes(), &row); err != nil {
			t.Fatalf("%s: line %d: %v", path, len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	if sc.Err() != nil {
		t.Fatal(sc.Err())
	}
	return rows
}

// replay runs a pair through the model and returns the number of lines and the mismatches, each with the rule it is for.
func replay(t *testing.T, manifest, name string, compat Compat) (n int, mismatches []string) {
	dir := filepath.Join("testdata", "expectations")
	first, all := objects(t, manifest)
	models := map[string]*Model{}
	for name, o := range all {
		models[name] = New(o, compat)
	}
	requests := lines[requestLine](t, filepath.Join(dir, name+"-requests.jsonl"))
	expected := lines[map[string]any](t, filepath.Join(dir, name+"-expected.jsonl"))
	rules := lines[map[string]any](t, filepath.Join(dir, name+"-rules.jsonl"))
	if len(expected) != len(requests) || len(rules) != len(requests) {
		t.Fatalf("%s: %d requests, %d outcomes, %d rules", name, len(requests), len(expected), len(rules))
	}
	for i := range requests {
		l := &requests[i]
		if expected[i]["i"] != float64(l.I) || rules[i]["i"] != float64(l.I) {
			t.Fatalf("%s: line %d: the files are not in step", name, i+1)
		}
		if l.Object == "" {
			l.Object = first
		}
		m := models[l.Object]
		if m == nil {
			t.Fatalf("%s: request %d: no object %q", name, l.I, l.Object)
		}
		q := l.request(t)
		o := m.Do(q)
		if o.Rule == "" {
			t.Errorf("%s: request %d: no rule decided", name, l.I)
		}
		if d := differences(expected[i], line(o, q.Op == FastProperty)); d != nil {
			mismatches = append(mismatches, fmt.Sprintf("%s: request %d (%v, decided by %s):\n\t%s", name, l.I, rules[i]["x_rule"], o.Rule,
				strings.Join(d, "\n\t")))
		}
	}
	return len(requests), mismatches
}

var pairs = []struct {
	name, manifest string
	lines          int
}{
	{"sample", "testdata/expectations/sample-manifest.json", 334},
	{"driver-wds-avscamera", "../../manifest/drivers/data/wds-avscamera.json", 406},
	{"driver-wds-simpleaudiosample", "../../manifest/drivers/data/wds-simpleaudiosample.json", 320},
}

func TestExpectations(t *testing.T) {
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			n, mismatches := replay(t, p.manifest, p.name, Compat{})
			for _, m := range mismatches {
				t.Error(m)
			}
			if n != p.lines {
				t.Errorf("%d lines, want %d", n, p.lines)
			}
			t.Logf("%s of %d outcomes match", strconv.Itoa(n-len(mismatches)), n)
		})
	}
}

// TestExpectationsNotice is the control: with the statuses of weak rules replaced, the replay must complain.
func TestExpectationsNotice(t *testing.T) {
	for name, compat := range map[string]Compat{
		"P-26": {P26: ks.StatusNotSupported},
		"P-27": {P27: ks.StatusInvalidParameter},
		"P-28": {P28Zero: ks.StatusBufferTooSmall},
		"P-36": {P36: ks.StatusNotSupported},
		"P-38": {P38: ks.StatusNotSupported},
		"P-33": {P33: true},
		"P-25": {P25: true},
	} {
		if _, mismatches := replay(t, pairs[0].manifest, pairs[0].name, compat); len(mismatches) == 0 {
			t.Errorf("%s changed and no outcome did", name)
		}
	}
}
