// Command lookup uses a lookup of package kssets; see TestLinking.
package main

import (
	"os"

	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

func main() {
	os.Stdout.WriteString(kssets.PropertyName(kssets.KSPROPSETID_Audio, uint32(len(os.Args))))
}
