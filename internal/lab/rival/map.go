package rival

// Map is a Go map keyed by the first 20 bytes of a request. The map reads them where they are: a key that is built on the stack
// first has its words loaded before their stores are done.
type Map map[prefix]*Item

func newMap(keys []key, items []Item) Map {
	m := make(Map, len(keys))
	for i, k := range keys {
		m[k.bytes()] = &items[i]
	}
	return m
}

// Find returns the item of a request or nil.
func (m Map) Find(request *prefix) *Item { return m[*request] }
