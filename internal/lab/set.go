package lab

import (
	"bytes"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/internal/clip"
	"github.com/ksdispatch/ksdispatch/internal/near"
)

// ParseSet is a set by its GUID, or by its name in the C headers.
func ParseSet(text []byte) (g ks.GUID, err error) {
	if err = g.UnmarshalText(text); err == nil || bytes.ContainsAny(text, "-{") { // the second is a GUID that went wrong
		return g, err
	}
	if s := kssets.ByName(string(text)); s != nil {
		return s.GUID, nil
	}
	name := string(clip.Bytes(text))
	hint := near.Hint(name, func(yield func(string) bool) {
		for s := range kssets.All() {
			if !yield(s.Name) {
				return
			}
		}
	})
	return g, fmt.Errorf("no standard set is called %q; write its GUID, or a name such as KSPROPSETID_Audio%s", name, hint)
}
