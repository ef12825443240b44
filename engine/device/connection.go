package device

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// KSPROPERTY_CONNECTION: the properties of KSPROPSETID_Connection that every pin has (OB-18).
const (
	connectionState             = 0
	connectionPriority          = 1
	connectionDataFormat        = 2
	connectionProposeDataFormat = 4
	connectionStartAt           = 7
)

// sizeRelativeEvent is sizeof(KSRELATIVEEVENT).
const sizeRelativeEvent = 80

// connectionSet declares what a pin answers to KSPROPSETID_Connection if its factory does not. The factory is that whose dispatcher has the
// request, which after a swap is another than that which made the pin.
func (f *factory) connectionSet() engine.PropertySet {
	return engine.PropertySet{Set: ks.MustParseGUID("1d58c920-ac9b-11cf-a5d6-28db04c10000"), Items: []engine.PropertyItem{
		{ID: connectionState, Get: ofPin((*Pin).getState), Set: ofPin(f.putState), MinData: 4},
		{ID: connectionPriority, Get: ofPin((*Pin).getPriority), Set: ofPin((*Pin).putPriority), MinData: ks.SizePriority},
		{ID: connectionDataFormat, Get: ofPin((*Pin).getFormat), Set: ofPin(f.putFormat)},
		{ID: connectionProposeDataFormat, Set: ofPin(f.proposeFormat), MinData: ks.SizeDataFormat},
		{ID: connectionStartAt, Set: ofPin((*Pin).startAt), MinData: sizeRelativeEvent},
	}}
}

// ofPin is the handler of a property of a pin.
func ofPin(f func(p *Pin, irp *engine.IRP, data []byte) ks.Status) engine.Handler {
	return func(irp *engine.IRP, _, data []byte) ks.Status {
		p := PinOf(irp)
		if p == nil {
			return irp.Cite("OB-18", ks.StatusInvalidDeviceRequest) // a dispatcher that was taken elsewhere
		}
		return f(p, irp, data)
	}
}

// produced is a success with n bytes.
func produced(irp *engine.IRP, rule string, n int) ks.Status {
	irp.IoStatus.Information = uint64(n)
	return irp.Cite(rule, ks.StatusSuccess)
}

func (p *Pin) getState(irp *engine.IRP, data []byte) ks.Status {
	binary.LittleEndian.PutUint32(data, p.State())
	return produced(irp, "OB-19", 4)
}

func (f *factory) putState(p *Pin, irp *engine.IRP, data []byte) ks.Status {
	to := binary.LittleEndian.Uint32(data)
	if to > ks.StateRun {
		return irp.Cite("OB-19", ks.StatusInvalidParameter)
	}
	status := f.setState(p, to)
	if status == ks.StatusSuccess && to == ks.StateStop {
		p.requests.CancelAll() // OB-21; not under the mutex, as whoever waits for one may go on here
	}
	return irp.Cite("OB-19", status)
}

// setState goes from the state that the pin is in to another, in one step or in all that lie between (OB-19, OB-20).
func (f *factory) setState(p *Pin, to uint32) ks.Status {
	control := &p.handle.object.instance.control
	control.Lock()
	defer control.Unlock()
	for from := p.state.Load(); from != to; {
		next := to
		if f.SingleSteps {
			if next = from - 1; to > from {
				next = from + 1
			}
		}
		if hook := f.SetState; hook != nil {
			if status := notPending(hook(p, next, from)); !status.IsSuccess() {
				return status
			}
		}
		p.state.Store(next)
		from = next
	}
	return ks.StatusSuccess
}

func (p *Pin) getPriority(irp *engine.IRP, data []byte) ks.Status {
	p.Priority().Put(data)
	return produced(irp, "OB-18", ks.SizePriority)
}

func (p *Pin) putPriority(irp *engine.IRP, data []byte) ks.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.priority, _ = ks.DecodePriority(data)
	return irp.Cite("OB-18", ks.StatusSuccess)
}

// getFormat is GET of DATAFORMAT, a value of its own size (OB-22).
func (p *Pin) getFormat(irp *engine.IRP, data []byte) ks.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(data) == 0:
		irp.IoStatus.Information = uint64(len(p.format))
		return irp.Cite("OB-22", ks.StatusBufferOverflow)
	case len(data) < len(p.format):
		return irp.Cite("OB-22", ks.StatusBufferTooSmall)
	}
	return produced(irp, "OB-22", copy(data, p.format))
}

// putFormat is SET of DATAFORMAT (OB-22).
func (f *factory) putFormat(p *Pin, irp *engine.IRP, data []byte) ks.Status {
	if f.FixedFormat {
		return irp.Cite("OB-22", ks.StatusInvalidDeviceRequest)
	}
	format, _, ok := engine.SplitDataFormat(data)
	if !ok {
		return irp.Cite("OB-22", ks.StatusInvalidBufferSize)
	}
	control := &p.handle.object.instance.control
	control.Lock()
	defer control.Unlock()
	return irp.Cite("OB-22", f.setFormat(p, p.format, format)) // only who holds control writes p.format
}

// setFormat gives the pin a format that some range fits and that the driver takes (OB-7).
func (f *factory) setFormat(p *Pin, old, format []byte) ks.Status {
	ranges, hook := f.DataRanges, f.SetFormat
	for i := range ranges {
		if !ranges[i].Fits(format) {
			continue
		}
		status := ks.StatusSuccess
		if hook != nil {
			status = notPending(hook(p, old, format, &ranges[i]))
		}
		switch {
		case status == ks.StatusNoMatch:
		case !status.IsSuccess():
			return status
		default:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.format = append(p.format[:0], format...)
			return ks.StatusSuccess
		}
	}
	return ks.StatusNoMatch
}

// proposeFormat is PROPOSEDATAFORMAT: the checks of a SET of DATAFORMAT, without its effect (OB-22).
func (f *factory) proposeFormat(_ *Pin, irp *engine.IRP, data []byte) ks.Status {
	if f.FixedFormat {
		return irp.Cite("OB-22", ks.StatusInvalidDeviceRequest)
	}
	format, _, ok := engine.SplitDataFormat(data)
	if !ok {
		return irp.Cite("OB-22", ks.StatusInvalidBufferSize)
	}
	for i := range f.DataRanges {
		if f.DataRanges[i].Fits(format) {
			return irp.Cite("OB-22", ks.StatusSuccess)
		}
	}
	return irp.Cite("OB-22", ks.StatusNoMatch)
}

// startAt is STARTAT, which has no effect: a driver that can start at a time declares the property (OB-24).
func (p *Pin) startAt(irp *engine.IRP, _ []byte) ks.Status {
	if p.State() != ks.StatePause {
		return irp.Cite("OB-24", ks.StatusInvalidDeviceState)
	}
	return irp.Cite("OB-24", ks.StatusSuccess)
}
