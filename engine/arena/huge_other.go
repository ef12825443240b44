//go:build !linux || purego

package arena

func adviseHuge([]byte) {}
