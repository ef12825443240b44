//go:build !linux

package engine

// fence is documented in fence_linux.go.
func fence() { fenceWorld() }
