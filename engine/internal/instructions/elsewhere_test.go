//go:build !(linux && amd64 && !purego && !invariants && !race)

package instructions

import "testing"

func TestInstructions(t *testing.T) {
	t.Skip("instructions are counted on linux and amd64, in builds without checks: the figures are of those")
}
