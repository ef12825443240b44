//go:build purego || invariants || race

package device

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
)

// setState is documented in unsafe.go.
func (o *Overlapped) setState(s uint64) { o.state.Store(s) }

// counter is documented in unsafe.go. Here all requests are counted in the first shard.
type counter struct{ first *atomic.Uint64 }

func (c *counters) counter(meter int) counter { return counter{&c.all[meter]} }

func (c counter) of(*engine.IRP) *atomic.Uint64 { return c.first }
