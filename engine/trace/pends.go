package trace

import (
	"sync"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Pends sees which requests handlers leave pending, so that a recorder can mark them and a replay complete them. Wrap is put around
// the handlers before their device is made: config.Wrap(pends.Wrap). The zero value is ready; it is safe for concurrent use.
type Pends struct {
	mu    sync.RWMutex
	files map[*engine.FileObject]func(irp *engine.IRP, data []byte)
}

// Wrap returns a handler that does what another does. It costs a call.
func (p *Pends) Wrap(h engine.Handler) engine.Handler {
	if h == nil {
		return nil
	}
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		status := h(irp, request, data)
		if status == ks.StatusPending {
			p.tell(irp, data)
		}
		return status
	}
}

// tell tells whoever watches the handle of a request that it is left pending.
func (p *Pends) tell(irp *engine.IRP, data []byte) {
	p.mu.RLock()
	f := p.files[irp.FileObject]
	p.mu.RUnlock()
	if f != nil {
		f(irp, data)
	}
}

// watch has f called when a request of a file is left pending, on the goroutine of its handler.
func (p *Pends) watch(file *engine.FileObject, f func(irp *engine.IRP, data []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.files == nil {
		p.files = make(map[*engine.FileObject]func(*engine.IRP, []byte))
	}
	p.files[file] = f
}

func (p *Pends) forget(file *engine.FileObject) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.files, file)
}

// generate generates an event on a device, and counts those that were enabled.
func generate(dev *device.Device, set *ks.GUID, id uint32, data []byte) (status ks.Status, n uint64) {
	status = dev.Events().GenerateData(set, id, data, func(*engine.EventEntry) bool {
		n++
		return true
	})
	return status, n
}
