package difftest

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// longest is how much of the longest buffers exists: what is longer than this fails before anybody reads it.
const longest = 1 << 16

// caller is the memory of the one who asks. It implements engine.Memory: it faults as the request says, counts who reads
// it, and its input changes after it was read.
type caller struct {
	in, out []byte
	fault   model.Fault
	irp     *engine.IRP

	readIn, readOut []bool // which bytes were read
	captured        bool   // by an earlier pass: nobody may read any more
	completing      bool   // writing is allowed
	obtained        int    // bytes of SystemBuffer when the output was touched, -1 if it was not
	complaints      []string
}

// newCaller returns the memory of q before the request. With q.Alias, input and output are one block (P-11).
func newCaller(q *model.Request, irp *engine.IRP) *caller {
	in := make([]byte, min(q.In, longest))
	head := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: q.Set, ID: q.ID, Flags: q.Flags}.Put(head)
	copy(in, append(head, q.Extra...))
	out := make([]byte, min(q.Out, longest))
	copy(out, q.Data)
	if q.Alias {
		block := make([]byte, max(len(in), len(out)))
		copy(block, out)
		copy(block, in)
		in, out = block[:len(in):len(in)], block[:len(out):len(out)]
	}
	return &caller{in: in, out: out, irp: irp, obtained: -1, readIn: make([]bool, len(in)), readOut: make([]bool, len(out))}
}

func (c *caller) complain(format string, args ...any) {
	c.complaints = append(c.complaints, fmt.Sprintf(format, args...))
}

func (c *caller) read(what string, read []bool, off, n int) bool {
	if c.captured {
		c.complain("P-15: %s is read again after an earlier pass captured it", what)
	}
	if off+n > len(read) {
		c.complain("%s is read up to %d, beyond its %d bytes", what, off+n, len(read))
		return false
	}
	for i := off; i < off+n; i++ {
		if read[i] {
			c.complain("S-2: byte %d of %s is read twice", i, what)
			break
		}
	}
	for i := off; i < off+n; i++ {
		read[i] = true
	}
	return true
}

func (c *caller) ReadInput(dst []byte, off uint32) ks.Status {
	if !c.read("the input", c.readIn, int(off), len(dst)) || c.fault == model.FaultIn {
		return ks.StatusAccessViolation
	}
	copy(dst, c.in[off:])
	if len(c.out) == 0 || len(c.in) == 0 || &c.in[0] != &c.out[0] { // the output of aliased memory is still to be compared
		for i := range dst {
			c.in[int(off)+i] ^= 0xFF
		}
	}
	return ks.StatusSuccess
}

func (c *caller) ReadOutput(dst []byte) ks.Status {
	c.obtained = len(c.irp.SystemBuffer)
	if !c.read("the output", c.readOut, 0, len(dst)) || c.fault == model.FaultOut {
		return ks.StatusAccessViolation
	}
	copy(dst, c.out)
	return ks.StatusSuccess
}

func (c *caller) ProbeOutput(n uint32) ks.Status {
	c.obtained = len(c.irp.SystemBuffer)
	if c.captured {
		c.complain("P-15: the output is probed again after an earlier pass did so")
	}
	if int(n) != len(c.out) || n == 0 {
		c.complain("P-8: %d of %d bytes are probed", n, len(c.out))
	}
	if c.fault == model.FaultOut {
		return ks.StatusAccessViolation
	}
	return ks.StatusSuccess
}

func (c *caller) WriteOutput(src []byte) ks.Status {
	if !c.completing {
		c.complain("P-8: the output is written before completion")
	}
	if c.fault == model.FaultOut {
		return ks.StatusAccessViolation
	}
	if len(src) > len(c.out) {
		c.complain("S-6: %d bytes are written to an output of %d", len(src), len(c.out))
	}
	copy(c.out, src)
	return ks.StatusSuccess
}
