package machine

import "syscall"

func cpuModel() string {
	if name, err := syscall.Sysctl("machdep.cpu.brand_string"); err == nil && name != "" {
		return name
	}
	return unknown
}
