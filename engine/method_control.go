package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// controlMethod is IoControl for a method. As there, most requests take a short way: a method that is sent, works on a
// buffer, and has all that it needs. MethodWithBuffers is the long one.
func (d *Dispatcher) controlMethod(irp *IRP, in, out []byte) (n uint32, status ks.Status) {
	if len(in) >= ks.SizeIdentifier && len(in)|len(out) < express && irp.Memory == nil {
		b := (*[ks.SizeIdentifier]byte)(in)
		lo, hi, word := binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
		e := d.methods.table.Lookup(lo, hi, uint32(word))
		if e != nil && uint32(word>>32) <= sent && e.Value.handler != nil && e.Value.flags&ks.MethodTypeSource == 0 &&
			uint32(len(in)) >= e.Value.minMethod && uint32(len(out)) >= e.Value.minData {
			if irp.owner != d {
				irp.owner = d
			}
			irp.IoStatus.Information = 0
			irp.index = firstMethod + e.Tag
			irp.ident.lo, irp.ident.hi, irp.ident.word = lo, hi, word
			irp.layout.dir = methodDirection(e.Value.flags)
			return irp.serve(e.Value.handler, in, out)
		}
	}
	return irp.finish(d.MethodWithBuffers(irp, in, out, fromPool), out)
}
