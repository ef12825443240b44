//go:build !linux && !darwin

package machine

import "os"

func cpuModel() string {
	if name := os.Getenv("PROCESSOR_IDENTIFIER"); name != "" { // set by Windows
		return name
	}
	return unknown
}

func kernelRelease() string { return unknown }
