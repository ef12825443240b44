//go:build !linux

package table

func adviseHugePages[V any]([]Entry[V]) {}
