//go:build purego || invariants || race

package device

// setState is documented in unsafe.go.
func (o *Overlapped) setState(s uint64) { o.state.Store(s) }
