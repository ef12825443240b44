package machine

import (
	"os"
	"strings"
)

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return unknown
	}
	return modelOf(text)
}

func kernelRelease() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if release := strings.TrimSpace(string(text)); err == nil && release != "" {
		return release
	}
	return unknown
}
