//go:build purego || !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package arena

import "errors"

const (
	offHeap  = false
	pageSize = granule
)

func mapMemory(int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapMemory([]byte) error { return errors.ErrUnsupported }
