package kssets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// factSet is a set as the generator's facts have it, read here a second time so that the generator is not asked about
// its own work.
type factSet struct {
	Name, Kind, Header, Enum string
	GUID                     ks.GUID
	Items                    []struct {
		Name          string
		ID            uint32
		Access        []string
		Flags         string
		Request, Data uint32
		Inferred      bool
	}
}

func readFacts(t *testing.T) []factSet {
	t.Helper()
	b, err := os.ReadFile("../internal/gen/facts/sets.json")
	if err != nil {
		t.Fatal(err)
	}
	var facts struct{ Sets []factSet }
	if err := json.Unmarshal(b, &facts); err != nil {
		t.Fatal(err)
	}
	return facts.Sets
}

// TestFacts finds every fact by every lookup.
func TestFacts(t *testing.T) {
	kindText := map[Kind]string{Property: "property", Method: "method", Event: "event", PropertyType: "proptype",
		Interface: "interface", Medium: "medium", Degrade: "degrade"}
	bits := map[string]uint32{"get": 1, "set": 2, "basicsupport": 0x200,
		"KSMETHOD_TYPE_READ": 1, "KSMETHOD_TYPE_WRITE": 2, "KSMETHOD_TYPE_MODIFY": 3, "KSMETHOD_TYPE_SOURCE": 4}
	facts := readFacts(t)
	items := 0
	for _, f := range facts {
		s := ByGUID(f.GUID)
		if s == nil || s != ByName(f.Name) {
			t.Errorf("%s: by GUID %p, by name %p; want one set", f.Name, s, ByName(f.Name))
			continue
		}
		if s.Name != f.Name || s.GUID != f.GUID || kindText[s.Kind] != f.Kind || s.Header != f.Header || len(s.Items) != len(f.Items) {
			t.Errorf("%s %v %v %s with %d items; the facts say %s %v %s %s with %d",
				s.Name, s.GUID, s.Kind, s.Header, len(s.Items), f.Name, f.GUID, f.Kind, f.Header, len(f.Items))
		}
		items += len(f.Items)
		named := map[uint32]bool{}
		for _, fi := range f.Items {
			want := Item{Name: fi.Name, ID: fi.ID, MinRequest: fi.Request, MinData: fi.Data}
			for _, name := range append(fi.Access, fi.Flags) {
				want.Flags |= bits[name]
			}
			if !slices.Contains(s.Items, want) {
				t.Errorf("%s lacks %+v", f.Name, want)
			}
			// Of several names for one id the lookups give the first.
			it, name := s.Item(fi.ID), PropertyName(f.GUID, fi.ID)
			if first := !named[fi.ID]; it == nil || first != (*it == want) || first != (name == f.Name+"/"+fi.Name) {
				t.Errorf("%s, id %d: %+v and %s; the facts say %s", f.Name, fi.ID, it, name, fi.Name)
			}
			named[fi.ID] = true
		}
	}
	if len(sets) != len(facts) {
		t.Errorf("%d sets; the facts have %d", len(sets), len(facts))
	}
	doc, err := os.ReadFile("doc.go")
	if want := fmt.Sprintf("%d sets and %d items", len(facts), items); err != nil || !bytes.Contains(doc, []byte(want)) {
		t.Errorf("the package comment does not say %q (%v)", want, err)
	}
}

// TestOrder checks what the binary searches rely on, and that GUIDs and names are unique.
func TestOrder(t *testing.T) {
	for i := range sets {
		s := &sets[i]
		if i > 0 && bytes.Compare(sets[i-1].GUID[:], s.GUID[:]) >= 0 {
			t.Errorf("%s does not come after %s", s.Name, sets[i-1].Name)
		}
		if !slices.IsSortedFunc(s.Items, func(a, b Item) int { return int(int64(a.ID) - int64(b.ID)) }) {
			t.Errorf("the items of %s are out of order", s.Name)
		}
		for _, it := range s.Items {
			if least := uint32(ks.SizeIdentifier); it.MinRequest != 0 && it.MinRequest < least {
				t.Errorf("%s: a request of %d bytes; every request has at least %d", it.Name, it.MinRequest, least)
			}
			if s.Kind == Event && it.MinData != 0 && it.MinData < ks.SizeEventData {
				t.Errorf("%s: event data of %d bytes; every event has at least %d", it.Name, it.MinData, ks.SizeEventData)
			}
		}
	}
	var names []string
	for s := range All() {
		names = append(names, s.Name)
	}
	if len(names) != len(sets) || !slices.IsSorted(names) || len(slices.Compact(names)) != len(sets) {
		t.Errorf("All yields %d sets, sorted %t; want %d different ones in order", len(names), slices.IsSorted(names), len(sets))
	}
	for range All() {
		break // and All stops when asked to
	}
}

func TestStrangers(t *testing.T) {
	for _, g := range []ks.GUID{{}, {0xFF, 15: 0xFF}, ks.MustParseGUID("ffffffff-ffff-ffff-ffff-ffffffffffff")} {
		if s := ByGUID(g); s != nil || s.Item(0) != nil {
			t.Errorf("ByGUID(%v) = %+v", g, s)
		}
	}
	// One bit off, in any byte, must not find the set that it is off from.
	for i := range sets {
		for at := range 16 {
			g := sets[i].GUID
			g[at] ^= 0x80
			if s := ByGUID(g); s == &sets[i] || s != nil && s.GUID != g {
				t.Errorf("ByGUID(%v) = %s, whose GUID is %v", g, s.Name, s.GUID)
			}
		}
	}
	for _, name := range []string{"", "A", "KSPROPSETID_", "ksPROPSETID_Audio", "KSPROPSETID_Audio ", "zzz", "KSPROPERTY_AUDIO_VOLUMELEVEL"} {
		if s := ByName(name); s != nil {
			t.Errorf("ByName(%q) = %s", name, s.Name)
		}
	}
	for _, id := range []uint32{0, 99, 0xFFFFFFFF} {
		if it := ByName("KSPROPSETID_Audio").Item(id); it != nil {
			t.Errorf("item %d of KSPROPSETID_Audio is %+v", id, it)
		}
	}
}

func TestPropertyName(t *testing.T) {
	for _, c := range []struct {
		set  ks.GUID
		id   uint32
		want string
	}{
		{KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, "KSPROPSETID_Audio/KSPROPERTY_AUDIO_VOLUMELEVEL"},
		{KSPROPSETID_Audio, 99, "KSPROPSETID_Audio/id 99"},
		{KSMETHODSETID_Wavetable, KSMETHOD_WAVETABLE_WAVE_FREE, "KSMETHODSETID_Wavetable/KSMETHOD_WAVETABLE_WAVE_FREE"},
		{KSEVENTSETID_Connection, KSEVENT_CONNECTION_ENDOFSTREAM, "KSEVENTSETID_Connection/KSEVENT_CONNECTION_ENDOFSTREAM"},
		{KSPROPSETID_OverlayUpdate, 0x10000000, "KSPROPSETID_OverlayUpdate/KSPROPERTY_OVERLAYUPDATE_COLORREF"},
		{KSMEDIUMSETID_Standard, 0, "KSMEDIUMSETID_Standard/id 0"},
		{ENCAPIPARAM_BITRATE, 0, "ENCAPIPARAM_BITRATE/ENCAPIPARAM_BITRATE"},
		{ks.GUID{}, 7, "{00000000-0000-0000-0000-000000000000}/id 7"},
		{ks.MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540001"), 0xFFFFFFFF, "{45ffaaa0-6e1b-11d0-bcf2-444553540001}/id 4294967295"},
	} {
		if got := PropertyName(c.set, c.id); got != c.want {
			t.Errorf("PropertyName(%v, %d) = %q; want %q", c.set, c.id, got, c.want)
		}
	}
}

// TestKnownNumbers holds a few names against numbers written down by hand, as the other tests share their source.
func TestKnownNumbers(t *testing.T) {
	for name, ok := range map[string]bool{
		"KSPROPSETID_Audio":               KSPROPSETID_Audio == ks.MustParseGUID("45FFAAA0-6E1B-11D0-BCF2-444553540000"),
		"KSPROPSETID_Pin":                 KSPROPSETID_Pin == ks.MustParseGUID("8C134960-51AD-11CF-878A-94F801C10000"),
		"KSPROPSETID_Topology":            KSPROPSETID_Topology == ks.MustParseGUID("720D4AC0-7533-11D0-A5D6-28DB04C10000"),
		"PROPSETID_VIDCAP_VIDEOPROCAMP":   PROPSETID_VIDCAP_VIDEOPROCAMP == ks.MustParseGUID("C6E13360-30AC-11D0-A18C-00A0C9118956"),
		"KSPROPTYPESETID_General":         KSPROPTYPESETID_General == ks.MustParseGUID("97E99BA0-BDEA-11CF-A5D6-28DB04C10000"),
		"KSPROPERTY_AUDIO_VOLUMELEVEL":    KSPROPERTY_AUDIO_VOLUMELEVEL == 4,
		"KSPROPERTY_AUDIO_MUTE":           KSPROPERTY_AUDIO_MUTE == 13,
		"KSPROPERTY_PIN_CINSTANCES":       KSPROPERTY_PIN_CINSTANCES == 0,
		"KSPROPERTY_PIN_CTYPES":           KSPROPERTY_PIN_CTYPES == 1,
		"KSPROPERTY_CONNECTION_STATE":     KSPROPERTY_CONNECTION_STATE == 0,
		"VT_I4":                           VT_I4 == 3,
		"KSPROPERTY_BIBLIOGRAPHIC_LEADER": KSPROPERTY_BIBLIOGRAPHIC_LEADER == 'R'<<24|'D'<<16|'L'<<8|' ',
	} {
		if !ok {
			t.Errorf("%s has another value", name)
		}
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{Property: "property", Method: "method", Event: "event", PropertyType: "property type",
		Interface: "interface", Medium: "medium", Degrade: "degrade", 200: "kind 200"} {
		if k.String() != want {
			t.Errorf("kind %d is %q; want %q", k, k, want)
		}
	}
}

// TestNames reads the generated names and expects one variable for each GUID and one constant for each item, with the
// values of the tables, and nothing else. Hand-written exported names have no underscore, generated ones have.
func TestNames(t *testing.T) {
	guids, ids := generatedNames(t, "names_table.go")
	for i := range sets {
		s := &sets[i]
		if g, ok := guids[s.Name]; !ok || g != s.GUID {
			t.Errorf("variable %s is %v, %t; want %v", s.Name, g, ok, s.GUID)
		}
		delete(guids, s.Name)
	}
	for name, g := range guids {
		t.Errorf("variable %s = %v belongs to no set", name, g)
	}
	seen := map[string]bool{}
	for i := range sets {
		for _, it := range sets[i].Items {
			if it.Name == sets[i].Name {
				continue // the variable has the name
			}
			if id, ok := ids[it.Name]; !ok || id != it.ID {
				t.Errorf("constant %s is %d, %t; want %d", it.Name, id, ok, it.ID)
			}
			seen[it.Name] = true
		}
	}
	for name := range ids {
		if !seen[name] {
			t.Errorf("constant %s is no item", name)
		}
		if !strings.Contains(name, "_") {
			t.Errorf("constant %s could collide with a hand-written name", name)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "kssets.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name := range file.Scope.Objects {
		if strings.Contains(name, "_") {
			t.Errorf("%s could collide with a generated name", name)
		}
	}
}

// generatedNames reads the values of the variables and constants of a file from its source.
func generatedNames(t *testing.T, name string) (map[string]ks.GUID, map[string]uint32) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	number := func(e ast.Expr, bits int) uint64 {
		v, err := strconv.ParseUint(e.(*ast.BasicLit).Value, 0, bits)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	guids, ids := map[string]ks.GUID{}, map[string]uint32{}
	for _, d := range file.Decls {
		for _, spec := range d.(*ast.GenDecl).Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue // the import
			}
			if lit, ok := v.Values[0].(*ast.CompositeLit); ok {
				var g ks.GUID
				for i, e := range lit.Elts {
					g[i] = byte(number(e, 8))
				}
				guids[v.Names[0].Name] = g
			} else {
				ids[v.Names[0].Name] = uint32(number(v.Values[0], 32))
			}
		}
	}
	return guids, ids
}
