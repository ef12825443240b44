package manifest

import "github.com/ksdispatch/ksdispatch/engine"

// eventSets returns the event sets of an object as declarations. A manifest says nothing of handlers: an enabled event goes on
// the list of the request, and stays there until it is disabled or its one signal was given.
func (o *Object) eventSets() []engine.EventSet {
	sets := make([]engine.EventSet, len(o.EventSets))
	for i := range o.EventSets {
		from, to := &o.EventSets[i], &sets[i]
		to.Set = from.Set
		to.Items = make([]engine.EventItem, len(from.Items))
		for j, it := range from.Items {
			to.Items[j] = engine.EventItem{ID: it.ID, DataInput: it.DataInput, ExtraEntryData: it.ExtraEntryData}
		}
	}
	return sets
}
