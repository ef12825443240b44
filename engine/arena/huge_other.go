//go:build !linux || purego

package arena

// adviseHuge does nothing: there is no such advice to give here.
func adviseHuge([]byte) {}
