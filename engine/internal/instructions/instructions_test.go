//go:build linux && amd64 && !purego && !invariants && !race

package instructions

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// stepped is set in the process that is stepped through.
const stepped = "KSDISPATCH_STEPPED"

// tolerance is how many instructions a path may take more or fewer. Counts do not vary: what another Go release compiles otherwise has
// figures of its own.
const tolerance = 3

func init() {
	if os.Getenv(stepped) != "" {
		runtime.LockOSThread() // the main goroutine, on the first thread
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(stepped) == "" {
		os.Exit(m.Run())
	}
	for _, p := range append(paths(), path{open: func() func() { return tenMore }}) {
		send := p.open()
		for range 50 { // stacks have grown, arenas have memory, what is made once is there
			send()
		}
		runtime.Breakpoint()
		send()
		runtime.Breakpoint()
	}
}

// TestInstructions compares the instructions of each path, less those of calling nothing, with the golden file of this Go release.
func TestInstructions(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("code that is instrumented for coverage has other counts")
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GOAMD64" && s.Value != "v1" || s.Key == "-gcflags" {
				t.Skipf("the figures are of common builds, not of %s=%s", s.Key, s.Value)
			}
		}
	}
	list := paths()
	counts, err := step(stepped, len(list)+1) // and the control
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EIO) {
		t.Skip("the system does not let a process be stepped through: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	var text strings.Builder
	fmt.Fprintf(&text, "# Instructions of a request, handler included, on amd64. Rewritten by %s\n", rewrite)
	for i, p := range list {
		got[p.name] = total(counts[i]) - total(counts[0])
		if i != 0 {
			fmt.Fprintf(&text, "%-22s %5d\n", p.name, got[p.name])
		}
		if testing.Verbose() {
			for _, f := range slices.Sorted(maps.Keys(counts[i])) {
				t.Logf("%-22s %5d %s", p.name, counts[i][f], f)
			}
		}
	}
	t.Logf("\n%s", text.String())

	// The control: ten additions to memory are seen, whose 10 or 11 instructions are known.
	if n := total(counts[len(list)]) - total(counts[0]); n < 10 || n > 12 {
		t.Errorf("control: ten instructions count as %d", n)
	}

	file := golden()
	if os.Getenv("KSDISPATCH_REWRITE") != "" {
		if err := os.WriteFile(file, []byte(text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no figures for this Go release; to record them: %s", rewrite)
	} else if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 {
			if want[f[0]], err = strconv.Atoi(f[1]); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
	}
	for _, p := range list[1:] {
		if n := want[p.name]; got[p.name] > n+tolerance || got[p.name] < n-tolerance {
			t.Errorf("%s takes %d instructions, not %d; if that is meant: %s", p.name, got[p.name], n, rewrite)
		}
	}
	if len(want) != len(list)-1 {
		t.Errorf("%s has %d paths, there are %d: %s", file, len(want), len(list)-1, rewrite)
	}
}

const rewrite = "KSDISPATCH_REWRITE=1 go test -count=1 ./engine/internal/instructions"

// golden is the file with the figures of this Go release: go1.26 for go1.26.8.
func golden() string {
	release := strings.SplitN(runtime.Version(), ".", 3)
	return filepath.Join("testdata", strings.Join(release[:min(2, len(release))], ".")+".txt")
}

func total(count map[string]int) (n int) {
	for _, c := range count {
		n += c
	}
	return n
}

// path is a way through the engine. open makes it ready, and what it returns sends one request.
type path struct {
	name string
	open func() func()
}

var (
	set  = ks.MustParseGUID("11111111-2222-3333-4455-66778899aabb")
	many = ks.MustParseGUID("11111111-2222-3333-4455-66778899aabc")
)

// answer is the least that a handler does.
func answer(irp *engine.IRP, request, data []byte) ks.Status {
	if len(data) >= 4 {
		binary.LittleEndian.PutUint32(data, binary.LittleEndian.Uint32(request[16:]))
	}
	irp.IoStatus.Information = uint64(len(data))
	return ks.StatusSuccess
}

func fastAnswer(_ *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
	if len(data) >= 4 {
		binary.LittleEndian.PutUint32(data, binary.LittleEndian.Uint32(request[16:]))
	}
	io.Information = uint64(len(data))
	return true
}

// config declares the set, whose items are found by a table.Direct, or also one of so many that all are found by a table.Table.
func config(direct bool) engine.Config {
	c := engine.Config{PropertySets: []engine.PropertySet{{Set: set}}, MethodSets: []engine.MethodSet{{Set: set}}}
	properties, methods := &c.PropertySets[0], &c.MethodSets[0]
	for id := range uint32(12) {
		properties.Items = append(properties.Items, engine.PropertyItem{ID: id, Get: answer, Set: answer,
			MinProperty: ks.SizeIdentifier, MinData: 4})
		properties.FastIO = append(properties.FastIO, engine.FastPropertyItem{ID: id, Get: fastAnswer, Set: fastAnswer})
		methods.Items = append(methods.Items, engine.MethodItem{ID: id, Handler: answer, MinMethod: ks.SizeIdentifier, MinData: 4,
			Flags: ks.MethodTypeWrite})
	}
	if !direct {
		c.PropertySets = append(c.PropertySets, engine.PropertySet{Set: many})
		items := &c.PropertySets[1].Items
		for id := range uint32(2000) {
			*items = append(*items, engine.PropertyItem{ID: id})
		}
	}
	return c
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func succeeded(n uint32, status ks.Status) {
	if status != ks.StatusSuccess || n != 4 {
		panic(fmt.Sprintf("%v, %d bytes", status, n))
	}
}

// request is item 7's with what follows the identifier.
func request(flags uint32, rest ...byte) []byte {
	return append(ks.Identifier{Set: set, ID: 7, Flags: flags}.Bytes(), rest...)
}

// sender returns what sends a request with 4 bytes of output. It is not inlined, because nothing would be inlined in what it returns then.
//
//go:noinline
func sender(h *device.Handle, code uint32, in []byte) func() {
	out := make([]byte, 4)
	return func() { succeeded(h.IoControl(code, in, out)) }
}

// paths lists what is counted. The first is nothing, which is taken off the others.
func paths() []path {
	control := func(c engine.Config, code uint32, in []byte) func() func() {
		return func() func() {
			return sender(must(device.New(must(engine.Compile(c))).Open()), code, in)
		}
	}
	wide := func(in []byte) func() func() {
		return func() func() {
			h, out := must(device.New(must(engine.Compile(config(true)))).Open()), make([]byte, 16)
			return func() {
				if n, status := h.IoControl(ks.IoctlProperty, in, out); status != ks.StatusSuccess || n != 16 {
					panic(status)
				}
			}
		}
	}
	onFilter := func(in []byte) func() func() {
		return func() func() {
			dev := must(device.NewFilter(device.Filter{Config: config(true), Nodes: []engine.Config{config(true)},
				Topology: &engine.Topology{Nodes: make([]ks.GUID, 1)}}))
			return sender(must(dev.Open()), ks.IoctlProperty, in)
		}
	}
	batch := func(in []byte, send func(*device.Handle, []engine.BatchRequest) int) func() func() {
		return func() func() {
			h := must(device.New(must(engine.Compile(config(true)))).Open())
			requests := make([]engine.BatchRequest, 16)
			for i := range requests {
				requests[i] = engine.BatchRequest{In: in, Out: make([]byte, 4)}
			}
			return func() {
				if n := send(h, requests); n != len(requests) || requests[15].Status != ks.StatusSuccess {
					panic(n)
				}
			}
		}
	}
	const get, write, node = ks.PropertyTypeGet, ks.PropertyTypeSet, ks.PropertyTypeTopology
	return []path{
		{"nothing", func() func() { return func() {} }},
		{"handler", func() func() {
			in, out, irp := request(get), make([]byte, 4), new(engine.IRP)
			return func() { answer(irp, in, out) }
		}},
		{"lookup", func() func() { return lookup(1) }},
		{"lookup/direct", func() func() {
			entries := entriesOf(1)
			d := table.BuildDirect(entries)
			e := &entries[7]
			return func() { found = d.Lookup(e.Lo, e.Hi, e.ID) != nil }
		}},
		{"irp/get", control(config(true), ks.IoctlProperty, request(get))},
		{"irp/get/table", control(config(false), ks.IoctlProperty, request(get))},
		{"irp/get/32", control(config(true), ks.IoctlProperty, request(get, make([]byte, 8)...))},
		{"irp/get/40", control(config(true), ks.IoctlProperty, request(get, make([]byte, 16)...))},
		{"irp/get/wide", wide(request(get))},
		{"irp/set", control(config(true), ks.IoctlProperty, request(write))},
		{"irp/set/32", control(config(true), ks.IoctlProperty, request(write, make([]byte, 8)...))},
		{"irp/set/wide", wide(request(write))},
		{"irp/short", func() func() {
			h := must(device.New(must(engine.Compile(config(true)))).Open())
			in := request(get)
			return func() {
				if _, status := h.IoControl(ks.IoctlProperty, in, nil); status != ks.StatusBufferOverflow {
					panic(status)
				}
			}
		}},
		{"irp/ref", func() func() {
			d := must(engine.Compile(config(true)))
			h, in, out := must(device.New(d).Open()), request(get), make([]byte, 4)
			ref, _ := d.Resolve(set, 7)
			return func() { succeeded(h.IoControlTo(&ref, in, out)) }
		}},
		{"irp/observed", func() func() {
			c := config(true)
			device.Observe(&c, device.ObserveConfig{SampleEvery: 1 << 20})
			return sender(must(device.New(must(engine.Compile(c))).Open()), ks.IoctlProperty, request(get))
		}},
		{"irp/filter", onFilter(request(get))},
		{"irp/node", onFilter(request(get|node, make([]byte, 8)...))},
		{"irp/method", control(config(true), ks.IoctlMethod, request(ks.MethodTypeSend))},
		{"batch/16", batch(request(get), (*device.Handle).PropertyBatch)},
		{"batch/method/16", batch(request(ks.MethodTypeSend), (*device.Handle).MethodBatch)},
		{"property", func() func() {
			d, in, out := must(engine.Compile(config(true))), request(get), make([]byte, 4)
			irp := &engine.IRP{Type3InputBuffer: in, InputBufferLength: uint32(len(in)), UserBuffer: out, OutputBufferLength: 4,
				Pool: must(arena.New(arena.Config{}))}
			return func() { succeeded(irp.Finish(d.Property(irp), out), irp.IoStatus.Status) }
		}},
		{"fast/get", fast(request(get))},
		{"fast/set", fast(request(write))},
		{"fast/get/32", fast(request(get, make([]byte, 8)...))},
		{"fast/ref", func() func() {
			d, in, out := must(engine.Compile(config(true))), request(get), make([]byte, 4)
			ref, _ := d.Resolve(set, 7)
			file, io := new(engine.FileObject), new(engine.IoStatus)
			return func() {
				if !ref.FastProperty(file, engine.UserMode, in, out, io) {
					panic("declined")
				}
			}
		}},
		{"event/enable+disable", event},
	}
}

// added is what the control adds to.
var added [10]int

// tenMore is the control: ten instructions more than nothing, as adding a constant to memory takes one.
func tenMore() {
	added[0]++
	added[1]++
	added[2]++
	added[3]++
	added[4]++
	added[5]++
	added[6]++
	added[7]++
	added[8]++
	added[9]++
}

// found keeps the compiler from leaving out a lookup.
var found bool

func entriesOf(step uint32) (entries []table.Entry[[40]byte]) {
	for id := range uint32(12) {
		key := table.KeyOf(set, id*step)
		entries = append(entries, table.Entry[[40]byte]{Lo: key.Lo, Hi: key.Hi, ID: key.ID})
	}
	return entries
}

func lookup(step uint32) func() {
	entries := entriesOf(step)
	t := must(table.Build(entries, table.Config{}))
	e := &entries[7]
	return func() { found = t.Lookup(e.Lo, e.Hi, e.ID) != nil }
}

func fast(in []byte) func() func() {
	return func() func() { return fastSender(must(engine.Compile(config(true))), in) }
}

// fastSender is sender for a request without an IRP, and not inlined either.
//
//go:noinline
func fastSender(d *engine.Dispatcher, in []byte) func() {
	out, file, io := make([]byte, 4), new(engine.FileObject), new(engine.IoStatus)
	return func() {
		if !d.FastProperty(file, engine.UserMode, in, out, io) {
			panic("declined")
		}
	}
}

// event enables and disables one.
func event() func() {
	d := must(engine.Compile(engine.Config{EventSets: []engine.EventSet{{Set: set, Items: []engine.EventItem{{ID: 7}}}}}))
	list := must(engine.NewEventList(engine.EventListConfig{LockType: engine.EventLockSpin, Lock: new(sync.Mutex)}))
	handles, e := new(engine.HandleTable), engine.NewSyncEvent()
	file := &engine.FileObject{Handles: handles}
	data := make([]byte, ks.SizeEventData)
	ks.EventData{NotificationType: ks.NotificationEventHandle, Object: handles.Open(e, engine.ModifyState, engine.UserMode)}.Put(data)
	on := &engine.IRP{Type3InputBuffer: request(ks.EventTypeEnable), InputBufferLength: ks.SizeIdentifier, UserBuffer: data,
		OutputBufferLength: ks.SizeEventData, FileObject: file, Pool: must(arena.New(arena.Config{})), EventData: 1}
	off := &engine.IRP{InputBufferLength: ks.SizeEventData, FileObject: file, EventData: 1}
	return func() {
		status := d.EnableEvent(on, list)
		on.Finish(status, nil)
		if status |= d.DisableEvent(off, list); status != ks.StatusSuccess {
			panic(status)
		}
	}
}
