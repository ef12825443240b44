package exec

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/near"
)

// set reads a set: its GUID, or its name in the C headers.
func (d *decoder) set(g *ks.GUID) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	*g, err = lab.ParseSet(text)
	return err
}

// flags reads a number, or names, which finish looks up: what they are depends on the op, which may come later.
func (d *decoder) flags(q *request) (err error) {
	if !d.at('"') {
		q.flags, err = d.uint32()
		return err
	}
	text, err := d.string()
	if err == nil && len(text) == 0 {
		err = errors.New("no name; write a number, or names such as GET|TOPOLOGY")
	}
	d.flagNames = append(d.flagNames[:0], text...)
	return err
}

// flagSets are the names of the flags of a request by their prefix in the C headers.
var flagSets = map[string]map[string]uint32{
	"KSPROPERTY_TYPE_": named(ks.FormatPropertyFlags), "KSMETHOD_TYPE_": named(ks.FormatMethodFlags),
	"KSEVENT_TYPE_": named(ks.FormatEventFlags),
}

func named(format func(uint32) string) map[string]uint32 {
	bits := map[string]uint32{"0": 0}
	for i := range 32 {
		if name := format(1 << i); !strings.HasPrefix(name, "0x") {
			bits[name] = 1 << i
		}
	}
	return bits
}

// lookFlags adds up names such as GET|TOPOLOGY, with or without their prefix.
func lookFlags(op op, names string) (flags uint32, err error) {
	prefix := "KSPROPERTY_TYPE_"
	switch op {
	case opMethod, opFastMethod:
		prefix = "KSMETHOD_TYPE_"
	case opEnableEvent, opDisableEvent, opGenerate:
		prefix = "KSEVENT_TYPE_"
	}
	for name := range strings.SplitSeq(names, "|") {
		name = strings.TrimSpace(name)
		bit, ok := flagSets[prefix][strings.TrimPrefix(name, prefix)]
		if !ok {
			hint := near.Hint(strings.TrimPrefix(name, prefix), maps.Keys(flagSets[prefix]))
			return 0, fmt.Errorf("flags: there is no %s%s%s", prefix, strings.TrimPrefix(clipped(name), prefix), hint)
		}
		flags |= bit
	}
	return flags, nil
}

func clipped(s string) string { return strings.Trim(quote([]byte(s)), `"`) }
