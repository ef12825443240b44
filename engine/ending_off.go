//go:build !invariants || race

package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// ending is documented in ending_on.go, as its functions are.
type ending struct{}

func (*ending) begin() {}

func (*ending) note(ks.Status) {}

func (*IRP) surplus() {}

func (*IRP) handedOver() (none invariants.Violation) { return none }
