package clients

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// client is a file of facts.
type client struct {
	Client, Source, Note string
	Requests             []request
}

type request struct {
	Step     int
	To       string // which handle
	Name     string
	Set      ks.GUID
	ID       uint32
	Flags    uint32
	In, Out  int
	Fetch    bool
	Alias    bool
	Accept   rule
	Optional bool
}

// rule is what a client takes for success.
type rule struct {
	Win32    []uint32
	Win32Not []uint32 `json:"win32_not"`
	Bytes    *uint32
	BytesMin uint32 `json:"bytes_min"`
	Exact    bool
	Output   string
}

func (r *rule) accepts(a answer) bool {
	return (r.Win32 == nil || slices.Contains(r.Win32, a.status.Win32())) &&
		!slices.Contains(r.Win32Not, a.status.Win32()) &&
		(r.Bytes == nil || a.n == *r.Bytes) &&
		a.n >= r.BytesMin &&
		(!r.Exact || int(a.n) == len(a.out)) &&
		strings.HasPrefix(hex.EncodeToString(a.out), r.Output)
}

func load(t *testing.T, name string) *client {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	c := new(client)
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(c), name)
	require.NotEmpty(t, c.Requests)
	return c
}

// session is one run of a client. It stops at the first answer that the client refuses without another way; sending goes
// on to do nothing, so that a client reads as straight as it is.
type session struct {
	t       *testing.T
	client  *client
	objects map[string]engine.Config
	handles map[string]*device.Handle
	sent    map[int]int // requests by step
	size    int         // what the last size answer said
	log     strings.Builder
	err     error
}

// run opens the objects for a client and lets it work.
func run(t *testing.T, facts string, objects map[string]engine.Config, work func(s *session)) *session {
	t.Helper()
	s := &session{t: t, client: load(t, facts), objects: objects, handles: map[string]*device.Handle{}, sent: map[int]int{}}
	for name := range objects {
		if name != "pin" { // KsCreatePin opens it
			s.open(name)
		}
	}
	work(s)
	return s
}

// open opens an object, the pin of KsCreatePin for instance.
func (s *session) open(name string) {
	config, ok := s.objects[name]
	require.True(s.t, ok, "no object %q", name)
	d, err := engine.Compile(config)
	require.NoError(s.t, err)
	h, err := device.New(d).Open()
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, h.Close()) })
	s.handles[name] = h
}

// param is what a request has beside the facts.
type param struct {
	extra []byte // follows the KSPROPERTY
	data  []byte // what a SET carries
	id    uint32 // another id than the facts name
	size  int    // another size to fetch than the last answer said
}

// words is little-endian ULONGs.
func words(v ...uint32) (b []byte) {
	for _, w := range v {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// pinID is what makes a KSPROPERTY a KSP_PIN.
func pinID(id uint32) param { return param{extra: words(id, 0)} }

type answer struct {
	status ks.Status
	n      uint32
	out    []byte
	ok     bool // the client is satisfied
}

// word returns a ULONG of the output, 0 without one.
func (a answer) word(at int) uint32 {
	if len(a.out) < at+4 {
		return 0
	}
	return binary.LittleEndian.Uint32(a.out[at:])
}

// send sends one request of the facts and applies the client's rule. Whatever the answer, it checks that no byte of the
// output changed that should not have (P-8, N-1).
func (s *session) send(step int, params ...param) answer {
	s.t.Helper()
	at := slices.IndexFunc(s.client.Requests, func(q request) bool { return q.Step == step })
	require.GreaterOrEqual(s.t, at, 0, "no step %d", step)
	q := &s.client.Requests[at]
	if s.err != nil {
		return answer{}
	}
	s.sent[step]++
	var p param
	if len(params) != 0 {
		p = params[0]
	}

	id, size := q.ID, q.Out
	if p.id != 0 {
		id = p.id
	}
	if q.Fetch {
		size = s.size
		if p.size != 0 {
			size = p.size
		}
	}
	in := make([]byte, q.In, max(q.In, size))
	ks.Identifier{Set: q.Set, ID: id, Flags: q.Flags}.Put(in)
	require.LessOrEqual(s.t, copy(in[ks.SizeIdentifier:], p.extra), q.In-ks.SizeIdentifier)
	out := bytes.Repeat([]byte{0xCD}, size)
	copy(out, p.data)
	if q.Alias {
		out = in[:size]
	}
	before := bytes.Clone(out)

	h := s.handles[q.To]
	if h == nil { // DeviceIoControl on no handle: no driver is asked
		d, err := engine.Compile(engine.Config{})
		require.NoError(s.t, err)
		closed, err := device.New(d).Open()
		require.NoError(s.t, err)
		require.NoError(s.t, closed.Close())
		h = closed
	}
	a := answer{out: out}
	a.n, a.status = h.IoControl(ks.IoctlProperty, in, out)

	written := min(int(a.n), len(out))
	if a.status.IsError() || q.Flags&ks.PropertyTypeSet != 0 {
		written = 0
	}
	require.Equal(s.t, before[written:], out[written:], "step %d wrote more than it said", step)
	if size == 0 {
		s.size = int(a.n)
	}

	a.ok = q.Accept.accepts(a)
	s.note(q, id, size, a)
	if !a.ok && !q.Optional {
		s.err = fmt.Errorf("step %d, %s with %d bytes of output: %s, %d bytes", step, q.Name, size, a.status, a.n)
	}
	return a
}

// note adds a line to the transcript.
func (s *session) note(q *request, id uint32, size int, a answer) {
	name := q.Name
	if id != q.ID {
		name = fmt.Sprintf("%s (%d)", name, id)
	}
	end := ""
	if !a.ok {
		end = ", refused"
	}
	fmt.Fprintf(&s.log, "%2d %-15s %-49s %-11s in %2d out %3d: %s %d, %d bytes%s\n", q.Step, q.To, name,
		ks.FormatPropertyFlags(q.Flags), q.In, size, a.status, a.status.Win32(), a.n, end)
}

// transcript compares what was said with a file of testdata. KSDISPATCH_REWRITE=1 rewrites the file, which is then read
// like code.
func (s *session) transcript(name string) {
	s.t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("KSDISPATCH_REWRITE") != "" {
		require.NoError(s.t, os.WriteFile(path, []byte(s.log.String()), 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(s.t, err)
	require.Equal(s.t, string(want), s.log.String(), "%s; if that is meant: KSDISPATCH_REWRITE=1 go test ./engine/internal/clients", path)
}

// everyStep requires that the sessions sent each request of their client.
func everyStep(t *testing.T, sessions ...*session) {
	t.Helper()
	for _, q := range sessions[0].client.Requests {
		require.True(t, slices.ContainsFunc(sessions, func(s *session) bool { return s.sent[q.Step] > 0 }), "step %d was never sent", q.Step)
	}
}

// TestNames holds the facts' names against the vocabulary: the same set and the same id.
func TestNames(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.Len(t, files, 9)
	named := 0
	for _, f := range files {
		for _, q := range load(t, filepath.Base(f)).Requests {
			if strings.HasPrefix(q.Name, "KSPROPERTY_") {
				set := kssets.ByGUID(q.Set)
				if set == nil {
					continue // the extension unit's
				}
				item := set.Item(q.ID)
				require.NotNil(t, item, "%s step %d", f, q.Step)
				require.Equal(t, q.Name, item.Name, "%s step %d", f, q.Step)
				named++
			}
		}
	}
	require.Greater(t, named, 60)
}

// TestRules is the control of the judges: each condition of a rule refuses something.
func TestRules(t *testing.T) {
	four := uint32(4)
	good := answer{status: ks.StatusSuccess, n: 4, out: []byte{1, 2, 3, 4}}
	for _, c := range []struct {
		rule rule
		ok   answer
		bad  answer
	}{
		{rule{Win32: []uint32{0}}, good, answer{status: ks.StatusNotFound}},
		{rule{Win32Not: []uint32{0}}, answer{status: ks.StatusBufferOverflow}, good},
		{rule{Bytes: &four}, good, answer{n: 5}},
		{rule{BytesMin: 4}, good, answer{n: 3}},
		{rule{Exact: true}, good, answer{n: 3, out: good.out}},
		{rule{Output: "0102"}, good, answer{n: 4, out: []byte{1, 3, 0, 0}}},
	} {
		require.True(t, c.rule.accepts(c.ok), "%+v", c.rule)
		require.False(t, c.rule.accepts(c.bad), "%+v", c.rule)
	}
}
