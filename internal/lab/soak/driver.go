package soak

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Fault is something that must not happen.
type Fault struct {
	Kind string // "lost", "doubled", "leaked", "order", ...
	What string
}

func (f *Fault) Error() string { return f.Kind + ": " + f.What }

// order is what a request has the driver do. A request is a KSPROPERTY, its order, its number in its session from 1, and how many
// microseconds the driver takes its time, of 4 bytes each.
type order uint32

const (
	answer    order = iota // with how many requests the driver has had
	panics                 // in the handler
	completes              // completes the request and returns STATUS_PENDING
	slow                   // another goroutine completes it
	cancelled              // another goroutine cancels it
	forgotten              // nobody completes it, until all of its file are cancelled
	swaps                  // another dispatcher answers the rest
	removes                // the device is unplugged
	exhausts               // asks for more memory than the device has; the driver is not asked
	orders

	planted order = 1 << 16 // and the driver makes the fault that is planted, in a slow request
)

// Plants are the faults that can be planted, each with what the driver does wrong.
const (
	PlantLost    = "lost"    // does not complete a request
	PlantDoubled = "doubled" // completes a request twice
	PlantLeaked  = "leaked"  // takes a buffer and does not free it
	PlantMemory  = "memory"  // keeps some memory whenever a device is made a while after the last
)

var plants = []string{PlantLost, PlantDoubled, PlantLeaked, PlantMemory}

// What PlantMemory keeps: less than a megabyte a second, so that a soak of hours stays in memory.
const (
	keptBytes = 64 << 10
	keptEvery = 100 * time.Millisecond
)

const (
	requestSize = ks.SizeIdentifier + 16
	answerSize  = 8
	exhausting  = 1 << 20 // bytes of output
	memoryLimit = 512 << 10
)

// set is what the driver has: one property, and one event.
var set = ks.MustParseGUID("6b7a5d1e-2f43-4c0e-9a55-0d8c3b6e7f21")

// Driver drives any number of devices, which share nothing but those who complete their requests.
type Driver struct {
	patience time.Duration
	offHeap  bool
	later    chan job
	workers  sync.WaitGroup
	stop     chan struct{}

	mu      sync.Mutex
	pended  map[*engine.IRP]pendedRequest
	first   *Fault
	onFault func() // is called with the first
	kept    [][]byte
	keptAt  time.Time

	tally tally
}

// tally is what happened, as the driver sees it.
type tally struct{ panics, told, pended, completed, cancelled, swaps, removals atomic.Int64 }

type pendedRequest struct {
	since  time.Time
	number uint32
}

// job is a request that is to be completed by another goroutine.
type job struct {
	irp    *engine.IRP
	file   *engine.FileObject
	queue  *engine.CancelQueue
	what   order
	number uint32
	wait   time.Duration
}

// workers complete requests, so that of two in flight the later may end first.
const workers = 2

// NewDriver starts a driver. A request that nobody has completed after so long is lost. onFault is told of the first fault.
func NewDriver(patience time.Duration, onFault func()) *Driver {
	d := &Driver{patience: patience, later: make(chan job, flights), stop: make(chan struct{}), pended: map[*engine.IRP]pendedRequest{},
		onFault: onFault}
	if a, err := arena.New(arena.Config{OffHeap: true}); err == nil {
		d.offHeap = a.Close() == nil
	}
	for range workers {
		d.workers.Go(d.work)
	}
	d.workers.Go(d.watch)
	return d
}

// Close stops the driver. Its devices are closed before.
func (d *Driver) Close() {
	close(d.stop)
	d.workers.Wait()
}

// Fault is the first fault, nil if there is none.
func (d *Driver) Fault() *Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.first
}

func (d *Driver) fault(kind, format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first == nil {
		d.first = &Fault{kind, fmt.Sprintf(format, args...)}
		d.onFault()
	}
}

// Device makes a device. plant is the fault that its planted requests make.
func (d *Driver) Device(plant string) (*device.Device, error) {
	if plant == PlantMemory {
		d.keep()
	}
	x := &driven{Driver: d, plant: plant}
	config := engine.Config{OnPanic: func(any, []byte) { d.tally.told.Add(1) },
		PropertySets: []engine.PropertySet{{Set: set, Items: []engine.PropertyItem{
			{ID: 1, Get: x.handle, MinProperty: requestSize, MinData: answerSize}}}},
		EventSets: []engine.EventSet{{Set: set, Items: []engine.EventItem{{ID: 1}}}}}
	var err error
	for i := range x.dispatchers {
		if x.dispatchers[i], err = engine.Compile(config); err != nil {
			return nil, err
		}
	}
	x.dev = device.New(x.dispatchers[0])
	x.dev.SetArena(arena.Config{ChunkSize: 8 << 10, Limit: memoryLimit, OffHeap: d.offHeap})
	return x.dev, nil
}

// keep is the fault of PlantMemory.
func (d *Driver) keep() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.keptAt) < keptEvery {
		return
	}
	d.keptAt = time.Now()
	d.kept = append(d.kept, bytes.Repeat([]byte{1}, keptBytes))
}

// driven is one device. Its handler is called for one request after the other, also where several are in flight.
type driven struct {
	*Driver
	plant       string
	dev         *device.Device
	dispatchers [2]*engine.Dispatcher
	swapped     int
	answered    uint64 // requests that the handler had
	number      uint32 // of the last
	queue       engine.CancelQueue
}

// handle is the handler.
func (x *driven) handle(irp *engine.IRP, request, data []byte) ks.Status {
	what := order(binary.LittleEndian.Uint32(request[ks.SizeIdentifier:]))
	number := binary.LittleEndian.Uint32(request[ks.SizeIdentifier+4:])
	wait := time.Duration(binary.LittleEndian.Uint32(request[ks.SizeIdentifier+8:])) * time.Microsecond
	if number <= x.number {
		x.fault("order", "request %d came after request %d", number, x.number)
	}
	x.number = number
	if live := irp.Pool.Stats().Live; live > 1 {
		x.fault("leaked", "request %d finds %d buffers beside its own that nobody freed", number, live-1)
	}
	x.answered++
	binary.LittleEndian.PutUint64(data, x.answered)
	irp.IoStatus.Information = answerSize
	plant := ""
	if what&planted != 0 {
		plant, what = x.plant, what&^planted
	}
	if plant == PlantLeaked {
		if _, err := irp.Pool.Alloc(64); err != nil {
			return ks.StatusInsufficientResources
		}
	}
	switch what {
	case panics:
		x.tally.panics.Add(1)
		panic("injected")
	case completes:
		x.tally.pended.Add(1)
		x.complete(irp, number)
		return ks.StatusPending
	case slow:
		x.pend(irp, number)
		switch plant {
		case PlantLost:
			return ks.StatusPending
		case PlantDoubled: // while the handler runs the IRP is not yet that of the next request
			x.ended(irp, number)
			x.complete(irp, number)
			x.complete(irp, number)
			return ks.StatusPending
		}
		x.later <- job{irp: irp, what: slow, number: number, wait: wait}
		return ks.StatusPending
	case cancelled, forgotten:
		x.pend(irp, number)
		status := x.queue.Add(irp)
		x.later <- job{irp: irp, file: irp.FileObject, queue: &x.queue, what: what, number: number, wait: wait}
		return status
	case swaps:
		x.tally.swaps.Add(1)
		x.swapped = 1 - x.swapped
		x.dev.Swap(x.dispatchers[x.swapped])
	case removes:
		x.tally.removals.Add(1)
		x.dev.Remove()
	}
	return ks.StatusSuccess
}

func (d *Driver) pend(irp *engine.IRP, number uint32) {
	d.tally.pended.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pended[irp] = pendedRequest{time.Now(), number}
}

// ended is told before a request is completed: its IRP may have the next one at once. It reports false for one that is known as lost.
func (d *Driver) ended(irp *engine.IRP, number uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.pended[irp]
	if ok && p.number == number {
		delete(d.pended, irp)
		return true
	}
	return false
}

func (d *Driver) complete(irp *engine.IRP, number uint32) {
	counted := false
	defer func() {
		_ = recover() // a build with the tag invariants panics on a completion too many
		if counted {
			d.tally.completed.Add(1)
		} else {
			d.fault("doubled", "request %d is completed a second time", number)
		}
	}()
	counted = irp.Complete(ks.StatusSuccess, answerSize)
}

// work completes what is to be completed later.
func (d *Driver) work() {
	for {
		var j job
		select {
		case j = <-d.later:
		case <-d.stop:
			return
		}
		if j.wait > 0 {
			time.Sleep(j.wait)
		} else {
			runtime.Gosched()
		}
		if !d.ended(j.irp, j.number) {
			continue
		}
		switch j.what {
		case slow:
			d.complete(j.irp, j.number)
		case cancelled: // the sender may take the cancel routine first: that the request ends so is what its client checks
			d.tally.cancelled.Add(1)
			j.irp.Cancel()
		case forgotten:
			d.tally.cancelled.Add(1)
			j.queue.CancelFile(j.file)
		}
	}
}

// watch ends requests that were lost, and names them.
func (d *Driver) watch() {
	ticks := time.NewTicker(min(d.patience/4, time.Second))
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-d.stop:
			return
		}
		d.mu.Lock()
		var lost []*engine.IRP
		var numbers []uint32
		for irp, p := range d.pended {
			if time.Since(p.since) > d.patience {
				delete(d.pended, irp)
				lost, numbers = append(lost, irp), append(numbers, p.number)
			}
		}
		d.mu.Unlock()
		for i, irp := range lost {
			d.fault("lost", "nobody completed request %d in %v", numbers[i], d.patience)
			irp.Complete(ks.StatusCancelled, 0)
		}
	}
}
