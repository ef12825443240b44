package engine_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// manyEvents enables n events of one client.
func manyEvents(t testing.TB, n int) (*eventHost, []*engine.SyncEvent) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	events := make([]*engine.SyncEvent, n)
	for i := range events {
		var data []byte
		events[i], data = h.event()
		h.enable(1, enable, uint64(i)+1, data, ks.StatusSuccess)
	}
	h.count(n)
	return h, events
}

func BenchmarkGenerate(b *testing.B) {
	const n = 10_000
	h, events := manyEvents(b, n)
	taken := 0
	for b.Loop() {
		if status := h.list.Generate(&setA, 1); status != ks.StatusSuccess {
			b.Fatal(status)
		}
		for _, e := range events {
			if e.TryWait() {
				taken++
			}
		}
	}
	if taken != b.N*n {
		b.Errorf("%d signals, want %d", taken, b.N*n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/entry")
}

func BenchmarkEnableDisable(b *testing.B) {
	h, _ := manyEvents(b, 10_000)
	_, data := h.event()
	irp := h.irp(1, enable, 1<<40, data)
	off := engine.IRP{InputBufferLength: ks.SizeEventData, FileObject: &h.file, EventData: 1 << 40}
	b.ReportAllocs()
	for b.Loop() {
		if status := h.EnableEvent(irp, h.list); status != ks.StatusSuccess {
			b.Fatal(status)
		}
		irp.Finish(ks.StatusSuccess, nil)
		if status := h.DisableEvent(&off, h.list); status != ks.StatusSuccess {
			b.Fatal(status)
		}
	}
}
