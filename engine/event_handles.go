package engine

import (
	"sync"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// HandleTable numbers the objects of one process. Its zero value is an empty table, safe for concurrent use.
//
// The objects that kernel-mode clients name by address, KEVENT and the like, are in the same table, as there are no addresses
// here: such a client uses the number that Open returned.
type HandleTable struct {
	mu    sync.RWMutex
	slots []handleSlot
	free  []uint32
}

type handleSlot struct {
	object Object
	access uint32
	kernel bool
}

// Open returns a handle of object that grants access to callers of mode and more trusted ones. Handles are multiples of 4 and
// not 0; numbers of closed handles are used again.
func (t *HandleTable) Open(object Object, access uint32, mode Mode) (handle uint64) {
	object.reference(1)
	s := handleSlot{object, access, mode == KernelMode}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.free); n != 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		t.slots[i] = s
		return uint64(i+1) * 4
	}
	t.slots = append(t.slots, s)
	return uint64(len(t.slots)) * 4
}

// Close closes a handle: NtClose. Events that were enabled with it stay enabled. A number that is no handle is
// ks.StatusInvalidHandle.
func (t *HandleTable) Close(handle uint64) ks.Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.slot(handle)
	if s == nil {
		return ks.StatusInvalidHandle
	}
	s.object.reference(-1)
	*s = handleSlot{}
	t.free = append(t.free, uint32(handle/4-1))
	return ks.StatusSuccess
}

// slot returns the slot of an open handle, or nil.
func (t *HandleTable) slot(handle uint64) *handleSlot {
	i := handle/4 - 1
	if handle%4 != 0 || i >= uint64(len(t.slots)) || t.slots[i].object == nil {
		return nil
	}
	return &t.slots[i]
}

// Resolve is Handles.Resolve: a handle of the kernel is none for a user, the type is checked before the access, and the kernel is
// granted every access.
func (t *HandleTable) Resolve(handle uint64, want ObjectType, access uint32, mode Mode) (Object, ks.Status) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.slot(handle)
	switch {
	case s == nil || s.kernel && mode == UserMode:
		return nil, ks.StatusInvalidHandle
	case typeOf(s.object) != want:
		return nil, ks.StatusObjectTypeMismatch
	case mode == UserMode && s.access&access != access:
		return nil, ks.StatusAccessDenied
	}
	return s.object, ks.StatusSuccess
}

func typeOf(o Object) ObjectType {
	switch o := o.(type) {
	case *SyncEvent:
		return ObjectTypeEvent
	case *Semaphore:
		return ObjectTypeSemaphore
	case *Callback:
		return o.kind
	case *FileObject:
		return ObjectTypeFile
	}
	return ObjectTypeWorkItem
}
