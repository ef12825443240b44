package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The short path of a request, whose second half begins when its owner, item, identifier and direction are in the IRP. The pieces
// that are inlined are written so that IoControl keeps on its stack only what it needs after the handler: each word that is
// kept is a store, and their number bounds the path as much as that of the instructions.

// shortPathLimit is the length in bytes from which on a buffer does not take the short path.
const shortPathLimit = 32 << 10

// ready reports that no request is in flight, that the caller's memory is slices, that there is a pool, and that IoControl waits.
func (irp *IRP) ready() bool {
	idle := irp.loadState() == 0
	invariants.Yield() // to a goroutine that finds the same
	return idle && irp.Memory == nil && irp.Pool != nil && irp.UserEvent != nil
}

// setBuffer notes what the buffer of the request is laid out for (P-6, P-13).
func (irp *IRP) setBuffer(in, out uint32) {
	irp.layout.in, irp.layout.out = in, out
	irp.Flags = 0
	irp.rule = ruleP17
	irp.setState(stateShort)
}

// value returns the 4 or 8 bytes of data that a request begins with: what came in, or zeros (P-8).
func value(dir uint64, out []byte) (data uint64) {
	if len(out) == 4 {
		data = uint64(binary.LittleEndian.Uint32(out))
	} else {
		data = binary.LittleEndian.Uint64(out)
	}
	return data & -(dir >> 1) // dataIn is 2, and there is nothing above it
}

// fill writes the buffer of a short request, which is kept.
func (irp *IRP) fill(lo, hi, word, data uint64, in []byte) *shortWindow {
	p := irp.reuse(8 + len(in))
	binary.LittleEndian.PutUint64(p[:], data)
	putWords((*[ks.SizeIdentifier]byte)(p[8:]), lo, hi, word)
	if len(in) == ks.SizeNode {
		binary.LittleEndian.PutUint64(p[8+ks.SizeIdentifier:], binary.LittleEndian.Uint64(in[ks.SizeIdentifier:]))
	}
	return p
}

// short is call for a short request.
func (irp *IRP) short(p *shortWindow, in, out int, handler Handler) (code uint64) {
	d := irp.owner // read now, as a handler may pass the request on to another dispatcher
	defer func() {
		if code == 0 {
			code = 1<<32 | uint64(d.recoveredControl(irp, recover()))
		}
	}()
	request := p[8:]
	if in == ks.SizeIdentifier {
		request = p[8 : 8+ks.SizeIdentifier : 8+ks.SizeIdentifier]
	}
	code = 1<<32 | uint64(handler(irp, request, p[:out:out]))
	return code
}

// capture fills the buffer of any request and returns its parts: the copied request (P-6), and the data, which are what came
// in and then zeros (P-8, S-11). It returns the handler because its caller would have to keep that on the stack, also for the
// requests that are not captured here.
//
//go:noinline
func (irp *IRP) capture(in, out []byte, handler Handler) (request, data []byte, _ Handler) {
	buffer, at := irp.SystemBuffer, (len(out)+7)&^7
	switch dataIn := irp.layout.dir&dataIn != 0; {
	case at == 8 && !dataIn:
		binary.LittleEndian.PutUint64(buffer, 0)
	case len(out) == 4: // most values
		binary.LittleEndian.PutUint64(buffer, uint64(binary.LittleEndian.Uint32(out)))
	case len(out) == 16: // which a call to clear or copy them takes as long for as all the rest
		var data [16]byte
		if dataIn {
			data = [16]byte(out)
		}
		*(*[16]byte)(buffer) = data
	case dataIn:
		clear(buffer[copy(buffer, out):at])
	case at != 0:
		clear(buffer[:at])
	}
	request = buffer[at:len(buffer):len(buffer)]
	irp.ident.write(request)
	if len(request) != ks.SizeIdentifier {
		rest := request[ks.SizeIdentifier:]
		in = in[ks.SizeIdentifier:]
		if irp.ident.flags()&ks.PropertyTypeTopology != 0 {
			binary.LittleEndian.PutUint64(rest, irp.ident.node)
			rest, in = rest[8:], in[8:]
		}
		copyRest(rest, in)
	}
	if len(out) != 0 {
		data = buffer[:len(out):len(out)]
	}
	return request, data, handler
}

// copyRest copies what follows an identifier, or a node, to a place that is as long: for most requests a pin or a node, or with that a
// channel, which a call would take longer for.
func copyRest(to, from []byte) {
	switch len(to) {
	case 8:
		*(*[8]byte)(to) = [8]byte(from)
	case 16:
		*(*[16]byte)(to) = [16]byte(from)
	default:
		copy(to, from)
	}
}

// call calls the handler under a guard (P-21) that is written out, as in Property. It is a function of its own, so that the guard
// and the results are not on the stack of those that have much to do around: 4 ns of 24.
func (irp *IRP) call(request, data []byte, handler Handler) (status ks.Status) {
	d := irp.owner // read now, as a handler may pass the request on to another dispatcher
	status = unreturned
	defer func() {
		if status == unreturned {
			status = d.recoveredControl(irp, recover())
		}
	}()
	status = handler(irp, request, data)
	if status == unreturned {
		status = irp.check(status, 0, 0)
	}
	return status
}

// recoveredControl is recovered for IoControl: after runtime.Goexit, of the handler or of OnPanic, or a Violation there is nobody else
// to finish the request, and Close is not to wait for it.
func (d *Dispatcher) recoveredControl(irp *IRP, value any) ks.Status {
	reported := false
	defer func() {
		if value == nil || !reported {
			irp.desert()
		}
	}()
	status := d.recovered(irp, value)
	reported = true
	return status
}

// plain reports that the handler succeeded and left the request as it was.
func (irp *IRP) plain(status ks.Status, out int) bool {
	return status == ks.StatusSuccess && irp.IoStatus.Information <= uint64(out) && irp.Flags == 0 && irp.loadState() == stateShort
}

// finishChecked finishes a request that is not plain. If it is cancelled before it is waited for, and its cancel routine ends the
// goroutine, nobody else gives it up.
//
//go:noinline
func (irp *IRP) finishChecked(status ks.Status, dir direction, out []byte) (n uint32, _ ks.Status) {
	finished := false
	defer func() {
		if !finished {
			irp.desert()
		}
	}()
	n, status, last := irp.finishControl(irp.check(status, uint32(len(out)), dir), true, out)
	finished = true
	last.do(irp)
	return n, status
}

// answerPlain copies what the handler produced to the caller, if the request produces anything.
func (irp *IRP) answerPlain(used []byte, dir direction, out []byte) (n uint32) {
	irp.IoStatus.Status = ks.StatusSuccess
	information := irp.IoStatus.Information
	if dir&dataOut != 0 {
		switch information { // most values: a call to copy them costs 3 ns more
		case 4:
			*(*[4]byte)(out) = [4]byte(used)
		case 16:
			*(*[16]byte)(out) = [16]byte(used)
		default:
			copy(out, used[:information])
		}
	}
	return uint32(information)
}

// serve is the second half of the short path, for a request whose owner, item, identifier and direction are in irp.
func (irp *IRP) serve(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	in, out = in[:len(in):len(in)], out[:len(out):len(out)]
	irp.enterShort()
	if irp.isClosed() {
		return irp.tooLate(in, out)
	}
	dir := irp.layout.dir // read now, as a handler may pass the request on as another
	size := (len(out)+7)&^7 + len(in)
	if size <= keptSize && irp.isKept() {
		p := irp.reuse(size)
		if (len(out)-4)&^4 == 0 && (len(in) == ks.SizeIdentifier || len(in) == ks.SizeNode) {
			irp.setBuffer(uint32(len(in)), uint32(len(out)))
			binary.LittleEndian.PutUint64(p[:], value(uint64(dir), out))
			irp.ident.write(p[8:])
			if len(in) == ks.SizeNode {
				node := irp.ident.node
				if irp.ident.flags()&ks.PropertyTypeTopology == 0 {
					node = binary.LittleEndian.Uint64(in[ks.SizeIdentifier:])
				}
				binary.LittleEndian.PutUint64(p[8+ks.SizeIdentifier:], node)
			}
			status = ks.Status(irp.short(p, len(in), len(out), handler))
			if !irp.plain(status, len(out)) || irp.Pool == nil || !irp.isLaid() {
				return irp.finishChecked(status, dir, out)
			}
			return irp.finishPlain(irp.window(), dir, out), ks.StatusSuccess
		}
	} else if !irp.takeShort(size) {
		return irp.serveAny(handler, in, out)
	}
	irp.setBuffer(uint32(len(in)), uint32(len(out)))
	request, data, handler := irp.capture(in, out, handler)
	status = irp.call(request, data, handler)
	if !irp.plain(status, len(out)) || irp.Pool == nil || !irp.base.of(irp.SystemBuffer) {
		return irp.finishChecked(status, dir, out)
	}
	used := irp.base.buffer(uint(len(out)+7)&^7 + uint(irp.layout.in))
	n = irp.answerPlain(used, dir, out)
	if !irp.kept {
		irp.SystemBuffer = nil
		if !irp.Pool.TryFree(used) {
			irp.freeOlder(used)
		}
	}
	irp.leaveShort()
	return n, status
}

// finishPlain finishes a request of 4 or 8 bytes of data that is plain. What a SET leaves in the buffer goes nowhere.
func (irp *IRP) finishPlain(p *shortWindow, dir direction, out []byte) (n uint32) {
	irp.IoStatus.Status = ks.StatusSuccess
	information := irp.IoStatus.Information
	if information == 4 { // most values: a call to copy them costs 3 ns more
		irp.answerValue(dir, out)
	} else if dir&dataOut != 0 {
		copy(out, p[:information])
	}
	irp.leaveShort()
	return uint32(information)
}

// serveAny is serve with a buffer that is not simply the arena's next: there may be none.
func (irp *IRP) serveAny(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	dir := irp.layout.dir
	irp.more().pool = irp.Pool
	return irp.finishChecked(irp.callAny(handler, in, out), dir, out)
}

// callAny is call for serveAny.
func (irp *IRP) callAny(handler Handler, in, out []byte) (status ks.Status) {
	d := irp.owner // read now, as in call
	status = unreturned
	defer func() {
		if status == unreturned {
			status = d.recoveredControl(irp, recover())
		}
	}()
	if status = d.run(irp, handler, fromPool, in, out); status == unreturned {
		status = irp.check(status, 0, 0)
	}
	return status
}
