package machine

import "syscall"

func cpuModel() string {
	if name, err := syscall.Sysctl("machdep.cpu.brand_string"); err == nil && name != "" {
		return name
	}
	return unknown
}

func kernelRelease() string {
	if release, err := syscall.Sysctl("kern.osrelease"); err == nil && release != "" {
		return release
	}
	return unknown
}
