package rival

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
)

// Declared returns the object that Switch and Direct know.
func Declared() (engine.Config, error) {
	m, err := drivers.Load(Driver)
	if err != nil {
		return engine.Config{}, err
	}
	for i := range m.Objects {
		if m.Objects[i].Name == Object {
			return m.Objects[i].Config(manifest.Options{}), nil
		}
	}
	return engine.Config{}, fmt.Errorf("the driver %s has no object %q: go generate ./internal/lab/rival", Driver, Object)
}
