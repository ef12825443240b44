//go:build purego || invariants || race

package device

import "github.com/ksdispatch/ksdispatch/engine"

// shardOf is documented in unsafe.go. Here all requests share one counter.
func shardOf(*engine.IRP) uint { return 0 }
