package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// notificationTarget checks how a client wants to be told, and resolves what is to be signalled with the mode of the client: E-7,
// E-8, S-4, S-23.
func (irp *IRP) notificationTarget(data *ks.EventData) (object Object, adjustment int32, status ks.Status) {
	bad := func(r rule) (Object, int32, ks.Status) { return nil, 0, irp.decide(r, ks.StatusInvalidParameter) }
	kind := data.NotificationType
	if irp.RequestorMode == UserMode && kind != ks.NotificationEventHandle && kind != ks.NotificationSemaphoreHandle {
		return bad(ruleE7)
	}
	want, reserved := ObjectTypeEvent, data.Reserved
	adjustment = 1
	switch kind {
	case ks.NotificationEventHandle:
		reserved |= uint64(uint32(data.Increment) | uint32(data.Adjustment))
	case ks.NotificationSemaphoreHandle: // the union ends before Reserved
		want, reserved, adjustment = ObjectTypeSemaphore, uint64(uint32(data.Increment)), data.Adjustment
	case ks.NotificationEventObject:
	case ks.NotificationSemaphoreObject:
		want, reserved, adjustment = ObjectTypeSemaphore, 0, data.Adjustment
	case ks.NotificationDPC, ks.NotificationWorkItem, ks.NotificationKsWorkItem:
		want = ObjectTypeWorkItem
	default:
		return bad(ruleE7)
	}
	if reserved != 0 || adjustment <= 0 {
		return bad(ruleE8)
	}
	irp.rule = ruleE8
	if irp.FileObject == nil || irp.FileObject.Handles == nil {
		return nil, 0, ks.StatusInvalidHandle
	}
	object, status = irp.FileObject.Handles.Resolve(data.Object, want, ModifyState, irp.RequestorMode)
	if status == ks.StatusSuccess && typeOf(object) != want {
		status = ks.StatusObjectTypeMismatch // of a Handles that does not look
	}
	return object, adjustment, status
}

// signal tells the client, by the type of notification (E-21). A buffered event gets data queued instead (E-24, E-25).
func (e *EventEntry) signal(data []byte) ks.Status {
	if e.flags&ks.EventEntryBuffered != 0 {
		limits := &defaultQueueLimits
		if e.list != nil {
			limits = &e.list.limits
		}
		if !e.pool.enqueue(e, data, limits) {
			return e.owner.compat.QueueFull
		}
		if !e.owner.compat.SignalBuffered {
			return ks.StatusSuccess
		}
	}
	switch o := e.object.(type) {
	case *SyncEvent:
		o.Set()
	case *Semaphore:
		return o.Release(e.adjustment)
	case *Callback:
		o.signal(e.adjustment)
	case *WorkItem:
		if !o.queue(e) {
			return ks.StatusUnsuccessful
		}
	default:
		return ks.StatusInvalidParameter // an entry that was discarded
	}
	return ks.StatusSuccess
}
