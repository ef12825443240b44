package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

const (
	audio = "45ffaaa0-6e1b-11d0-bcf2-444553540000"
	pin   = "8c134960-51ad-11cf-878a-94f801c10000"
)

// withObjects returns a manifest that holds the given objects.
func withObjects(objects string) string {
	return `{"schema": "ksdispatch/manifest/v1", "driver": "d", "objects": [` + objects + `]}`
}

// withItems returns a manifest with one property set of the given items, and more keys of that set.
func withItems(items, more string) string {
	return withObjects(`{"object": "o", "property_sets": [{"guid": "` + audio + `", "items": [` + items + `]` + more + `}]}`)
}

func parse(t testing.TB, text string) *Manifest {
	t.Helper()
	m, err := Parse([]byte(text), "test.json")
	require.NoError(t, err)
	return m
}

// damaged returns the manifests that are wrong, by the name of their file, and the errors that they must give.
func damaged(t testing.TB) (manifests map[string][]byte, errs map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/bad.txtar")
	require.NoError(t, err)
	manifests = map[string][]byte{
		"byte-order-mark.json":  []byte("\ufeff" + withObjects(`{"object": "o"}`)),
		"latin-1.json":          []byte("{\n  \"schema\": \"ksdispatch/manifest/v1\",\n  \"driver\": \"T\xfcr\" }"),
		"truncated-string.json": []byte("{\n  \"schema\": \"ksdispatch/mani"),
		"utf-16.json":           []byte("{\x00\n\x00}\x00\n\x00"),
	}
	errs = map[string]string{
		"byte-order-mark.json":  "byte-order-mark.json:1:1: the file starts with a byte order mark; save it as UTF-8 without one",
		"latin-1.json":          "latin-1.json:3:15: byte 0xfc is not UTF-8; save the file as UTF-8",
		"truncated-string.json": "truncated-string.json:2:13: schema: the file ends before the manifest does; complete it",
		"utf-16.json":           `utf-16.json:1:2: not JSON: invalid character '\x00'`,
	}
	for _, f := range archive.Files {
		if name, ok := strings.CutSuffix(f.Name, ".err"); ok {
			errs[name+".json"] = strings.TrimSuffix(string(f.Data), "\n")
		} else {
			manifests[f.Name] = f.Data
		}
	}
	require.Len(t, errs, len(manifests))
	require.Greater(t, len(errs), 70)
	return manifests, errs
}

func TestDamage(t *testing.T) {
	manifests, errs := damaged(t)
	for name, text := range manifests {
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			m, err := Parse(text, name)
			require.Nil(t, m)
			require.IsType(t, new(Error), err)
			require.EqualError(t, err, errs[name])
		})
	}
}

func TestComplete(t *testing.T) {
	m, err := LoadFile("testdata/good/complete.json")
	require.NoError(t, err)
	data, err := os.ReadFile("testdata/good/complete.json")
	require.NoError(t, err)

	require.Equal(t, "wds-sysvad", m.Driver)
	require.Equal(t, "where the facts come from", m.Source)
	require.Len(t, m.Objects, 1)
	o := m.Objects[0]
	require.Equal(t, "filter MicIn", o.Name)
	require.EqualValues(t, 80, o.PropertyItemSize)

	require.Len(t, o.PropertySets, 1)
	s := o.PropertySets[0]
	require.Equal(t, "KSPROPSETID_Audio", s.Name)
	require.Equal(t, ks.MustParseGUID(audio), s.Set)
	require.Equal(t, []FastItem{{ID: 4, Get: true}}, s.FastIO)
	require.Len(t, s.Items, 2)
	it := s.Items[0]
	require.Equal(t, "KSPROPERTY_AUDIO_VOLUMELEVEL", it.Name)
	require.Equal(t, []uint32{4, 32, 6, 5}, []uint32{it.ID, it.MinProperty, it.MinData, it.SerializedSize})
	require.Equal(t, "store", it.Get.String())
	require.Equal(t, "accept", it.Set.String())
	require.Equal(t, "emit:00ff", it.Support.String())
	require.Equal(t, []ks.Identifier{{Set: ks.MustParseGUID(pin), ID: 13}}, it.Relations)
	require.Equal(t, &engine.PropertyValues{
		PropTypeSet: ks.Identifier{Set: ks.MustParseGUID("97e99ba0-bdea-11cf-a5d6-28db04c10000"), ID: 3},
		MembersList: []engine.MembersList{{
			MembersHeader: ks.MembersHeader{MembersFlags: 2, MembersSize: 2, MembersCount: 3, Flags: 1},
			Members:       []byte{0, 1, 2, 3, 0xAB, 0xCD},
		}},
	}, it.Values)
	unknown := s.Items[1]
	require.Equal(t, []uint32{5, 24, 0, 0}, []uint32{unknown.ID, unknown.MinProperty, unknown.MinData, unknown.SerializedSize})
	require.Nil(t, unknown.Values)

	require.Equal(t, ks.MustParseGUID(pin), o.MethodSets[0].Set)
	require.Equal(t, "Methods", o.MethodSets[0].Name)
	method := o.MethodSets[0].Items[0]
	require.Equal(t, "pend", method.Handler.String())
	require.Equal(t, "status:0xC00000BB", method.Support.String())
	method.Handler, method.Support = nil, nil
	require.Equal(t, MethodItem{Name: "M", ID: 1, MinMethod: 28, MinData: 7, Flags: 3}, method)
	require.Equal(t, MethodItem{ID: 2, MinMethod: 24, Handler: store}, o.MethodSets[0].Items[1])

	require.Equal(t, []EventSet{{Name: "Events", Set: ks.MustParseGUID(audio), Items: []EventItem{
		{Name: "E", ID: 9, DataInput: 40, ExtraEntryData: 16},
		{ID: 10, DataInput: 32},
	}}}, o.EventSets)

	again, err := Parse(data, "another name")
	require.NoError(t, err)
	require.Equal(t, m.Digest, again.Digest, "the digest is of the bytes alone")
	data[len(data)-1] = ' '
	again, err = Parse(data, "testdata/good/complete.json")
	require.NoError(t, err)
	require.NotEqual(t, m.Digest, again.Digest)
}

// The digest is a promise across processes and versions: xxhash64 with seed 0.
func TestDigest(t *testing.T) {
	require.Equal(t, "d728a8d92a71ef53", parse(t, withObjects(`{"object": "o"}`)).Digest)
}

func TestMustLoad(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/good.txtar")
	require.NoError(t, err)
	for i := 0; i < len(archive.Files); i += 2 {
		text, want := archive.Files[i], archive.Files[i+1]
		require.Equal(t, text.Name+", read", want.Name)
		t.Run(text.Name, func(t *testing.T) { require.Equal(t, string(want.Data), shape(parse(t, string(text.Data)))) })
	}
	require.Len(t, archive.Files, 2*21)
	parse(t, withItems("", "")+" \r\n\t") // white space at the end
}

// shape writes the sets of a manifest, an item a line.
func shape(m *Manifest) string {
	var b strings.Builder
	for _, o := range m.Objects {
		fmt.Fprintf(&b, "%s, property_item_size %d\n", o.Name, o.PropertyItemSize)
		for _, s := range o.PropertySets {
			fmt.Fprintf(&b, "properties %v, fast %v\n", s.Set, s.FastIO)
			for _, it := range s.Items {
				fmt.Fprintf(&b, "  %d: %d %d %d, get %s, set %s, support %s\n", it.ID, it.MinProperty, it.MinData, it.SerializedSize,
					written(it.Get), written(it.Set), written(it.Support))
				if it.Values != nil {
					fmt.Fprintf(&b, "  values %d:", it.Values.PropTypeSet.ID)
					for _, list := range it.Values.MembersList {
						fmt.Fprintf(&b, " %v %q", list.MembersHeader, list.Members)
					}
					b.WriteString("\n")
				}
			}
		}
		for _, s := range o.MethodSets {
			fmt.Fprintf(&b, "methods %v, %d items\n", s.Set, len(s.Items))
		}
		for _, s := range o.EventSets {
			fmt.Fprintf(&b, "events %v, %d items\n", s.Set, len(s.Items))
		}
	}
	return b.String()
}

func written(p *Program) string {
	if p == nil {
		return "none"
	}
	return p.String()
}

func TestBounds(t *testing.T) {
	fault := func(text string) *Error {
		t.Helper()
		_, err := Parse([]byte(text), "big.json")
		var fault *Error
		require.ErrorAs(t, err, &fault)
		return fault
	}
	note := func(value string) string { return `{"x_note": ` + value + `, ` + withItems("", "")[1:] }

	parse(t, note(strings.Repeat("[", maxDepth-1)+strings.Repeat("]", maxDepth-1)))
	deep := fault(note(strings.Repeat(`{"a":`, 1<<20)))
	require.Equal(t, 1, deep.Line)
	require.Equal(t, len(`{"x_note": `)+5*(maxDepth-1)+1, deep.Column)

	// An object and a set are elements too. The parser starts close to the bound, as reading there takes a second.
	nearly := func(elements int) *parser {
		p := newParser([]byte(withItems("", "")), "big.json")
		p.elements = maxElements - elements
		p.manifest()
		return p
	}
	require.Nil(t, nearly(2).err)
	require.ErrorContains(t, nearly(1).err, "big.json:1:99: objects[0].property_sets: the arrays of the file hold more than 1048576 elements")

	var keys []string
	for i := range maxKeys {
		keys = append(keys, fmt.Sprintf(`"%d": 0`, i))
	}
	parse(t, note("{"+strings.Join(keys, ",")+"}"))
	require.Contains(t, fault(note("{"+strings.Join(keys, ",")+`, "one more": 0}`)).Error(), "more than 1024 keys")

	long := fault(`{"` + strings.Repeat("k", 1<<20) + `": 0}`)
	require.Less(t, len(long.Error()), 400)
	require.Less(t, len(fault(withItems(`{"id": 1, "get": true, "get_handler": "`+strings.Repeat("é", 1<<20)+`"}`, "")).Error()), 400)
}

// endless counts what is read of it.
type endless struct{ n int }

func (r *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	r.n += len(b)
	return len(b), nil
}

func TestSizeLimit(t *testing.T) {
	whole := withItems("", "")
	whole += strings.Repeat(" ", MaxSize-len(whole))
	_, err := Load(strings.NewReader(whole), "just-fits.json")
	require.NoError(t, err)

	const want = "big.json: the file is larger than 16777216 bytes (16 MiB); split it by object"
	_, err = Load(strings.NewReader(whole+" "), "big.json")
	require.EqualError(t, err, want)
	r := new(endless)
	_, err = Load(r, "big.json")
	require.EqualError(t, err, want)
	require.Equal(t, MaxSize+1, r.n)
}

func TestReadErrors(t *testing.T) {
	_, err := LoadFile(filepath.Join(t.TempDir(), "no-such.json"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Contains(t, err.Error(), "no-such.json")

	broken := errors.New("device is gone")
	_, err = Load(io.MultiReader(strings.NewReader("{"), iotestErrReader{broken}), "usb.json")
	require.ErrorIs(t, err, broken)
	require.Contains(t, err.Error(), "usb.json")
}

type iotestErrReader struct{ err error }

func (r iotestErrReader) Read([]byte) (int, error) { return 0, r.err }

// Whatever the bytes, Parse answers with a manifest that binds, or with an error that has a place in the file.
func FuzzParse(f *testing.F) {
	manifests, _ := damaged(f)
	for _, text := range manifests {
		f.Add(text)
	}
	good, err := os.ReadFile("testdata/good/complete.json")
	require.NoError(f, err)
	f.Add(good)
	filter, err := os.ReadFile("testdata/good/filter.json")
	require.NoError(f, err)
	f.Add(filter)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data, "f")
		if err != nil {
			fault, ok := err.(*Error)
			if !ok || m != nil {
				t.Fatalf("Parse = %v, %T", m, err)
			}
			lines := bytes.SplitAfter(data, []byte("\n"))
			if fault.Line < 1 || fault.Line > len(lines) || fault.Column < 1 || fault.Column > len(lines[fault.Line-1])+1 {
				t.Fatalf("no such place: %v", err)
			}
			if fault.Reason == "" {
				t.Fatal("no reason")
			}
			return
		}
		var loose struct {
			Driver  string
			Objects []struct {
				PropertySets []struct {
					Items []struct{ ID uint32 }
				} `json:"property_sets"`
			}
		}
		if err := json.Unmarshal(data, &loose); err != nil {
			t.Fatalf("loaded, but not what encoding/json takes: %v", err)
		}
		if loose.Driver != m.Driver || len(loose.Objects) != len(m.Objects) {
			t.Fatalf("encoding/json reads %v", loose)
		}
		for i := range m.Objects {
			o := &m.Objects[i]
			for j, s := range o.PropertySets {
				for k, it := range s.Items {
					if want := loose.Objects[i].PropertySets[j].Items[k].ID; it.ID != want {
						t.Fatalf("objects[%d].property_sets[%d].items[%d].id = %d, want %d", i, j, k, it.ID, want)
					}
				}
			}
			o.Config(Options{})
		}
	})
}
