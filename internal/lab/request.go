package lab

import (
	"math/rand/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Requests is how many requests a workload prepares: enough that no branch predictor learns the sequence, few enough to
// stay in the second-level cache's reach. It is a power of two.
const Requests = 1 << 16

// request is one prepared request. The output buffer is the caller's own, used again and again, so only its length is
// here.
type request struct {
	in     []byte // KSPROPERTY and what follows it
	out    uint32 // bytes of output buffer
	object uint32 // which object it is sent to
}

// requests are the prepared requests in the order of sending.
type requests *[Requests]request

// Hit is a request for an item that has a handler for its verb, with buffers as short as the item allows.
type Hit struct {
	In  []byte
	Out uint32 // bytes of output buffer
}

// Hits draws Requests of them, for items of sets; none if no item has a handler.
func Hits(sets []engine.PropertySet, seed uint64) []Hit {
	o := object(sets)
	if len(o.answering()) == 0 {
		return nil
	}
	list, _ := prepareRequests([]object{o}, false, seed)
	hits := make([]Hit, len(list))
	for i, r := range list {
		hits[i] = Hit{r.in, r.out}
	}
	return hits
}

// longInput is the length in bytes from which equal inputs share memory: KSPROPERTY, KSP_NODE and KSP_PIN requests are
// shorter, and lie one behind the other in the order of sending, as if a caller had just written them.
const longInput = 64

// prepareRequests draws the requests. They are hits, or with misses half of them are: of the others the set is unknown,
// or the id, or the output buffer is empty (a size query), or too short, or the input is.
func prepareRequests(objects []object, misses bool, seed uint64) (list requests, longest int) {
	rng := rand.New(rand.NewPCG(seed, 0x72657175_65737473))
	positions := positions(objects)
	list = new([Requests]request)
	memory := make([]byte, Requests*longInput)
	long := map[ks.Identifier][]byte{} // shared by equal requests
	for i := range list {
		n := rng.IntN(len(objects))
		at := positions[n][rng.IntN(len(positions[n]))]
		set := &objects[n][at[0]]
		item := &set.Items[at[1]]
		verb := ks.PropertyTypeGet
		if item.Get == nil || item.Set != nil && rng.IntN(2) == 0 {
			verb = ks.PropertyTypeSet
		}
		id := ks.Identifier{Set: set.Set, ID: item.ID, Flags: verb}
		in, out := max(int(item.MinProperty), ks.SizeIdentifier), max(item.MinData, 4)
		if misses && rng.IntN(2) == 0 {
			switch rng.IntN(5) {
			case 0, 1:
				id.Set = randomGUID(rng)
			case 2:
				id.ID += 1000
			case 3:
				out = 0
			case 4:
				out = rng.Uint32N(item.MinData)
			}
		}
		var buf []byte
		if in <= longInput {
			buf, memory = memory[:in:in], memory[(in+7)&^7:]
		} else if buf = long[id]; buf == nil {
			buf = make([]byte, in)
			long[id] = buf
		}
		id.Put(buf)
		list[i] = request{in: buf, out: out, object: uint32(n)}
		longest = max(longest, int(out))
	}
	return list, longest
}
