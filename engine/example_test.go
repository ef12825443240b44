package engine_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing/fstest"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A volume property: declared, compiled, set and read through an open handle.
func Example() {
	audio := ks.MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540000") // KSPROPSETID_Audio
	var level atomic.Uint32
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: audio, Items: []engine.PropertyItem{{
		ID: 4, MinData: 4, // KSPROPERTY_AUDIO_VOLUMELEVEL, a LONG
		Get: func(irp *engine.IRP, request, data []byte) ks.Status {
			binary.LittleEndian.PutUint32(data, level.Load())
			irp.IoStatus.Information = 4
			return ks.StatusSuccess
		},
		Set: func(irp *engine.IRP, request, data []byte) ks.Status {
			level.Store(binary.LittleEndian.Uint32(data))
			return ks.StatusSuccess
		},
	}}}}})
	if err != nil {
		panic(err)
	}
	h, err := device.New(d).Open()
	if err != nil {
		panic(err)
	}
	defer h.Close()
	in := ks.Identifier{Set: audio, ID: 4, Flags: ks.PropertyTypeSet}
	fmt.Println(h.IoControl(ks.IoctlProperty, in.Bytes(), []byte{0, 0, 0xFA, 0xFF})) // -6 dB in units of 1/65536
	in.Flags = ks.PropertyTypeGet
	var out [4]byte
	n, status := h.IoControl(ks.IoctlProperty, in.Bytes(), out[:])
	fmt.Println(n, status, int32(binary.LittleEndian.Uint32(out[:]))/65536, "dB")
	// Output:
	// 0 STATUS_SUCCESS
	// 4 STATUS_SUCCESS -6 dB
}

var exampleSet = ks.MustParseGUID("8c7ed204-0000-4000-8000-000000000001")

// exampleItem is a GET handler that answers one byte.
func exampleItem(irp *engine.IRP, request, data []byte) ks.Status {
	irp.IoStatus.Information = uint64(copy(data, "*"))
	return ks.StatusSuccess
}

// exampleIRP is a GET request with one byte of output.
func exampleIRP(flags uint32) *engine.IRP {
	irp := &engine.IRP{Type3InputBuffer: make([]byte, ks.SizeIdentifier), UserBuffer: make([]byte, 1)}
	ks.Identifier{Set: exampleSet, ID: 1, Flags: flags}.Put(irp.Type3InputBuffer)
	irp.InputBufferLength, irp.OutputBufferLength = ks.SizeIdentifier, 1
	return irp
}

func mustCompile(config engine.Config) *engine.Dispatcher {
	d, err := engine.Compile(config)
	if err != nil {
		panic(err)
	}
	return d
}

func ExampleCompile() {
	_, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: exampleSet,
		Items: []engine.PropertyItem{{ID: 1}, {ID: 1}}}}})
	fmt.Println(err)
	// Output:
	// engine: PropertySets[0] 8c7ed204-0000-4000-8000-000000000001, item 1: declared twice: also in PropertySets[0] (P-24)
}

// Without a device: the owner of an IRP dispatches it and finishes it.
func ExampleDispatcher_Property() {
	d := mustCompile(engine.Config{PropertySets: []engine.PropertySet{{Set: exampleSet,
		Items: []engine.PropertyItem{{ID: 1, Get: exampleItem}}}}})
	irp := exampleIRP(ks.PropertyTypeGet)
	status := d.Property(irp)
	n := irp.Finish(status, irp.UserBuffer)
	fmt.Printf("%v %d %q %s\n", status, n, irp.UserBuffer, irp.Rule())

	irp = exampleIRP(ks.PropertyTypeSet)
	status = d.Property(irp)
	n = irp.Finish(status, irp.UserBuffer)
	fmt.Println(status, n, irp.Rule())
	// Output:
	// STATUS_SUCCESS 1 "*" P-17
	// STATUS_NOT_FOUND 0 P-26
}

// A filter that hands out its own buffers copies back and frees.
func ExampleDispatcher_PropertyWithAllocator() {
	d := mustCompile(engine.Config{PropertySets: []engine.PropertySet{{Set: exampleSet,
		Items: []engine.PropertyItem{{ID: 1, Get: exampleItem}}}}})
	pool, err := arena.New(arena.Config{})
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	irp := exampleIRP(ks.PropertyTypeGet)
	status := d.PropertyWithAllocator(irp, func(irp *engine.IRP, size uint32, inputOperation bool) ks.Status {
		fmt.Println("allocate", size, inputOperation)
		b, err := pool.AllocUninit(int(size))
		if err != nil {
			return ks.StatusInsufficientResources
		}
		irp.SystemBuffer = b
		return ks.StatusSuccess
	})
	n := irp.Finish(status, irp.UserBuffer)
	pool.Free(irp.SystemBuffer)
	irp.SystemBuffer = nil
	fmt.Printf("%v %d %q\n", status, n, irp.UserBuffer)
	// Output:
	// allocate 32 true
	// STATUS_SUCCESS 1 "*"
}

// A property that needs no IRP.
func ExampleDispatcher_FastProperty() {
	d := mustCompile(engine.Config{PropertySets: []engine.PropertySet{{Set: exampleSet, FastIO: []engine.FastPropertyItem{{ID: 1,
		Get: func(file *engine.FileObject, mode engine.Mode, request, data []byte, io *engine.IoStatus) bool {
			io.Information = uint64(copy(data, "fast"))
			return true
		}}}}}})
	var file engine.FileObject
	var io engine.IoStatus
	data := make([]byte, 4)
	for _, flags := range []uint32{ks.PropertyTypeGet, ks.PropertyTypeSet} {
		handled := d.FastProperty(&file, engine.UserMode, exampleIRP(flags).Type3InputBuffer, data, &io)
		fmt.Printf("%v %d %q\n", handled, io.Information, data)
	}
	// Output:
	// true 4 "fast"
	// false 4 "fast"
}

// A request that its first handler left pending goes on with another one.
func ExampleDispatchSpecificProperty() {
	var queue []*engine.IRP
	d := mustCompile(engine.Config{PropertySets: []engine.PropertySet{{Set: exampleSet, Items: []engine.PropertyItem{{ID: 1,
		Get: func(irp *engine.IRP, request, data []byte) ks.Status {
			queue = append(queue, irp)
			return ks.StatusPending
		}}}}}})
	irp := exampleIRP(ks.PropertyTypeGet)
	irp.Completion = func(irp *engine.IRP) {
		n := irp.Finish(irp.IoStatus.Status, irp.UserBuffer)
		fmt.Printf("%v %d %q\n", irp.IoStatus.Status, n, irp.UserBuffer)
	}
	fmt.Println(d.Property(irp) == ks.StatusPending)

	later := queue[0]
	status := engine.DispatchSpecificProperty(later, exampleItem)
	later.Complete(status, later.IoStatus.Information)
	// Output:
	// true
	// STATUS_SUCCESS 1 "*"
}

// A virtual microphone's read waits for data. The goroutine that has some completes it, and closing the handle cancels it.
func ExampleCancelQueue() {
	var reads engine.CancelQueue
	handle := func() *device.Handle {
		h, err := device.New(mustCompile(engine.Config{PropertySets: []engine.PropertySet{{Set: exampleSet, Items: []engine.PropertyItem{{ID: 1,
			Get: func(irp *engine.IRP, request, data []byte) ks.Status { return reads.Add(irp) }}}}}})).Open()
		if err != nil {
			panic(err)
		}
		return h
	}
	hear := func(samples string) { // the other side of the microphone, on any goroutine
		if irp := reads.Remove(); irp != nil {
			irp.Complete(ks.StatusSuccess, uint64(copy(irp.Data(), samples)))
		}
	}
	heard := make(chan string)
	read := func(h *device.Handle) {
		data := make([]byte, 8)
		n, status := h.IoControl(ks.IoctlProperty, ks.Identifier{Set: exampleSet, ID: 1, Flags: ks.PropertyTypeGet}.Bytes(), data)
		heard <- fmt.Sprintf("%v %q", status, data[:n])
	}
	for _, end := range []func(*device.Handle){func(*device.Handle) { hear("sound") }, func(h *device.Handle) { h.Close() }} {
		h := handle()
		go read(h)
		for reads.Len() == 0 {
			runtime.Gosched()
		}
		end(h)
		fmt.Println(<-heard)
		h.Close()
	}
	// Output:
	// STATUS_SUCCESS "sound"
	// STATUS_CANCELLED ""
}

// Middleware counts the requests of each item, and what the dispatcher refuses is told of.
func ExampleConfig_Wrap() {
	config := engine.Config{PropertySets: []engine.PropertySet{{Set: exampleSet, Items: []engine.PropertyItem{{ID: 1, Get: exampleItem,
		Context: "volume"}}}}}
	counts := map[any]int{}
	config.Wrap(func(next engine.Handler) engine.Handler {
		return func(irp *engine.IRP, request, data []byte) ks.Status {
			counts[irp.ItemContext()]++
			return next(irp, request, data)
		}
	})
	config.OnRefuse = func(r engine.Refusal) { fmt.Println("item", r.ID, r.Status, r.Rule) }
	d := mustCompile(config)
	h, err := device.New(d).Open()
	if err != nil {
		panic(err)
	}
	defer h.Close()
	for id := range uint32(3) {
		h.IoControl(ks.IoctlProperty, ks.Identifier{Set: exampleSet, ID: id, Flags: ks.PropertyTypeGet}.Bytes(), make([]byte, 4))
	}
	for item := range d.Items() {
		fmt.Println("item", item.ID, ks.FormatPropertyFlags(item.Flags), counts[item.Context])
	}
	// Output:
	// item 0 STATUS_NOT_FOUND P-24
	// item 2 STATUS_NOT_FOUND P-24
	// item 1 GET 1
}

func ExampleTopology() {
	speaker := ks.MustParseGUID("dff21ce1-f70f-11d0-b917-00a0c9223196") // KSNODETYPE_SPEAKER
	topology := &engine.Topology{Nodes: []ks.GUID{speaker}, Name: func(ks.GUID) (string, ks.Status) { return "Speaker", ks.StatusSuccess }}
	set := ks.MustParseGUID("720d4ac0-7533-11d0-a5d6-28db04c10000") // KSPROPSETID_Topology
	h, err := device.New(mustCompile(engine.Config{PropertySets: []engine.PropertySet{topology.PropertySet(set)}})).Open()
	if err != nil {
		panic(err)
	}
	defer h.Close()
	in, out := make([]byte, ks.SizeNode), make([]byte, 64)
	ks.Identifier{Set: set, ID: 1, Flags: ks.PropertyTypeGet}.Put(in) // KSPROPERTY_TOPOLOGY_NODES
	n, status := h.IoControl(ks.IoctlProperty, in, out)
	fmt.Println(n, status, ks.GUID(out[ks.SizeMultipleItem:]))
	// KSPROPERTY_TOPOLOGY_NAME
	ks.Node{Identifier: ks.Identifier{Set: set, ID: 3, Flags: ks.PropertyTypeGet | ks.PropertyTypeTopology}, NodeID: 0}.Put(in)
	n, status = h.IoControl(ks.IoctlProperty, in, nil)
	fmt.Println(n, status)
	// Output:
	// 24 STATUS_SUCCESS dff21ce1-f70f-11d0-b917-00a0c9223196
	// 16 STATUS_BUFFER_OVERFLOW
}

// Stored properties come from a map, or from the files of a folder.
func ExampleUnserializeObjectPropertiesFS() {
	d := mustCompile(engine.Config{PropertySets: []engine.PropertySet{{Set: exampleSet, Items: []engine.PropertyItem{{ID: 1, SerializedSize: 2,
		Set: func(irp *engine.IRP, request, data []byte) ks.Status {
			fmt.Printf("SET %q\n", data)
			return ks.StatusSuccess
		}}}}}})
	h, err := device.New(d).Open()
	if err != nil {
		panic(err)
	}
	defer h.Close()
	blob := make([]byte, ks.SizeSerialHdr+ks.SizeSerial, 64)
	ks.SerialHdr{PropertySet: exampleSet, Count: 1}.Put(blob)
	ks.Serial{ID: 1, PropertyLength: 2}.Put(blob[ks.SizeSerialHdr:])
	files := fstest.MapFS{"settings/any name": {Data: append(blob, "on"...)}}
	fmt.Println(engine.UnserializeObjectPropertiesFS(files, "settings", func(in, out []byte) ks.Status {
		_, status := h.IoControl(ks.IoctlProperty, in, out)
		return status
	}))
	// Output:
	// SET "on"
	// <nil>
}
