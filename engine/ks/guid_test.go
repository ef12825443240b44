package ks

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var (
	_ encoding.TextAppender    = GUID{}
	_ encoding.TextMarshaler   = GUID{}
	_ encoding.TextUnmarshaler = (*GUID)(nil)
	_ fmt.Stringer             = GUID{}
	_ fmt.Stringer             = Status(0)
	_ error                    = (*GUIDError)(nil)
)

// knownGUIDs are texts and wire bytes of sets of ks.h and ksmedia.h.
var knownGUIDs = []struct{ text, wire string }{
	{"00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"},
	{"45ffaaa0-6e1b-11d0-bcf2-444553540000", "a0aaff451b6ed011bcf2444553540000"}, // KSPROPSETID_Audio
	{"8c134960-51ad-11cf-878a-94f801c10000", "6049138cad51cf11878a94f801c10000"}, // KSPROPSETID_Pin
	{"0123abcd-4567-89ab-cdef-fedcba987654", "cdab23016745ab89cdeffedcba987654"}, // every digit in every kind of place
}

func TestParseGUID(t *testing.T) {
	for _, k := range knownGUIDs {
		var want GUID
		if n, err := hex.Decode(want[:], []byte(k.wire)); n != 16 || err != nil {
			t.Fatal(n, err)
		}
		for _, text := range []string{k.text, strings.ToUpper(k.text), "{" + k.text + "}", "{" + strings.ToUpper(k.text) + "}"} {
			if got, err := ParseGUID(text); err != nil || got != want {
				t.Errorf("ParseGUID(%q) = %x, %v; want %x", text, got[:], err, want[:])
			}
			if got := MustParseGUID(text); got != want {
				t.Errorf("MustParseGUID(%q) = %x; want %x", text, got[:], want[:])
			}
			var got GUID
			if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
				t.Errorf("UnmarshalText(%q) = %x, %v; want %x", text, got[:], err, want[:])
			}
		}
		if got := want.String(); got != k.text {
			t.Errorf("String of %x = %q; want %q", want[:], got, k.text)
		}
		if got, err := want.AppendText([]byte("set ")); err != nil || string(got) != "set "+k.text {
			t.Errorf("AppendText of %x = %q, %v; want it after the prefix", want[:], got, err)
		}
		if got := fmt.Sprintf("%v %s", want, want); got != k.text+" "+k.text {
			t.Errorf("fmt prints %q; want the text twice", got)
		}
	}
}

func TestParseGUIDErrors(t *testing.T) {
	const good = "45ffaaa0-6e1b-11d0-bcf2-444553540000"
	for _, c := range []struct {
		in     string
		offset int
		reason string
	}{
		{"", 0, "ends early"},
		{"{", 1, "ends early"},
		{"{}", 1, "hexadecimal"},
		{"}", 0, "hexadecimal"},
		{good[:35], 35, "ends early"},
		{"{" + good[:35], 36, "ends early"},
		{good[:8], 8, "ends early"},
		{good + "0", 36, "follows"},
		{good + "}", 36, "follows"},
		{good + "\n", 36, "follows"},
		{"{" + good, 37, "closing brace"},
		{"{" + good + ")", 37, "closing brace"},
		{"{" + good + "}}", 38, "follows"},
		{" " + good, 0, "hexadecimal"},
		{"{{" + good + "}}", 1, "hexadecimal"},
		{strings.ReplaceAll(good, "-", ""), 8, "dash"},
		{"45ffaaa0_6e1b-11d0-bcf2-444553540000", 8, "dash"},
		{"45ffaaa-06e1b-11d0-bcf2-444553540000", 7, "hexadecimal"},
		{"45ffaag0-6e1b-11d0-bcf2-444553540000", 6, "hexadecimal"},
		{"45ffaa@0-6e1b-11d0-bcf2-444553540000", 6, "hexadecimal"}, // '@'|0x20 is '`', one below 'a'
		{"45ffaaa0-6e1b-11d0-bcf2-44455354\x00000", 32, "hexadecimal"},
		{"45ffaaa0-6e1b-11d0-bcf2-44455354000é", 35, "hexadecimal"},
	} {
		g, err := ParseGUID(c.in)
		var e *GUIDError
		if !errors.As(err, &e) {
			t.Errorf("ParseGUID(%q) = %v, %v; want a *GUIDError", c.in, g, err)
			continue
		}
		if g != (GUID{}) || e.Input != c.in || e.Offset != c.offset || !strings.Contains(e.Reason, c.reason) {
			t.Errorf("ParseGUID(%q) = %v, %+v; want a zero GUID, offset %d and a reason with %q", c.in, g, e, c.offset, c.reason)
		}
		if text := e.Error(); !strings.Contains(text, fmt.Sprintf("at offset %d;", c.offset)) || !strings.Contains(text, e.Reason) {
			t.Errorf("error %q does not say where or why", text)
		}
		kept := GUID{1, 2, 3}
		if err := kept.UnmarshalText([]byte(c.in)); err == nil || kept != (GUID{1, 2, 3}) {
			t.Errorf("UnmarshalText(%q) = %v and left %v; want an error and the GUID as it was", c.in, err, kept)
		}
	}
	_, err := ParseGUID(strings.Repeat("x", 1<<20))
	if text := err.Error(); len(text) > 300 {
		t.Errorf("the error for a text of 1 MiB has %d bytes; want a short one", len(text))
	}
}

func TestMustParseGUIDPanics(t *testing.T) {
	defer func() {
		if _, ok := recover().(*GUIDError); !ok {
			t.Error("MustParseGUID of bad text did not panic with a *GUIDError")
		}
	}()
	MustParseGUID("not a GUID")
}

func TestGUIDWords(t *testing.T) {
	g := MustParseGUID("03020100-0504-0706-0809-0a0b0c0d0e0f")
	if lo, hi := g.Words(); lo != 0x0706050403020100 || hi != 0x0f0e0d0c0b0a0908 {
		t.Errorf("Words of the bytes 0 to 15 = %#x, %#x; want them in little-endian order", lo, hi)
	}
	r := testkit.Rand(t)
	for range 1000 {
		var g GUID
		binary.LittleEndian.PutUint64(g[:8], r.Uint64())
		binary.LittleEndian.PutUint64(g[8:], r.Uint64())
		back, err := ParseGUID(g.String())
		if err != nil || back != g {
			t.Fatalf("%x became %v, %v through its text", g[:], back, err)
		}
	}
}

func TestGUIDAsJSON(t *testing.T) {
	g := MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540000")
	b, err := json.Marshal(map[GUID]GUID{g: g})
	if want := `{"45ffaaa0-6e1b-11d0-bcf2-444553540000":"45ffaaa0-6e1b-11d0-bcf2-444553540000"}`; err != nil || string(b) != want {
		t.Fatalf("JSON is %s, %v; want %s", b, err, want)
	}
	var m map[GUID]GUID
	if err := json.Unmarshal(bytes.ToUpper(b), &m); err != nil || len(m) != 1 || m[g] != g {
		t.Fatalf("JSON came back as %v, %v", m, err)
	}
	var e *GUIDError
	if err := json.Unmarshal([]byte(`{"x":"`+g.String()+`"}`), &m); !errors.As(err, &e) || e.Input != "x" {
		t.Fatalf("bad JSON key gave %v; want a *GUIDError about x", err)
	}
}

// guidPattern is a second opinion on what is a GUID.
var guidPattern = regexp.MustCompile(
	`^(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\})$`)

func FuzzParseGUID(f *testing.F) {
	for _, k := range knownGUIDs {
		f.Add(k.text)
		f.Add("{" + strings.ToUpper(k.text) + "}")
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := ParseGUID(s)
		// $ of the pattern is the end of the text, as the (?m) flag is off.
		if want := guidPattern.MatchString(s); want != (err == nil) {
			t.Fatalf("ParseGUID(%q) = %v, %v; the pattern says %t", s, g, err, want)
		}
		if err == nil {
			if want := strings.ToLower(strings.Trim(s, "{}")); g.String() != want {
				t.Fatalf("ParseGUID(%q) prints as %q; want %q", s, g, want)
			}
			return
		}
		var e *GUIDError
		if !errors.As(err, &e) || e.Input != s || e.Reason == "" || e.Offset < 0 || e.Offset > len(s) {
			t.Fatalf("ParseGUID(%q): bad error %#v", s, err)
		}
		// Offset is exact: the text before it can be completed to a GUID, the text with the byte at it cannot.
		filler := knownGUIDs[0].text
		if strings.HasPrefix(s, "{") {
			filler = "{" + filler + "}"
		}
		complete := func(n int) string { return s[:n] + filler[min(n, len(filler)):] }
		if _, err := ParseGUID(complete(e.Offset)); err != nil {
			t.Fatalf("ParseGUID(%q) blames offset %d, but %q is bad already: %v", s, e.Offset, complete(e.Offset), err)
		}
		if e.Offset < len(s) {
			if _, err := ParseGUID(complete(e.Offset + 1)); err == nil {
				t.Fatalf("ParseGUID(%q) blames offset %d, but %q is good", s, e.Offset, complete(e.Offset+1))
			}
		}
	})
}
