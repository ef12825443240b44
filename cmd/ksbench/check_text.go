package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// appendText appends the file as people read it.
func (f *checkedFile) appendText(b []byte) []byte {
	w := bytes.NewBuffer(b)
	switch {
	case f.Error != "":
		fmt.Fprintf(w, "%s: broken; standard error says why\n", f.File)
	case f.Requests != nil:
		fmt.Fprintf(w, "%s: %d requests, all well formed\n", f.File, *f.Requests)
	}
	if f.Driver == "" && f.Objects == nil {
		return w.Bytes()
	}
	fmt.Fprintf(w, "%s: driver %s, %s, digest %s\n", f.File, named(f.Driver), count(len(f.Objects), "object"), f.Digest)
	if f.Source != "" {
		fmt.Fprintf(w, "  source: %s\n", named(f.Source))
	}
	for i := range f.Objects {
		f.Objects[i].writeText(w)
	}
	w.WriteByte('\n')
	return w.Bytes()
}

func (o *checkedObject) writeText(out *bytes.Buffer) {
	fmt.Fprintf(out, "\nobject %q\n", o.Object)
	if o.PropertyItemSize != 0 {
		fmt.Fprintf(out, "  property_item_size %d\n", o.PropertyItemSize)
	}
	if o.Refused != "" {
		fmt.Fprintf(out, "  every property request fails: %s\n", o.Refused)
	}
	if len(o.PropertySets)+len(o.MethodSets)+len(o.EventSets) == 0 {
		fmt.Fprintln(out, "  no sets")
	}
	for _, s := range o.PropertySets {
		writeSet(out, "property", s, "PROPERTY\tID\tACCESS\tFAST\tREQUEST\tDATA\tSERIALIZED\tVALUES\tRELATIONS", func(p property) []string {
			return []string{named(p.Name), number(p.ID), p.access(), strings.Join(p.Fast, " "), number(p.MinProperty), number(p.MinData),
				p.serialized(), p.values(), strings.Join(p.Relations, " ")}
		})
	}
	for _, s := range o.MethodSets {
		writeSet(out, "method", s, "METHOD\tID\tFAST\tREQUEST\tDATA\tFLAGS", func(m method) []string {
			return []string{named(m.Name), number(m.ID), m.fast(), number(m.MinMethod), number(m.MinData), m.Flags}
		})
	}
	for _, s := range o.EventSets {
		writeSet(out, "event", s, "EVENT\tID\tDATA\tEXTRA", func(e event) []string {
			return []string{named(e.Name), number(e.ID), number(e.DataInput), number(e.ExtraEntryData)}
		})
	}
}

// writeSet writes a table. What is empty shows as a dash, so that columns can be counted.
func writeSet[T any](out *bytes.Buffer, kind string, s checkedSet[T], head string, row func(T) []string) {
	fmt.Fprintf(out, "  %s {%s}: %s set, %s\n", named(s.Name), s.GUID, kind, count(len(s.Items), "item"))
	if len(s.Items) == 0 {
		return
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "    %s\n", head)
	for _, it := range s.Items {
		cells := row(it)
		for i, c := range cells {
			if c == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintf(w, "    %s\n", strings.Join(cells, "\t"))
	}
	w.Flush() // to memory
	out.Write(table.Bytes())
}

// access is which verbs answer, and by what where it is not a stored value.
func (p *property) access() string {
	verb := func(verb, program string) string {
		const longest = 32
		switch {
		case program == "store":
			return verb
		case len(program) > longest:
			program = program[:longest] + "..." // emit with all its bytes
		}
		return verb + "=" + program
	}
	var verbs []string
	if p.Get != "" {
		verbs = append(verbs, verb("get", p.Get))
	}
	if p.Set != "" {
		verbs = append(verbs, verb("set", p.Set))
	}
	if p.Support != "" {
		verbs = append(verbs, verb("support", p.Support))
	}
	return strings.Join(verbs, " ")
}

func (m *method) fast() string {
	if m.Fast {
		return "yes"
	}
	return ""
}

// serialized is SerializedSize in words (P-37, P-40).
func (p *property) serialized() string {
	switch p.SerializedSize {
	case 0:
		return ""
	case 1:
		return "asked for"
	}
	return number(p.SerializedSize)
}

func (p *property) values() string {
	if p.ValueType == "" {
		return ""
	}
	return strings.Join(append([]string{p.ValueType}, p.Values...), "; ")
}

// named is a name from a file, which may contain anything.
func named(name string) string {
	if name == "" {
		return "(no name)"
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
