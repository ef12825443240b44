package profile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The table that all workloads ask, and how many different requests there are: enough that no branch predictor learns them.
const (
	sets, items = 20, 12
	cycle       = 1 << 16
	batchLength = 256
)

// workload is one way to send requests.
type workload struct {
	name  string
	about string // what one request is
	entry string // the function that a CPU profile of it must show, as pprof writes it
	send  func(w *worker, n int)
	long  bool // a request answers for a whole set
}

const module = "github.com/ksdispatch/ksdispatch/"

var workloads = []workload{
	{name: "irp", about: "GET of a random property through an open handle, IoControl", entry: module + "engine/device.(*Handle).IoControl",
		send: (*worker).irp},
	{name: "fast", about: "GET of a random property without an IRP, FastProperty", entry: module + "engine.(*Dispatcher).FastProperty",
		send: (*worker).fast},
	{name: "batch", about: "GET of a random property, 256 a call, PropertyBatch", entry: module + "engine.(*Dispatcher).PropertyBatch",
		send: (*worker).batch},
	{name: "serialize", about: "SERIALIZESET of a random set of 12 properties, IoControl", entry: module + "engine/device.(*Handle).IoControl",
		send: (*worker).irp, long: true},
}

// compile declares the table. Every item is serialized, and its handlers write 4 bytes.
func compile(rng *rand.Rand, get engine.Handler) (*engine.Dispatcher, []ks.GUID, error) {
	guids := make([]ks.GUID, sets)
	decls := make([]engine.PropertySet, sets)
	for s := range decls {
		for i := range guids[s] {
			guids[s][i] = byte(rng.Uint32())
		}
		decls[s].Set = guids[s]
		for id := range uint32(items) {
			decls[s].Items = append(decls[s].Items, engine.PropertyItem{ID: id, MinData: 4, Get: get, SerializedSize: 4})
			decls[s].FastIO = append(decls[s].FastIO, engine.FastPropertyItem{ID: id, Get: fastAnswer})
		}
	}
	d, err := engine.Compile(engine.Config{PropertySets: decls})
	return d, guids, err
}

func answer(irp *engine.IRP, request, data []byte) ks.Status {
	binary.LittleEndian.PutUint32(data, binary.LittleEndian.Uint32(request[16:]))
	irp.IoStatus.Information = 4
	return ks.StatusSuccess
}

func fastAnswer(_ *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
	binary.LittleEndian.PutUint32(data, binary.LittleEndian.Uint32(request[16:]))
	io.Information = 4
	return true
}

// newRequests prepares the requests of a workload, in the order of sending.
func (w workload) newRequests(guids []ks.GUID, rng *rand.Rand) [][]byte {
	requests := make([][]byte, cycle)
	memory := make([]byte, cycle*ks.SizeIdentifier)
	for i := range requests {
		requests[i], memory = memory[:ks.SizeIdentifier:ks.SizeIdentifier], memory[ks.SizeIdentifier:]
		id := ks.Identifier{Set: guids[rng.IntN(sets)], ID: rng.Uint32N(items), Flags: ks.PropertyTypeGet}
		if w.long {
			id.ID, id.Flags = 0, ks.PropertyTypeSerializeSet
		}
		id.Put(requests[i])
	}
	return requests
}

// worker is what one goroutine needs.
type worker struct {
	dispatcher *engine.Dispatcher
	handle     *device.Handle
	requests   [][]byte
	out        []byte
	sole       engine.IRP            // of batches, which go past the handle
	batches    []engine.BatchRequest // all of them, cut as they are sent
	failed     uint64                // requests that were not answered with success
}

func (w *worker) close() error { return errors.Join(w.handle.Close(), w.sole.Pool.Close()) }

// newWorkers makes n, with a handle each.
func (w workload) newWorkers(n int, seed uint64, get engine.Handler) ([]*worker, error) {
	rng := rand.New(rand.NewPCG(seed, 0x70726f66_696c6521))
	d, guids, err := compile(rng, get)
	if err != nil {
		return nil, err
	}
	workers := make([]*worker, n)
	for i := range workers {
		if workers[i], err = w.newWorker(d, w.newRequests(guids, rng)); err != nil {
			return nil, err
		}
	}
	return workers, nil
}

func (w workload) newWorker(d *engine.Dispatcher, requests [][]byte) (*worker, error) {
	h, err := device.New(d).Open()
	if err != nil {
		return nil, err
	}
	pool, err := arena.New(arena.Config{})
	if err != nil {
		return nil, err
	}
	k := &worker{dispatcher: d, handle: h, requests: requests, out: make([]byte, 4)}
	k.sole.Pool, k.sole.FileObject = pool, h.File()
	for _, in := range requests {
		k.batches = append(k.batches, engine.BatchRequest{In: in, Out: k.out})
	}
	if w.long { // as long as an empty buffer is told
		n, status := h.IoControl(ks.IoctlProperty, requests[0], nil)
		if status != ks.StatusBufferOverflow {
			return nil, fmt.Errorf("the size of a set: %v", status)
		}
		k.out = make([]byte, n)
	}
	return k, nil
}

// The loops are the anchors of the check: whatever happens below them happens on the dispatch path.

//go:noinline
func (w *worker) irp(n int) {
	for i := range n {
		if _, status := w.handle.IoControl(ks.IoctlProperty, w.requests[i%cycle], w.out); status != ks.StatusSuccess {
			w.failed++
		}
	}
}

//go:noinline
func (w *worker) fast(n int) {
	var io engine.IoStatus
	file := w.handle.File()
	for i := range n {
		if !w.dispatcher.FastProperty(file, engine.UserMode, w.requests[i%cycle], w.out, &io) || io.Status != ks.StatusSuccess {
			w.failed++
		}
	}
}

//go:noinline
func (w *worker) batch(n int) {
	for i := 0; i < n; i += batchLength {
		requests := w.batches[i%cycle:][:batchLength]
		if w.dispatcher.PropertyBatch(&w.sole, requests) != batchLength {
			w.failed++
		}
		for j := range requests {
			if requests[j].Status != ks.StatusSuccess {
				w.failed++
			}
		}
	}
}
