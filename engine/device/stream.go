package device

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// streamControl is what answers the control codes of a pin: own, with what every pin does about ks.IoctlResetState. ResetBegin cancels
// the stream requests that are queued, and until ResetEnd the pin refuses others, whatever its state becomes meanwhile (AS-33). own,
// which may be nil, is told of both, and an error of its own, but that it does not know the code, keeps the pin as it was.
func streamControl(own engine.ControlHandler) engine.ControlHandler {
	return func(irp *engine.IRP, code uint32, in, out []byte) ks.Status {
		p := PinOf(irp)
		switch {
		case p == nil: // a dispatcher that was taken elsewhere
		case code == ks.IoctlResetState:
			return p.reset(own, irp, in, out)
		case code == ks.IoctlReadStream || code == ks.IoctlWriteStream:
			return p.stream(own, irp, code, in, out)
		}
		return answer(own, irp, code, in, out)
	}
}

// answer calls own, if there is one (AS-28).
func answer(own engine.ControlHandler, irp *engine.IRP, code uint32, in, out []byte) ks.Status {
	if own == nil {
		return irp.Cite("AS-28", ks.StatusInvalidDeviceRequest)
	}
	return own(irp, code, in, out)
}

// stream is a stream request. One that was queued while others were cancelled is cancelled too (AS-25).
func (p *Pin) stream(own engine.ControlHandler, irp *engine.IRP, code uint32, in, out []byte) ks.Status {
	switch {
	case p.lost.Load(): // of one who sends IRPs of his own
		return irp.Cite(ruleAS34, ks.StatusDeviceRemoved)
	case p.resetting.Load():
		return irp.Cite("AS-33", ks.StatusDeviceNotReady)
	}
	status := answer(own, irp, code, in, out)
	if status == ks.StatusPending && (p.resetting.Load() || p.lost.Load() || p.handle.object.isClosed()) {
		p.requests.CancelAll()
	}
	return status
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
	if what == ks.ResetBegin {
		p.requests.CancelAll()
	}
	if own != nil {
		switch status := own(irp, ks.IoctlResetState, in, out); {
		case status == ks.StatusInvalidDeviceRequest: // it does not know the code (AS-28): the default
		case status.IsError():
			p.resetting.Store(before)
			return status
		default:
			return status
		}
	}
	return irp.Cite("AS-33", ks.StatusSuccess)
}
