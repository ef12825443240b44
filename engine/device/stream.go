package device

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// streamControl is what answers the control codes of a pin: own, with what every pin does about ks.IoctlResetState. From ResetBegin to
// ResetEnd the pin refuses stream requests, whatever its state becomes meanwhile (AS-33). own, which may be nil, is told of both, and an
// error of its own, but that it does not know the code, keeps the pin as it was.
func streamControl(own engine.ControlHandler) engine.ControlHandler {
	return func(irp *engine.IRP, code uint32, in, out []byte) ks.Status {
		p := PinOf(irp)
		switch {
		case p == nil: // a dispatcher that was taken elsewhere
		case code == ks.IoctlResetState:
			return p.reset(own, irp, in, out)
		case (code == ks.IoctlReadStream || code == ks.IoctlWriteStream) && p.resetting.Load():
			return irp.Cite("AS-33", ks.StatusDeviceNotReady)
		}
		if own == nil {
			return irp.Cite("AS-28", ks.StatusInvalidDeviceRequest)
		}
		return own(irp, code, in, out)
	}
}

// reset is ks.IoctlResetState.
func (p *Pin) reset(own engine.ControlHandler, irp *engine.IRP, in, out []byte) ks.Status {
	if len(in) < 4 {
		return irp.Cite("AS-33", ks.StatusInvalidBufferSize)
	}
	what := binary.LittleEndian.Uint32(in)
	if what > ks.ResetEnd {
		return irp.Cite("AS-33", ks.StatusInvalidParameter)
	}
	before := p.resetting.Swap(what == ks.ResetBegin)
	if own != nil {
		switch status := own(irp, ks.IoctlResetState, in, out); {
		case status == ks.StatusInvalidDeviceRequest: // AS-29
		case status.IsError():
			p.resetting.Store(before)
			return status
		default:
			return status
		}
	}
	return irp.Cite("AS-33", ks.StatusSuccess)
}
