package profile

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The table that all workloads ask, and how many different requests there are: enough that no branch predictor learns them.
const (
	sets, items = 20, 12
	cycle       = 1 << 16
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
	failed     uint64 // requests that were not answered with success
}

func (w *worker) close() { w.handle.Close() } // nothing is pended

// newWorkers makes n, with a handle each.
func (w workload) newWorkers(n int, seed uint64, get engine.Handler) ([]*worker, error) {
	rng := rand.New(rand.NewPCG(seed, 0x70726f66_696c6521))
	d, guids, err := compile(rng, get)
	if err != nil {
		return nil, err
	}
	workers := make([]*worker, n)
	for i := range workers {
		h, err := device.New(d).Open()
		if err != nil {
			return nil, err
		}
		workers[i] = &worker{dispatcher: d, handle: h, requests: w.newRequests(guids, rng), out: make([]byte, 4)}
		if w.long { // as long as an empty buffer is told
			n, status := h.IoControl(ks.IoctlProperty, workers[i].requests[0], nil)
			if status != ks.StatusBufferOverflow {
				return nil, fmt.Errorf("%s: the size of a set: %v", w.name, status)
			}
			workers[i].out = make([]byte, n)
		}
	}
	return workers, nil
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
