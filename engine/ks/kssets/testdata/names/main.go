// Command names uses the names of package kssets and none of its lookups; see TestLinking.
package main

import (
	"os"

	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

func main() {
	os.Exit(int(kssets.KSPROPSETID_Audio[len(os.Args)&1]) + int(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL))
}
