package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// controlMethod is IoControl for a method. As there, most requests take a short way: a method that is sent, without a node,
// with buffers of a moderate length, and whose data are in a buffer. control is the long one.
func (d *Dispatcher) controlMethod(irp *IRP, in, out []byte) (n uint32, status ks.Status) {
	if uint64(len(in)-ks.SizeIdentifier) >= express-ks.SizeIdentifier || uint64(len(out)) >= express ||
		irp.SystemBuffer != nil || irp.Memory != nil || irp.Pool == nil {
		return d.control(irp, ks.IoctlMethod, in, out)
	}
	b := (*[ks.SizeIdentifier]byte)(in)
	lo, hi, word := binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	e := d.methods.table.Lookup(lo, hi, uint32(word))
	if uint32(word>>32) > sent || e != nil && e.Value.flags&ks.MethodTypeSource != 0 {
		return d.control(irp, ks.IoctlMethod, in, out)
	}
	irp.InputBufferLength, irp.OutputBufferLength = uint32(len(in)), uint32(len(out))
	irp.IoStatus.Information = 0
	irp.ident.lo, irp.ident.hi, irp.ident.word = lo, hi, word
	if e == nil || e.Value.handler == nil || uint32(len(in)) < e.Value.minMethod || uint32(len(out)) < e.Value.minData {
		return irp.refuse(d.refusedMethod(irp, e))
	}
	if irp.owner != d {
		irp.owner = d
	}
	irp.index = firstMethod + e.Tag
	irp.layout.dir = methodDirection(e.Value.flags)
	return irp.serve(e.Value.handler, in, out)
}
