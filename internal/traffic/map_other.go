//go:build !unix

package traffic

import "golang.org/x/exp/mmap"

// mapped is a file in memory, whose bytes are copied.
type mapped struct{ *mmap.ReaderAt }

func openMapped(path string) (mapped, error) {
	r, err := mmap.Open(path)
	return mapped{r}, err
}

// Slice returns nil: the bytes have to be read.
func (mapped) Slice(int64, int) []byte { return nil }
