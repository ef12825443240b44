package engine

import (
	"strings"
	"testing"

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
