package lab

import (
	"errors"
	"fmt"
	"slices"
)

// Stand is a workload made ready, for packages that put the loops of Run to another use. It belongs to one goroutine.
type Stand struct{ bed *bed }

// Synthetic returns the workload of that many sets of items, every request a hit.
func Synthetic(sets, items int) Workload { return synthetic(sets, items, false) }

// Devices returns the workload of many devices, each with that many sets of items of its own, that are asked in random order.
func Devices(n, sets, items int) Workload {
	w := Synthetic(sets, items)
	w.Name = fmt.Sprintf("%d of %s", n, w.Name)
	w.Description = fmt.Sprintf("%d devices, each of %s", n, w.Description)
	w.key += fmt.Sprintf("/devices=%d", n)
	one := w.generate
	w.generate = func(seed uint64) (objects []object) {
		for i := range n {
			objects = append(objects, one(seed+uint64(i))...)
		}
		return objects
	}
	return w
}

// Stand makes the workload ready, after what Run does before it times anything: all peers must answer as the engine does.
// Close the stand to release its memory.
func (w Workload) Stand(seed uint64) (*Stand, error) {
	if err := verify(w.generate(seed), seed, verified); err != nil {
		return nil, fmt.Errorf("%s: before timing: %w", w.Name, err)
	}
	s, err := w.Prepare(seed)
	if err != nil {
		return nil, err
	}
	return w.stand(s.bed, "")
}

// Prepare makes the workload ready without asking whether the peers answer as the engine does.
func (w Workload) Prepare(seed uint64) (*Stand, error) {
	b, err := w.prepare(seed)
	if err != nil {
		return nil, err
	}
	return &Stand{b}, nil
}

// LookupStand is Stand for the path lookup alone: with millions of items a dispatcher and handles, which that path does not
// need, would take most of the time and memory. The tables are compared before, as in Stand.
func (w Workload) LookupStand(seed uint64) (*Stand, error) {
	b := &bed{objects: w.generate(seed)}
	for _, o := range b.objects {
		if err := b.addTables(o); err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	b.requests, _ = prepareRequests(b.objects, w.misses, seed)
	for _, r := range b.requests[:verified] {
		if err := b.compareLookup(trial{object: int(r.object), in: r.in}); err != nil {
			return nil, fmt.Errorf("%s: before timing: in %x: %w", w.Name, r.in, err)
		}
	}
	b.objects = make([]object, len(b.objects)) // the loops count them; the declarations of millions of items are gigabytes
	return w.stand(b, "lookup")
}

// stand compares the timed loops of a path, or of all.
func (w Workload) stand(b *bed, path string) (*Stand, error) {
	rows := slices.DeleteFunc(w.rows(nil), func(r row) bool { return path != "" && r.path.Name != path })
	if err := b.checksums(rows); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: before timing: %w", w.Name, err), b.close())
	}
	return &Stand{b}, nil
}

// Impls lists what there is to measure on a path, the engine and its peers and limits, in the order of a report.
func Impls(path string) (names []string) {
	for _, impl := range impls {
		if loops[[2]string{path, impl.Name}] != nil {
			names = append(names, impl.Name)
		}
	}
	return names
}

// Loop returns the loop of an implementation on a path of a report, which sends the first n prepared requests in a cycle of
// Requests; nil if there is none.
func (s *Stand) Loop(path, impl string) func(n int) {
	send := loops[[2]string{path, impl}]
	if send == nil {
		return nil
	}
	return func(n int) { sink.Add(send(s.bed, n)) }
}

// Objects returns how many objects the requests are sent to.
func (s *Stand) Objects() int { return len(s.bed.objects) }

// Build returns how many keys the tables of all objects have, how many bits their indexes take, and how many tries building them took.
func (s *Stand) Build() (keys, bits, tries int) {
	for _, f := range s.bed.finders {
		is := f.table.Stats()
		keys, bits, tries = keys+is.Keys, bits+8*is.Index, tries+is.Tries
	}
	return keys, bits, tries
}

// Close releases the memory.
func (s *Stand) Close() error { return s.bed.close() }
