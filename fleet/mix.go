package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// Ask is a request that ksbench load can make, and how often it was recorded.
type Ask struct {
	Set      ks.GUID
	ID       uint32
	Verb     string // as in a mix
	Requests uint64
}

// ask returns what a mix says of an item, and false if load makes no such request by itself.
func ask(it traffic.Item) (Ask, bool) {
	a := Ask{Set: it.Set, ID: it.ID}
	switch flags := it.Flags &^ ks.PropertyTypeTopology; { // the same bit in each family
	case it.Foreign:
	case it.Code == ks.IoctlProperty && flags == ks.PropertyTypeGet:
		a.Verb = "GET"
	case it.Code == ks.IoctlProperty && flags == ks.PropertyTypeSet:
		a.Verb = "SET"
	case it.Code == ks.IoctlProperty && flags == ks.PropertyTypeBasicSupport:
		a.Verb = "SUPPORT"
	case it.Code == ks.IoctlMethod && flags == ks.MethodTypeSend:
		a.Verb = "METHOD"
	}
	return a, a.Verb != ""
}

// addAsked adds requests of the same kind, and sorts.
func addAsked(lists ...[]Ask) []Ask {
	sums := make(map[Ask]uint64)
	for _, list := range lists {
		for _, a := range list {
			n := a.Requests
			a.Requests = 0
			sums[a] += n
		}
	}
	all := make([]Ask, 0, len(sums))
	for a, n := range sums {
		a.Requests = n
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Ask) int {
		return cmp.Or(bytes.Compare(a.Set[:], b.Set[:]), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Verb, b.Verb))
	})
	return all
}

// maxWeight is the most that a line of a mix may weigh.
const maxWeight = 1_000_000

// mix is the file that lets ksbench load draw requests as often as they were recorded.
func (t *Total) mix() ([]byte, error) {
	if len(t.Asked) == 0 {
		return nil, errors.New("--mix: no request of the traces is a GET, SET or BASICSUPPORT of a property or sends a method")
	}
	var most, sum uint64
	for _, a := range t.Asked {
		most, sum = max(most, a.Requests), sum+a.Requests
	}
	share := (most + maxWeight - 1) / maxWeight // requests to a unit of weight
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %d of %d recorded requests; a unit of weight is %d.\nsession random 1\nitem * * * 0\n", sum, t.Requests, share)
	for _, a := range t.Asked {
		it := traffic.Item{Code: ks.IoctlProperty, Set: a.Set, ID: a.ID}
		fmt.Fprintf(&b, "item %s %d %s %d # %s\n", a.Set, a.ID, a.Verb, max(1, a.Requests/share), it.Name())
	}
	return b.Bytes(), nil
}
