package manifest

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// request returns a KSPROPERTY for the audio set.
func request(id, flags uint32) []byte {
	b := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: ks.MustParseGUID(audio), ID: id, Flags: flags}.Put(b)
	return b
}

// dispatch sends a property request and finishes it.
func dispatch(d *engine.Dispatcher, id, flags uint32, data []byte) (ks.Status, uint64) {
	r := request(id, flags)
	irp := &engine.IRP{Type3InputBuffer: r, InputBufferLength: uint32(len(r)), UserBuffer: data, OutputBufferLength: uint32(len(data))}
	status := d.Property(irp)
	if status != ks.StatusPending {
		irp.Finish(status, data)
	}
	return status, irp.IoStatus.Information
}

func compile(t testing.TB, o *Object, opt Options) *engine.Dispatcher {
	t.Helper()
	d, err := engine.Compile(o.Config(opt))
	require.NoError(t, err)
	return d
}

func TestConfig(t *testing.T) {
	m, err := LoadFile("testdata/good/complete.json")
	require.NoError(t, err)
	c := m.Objects[0].Config(Options{})
	require.EqualValues(t, 80, c.PropertyItemSize)
	require.Len(t, c.PropertySets, 1)
	s := c.PropertySets[0]
	require.Equal(t, ks.MustParseGUID(audio), s.Set)
	it, from := s.Items[0], m.Objects[0].PropertySets[0].Items[0]
	require.NotNil(t, it.Get)
	require.NotNil(t, it.Set)
	require.NotNil(t, it.Support)
	require.IsType(t, (*Value)(nil), it.Context)
	require.Equal(t, engine.PropertyItem{ID: 4, MinProperty: 32, MinData: 6, SerializedSize: 5, Relations: from.Relations,
		Values: from.Values}, func() engine.PropertyItem { it.Get, it.Set, it.Support, it.Context = nil, nil, nil, nil; return it }())
	bare := s.Items[1]
	require.Nil(t, bare.Get)
	require.Nil(t, bare.Set)
	require.Nil(t, bare.Support)
	require.Len(t, s.FastIO, 1)
	require.NotNil(t, s.FastIO[0].Get)
	require.Nil(t, s.FastIO[0].Set)
}

// P-3 is the dispatcher's to answer, so a bad size gets as far as Compile.
func TestP3_ItemSize(t *testing.T) {
	m := parse(t, withObjects(`{"object": "o", "property_item_size": 71}`))
	_, err := engine.Compile(m.Objects[0].Config(Options{}))
	var refused *engine.CompileError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, ks.StatusInvalidParameter, refused.Status)
}

func TestInstancesShareNothing(t *testing.T) {
	m := parse(t, withItems(`{"id": 1, "get": true, "set": true, "min_data": 4}, {"id": 2, "min_data": 0, "get": true, "set": true}`,
		`, "fast_io": [{"id": 1, "get": true, "set": true}]`))
	a, b := compile(t, &m.Objects[0], Options{}), compile(t, &m.Objects[0], Options{})

	status, _ := dispatch(a, 1, ks.PropertyTypeSet, []byte{1, 2, 3, 4})
	require.Equal(t, ks.StatusSuccess, status)
	read := func(d *engine.Dispatcher, id uint32) uint32 {
		data := make([]byte, 4)
		status, information := dispatch(d, id, ks.PropertyTypeGet, data)
		require.Equal(t, ks.StatusSuccess, status)
		require.EqualValues(t, 4, information)
		return binary.LittleEndian.Uint32(data)
	}
	require.EqualValues(t, 0x04030201, read(a, 1))
	require.Zero(t, read(a, 2), "another item")
	require.Zero(t, read(b, 1), "another instance")

	// The fast path has the same value.
	var io engine.IoStatus
	data := make([]byte, 4)
	require.True(t, a.FastProperty(new(engine.FileObject), engine.UserMode, request(1, ks.PropertyTypeGet), data, &io))
	require.Equal(t, []byte{1, 2, 3, 4}, data)
	require.True(t, a.FastProperty(new(engine.FileObject), engine.UserMode, request(1, ks.PropertyTypeSet), []byte{5, 0, 0, 0}, &io))
	require.EqualValues(t, 5, read(a, 1))
}

// F-2: the verbs of an id may be listed apart, in one set and in another with its GUID.
func TestF2_FastVerbsApart(t *testing.T) {
	m := parse(t, withObjects(`{"object": "o", "property_sets": [
		{"guid": "`+audio+`", "items": [{"id": 1, "get": true, "set": true, "min_data": 4}, {"id": 2, "get": true, "set": true, "min_data": 4}],
		 "fast_io": [{"id": 1, "get": true}, {"id": 2, "set": true}, {"id": 2, "get": true}]},
		{"guid": "`+audio+`", "fast_io": [{"id": 1, "set": true}]}]}`))
	d := compile(t, &m.Objects[0], Options{})
	for _, id := range []uint32{1, 2} {
		var io engine.IoStatus
		data := make([]byte, 4)
		require.True(t, d.FastProperty(new(engine.FileObject), engine.UserMode, request(id, ks.PropertyTypeSet), []byte{1, 2, 3, byte(id)}, &io))
		require.True(t, d.FastProperty(new(engine.FileObject), engine.UserMode, request(id, ks.PropertyTypeGet), data, &io))
		require.Equal(t, []byte{1, 2, 3, byte(id)}, data)
	}
}

// F-2, F-4: a fast_io entry for an unknown item, or for a verb that the item does not support, never answers. One for an
// item of another set with the same GUID does.
func TestF4_FastIO(t *testing.T) {
	m := parse(t, withObjects(`{"object": "o", "property_sets": [
		{"guid": "`+audio+`", "items": [{"id": 1, "min_data": 0, "get": true}, {"id": 2, "get": true, "get_handler": "pend"}],
		 "fast_io": [{"id": 1, "get": true, "set": true}, {"id": 2, "get": true}, {"id": 3, "set": true}, {"id": 9, "get": true, "set": true}]},
		{"guid": "`+audio+`", "items": [{"id": 3, "set": true, "set_handler": "status:0xC00000BB:7"}]}]}`))
	d := compile(t, &m.Objects[0], Options{})
	fast := func(id, flags uint32) (bool, engine.IoStatus) {
		io := engine.IoStatus{Status: 1, Information: untouched}
		return d.FastProperty(new(engine.FileObject), engine.UserMode, request(id, flags), make([]byte, 4), &io), io
	}
	handled, io := fast(1, ks.PropertyTypeGet)
	require.True(t, handled)
	require.Equal(t, engine.IoStatus{Information: 4}, io)
	handled, io = fast(3, ks.PropertyTypeSet)
	require.True(t, handled)
	require.Equal(t, engine.IoStatus{Status: ks.StatusNotSupported}, io, "an error has no Information")
	for _, c := range [][2]uint32{
		{1, ks.PropertyTypeSet},
		{3, ks.PropertyTypeGet},
		{9, ks.PropertyTypeGet},
		{9, ks.PropertyTypeSet},
		{2, ks.PropertyTypeGet}, // F-6: PENDING is taken back
	} {
		handled, io := fast(c[0], c[1])
		require.False(t, handled, "%v", c)
		require.Equal(t, engine.IoStatus{Status: 1, Information: untouched}, io, "%v", c)
	}
}

// P-21 on the way through the dispatcher: the panic program is a modelled access fault.
func TestP21_PanicProgram(t *testing.T) {
	m := parse(t, withItems(`{"id": 1, "get": true, "get_handler": "panic"}`, ""))
	c := m.Objects[0].Config(Options{})
	var told any
	c.OnPanic = func(value any, _ []byte) { told = value }
	d, err := engine.Compile(c)
	require.NoError(t, err)
	status, information := dispatch(d, 1, ks.PropertyTypeGet, make([]byte, 4))
	require.Equal(t, ks.StatusAccessViolation, status)
	require.Zero(t, information)
	require.Equal(t, ks.StatusAccessViolation, told)
}

func TestWrap(t *testing.T) {
	m := parse(t, withItems(`{"id": 1, "get": true, "set": true, "support_handler": "accept"}, {"id": 2, "set": true}, {"id": 3}`,
		`, "fast_io": [{"id": 1, "get": true, "set": true}, {"id": 2, "get": true}]`))
	type declared struct {
		verb Verb
		set  ks.GUID
		id   uint32
	}
	var wrapped, fastWrapped []declared
	var calls []Verb
	opt := Options{
		Wrap: func(verb Verb, set ks.GUID, id uint32, h engine.Handler) engine.Handler {
			wrapped = append(wrapped, declared{verb, set, id})
			return func(irp *engine.IRP, request, data []byte) ks.Status {
				calls = append(calls, verb)
				return h(irp, request, data)
			}
		},
		WrapFast: func(verb Verb, set ks.GUID, id uint32, h engine.FastHandler) engine.FastHandler {
			fastWrapped = append(fastWrapped, declared{verb, set, id})
			return func(file *engine.FileObject, mode engine.Mode, request, data []byte, io *engine.IoStatus) bool {
				calls = append(calls, "fast "+verb)
				return h(file, mode, request, data, io)
			}
		},
	}
	d := compile(t, &m.Objects[0], opt)
	set := ks.MustParseGUID(audio)
	require.ElementsMatch(t, []declared{{VerbGet, set, 1}, {VerbSet, set, 1}, {VerbSupport, set, 1}, {VerbSet, set, 2}}, wrapped)
	require.ElementsMatch(t, []declared{{VerbGet, set, 1}, {VerbSet, set, 1}}, fastWrapped)

	data := []byte{9, 0, 0, 0}
	dispatch(d, 1, ks.PropertyTypeSet, data)
	dispatch(d, 1, ks.PropertyTypeGet, data)
	dispatch(d, 1, ks.PropertyTypeBasicSupport, data)
	d.FastProperty(new(engine.FileObject), engine.UserMode, request(1, ks.PropertyTypeGet), data, new(engine.IoStatus))
	require.Equal(t, []Verb{VerbSet, VerbGet, VerbSupport, "fast " + VerbGet}, calls)
	require.Equal(t, []byte{9, 0, 0, 0}, data)
}

// The context of an item is its value, so that store can also run on a request that another program left pending (P-50).
func TestContextIsTheValue(t *testing.T) {
	m := parse(t, withItems(`{"id": 1, "min_data": 0, "get": true, "get_handler": "pend", "set": true}`, ""))
	var held engine.IRP
	d := compile(t, &m.Objects[0], Options{})
	dispatch(d, 1, ks.PropertyTypeSet, []byte{1, 2, 3, 4})
	r := request(1, ks.PropertyTypeGet)
	held.Type3InputBuffer, held.InputBufferLength, held.UserBuffer, held.OutputBufferLength = r, uint32(len(r)), make([]byte, 4), 4
	require.Equal(t, ks.StatusPending, d.Property(&held))

	h := program(t, "store").Handler(VerbGet, held.ItemContext().(*Value))
	data := make([]byte, 4)
	require.Equal(t, ks.StatusSuccess, h(&held, nil, data))
	require.Equal(t, []byte{1, 2, 3, 4}, data)
}
