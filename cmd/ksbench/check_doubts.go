package main

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// doubts are what loads and is most likely a mistake all the same: a name that is another id's in the headers, and a serialized
// size that no SET of the item accepts.
func doubts(o *manifest.Object) (list []string) {
	name := func(set ks.GUID, id uint32, name string) {
		known := kssets.ByGUID(set).Item(id)
		if known != nil && name != known.Name && strings.HasPrefix(name, "KS") { // not what the writer calls it
			list = append(list, fmt.Sprintf("set %s: id %d is %s, not %s; correct the id or the name", set, id, known.Name, named(name)))
		}
	}
	for _, s := range o.PropertySets {
		for i := range s.Items {
			it := &s.Items[i]
			name(s.Set, it.ID, it.Name)
			if size := it.SerializedSize; size > 1 && size < it.MinData { // 1 is a size that is asked for (P-40)
				list = append(list, fmt.Sprintf("set %s, id %d: serialized_size %d is below min_data %d, so that the item cannot be restored (P-42)",
					s.Set, it.ID, size, it.MinData))
			}
		}
	}
	for _, s := range o.MethodSets {
		for i := range s.Items {
			name(s.Set, s.Items[i].ID, s.Items[i].Name)
		}
	}
	for _, s := range o.EventSets {
		for i := range s.Items {
			name(s.Set, s.Items[i].ID, s.Items[i].Name)
		}
	}
	return list
}
