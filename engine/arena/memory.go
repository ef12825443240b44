package arena

import "errors"

// fit returns a chunk size of at least n that the backing can give.
func (a *Arena) fit(n uint) uint {
	unit := a.unit()
	return (n + unit - 1) / unit * unit
}

// fitDown returns the largest such size of at most n.
func (a *Arena) fitDown(n uint) uint { return n / a.unit() * a.unit() }

// unit returns what chunk sizes are multiples of.
func (a *Arena) unit() uint {
	switch {
	case a.cfg.HugePages:
		return hugePage
	case a.cfg.OffHeap:
		return uint(pageSize)
	}
	return granule
}

// obtain returns size bytes of memory, and what they are a part of.
func (a *Arena) obtain(size uint) (raw, mem []byte, err error) {
	if !a.cfg.OffHeap {
		mem = make([]byte, size) // at least 256 bytes: such objects are aligned to 16
		return mem, mem, nil
	}
	if !a.cfg.HugePages {
		mem, err = mapMemory(int(size))
		return mem, mem, err
	}
	// A huge page lies on a multiple of its size, a mapping on one of the page size. What is cut off is never touched.
	if raw, err = mapMemory(int(size) + hugePage); err != nil {
		return nil, nil, err
	}
	mem = raw[-address(raw)%hugePage:][:size:size]
	adviseHuge(mem)
	return raw, mem, nil
}

// giveBack ends the memory of c.
func (a *Arena) giveBack(c *chunk) {
	if a.cfg.OffHeap {
		a.lost = errors.Join(a.lost, unmapMemory(c.raw))
	}
	c.raw = nil
}
