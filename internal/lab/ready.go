package lab

// Ready makes the workload ready, with tables and requests of the seed, and returns what sends the first n of its
// requests through open handles of the engine, from the first again after Requests of them, and returns a checksum. close
// releases the arenas.
func (w Workload) Ready(seed uint64) (send func(n int) uint64, close func() error, err error) {
	b, err := w.prepare(seed)
	if err != nil {
		return nil, nil, err
	}
	return b.irpEngine, b.close, nil
}
