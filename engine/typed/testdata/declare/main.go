// Command declare is linked by TestLinking: it declares one property and must not carry the tables of kssets.
package main

import (
	"os"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

func main() {
	var level atomic.Int32
	if _, err := typed.PropertySet(kssets.KSPROPSETID_Audio, typed.ScalarVar(4, &level).Range(0, 9).Default(0)); err != nil {
		os.Exit(1)
	}
}
