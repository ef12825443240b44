package typed_test

import (
	"bytes"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

var testSet = ks.MustParseGUID("11111111-2222-3333-4455-66778899aabb")

const (
	get = ks.PropertyTypeGet
	set = ks.PropertyTypeSet
)

// object is a compiled set and one open handle of it.
type object struct {
	t      testing.TB
	d      *engine.Dispatcher
	h      *device.Handle
	file   engine.FileObject
	set    engine.PropertySet
	panics int
}

func open(t testing.TB, properties ...typed.Declaration) *object {
	t.Helper()
	s, err := typed.PropertySet(testSet, properties...)
	if err != nil {
		t.Fatal(err)
	}
	o := &object{t: t, set: s}
	o.d, err = engine.Compile(engine.Config{PropertySets: []engine.PropertySet{s}, OnPanic: func(any, []byte) { o.panics++ }})
	if err != nil {
		t.Fatal(err)
	}
	if o.h, err = device.New(o.d).Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.h.Close() })
	return o
}

func request(id, flags uint32) []byte {
	b := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: testSet, ID: id, Flags: flags}.Put(b)
	return b
}

// irp sends one request through the device. out is changed.
func (o *object) irp(id, flags uint32, out []byte) (uint32, ks.Status) {
	return o.h.IoControl(ks.IoctlProperty, request(id, flags), out)
}

// fast sends one request through the fast path.
func (o *object) fast(id, flags uint32, data []byte) (uint32, ks.Status, bool) {
	var io engine.IoStatus
	handled := o.d.FastProperty(&o.file, engine.UserMode, request(id, flags), data, &io)
	return uint32(io.Information), io.Status, handled
}

// both sends one request on both paths and compares them (S-20): what the fast path answers, the IRP path answers too, with
// the same Information, the same status and the same bytes. fastAnswers says whether the fast path must answer.
func (o *object) both(id, flags uint32, data []byte, fastAnswers bool) (n uint32, status ks.Status, out []byte) {
	o.t.Helper()
	out, twin := bytes.Clone(data), bytes.Clone(data)
	n, status = o.irp(id, flags, out)
	fn, fstatus, handled := o.fast(id, flags, twin)
	if handled != fastAnswers {
		o.t.Errorf("S-20: id %d flags %#x, %d bytes: the fast path answers: %t; want %t", id, flags, len(data), handled, fastAnswers)
	}
	if handled && (fn != n || fstatus != status || !bytes.Equal(out, twin)) {
		o.t.Errorf("S-20: id %d flags %#x, %d bytes: IRP %v %d % x; fast %v %d % x", id, flags, len(data), status, n, out, fstatus, fn, twin)
	}
	return n, status, out
}

// rung is one request with a known answer.
type rung struct {
	flags  uint32
	data   []byte
	n      uint32
	status ks.Status
	out    []byte // after a GET; nil: as data was
	fast   bool   // the fast path answers
}

func (o *object) climb(id uint32, rungs []rung) {
	o.t.Helper()
	for i, r := range rungs {
		n, status, out := o.both(id, r.flags, r.data, r.fast)
		want := r.out
		if want == nil {
			want = r.data
		}
		if n != r.n || status != r.status || !bytes.Equal(out, want) {
			o.t.Errorf("rung %d, id %d flags %#x, %d bytes: %v %d % x; want %v %d % x",
				i, id, r.flags, len(r.data), status, n, out, r.status, r.n, want)
		}
	}
}

// room is a buffer of n bytes that are not zero, to see what is written.
func room(n int) []byte { return bytes.Repeat([]byte{0xEE}, n) }

// then is b followed by what room has.
func then(b []byte, n int) []byte { return append(bytes.Clone(b), room(n)...) }
