package exec

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// signal is what generate did to the events of one KSEVENTDATA address.
type signal struct {
	eventData uint64
	count     uint64
}

// enable completes a line of op enable_event. Its output buffer begins with a KSEVENTDATA: the notification, then data. The
// KSQUERYBUFFER of a QUERYBUFFER names the event with event_data, unless extra says something else.
func (d *decoder) enable(q *request) error {
	const notificationBytes = 4
	if n := len(q.data); n != 0 && uint64(n)+notificationBytes > uint64(q.out) {
		return fmt.Errorf("data has %d bytes, which with the %d of notification is more than out, %d", n, notificationBytes, q.out)
	}
	d.output = binary.LittleEndian.AppendUint32(d.output[:0], q.notification)
	d.output = append(d.output, q.data...)
	q.output = d.output[:min(uint64(len(d.output)), uint64(q.out))]
	if q.flags&ks.EventTypeQueryBuffer != 0 && !d.given("extra") && q.in >= ks.SizeQueryBuffer {
		d.extra = binary.LittleEndian.AppendUint64(d.extra[:0], q.eventData)
		q.extra = d.extra
	}
	return nil
}

// notices are what enabled events signal. Every enable gets an object of its own, whatever handle it names, so that signals can
// be told apart; any number is a handle of the type that is wanted.
type notices struct {
	latest  *notice // of the enable that is on its way
	entries map[*engine.EventEntry]*notice
	worker  *engine.Worker // made when first needed
	hit     []*notice
}

// notice is the object of one enabled event.
type notice struct {
	event     *engine.SyncEvent
	semaphore *engine.Semaphore
	calls     atomic.Uint64
	eventData uint64
}

// Resolve is engine.Handles.
func (n *notices) Resolve(_ uint64, want engine.ObjectType, _ uint32, _ engine.Mode) (engine.Object, ks.Status) {
	it := new(notice)
	n.latest = it
	switch want {
	case engine.ObjectTypeEvent:
		it.event = engine.NewSyncEvent()
		return it.event, ks.StatusSuccess
	case engine.ObjectTypeSemaphore:
		const limit = 1<<31 - 1
		it.semaphore = engine.NewSemaphore(limit)
		return it.semaphore, ks.StatusSuccess
	}
	if n.worker == nil {
		n.worker = engine.NewWorker()
	}
	return n.worker.NewWorkItem(func(*engine.EventEntry) { it.calls.Add(1) }), ks.StatusSuccess
}

// enabled notes the object of an entry. Without an entry nothing was enabled. Entries are used again, so the map has as many as
// there ever were at one time.
func (n *notices) enabled(entry *engine.EventEntry) {
	if entry == nil {
		return
	}
	if n.entries == nil {
		n.entries = make(map[*engine.EventEntry]*notice)
	}
	n.latest.eventData = entry.EventData()
	n.entries[entry] = n.latest
}

func (n *notices) close() {
	if n.worker != nil {
		n.worker.Close()
	}
}

// take takes the signals that an object has, and returns how many.
func (it *notice) take() (count uint64) {
	switch {
	case it.event != nil:
		if it.event.TryWait() {
			count = 1
		}
	case it.semaphore != nil:
		if it.semaphore.Drain() != 0 {
			count = 1
		}
	default:
		count = it.calls.Swap(0)
	}
	return count
}

// disable answers op disable_event. A handle disables what was enabled through it, from whichever list of its filter it is on.
func (s *Session) disable(to *recipient, irp *engine.IRP) (status ks.Status) {
	if to.handle == nil {
		return to.dispatcher.DisableEvent(irp, to.object.events)
	}
	for _, o := range s.all {
		status = to.dispatcher.DisableEvent(irp, o.events)
		if one := irp.InputBufferLength != 0; one && status == ks.StatusSuccess {
			break
		}
	}
	return status
}

// generate answers op generate: KsGenerateEvents of the object, count times, with data for those that are buffered. A zero set
// means any.
func (s *Session) generate(buf []byte, o *object) []byte {
	q, n := &s.q, &s.notices
	var set *ks.GUID
	if q.set != (ks.GUID{}) {
		set = &q.set
	}
	out := outcome{signals: []signal{}, rule: "E-23"}
	at := make(map[uint64]int) // index in out.signals
	for range q.count {
		n.hit = n.hit[:0]
		status := o.events.GenerateData(set, q.id, q.data, func(entry *engine.EventEntry) bool {
			n.hit = append(n.hit, n.entries[entry])
			return true
		})
		if out.status == ks.StatusSuccess {
			out.status = status
		}
		if len(n.hit) == 0 {
			break // nor will there be any the next time
		}
		if n.worker != nil {
			n.worker.Flush()
		}
		for _, it := range n.hit {
			count := it.take()
			if count == 0 {
				continue // queued, not signalled (E-25)
			}
			i, ok := at[it.eventData]
			if !ok {
				i = len(out.signals)
				at[it.eventData] = i
				out.signals = append(out.signals, signal{eventData: it.eventData})
			}
			out.signals[i].count += count
		}
	}
	return s.append(buf, &out)
}

func appendSignals(b []byte, signals []signal) []byte {
	b = append(b, `,"signals":[`...)
	for i, x := range signals {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(append(b, `{"event_data":`...), x.eventData, 10)
		b = strconv.AppendUint(append(b, `,"count":`...), x.count, 10)
		b = append(b, '}')
	}
	return append(b, ']')
}
