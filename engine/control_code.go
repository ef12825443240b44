package engine

import (
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// controlCode is IoControl for a code that is none of the four of KS (AS-28).
func (d *Dispatcher) controlCode(irp *IRP, code uint32, in, out []byte) (status ks.Status) {
	irp.IoStatus.Information = 0
	irp.index, irp.ident = noItem, ident{}
	irp.own(d)
	if (uint64(len(out))+7)&^7+uint64(len(in)) > math.MaxUint32 {
		return irp.decide(ruleP5, ks.StatusInvalidBufferSize)
	}
	returned := false
	defer d.guard(irp, &returned, &status)
	request, data, status := irp.layCode(ks.TransferMethod(code), in, out)
	if status == ks.StatusSuccess {
		outLen := irp.layout.out
		irp.rule = ruleAS28
		irp.open()
		status = irp.check(d.other(irp, code, request, data), outLen, dataOut)
	}
	returned = true
	return status
}

// layCode obtains the buffer of a request with a code of that method, and captures what the caller has.
func (irp *IRP) layCode(method uint32, in, out []byte) (request, data []byte, status ks.Status) {
	if method == ks.MethodInDirect || method == ks.MethodOutDirect {
		return irp.layDirect(method, in, out)
	}
	inLen, outLen := irp.InputBufferLength, irp.OutputBufferLength
	irp.layout = layout{in: inLen, out: outLen, dir: dataOut}
	if method == ks.MethodNeither {
		irp.layout.dir |= dataIn
	}
	if !irp.takePool(uint32(irp.layout.size())) {
		return nil, nil, irp.decide(ruleP10, ks.StatusInsufficientResources)
	}
	irp.anchored(irp.SystemBuffer)
	irp.change(stateLaid, 0)
	buffer, at := irp.SystemBuffer[:irp.layout.size()], irp.layout.requestOffset()
	irp.rule = ruleP9
	status = irp.captureData(buffer[:at], out)
	if status == ks.StatusSuccess {
		clear(buffer[at:])
		if method == ks.MethodBuffered {
			at = 0
		}
		request, data = whole(buffer[at:], inLen), whole(buffer, outLen)
		status = irp.readInput(request, in, 0)
	}
	if status != ks.StatusSuccess {
		irp.releaseBuffer()
	}
	return request, data, status
}

// layDirect is layCode with the output buffer behind an MDL, as for a SOURCE method (M-4).
func (irp *IRP) layDirect(method uint32, in, out []byte) (request, data []byte, status ks.Status) {
	irp.layout = layout{in: irp.InputBufferLength, out: irp.OutputBufferLength}
	if !irp.takePool(irp.layout.in) {
		return nil, nil, irp.decide(ruleP10, ks.StatusInsufficientResources)
	}
	irp.layout.source = true
	irp.anchored(irp.SystemBuffer)
	irp.change(stateLaid, 0)
	irp.rule = ruleP9
	request = whole(irp.SystemBuffer, irp.layout.in)
	if status = irp.readInput(request, in, 0); status == ks.StatusSuccess && irp.layout.out != 0 {
		access := ModifyAccess
		if method == ks.MethodInDirect {
			access = ReadAccess
		}
		status = irp.lock(access, out)
	}
	if status != ks.StatusSuccess {
		irp.releaseBuffer()
	}
	return request, irp.view(), status
}

// whole returns the first n bytes of b, which cannot be extended, or nil for none.
func whole(b []byte, n uint32) []byte {
	if n == 0 {
		return nil
	}
	return b[:n:n]
}
