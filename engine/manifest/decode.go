package manifest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

const (
	schemaV1 = "ksdispatch/manifest/v1"
	archX64  = "x64"
)

// What a size counts as where the file does not know it.
const (
	defaultMinRequest = ks.SizeIdentifier // min_property, min_method
	defaultDataInput  = 32                // sizeof(KSEVENTDATA) on x64
)

func (p *parser) manifest() *Manifest {
	m := new(Manifest)
	var parts []filterParts // of each object
	p.object(
		field{"schema", true, func() {
			if s := p.string(); s != schemaV1 {
				p.fail("expected %q, found %s; this loader reads no other schema", schemaV1, quote(s))
			}
		}},
		field{"driver", true, func() { m.Driver = p.string() }},
		field{"source", false, func() { m.Source = p.string() }},
		field{"arch", false, func() {
			if s := p.string(); s != archX64 {
				p.fail("expected %q, found %s; give the sizes of the driver's x64 build", archX64, quote(s))
			}
		}},
		field{"objects", true, func() {
			p.array(func() {
				o, its := p.driverObject()
				m.Objects, parts = append(m.Objects, o), append(parts, its)
			})
			if len(m.Objects) == 0 {
				p.fail("no object; declare at least one")
			}
		}},
	)
	p.related(m, parts)
	p.end()
	return m
}

func (p *parser) driverObject() (_ Object, parts filterParts) {
	// The same (GUID, id) twice is an error in each family by itself (P-24), and for each verb of the fast path.
	properties, methods, events := make(claims), make(claims), make(claims)
	fastGets, fastSets, fastMethods := make(claims), make(claims), make(claims)
	decl := new(Object) // filterFields keep its address
	p.object(append(p.filterFields(decl, &parts),
		field{"object", true, func() { decl.Name, parts.name = p.string(), p.pos }},
		field{"property_item_size", false, func() { decl.PropertyItemSize = p.uint32() }},
		field{"property_sets", false, func() {
			p.array(func() { decl.PropertySets = append(decl.PropertySets, p.propertySet(properties, fastGets, fastSets)) })
		}},
		field{"method_sets", false, func() {
			p.array(func() { decl.MethodSets = append(decl.MethodSets, p.methodSet(methods, fastMethods)) })
		}},
		field{"event_sets", false, func() {
			p.array(func() { decl.EventSets = append(decl.EventSets, p.eventSet(events)) })
		}},
	)...)
	p.settle(decl, &parts)
	return *decl, parts
}

func (p *parser) propertySet(properties, fastGets, fastSets claims) (s PropertySet) {
	var items, gets, sets []declared
	var sized []bool // items whose min_data the file has
	p.object(
		field{"set_name", false, func() { s.Name = p.string() }},
		field{"guid", true, func() { s.Set = p.guid() }},
		field{"items", false, func() {
			p.array(func() {
				it, at, known := p.propertyItem()
				s.Items, items, sized = append(s.Items, it), append(items, at), append(sized, known)
			})
		}},
		field{"fast_io", false, func() {
			p.array(func() {
				it, at := p.fastItem()
				s.FastIO = append(s.FastIO, it)
				if it.Get {
					gets = append(gets, at)
				}
				if it.Set {
					sets = append(sets, at)
				}
			})
		}},
	)
	for i := range s.Items {
		s.Items[i].sizeValue(s.Set, sized[i])
	}
	p.claim(properties, s.Set, items, "declared")
	p.claim(fastGets, s.Set, gets, "listed with get")
	p.claim(fastSets, s.Set, sets, "listed with set")
	return s
}

// sizeValue gives an item the size of its value. known says that the file has min_data.
func (it *PropertyItem) sizeValue(set ks.GUID, known bool) {
	it.ValueSize = it.MinData
	if standard := kssets.ByGUID(set).Item(it.ID); !known && standard != nil {
		it.ValueSize = standard.MinData
	}
}

func (p *parser) propertyItem() (it PropertyItem, at declared, sized bool) {
	it.MinProperty = defaultMinRequest
	it.Get, it.Set = store, store
	var get, set bool
	var getAt, setAt int
	p.object(
		field{"name", false, func() { it.Name = p.string() }},
		field{"id", true, func() { it.ID, at = p.id() }},
		field{"get", false, func() { get = p.bool() }},
		field{"set", false, func() { set = p.bool() }},
		field{"min_property", false, func() { it.MinProperty = p.uint32() }},
		field{"min_data", false, func() { it.MinData, sized = p.uint32(), true }},
		field{"serialized_size", false, func() { it.SerializedSize = p.uint32() }},
		field{"relations", false, func() {
			p.array(func() { it.Relations = append(it.Relations, p.relation()) })
		}},
		field{"values", false, func() { it.Values = p.values() }},
		field{"per", false, func() { it.Per = p.per() }},
		field{"get_handler", false, func() { it.Get, getAt = p.program(), p.pos }},
		field{"set_handler", false, func() { it.Set, setAt = p.program(), p.pos }},
		field{"support_handler", false, func() { it.Support = p.supportProgram() }},
	)
	if (it.Get == ranged || it.Set == ranged) && limitsOf(it.Values) == nil {
		at, sub := getAt, ".get_handler"
		if it.Get != ranged {
			at, sub = setAt, ".set_handler"
		}
		p.failAt(at, sub, "range needs values of type VT_I4, VT_UI4, VT_I8 or VT_UI8 with a list of ranges, stepped ranges or values that "+
			"are no defaults; use store, or give the item such a list")
	}
	if !get {
		it.Get = nil
	}
	if !set {
		it.Set = nil
	}
	return it, at, sized
}

func (p *parser) fastItem() (it FastItem, at declared) {
	p.object(
		field{"id", true, func() { it.ID, at = p.id() }},
		field{"get", false, func() { it.Get = p.bool() }},
		field{"set", false, func() { it.Set = p.bool() }},
	)
	return it, at
}

func (p *parser) relation() (r ks.Identifier) {
	p.object(
		field{"guid", true, func() { r.Set = p.guid() }},
		field{"id", true, func() { r.ID = p.uint32() }},
	)
	return r
}

func (p *parser) values() *engine.PropertyValues {
	v := new(engine.PropertyValues)
	p.object(
		field{"type_guid", true, func() { v.PropTypeSet.Set = p.guid() }},
		field{"type_id", false, func() { v.PropTypeSet.ID = p.uint32() }},
		field{"members", false, func() {
			p.array(func() { v.MembersList = append(v.MembersList, p.membersList()) })
		}},
	)
	return v
}

func (p *parser) membersList() (m engine.MembersList) {
	h := &m.MembersHeader
	at := p.ahead()
	p.object(
		field{"members_flags", false, func() { h.MembersFlags = p.uint32() }},
		field{"members_size", false, func() { h.MembersSize = p.uint32() }},
		field{"members_count", false, func() { h.MembersCount = p.uint32() }},
		field{"flags", false, func() { h.Flags = p.uint32() }},
		field{"data", false, func() { m.Members, at = p.hex(), p.pos }},
	)
	if want := uint64(h.MembersSize) * uint64(h.MembersCount); uint64(len(m.Members)) != want {
		p.failAt(at, ".data", "%d bytes, but members_size %d x members_count %d is %d; correct the one that is wrong",
			len(m.Members), h.MembersSize, h.MembersCount, want)
	}
	return m
}

// itemSet reads a set that has items, of methods or of events, and what else that family has.
func itemSet[T any](p *parser, known claims, item func() (T, declared), more ...field) (name string, guid ks.GUID, items []T) {
	var ids []declared
	p.object(append([]field{
		field{"set_name", false, func() { name = p.string() }},
		field{"guid", true, func() { guid = p.guid() }},
		field{"items", false, func() {
			p.array(func() {
				it, at := item()
				items, ids = append(items, it), append(ids, at)
			})
		}},
	}, more...)...)
	p.claim(known, guid, ids, "declared")
	return name, guid, items
}

func (p *parser) methodSet(methods, fast claims) (s MethodSet) {
	var listed []declared
	s.Name, s.Set, s.Items = itemSet(p, methods, p.methodItem, field{"fast_io", false, func() {
		p.array(func() {
			id, at := p.fastMethod()
			s.FastIO, listed = append(s.FastIO, id), append(listed, at)
		})
	}})
	p.claim(fast, s.Set, listed, "listed")
	return s
}

func (p *parser) fastMethod() (id uint32, at declared) {
	p.object(field{"id", true, func() { id, at = p.id() }})
	return id, at
}

func (p *parser) methodItem() (it MethodItem, at declared) {
	it.MinMethod, it.Handler = defaultMinRequest, store
	null := p.object(
		field{"name", false, func() { it.Name = p.string() }},
		field{"id", true, func() { it.ID, at = p.id() }},
		field{"min_method", false, func() { it.MinMethod = p.uint32() }},
		field{"min_data", false, func() { it.MinData = p.uint32() }},
		field{"flags", false, func() { it.Flags = p.uint32() }},
		field{"handler", false, func() {
			if it.Handler = p.program(); it.Handler == ranged {
				p.fail("range is for properties, whose values say what may be set; use store")
			}
		}},
		field{"support_handler", false, func() { it.Support = p.supportProgram() }},
	)
	if slices.Contains(null, "handler") {
		it.Handler = nil
	}
	return it, at
}

func (p *parser) eventSet(events claims) (s EventSet) {
	s.Name, s.Set, s.Items = itemSet(p, events, p.eventItem)
	return s
}

func (p *parser) eventItem() (it EventItem, at declared) {
	it.DataInput = defaultDataInput
	p.object(
		field{"name", false, func() { it.Name = p.string() }},
		field{"id", true, func() { it.ID, at = p.id() }},
		field{"data_input", false, func() { it.DataInput = p.uint32() }},
		field{"extra_entry_data", false, func() { it.ExtraEntryData = p.uint32() }},
	)
	return it, at
}

// declared is one declaration of an id, and where it stands.
type declared struct {
	id   uint32
	pos  int
	path string
}

func (p *parser) id() (uint32, declared) {
	id := p.uint32()
	return id, declared{id, p.pos, string(p.path)}
}

// key is what a request names a property, method or event with.
type key struct {
	set ks.GUID
	id  uint32
}

// claims holds what one object declares in one family so far.
type claims map[key]declared

// claim refuses ids of a set that the object has declared before; how says so in the error. It needs the set's GUID, which
// may follow the items.
func (p *parser) claim(c claims, set ks.GUID, ids []declared, how string) {
	for _, d := range ids {
		k := key{set, d.id}
		if first, ok := c[k]; ok && p.err == nil {
			line, column := p.place(d.pos)
			firstLine, firstColumn := p.place(first.pos)
			p.err = &Error{Name: p.name, Line: line, Column: column, Path: d.path, Reason: fmt.Sprintf(
				"set %v id %d %s twice, first at line %d, column %d (%s); remove one",
				set, d.id, how, firstLine, firstColumn, first.path)}
		}
		c[k] = d
	}
}

func (p *parser) guid() ks.GUID {
	s := p.string()
	if p.err != nil {
		return ks.GUID{}
	}
	g, err := ks.ParseGUID(s)
	if err != nil {
		p.fail("%v", err)
	}
	return g
}

func (p *parser) hex() []byte {
	b, err := decodeHex(p.string())
	if err != nil {
		p.fail("%v", err)
	}
	return b
}

func (p *parser) program() *Program {
	s := p.string()
	if p.err != nil {
		return nil
	}
	program, err := ParseProgram(s)
	if err != nil {
		p.fail("%v", err)
	}
	return program
}

func (p *parser) supportProgram() *Program {
	program := p.program()
	if program != nil && program.run == nil {
		p.fail("%s cannot be a support handler; use accept, emit, emitupto, sized, status, panic or pend", program)
	}
	return program
}

// decodeHex returns the bytes of a text of hexadecimal digits, which may be empty.
func decodeHex(s string) ([]byte, error) {
	b, err := hex.DecodeString(s)
	switch {
	case err == nil:
		return b, nil
	case errors.Is(err, hex.ErrLength):
		return nil, fmt.Errorf("%d hexadecimal digits are no whole number of bytes; each byte takes two", len(s))
	}
	notDigit := func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }
	return nil, fmt.Errorf("not a hexadecimal digit at offset %d; write two of them for each byte and nothing between",
		strings.IndexFunc(s, notDigit))
}
