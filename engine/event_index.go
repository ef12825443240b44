package engine

import (
	"math/bits"
	"math/rand/v2"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// eventIndex finds the entries of a list by what a client names them with, the address of its KSEVENTDATA and its file object,
// so that a disable does not walk the list. It is a hash table whose buckets are lists through the entries. Entries of one key
// are in the order of the list, as both grow at the end: the first match is the list's first (E-13).
//
// The addresses are the clients' to choose, so the hash has a seed.
type eventIndex struct {
	buckets []link // a power of two; link.next is the first of the bucket, link.prev the last
	n       int
	seed    [2]uint64
}

// link is a place in a bucket, or its ends.
type link struct{ next, prev *EventEntry }

const firstBuckets = 16

func (x *eventIndex) init() {
	x.buckets = make([]link, firstBuckets)
	x.seed = [2]uint64{rand.Uint64(), rand.Uint64()}
}

// hash is that of a client's name for an entry.
func (x *eventIndex) hash(eventData uint64, file *FileObject) uint64 {
	hi, lo := bits.Mul64(eventData^x.seed[0], file.serial()^x.seed[1])
	return hi ^ lo
}

func (x *eventIndex) bucket(key uint64) *link { return &x.buckets[key&uint64(len(x.buckets)-1)] }

// add enters e, the last of l.
func (x *eventIndex) add(e *EventEntry, l *EventList) {
	e.key = x.hash(e.eventData, e.file)
	if x.n++; x.n > len(x.buckets) {
		x.buckets = make([]link, 2*len(x.buckets))
		for e := l.head; e != nil; e = e.next {
			x.append(e)
		}
		return
	}
	x.append(e)
}

func (x *eventIndex) append(e *EventEntry) {
	b := x.bucket(e.key)
	e.chain = link{prev: b.prev}
	if b.prev == nil {
		b.next = e
	} else {
		b.prev.chain.next = e
	}
	b.prev = e
}

func (x *eventIndex) remove(e *EventEntry) {
	x.n--
	b := x.bucket(e.key)
	if e.chain.prev == nil {
		b.next = e.chain.next
	} else {
		e.chain.prev.chain.next = e.chain.next
	}
	if e.chain.next == nil {
		b.prev = e.chain.prev
	} else {
		e.chain.next.chain.prev = e.chain.prev
	}
	e.chain = link{}
}

// find returns the first entry of that name that is not deleted, at or behind the place from; nil starts at the first.
func (x *eventIndex) find(eventData uint64, file *FileObject, after *EventEntry) *EventEntry {
	var e *EventEntry
	if after != nil {
		e = after.chain.next
	} else {
		e = x.bucket(x.hash(eventData, file)).next
	}
	for ; e != nil; e = e.chain.next {
		if e.eventData == eventData && e.file == file && e.flags&ks.EventEntryDeleted == 0 {
			return e
		}
	}
	return nil
}

// fileSerials numbers the file objects that enable events, as addresses are not to be hashed.
var fileSerials atomic.Uint64

// serial returns the number of a file object; no file object is 0.
func (file *FileObject) serial() uint64 {
	if file == nil {
		return 0
	}
	n := file.number.Load()
	if n == 0 {
		file.number.CompareAndSwap(0, fileSerials.Add(1))
		n = file.number.Load()
	}
	return n
}
