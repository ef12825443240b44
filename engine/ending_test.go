package engine

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestAS1_CompletionAfterSuccess completes a request of the short path in the moment between the last look at its state and its end:
// both the handler's success and the completion count, which a build with the tag invariants names.
func TestAS1_CompletionAfterSuccess(t *testing.T) {
	irp := &IRP{UserEvent: make(chan struct{}, 1)}
	for _, completed := range []bool{false, true} {
		irp.enterShort()
		irp.setState(stateShort)
		if !irp.plain(ks.StatusSuccess, 0) {
			t.Fatal("the request is not plain")
		}
		if completed {
			done := make(chan bool)
			go func() { done <- irp.Complete(ks.StatusSuccess, 0) }()
			if !<-done {
				t.Error("the completion does not count")
			}
		}
		v := string(invariants.Catch(irp.leaveShort))
		if want := completed && invariants.Strict; strings.Contains(v, "both may count (AS-1)") != want || irp.loadState() != 0 {
			t.Errorf("completed: %t: %q, state %#x", completed, v, irp.loadState())
		}
	}
}

// TestAS24_CloseReturnsWhenReleased: of two goroutines that release what Close leaves behind, the one that comes second waits for the
// first.
func TestAS24_CloseReturnsWhenReleased(t *testing.T) {
	begun, proceed, second := make(chan struct{}), make(chan struct{}), make(chan bool)
	released := false
	c := &closing{release: func() {
		close(begun)
		<-proceed
		released = true
	}}
	go c.run()
	<-begun
	go func() {
		c.run()
		second <- released
	}()
	select {
	case <-second:
		t.Fatal("the second does not wait")
	case <-time.After(10 * time.Millisecond):
	}
	close(proceed)
	if !<-second {
		t.Error("the second returns before what the first releases is")
	}
}

// TestS23_CallbackIsGoneOnce: many who let go of an object at once are one end of it.
func TestS23_CallbackIsGoneOnce(t *testing.T) {
	for range 200 {
		var gone atomic.Int32
		c := NewCallback(ObjectTypeEvent, func(int32) {}, func() { gone.Add(1) })
		const holders = 8
		c.reference(holders)
		var wg sync.WaitGroup
		for range holders {
			wg.Go(func() { c.reference(-1) })
		}
		if wg.Wait(); gone.Load() != 1 {
			t.Fatalf("gone %d times", gone.Load())
		}
	}
}
