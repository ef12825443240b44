package load

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// session is what a client does with the handles that it opens: all clients share it, and nobody writes to it.
type session struct {
	name  string
	slots int // handles that are open at once
	steps []step
}

// step is one request, or what becomes of a handle.
type step struct {
	op   op
	slot int // of the handle
	from int // opOpen: the device; opCreatePin: the slot of the filter
	code uint32
	in   []byte // opCreatePin: the KSPIN_CONNECT
	data []byte // what the output buffer holds; the rest of it is zero
	out  int    // length of the output buffer, in bytes
}

type op uint8

const (
	opRequest op = iota
	opOpen
	opCreatePin
	opClose
)

// Verbs, as a mix names them.
const (
	verbGet     = "GET"
	verbSet     = "SET"
	verbSupport = "SUPPORT"
	verbMethod  = "METHOD"
)

// declared is a request that a manifest declares, by what a mix can say of it.
type declared struct {
	set  ks.GUID
	id   uint32
	verb string
	step step
}

// mostItemBytes is the longest buffer that a random request has: a manifest may declare gigabytes.
const mostItemBytes = 64 << 10

// itemSteps are the requests that can be sent to properties and methods of a node, or for nil of the object itself.
func itemSteps(properties []manifest.PropertySet, methods []manifest.MethodSet, node *manifest.Object) (all []declared) {
	add := func(verb string, code uint32, id ks.Identifier, least, out uint32) {
		if least > mostItemBytes || out > mostItemBytes {
			return
		}
		s := step{code: code, out: int(out)}
		if node == nil {
			s.in = make([]byte, max(ks.SizeIdentifier, least))
			id.Put(s.in)
		} else {
			s.in = make([]byte, max(ks.SizeNode, least))
			id.Flags |= ks.PropertyTypeTopology // the same bit for methods
			ks.Node{Identifier: id, NodeID: node.Number}.Put(s.in)
		}
		if verb == verbSet {
			s.data = make([]byte, out)
		}
		all = append(all, declared{id.Set, id.ID, verb, s})
	}
	for _, set := range properties {
		for _, it := range set.Items {
			property := func(verb string, flags, out uint32) {
				add(verb, ks.IoctlProperty, ks.Identifier{Set: set.Set, ID: it.ID, Flags: flags}, it.MinProperty, out)
			}
			size := cmp.Or(max(it.ValueSize, it.MinData), 4)
			if it.Get != nil {
				property(verbGet, ks.PropertyTypeGet, size)
			}
			if it.Set != nil {
				property(verbSet, ks.PropertyTypeSet, size)
			}
			property(verbSupport, ks.PropertyTypeBasicSupport, 4)
		}
	}
	for _, set := range methods {
		for _, it := range set.Items {
			if it.Handler != nil {
				add(verbMethod, ks.IoctlMethod, ks.Identifier{Set: set.Set, ID: it.ID, Flags: ks.MethodTypeSend}, it.MinMethod, it.MinData)
			}
		}
	}
	return all
}

// declaredSteps are the requests to an object, and for a filter to its nodes.
func declaredSteps(m *manifest.Manifest, o *manifest.Object) []declared {
	all := itemSteps(o.PropertySets, o.MethodSets, nil)
	for i := range m.Objects {
		if n := &m.Objects[i]; n.Role == manifest.RoleNode && n.Of == o.Name && o.Role == manifest.RoleFilter {
			all = append(all, itemSteps(n.PropertySets, n.MethodSets, n)...)
		}
	}
	return all
}

// How many random sessions are drawn, of how many requests each.
const (
	randomSessions                = 64
	randomRequests, randomsAtMost = 16, 128
)

// Random is the name of sessions that are drawn.
const Random = "random"

// drawSessions draws sessions from what the devices declare, as the mix weighs it. An object is drawn as often as it has requests.
func drawSessions(seed uint64, offers [][]declared, mix *Mix) ([]*session, error) {
	r := rand.New(rand.NewPCG(seed, 0))
	var devices []weighed[int]
	requests := make([][]weighed[int], len(offers)) // by device
	for d, offer := range offers {
		for i := range offer {
			requests[d] = accumulate(requests[d], i, mix.item(&offer[i]))
		}
		devices = accumulate(devices, d, total(requests[d]))
	}
	if len(devices) == 0 {
		return nil, errors.New("random sessions have nothing to ask: no object that can be opened declares an item of any weight")
	}
	all := make([]*session, randomSessions)
	for i := range all {
		device := draw(r, devices)
		s := &session{name: Random, slots: 1, steps: []step{{op: opOpen, from: device}}}
		for range randomRequests + r.IntN(randomsAtMost-randomRequests+1) {
			st := offers[device][draw(r, requests[device])].step
			if st.data != nil {
				st.data = make([]byte, st.out)
				for i := range st.data {
					st.data[i] = byte(r.Uint32())
				}
			}
			s.steps = append(s.steps, st)
		}
		all[i] = s
	}
	return all, nil
}

// weighed is something that is drawn with its weight; upTo is the sum of the weights until it.
type weighed[T any] struct {
	what T
	upTo uint64
}

func accumulate[T any](list []weighed[T], what T, weight uint64) []weighed[T] {
	if weight == 0 {
		return list
	}
	return append(list, weighed[T]{what, total(list) + weight})
}

// total is the sum of the weights.
func total[T any](list []weighed[T]) uint64 {
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].upTo
}

func draw[T any](r *rand.Rand, list []weighed[T]) T {
	at := r.Uint64N(total(list))
	i, _ := slices.BinarySearchFunc(list, at, func(w weighed[T], at uint64) int {
		if w.upTo <= at {
			return -1
		}
		return 1
	})
	return list[i].what
}
