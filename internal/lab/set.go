package lab

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// ParseSet is a set by its GUID or its name.
func ParseSet(text string) (g ks.GUID, err error) {
	if err = g.UnmarshalText([]byte(text)); err == nil {
		return g, nil
	}
	if s := kssets.ByName(text); s != nil {
		return s.GUID, nil
	}
	return g, fmt.Errorf("set %q: no standard set is called so; write its GUID, or a name such as KSPROPSETID_Audio", text)
}
