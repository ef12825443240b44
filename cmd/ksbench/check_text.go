package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

type checkedFiles []checkedFile

// Document is the files as people read them: a table for each set.
func (files checkedFiles) Document() *doc.Document {
	d := new(doc.Document)
	say := func(format string, args ...any) {
		d.Sections = append(d.Sections, doc.Section{Title: fmt.Sprintf(format, args...)})
	}
	for i := range files {
		f := &files[i]
		switch {
		case f.Error != "":
			say("%s: %s; standard error says why", f.File, f.state)
		case f.Requests != nil:
			say("%s: %d requests, all well formed", f.File, *f.Requests)
		}
		for _, w := range f.Warnings {
			d.Notes = append(d.Notes, "warning: "+w)
		}
		if f.Driver == "" && f.Objects == nil {
			continue
		}
		source := ""
		if f.Source != "" {
			source = "; source: " + named(f.Source)
		}
		say("%s: driver %s, %s, digest %s%s", f.File, named(f.Driver), doc.Plural(len(f.Objects), "object"), f.Digest, source)
		for k := range f.Objects {
			d.Sections = append(d.Sections, f.Objects[k].sections()...)
		}
	}
	return d
}

var (
	propertyColumns = []doc.Column{{Name: "property", Words: true}, {Name: "ID"}, {Name: "access", Words: true},
		{Name: "fast", Words: true, Optional: 2},
		{Name: "request"}, {Name: "data"}, {Name: "serialized", Words: true, Optional: 3}, {Name: "values", Words: true, Optional: 1},
		{Name: "relations", Words: true, Optional: 4}}
	methodColumns = []doc.Column{{Name: "method", Words: true}, {Name: "ID"}, {Name: "fast", Words: true}, {Name: "request"}, {Name: "data"},
		{Name: "flags", Words: true}}
	eventColumns = doc.Figures("event", "ID", "data", "extra")
)

func (o *checkedObject) sections() []doc.Section {
	title := fmt.Sprintf("object %q", o.Object)
	if o.PropertyItemSize != 0 {
		title += fmt.Sprintf(", property_item_size %d", o.PropertyItemSize)
	}
	if o.Refused != "" {
		title += ": every property request fails: " + o.Refused
	}
	if len(o.PropertySets)+len(o.MethodSets)+len(o.EventSets) == 0 {
		title += ": no sets"
	}
	sections := append([]doc.Section{{Title: title}}, o.filterSections()...)
	for _, s := range o.PropertySets {
		sections = append(sections, s.section("property", propertyColumns, func(p property) []string {
			return []string{named(p.Name), number(p.ID), p.access(), strings.Join(p.Fast, " "), number(p.MinProperty), number(p.MinData),
				p.serialized(), p.values(), strings.Join(p.Relations, " ")}
		}))
	}
	for _, s := range o.MethodSets {
		sections = append(sections, s.section("method", methodColumns, func(m method) []string {
			return []string{named(m.Name), number(m.ID), m.fast(), number(m.MinMethod), number(m.MinData), m.Flags}
		}))
	}
	for _, s := range o.EventSets {
		sections = append(sections, s.section("event", eventColumns, func(e event) []string {
			return []string{named(e.Name), number(e.ID), number(e.DataInput), number(e.ExtraEntryData)}
		}))
	}
	return sections
}

// section is the table of a set. What is empty shows as a dash, so that columns can be counted.
func (s checkedSet[T]) section(kind string, columns []doc.Column, cells func(T) []string) doc.Section {
	t := doc.Table{Columns: columns}
	for _, it := range s.Items {
		row := cells(it)
		for i, c := range row {
			if c == "" {
				row[i] = "-"
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return doc.Section{Title: fmt.Sprintf("%s {%s}: %s set, %s", named(s.Name), s.GUID, kind, doc.Plural(len(s.Items), "item")), Table: t}
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
