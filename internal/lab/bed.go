package lab

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
)

// bed is a workload made ready: for each object one of everything, and the requests.
type bed struct {
	objects  []object
	requests requests
	out      []byte // the caller's output buffer, as long as the longest request needs

	dispatchers []*engine.Dispatcher
	files       []*engine.FileObject
	handles     []*device.Handle
	finders     []finder

	rivals []*rival.Table
	peers  [len(steps)][]*rival.Handle

	array [256]uint64        // of floor
	calls [16]engine.Handler // of bare
	irp   engine.IRP         // of bare
}

// finder is what a dispatcher finds its properties with: the first of the two that is ready.
type finder struct {
	direct table.Direct[value]
	table  *table.Table[value]
}

// value is what the table of the lookup path keeps with a key: as much as the dispatcher's own, so that an entry is 64
// bytes on one cache line.
type value struct {
	item uint64
	_    [4]uint64
}

// single returns the bed of a workload that must have one object, as why says, without dispatchers and requests.
func (w Workload) single(seed uint64, why string) (*bed, error) {
	b := &bed{objects: w.generate(seed)}
	if n := len(b.objects); n != 1 {
		return nil, fmt.Errorf("%s: %d objects: %s", w.Name, n, why)
	}
	return b, nil
}

// prepare makes a workload ready to be timed.
func (w Workload) prepare(seed uint64) (*bed, error) {
	b, err := newBed(w.generate(seed), timed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	b.ask(w, seed)
	for i := range b.calls {
		b.calls[i] = Answer
	}
	return b, nil
}

// ask prepares the requests of a workload, and returns the length of the longest output.
func (b *bed) ask(w Workload, seed uint64) (longest int) {
	b.requests, longest = prepareRequests(b.objects, w.misses, seed)
	b.out = make([]byte, longest)
	return longest
}

// newBed compiles the objects for the engine and for the peers, from the same declarations and with the same handlers.
func newBed(objects []object, h handlers) (*bed, error) {
	b := &bed{objects: objects}
	for _, o := range objects {
		if err := b.add(o.compile(h)); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

func (b *bed) add(config engine.Config) error {
	if err := b.addTables(config.PropertySets); err != nil {
		return err
	}
	if err := b.addEngine(config); err != nil {
		return err
	}
	for step := range steps {
		h, err := rival.NewHandle(b.rivals[len(b.rivals)-1], rival.Step(step), rival.Step(step) == rival.ByLinear)
		if err != nil {
			return err
		}
		b.peers[step] = append(b.peers[step], h)
	}
	return nil
}

func (b *bed) addEngine(config engine.Config) error {
	d, err := engine.Compile(config)
	if err != nil {
		return err
	}
	b.dispatchers = append(b.dispatchers, d)
	b.files = append(b.files, new(engine.FileObject))
	h, err := device.New(d).Open()
	if err != nil {
		return err
	}
	b.handles = append(b.handles, h)
	return nil
}

// addTables is what the path lookup needs of an object.
func (b *bed) addTables(sets []engine.PropertySet) error {
	var entries []table.Entry[value]
	for _, s := range sets {
		for _, it := range s.Items {
			key := table.KeyOf(s.Set, it.ID)
			entries = append(entries, table.Entry[value]{Lo: key.Lo, Hi: key.Hi, ID: key.ID, Value: value{item: uint64(len(entries))}})
		}
	}
	t, err := table.Build(entries, table.Config{})
	if err != nil {
		return err
	}
	b.finders = append(b.finders, finder{table.BuildDirect(entries), t})

	b.rivals = append(b.rivals, rival.NewTable(sets))
	return nil
}

// steps are the peers, by rival.Step.
var steps = [...]string{rival.ByLinear: "linear", rival.ByMap: "map", rival.ByOpen: "open", rival.ByDense: "dense"}

// close releases the arenas.
func (b *bed) close() error {
	var errs []error
	for _, h := range b.handles {
		errs = append(errs, h.Close())
	}
	for _, peer := range b.peers {
		for _, h := range peer {
			errs = append(errs, h.Close())
		}
	}
	return errors.Join(errs...)
}
