package device

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// PinFactory declares a kind of pin that a filter has: KSPIN_DESCRIPTOR_EX with its dispatch table.
type PinFactory struct {
	engine.PinDescriptor
	// Config has the sets of the pins. What it declares of KSPROPSETID_Connection takes the place of what is answered for all pins.
	// Its OnPanic and Compat are the pins' alone, and its Nodes are set. Its Control answers stream requests and is told of
	// ks.IoctlResetState, in which every pin refuses them (AS-33).
	Config engine.Config

	DenyUserMode bool // a handle in user mode cannot create it: KSPIN_FLAG_DENY_USERMODE_ACCESS (OB-9)
	FixedFormat  bool // its format cannot be changed: KSPIN_FLAG_FIXED_FORMAT (OB-22)
	SingleSteps  bool // SetState sees no state left out, as with standard transport (OB-20)

	// Hooks, which may be nil. A panic in one is a status, as in a handler (P-21). They may take their time, but must not return
	// STATUS_PENDING, which is STATUS_INVALID_DEVICE_REQUEST.
	//
	// SetFormat takes a format, or refuses it with STATUS_NO_MATCH (OB-7). It is called for each range that fits until one takes it;
	// any other error ends that. old is nil for a pin that is being created; the slices are only to be read while it runs.
	SetFormat func(pin *Pin, old, format []byte, matching *engine.DataRange) ks.Status
	// Create is told of a new pin, whose format was taken, and refuses it with an error.
	Create func(pin *Pin, request engine.ConnectRequest) ks.Status
	// SetState changes the state of a pin, and keeps it from changing with an error (OB-19). SetState and, but for a new pin, SetFormat
	// are called one at a time for the pins of a filter instance; a request of theirs to set a state or a format waits forever.
	SetState func(pin *Pin, to, from uint32) ks.Status
	// Cleanup is told that the handle of the pin is closed; requests may still be in flight. Close ends the pin, in whatever state it
	// is (OB-17).
	Cleanup func(pin *Pin)
	Close   func(pin *Pin)
}

// factory is a PinFactory in its place.
type factory struct {
	PinFactory
	id         uint32
	dispatcher *engine.Dispatcher
}

// Pin is an open pin: KSPIN. It is safe for concurrent use.
type Pin struct {
	handle  *Handle
	factory *factory              // that made it
	request engine.ConnectRequest // Format and Attributes as they were at first
	state   atomic.Uint32

	requests  engine.CancelQueue // stream requests that the driver finishes later
	resetting atomic.Bool        // others are refused (AS-33)
	lost      atomic.Bool        // what the pin is of is gone (AS-34)

	mu       sync.Mutex
	format   []byte
	priority ks.Priority
}

// Pin returns the pin that the handle is open on, or nil for a handle of anything else.
func (h *Handle) Pin() *Pin {
	if h.object == nil {
		return nil
	}
	return h.object.pin
}

// Handle returns the handle that the pin was created with.
func (p *Pin) Handle() *Handle { return p.handle }

// Filter returns the handle of the filter instance that the pin is of. It may be closed (OB-14).
func (p *Pin) Filter() *Handle { return p.handle.object.filter() }

// Connected returns the pin that this one was created to be connected to, by its PinToHandle, or nil. Its handle may be closed, but it
// stays while this pin does.
func (p *Pin) Connected() *Pin {
	if peer := p.handle.object.peer; peer != nil {
		return peer.pin
	}
	return nil
}

// ID returns the PinId.
func (p *Pin) ID() uint32 { return p.factory.id }

// State returns the state that the pin is in, one of the ks.State constants.
func (p *Pin) State() uint32 { return p.state.Load() }

// Requests returns the queue for stream requests that the driver finishes later. It keeps them there with
//
//	return pin.Requests().Add(irp)
//
// in its Control, and takes them out with Remove. What is in the queue ends with STATUS_CANCELLED when the pin has entered STOP (OB-21),
// when a reset begins (AS-33), when the handle is closed (AS-24) and when the device is removed (AS-34). A driver that keeps such requests
// elsewhere, or gives them back unfilled, ends them in SetState, its Control, Cleanup and the hook of Device.OnRemove.
func (p *Pin) Requests() *engine.CancelQueue { return &p.requests }

// Format returns a copy of the format that the pin has: a KSDATAFORMAT and what belongs to it.
func (p *Pin) Format() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.format)
}

// Priority returns the priority that its client gave the pin.
func (p *Pin) Priority() ks.Priority {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.priority
}

// The rules by which a create is decided.
var (
	ruleOB1  = "OB-1"
	ruleOB3  = "OB-3"
	ruleOB6  = "OB-6"
	ruleOB7  = "OB-7"
	ruleOB8  = "OB-8"
	ruleOB9  = "OB-9"
	ruleOB10 = "OB-10"
	ruleOB12 = "OB-12"
	ruleOB15 = "OB-15"
	ruleS37  = "S-37"
	ruleAS34 = "AS-34"
	ruleAS35 = "AS-35"
)

// CreateRule names the rule that decided the last CreatePin or Create on the handle, such as "OB-6".
func (h *Handle) CreateRule() string {
	if h.object != nil {
		if rule := h.object.rule.Load(); rule != nil {
			return *rule
		}
	}
	return ruleOB3
}

// decide notes the rule of a create.
func (o *object) decide(rule *string, status ks.Status) ks.Status {
	o.rule.Store(rule)
	return status
}

// longestParameters is how many bytes fit behind the class in a name, whose length has 16 bits (OB-1).
const longestParameters = 65456

// CreatePin creates a pin on the handle of a filter and opens it: KsCreatePin. connect is a KSPIN_CONNECT and the KSDATAFORMAT behind
// it, of which a copy is judged. The new handle has the mode of this one, and is closed by itself: pins outlive the handle of their
// filter (OB-14). CreatePin may be called from any goroutine. As on Windows, an application sees status.Win32() (OB-5).
//
// The status is that of engine.PinSet.ValidateConnectRequest (OB-6), then STATUS_INVALID_HANDLE for a PinToHandle that is no number of
// Device.Handles, or of a pin that is closed, and STATUS_OBJECT_TYPE_MISMATCH for one of anything else (OB-8),
// STATUS_INVALID_DEVICE_STATE if there are as many pins as are possible (OB-12), and what the hooks of the pin return. A handle that
// is closed is STATUS_INVALID_HANDLE, one that has no pins STATUS_OBJECT_NAME_NOT_FOUND (OB-3), one whose mode is denied the access
// STATUS_INVALID_DEVICE_REQUEST (OB-9). Without memory for the pin, or beyond Filter.MaxObjects, the status is
// STATUS_INSUFFICIENT_RESOURCES (S-37).
func (h *Handle) CreatePin(connect []byte) (*Handle, ks.Status) {
	return h.createPin(h.irp.RequestorMode, connect)
}

// createPin is CreatePin in a mode.
func (h *Handle) createPin(mode engine.Mode, connect []byte) (*Handle, ks.Status) {
	if status := h.refusal(); status != ks.StatusSuccess {
		return nil, status
	}
	o := h.object
	if o == nil || o.parent != nil || h.device.filter.Load().now.Load().pins == nil {
		return nil, h.noClass()
	}
	if len(connect) > longestParameters {
		return nil, o.decide(&ruleOB1, ks.StatusInvalidParameter)
	}
	return o.create(mode, func(f *filter) (*Handle, ks.Status) { return o.createPin(f, mode, bytes.Clone(connect)) })
}

// noClass is OB-3: there is nothing of this kind to create.
func (h *Handle) noClass() ks.Status {
	if o := h.object; o != nil {
		o.decide(&ruleOB3, 0)
		if !o.reference() {
			return ks.StatusInvalidHandle
		}
		o.release()
	}
	return ks.StatusObjectNameNotFound
}

// create keeps the object for what is created on it, unless it is closed or access is denied. The filter is the same from beginning to
// end.
func (o *object) create(mode engine.Mode, create func(f *filter) (*Handle, ks.Status)) (h *Handle, status ks.Status) {
	if !o.reference() {
		return nil, o.decide(&ruleOB3, ks.StatusInvalidHandle)
	}
	defer func() {
		if h == nil {
			o.release()
		}
	}()
	f := o.handle.device.filter.Load()
	denied := f.decl.DenyUserMode || o.pin != nil && f.factory(o.pin).DenyUserMode // S-40
	if denied && mode == engine.UserMode {
		return nil, o.decide(&ruleOB9, ks.StatusInvalidDeviceRequest)
	}
	if !o.instance.enter(f.decl.MaxObjects) {
		return nil, o.decide(&ruleS37, ks.StatusInsufficientResources)
	}
	defer func() {
		if h == nil {
			o.instance.leave()
		}
	}()
	return create(f)
}

// createPin is CreatePin from OB-6 on.
func (o *object) createPin(filter *filter, mode engine.Mode, connect []byte) (_ *Handle, status ks.Status) {
	i := o.instance
	now := filter.now.Load()
	if now.pins == nil {
		return nil, o.decide(&ruleOB3, ks.StatusObjectNameNotFound)
	}
	request, status := now.pins.ValidateConnectRequest(connect)
	if status != ks.StatusSuccess {
		return nil, o.decide(&ruleOB6, status)
	}
	f := now.factories[request.PinID]
	switch {
	case f.DenyUserMode && mode == engine.UserMode:
		return nil, o.decide(&ruleOB9, ks.StatusInvalidDeviceRequest)
	}
	peer, status := o.connected(mode, request.PinToHandle)
	if status != ks.StatusSuccess {
		return nil, o.decide(&ruleOB8, status)
	}
	if !i.reserve(f.id, f.InstancesPossible) {
		peer.release()
		return nil, o.decide(&ruleOB12, ks.StatusInvalidDeviceState)
	}
	var h *Handle
	made := false
	defer func() {
		if made {
			return
		}
		if h != nil { // a hook failed, or ended its goroutine: the parent is released by the caller
			h.object.parent = nil
			_ = h.Close()
			h.object.release()
		} else {
			i.giveBack(f.id)
			peer.release()
		}
	}()
	p := &Pin{factory: f, request: request, priority: request.Priority}
	h, err := o.handle.device.newHandle(&object{instance: i, parent: o, pin: p, peer: peer, refs: 2})
	if err != nil {
		return nil, o.decide(&ruleS37, ks.StatusInsufficientResources)
	}
	h.irp.RequestorMode = mode
	status = f.dispatcher.Call(new(engine.IRP), func() ks.Status { return f.setFormat(p, nil, request.Format) })
	if !status.IsSuccess() {
		return nil, o.decide(&ruleOB7, status)
	}
	if f.Create != nil {
		status = f.dispatcher.Call(new(engine.IRP), func() ks.Status { return notPending(f.Create(p, request)) })
	}
	if !status.IsSuccess() {
		return nil, o.decide(&ruleOB15, status)
	}
	made = true
	h.object.created(func() { p.call(f.Cleanup) }, func() { p.call(f.Close) })
	o.decide(&ruleOB6, ks.StatusSuccess)
	return h, ks.StatusSuccess
}

// connected returns the pin that a PinToHandle names, for the mode of the requester, and keeps it (OB-8). What a number stands for is
// told by the type of the object, never by bytes of a client's (S-7, S-26).
func (o *object) connected(mode engine.Mode, number uint64) (*object, ks.Status) {
	if number == 0 {
		return nil, ks.StatusSuccess
	}
	file, status := o.handle.device.handles.Resolve(number, engine.ObjectTypeFile, 0, mode)
	if status != ks.StatusSuccess {
		return nil, status
	}
	h, _ := file.(*engine.FileObject).Object.(*Handle)
	switch {
	case h == nil || h.Pin() == nil:
		return nil, ks.StatusObjectTypeMismatch
	case !h.object.reference():
		return nil, ks.StatusInvalidHandle
	}
	return h.object, ks.StatusSuccess
}

// call calls a hook that returns nothing.
func (p *Pin) call(hook func(*Pin)) {
	if hook != nil {
		call(p.handle, p.factory.dispatcher, func(*Handle) { hook(p) })
	}
}
