package exec

import (
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// maxPlain is the longest input or output in bytes that is a slice of that length. It is also the longest output that an
// outcome prints.
const maxPlain = 65536

// callerMemory is the memory of one request's caller.
type callerMemory struct {
	block []byte // where in and out lie; kept from request to request

	// in and out are the buffers, or their beginnings, behind which everything is zero. With alias they overlap.
	in, out []byte

	irp      *engine.IRP
	inLen    uint32
	limit    uint32 // longer output is not made whole
	alias    bool
	faultIn  bool
	faultOut bool

	// pool is the length of the pool buffer that was there when the dispatcher last touched this memory, 0 for none: if a
	// fault ends the request, that buffer is freed before the dispatcher returns (P-9).
	pool int
}

// fill lays out the buffers of q and returns whether they are whole: plain slices of the request's lengths.
func (m *callerMemory) fill(q *request) (plain bool) {
	m.inLen, m.alias, m.pool = q.in, q.alias, 0
	m.faultIn, m.faultOut = false, false
	plain = q.in <= maxPlain && q.out <= maxPlain
	inLen, outLen := int64(q.in), int64(q.out)
	if q.in > maxPlain {
		inLen = min(inLen, int64(ks.SizeIdentifier+len(q.extra)))
	}
	if q.out > maxPlain {
		outLen = int64(len(q.output))
		if q.alias {
			outLen = max(outLen, min(inLen, int64(q.out)))
		}
	}
	size := inLen + outLen
	if q.alias {
		size = max(inLen, outLen)
	}
	if int64(cap(m.block)) < size {
		m.block = make([]byte, size)
	}
	block := m.block[:size]
	m.in, m.out = block[:inLen:inLen], block[size-outLen:]
	if q.alias {
		m.out = block[:outLen:outLen]
	}
	clear(m.out[copy(m.out, q.output):])

	var head [ks.SizeIdentifier]byte
	ks.Identifier{Set: q.set, ID: q.id, Flags: q.flags}.Put(head[:])
	n := copy(m.in, head[:])
	n += copy(m.in[n:], q.extra)
	clear(m.in[n:])
	if end := int64(min(q.in, q.out)); q.alias && inLen < end {
		clear(m.out[inLen:max(inLen, min(end, outLen))]) // input that is made up, over output that is there
	}
	return plain
}

// observe notes the pool buffer that the dispatcher obtained.
func (m *callerMemory) observe() {
	if m.irp.Flags&engine.BufferedIO != 0 {
		m.pool = len(m.irp.SystemBuffer)
	}
}

func (m *callerMemory) ReadInput(dst []byte, off uint32) ks.Status {
	m.observe()
	if m.faultIn {
		return ks.StatusAccessViolation
	}
	n := 0
	if uint64(off) < uint64(len(m.in)) {
		n = copy(dst, m.in[off:])
	}
	clear(dst[n:])
	return ks.StatusSuccess
}

func (m *callerMemory) ReadOutput(dst []byte) ks.Status {
	m.observe()
	if m.faultOut {
		return ks.StatusAccessViolation
	}
	clear(dst[copy(dst, m.out):])
	return ks.StatusSuccess
}

func (m *callerMemory) ProbeOutput(uint32) ks.Status {
	m.observe()
	if m.faultOut {
		return ks.StatusAccessViolation
	}
	return ks.StatusSuccess
}

func (m *callerMemory) WriteOutput(src []byte) ks.Status {
	if m.faultOut {
		return ks.StatusAccessViolation
	}
	copy(m.out, src)
	return ks.StatusSuccess
}
