// Package traffic opens files of traces, names the items that their requests ask for, and makes the devices of a manifest that answer them.
package traffic

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// Ops are the operations that a driver takes, by control code.
var Ops = map[uint32]string{ks.IoctlProperty: "property", ks.IoctlMethod: "method", ks.IoctlEnableEvent: "enable_event",
	ks.IoctlDisableEvent: "disable_event"}

// Item is what is asked: a verb of an item.
type Item struct {
	Code    uint32
	Set     ks.GUID
	ID      uint32
	Flags   uint32
	Foreign bool // no identifier
}

// ItemOf is what a request asks by its control code and input.
func ItemOf(code uint32, in []byte) Item {
	id, ok := ks.DecodeIdentifier(in)
	if !ok || code == ks.IoctlDisableEvent || Ops[code] == "" {
		return Item{Code: code, Foreign: true}
	}
	return Item{Code: code, Set: id.Set, ID: id.ID, Flags: id.Flags}
}

// Verb is what is asked of the item.
func (it *Item) Verb() string {
	switch {
	case it.Foreign && Ops[it.Code] == "":
		return fmt.Sprintf("code %#x", it.Code)
	case it.Foreign:
		return Ops[it.Code]
	case it.Code == ks.IoctlMethod:
		return "method " + ks.FormatMethodFlags(it.Flags)
	case it.Code == ks.IoctlEnableEvent:
		return "event " + ks.FormatEventFlags(it.Flags)
	}
	return ks.FormatPropertyFlags(it.Flags)
}

// Name is that of the headers, or the numbers.
func (it *Item) Name() string {
	if it.Foreign {
		return "-"
	}
	s := kssets.ByGUID(it.Set)
	if s == nil {
		return fmt.Sprintf("%s %d", it.Set, it.ID)
	}
	if i := s.Item(it.ID); i != nil {
		return i.Name
	}
	return fmt.Sprintf("%s %d", s.Name, it.ID)
}

// StatusName is the name of a status without what all have.
func StatusName(s ks.Status) string { return strings.TrimPrefix(s.String(), "STATUS_") }
