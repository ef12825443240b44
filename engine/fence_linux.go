package engine

import (
	"runtime"
	"sync"
	"syscall"
)

// membarrier(2), whose numbers package syscall does not have.
const (
	membarrierRegister  = 1 << 4 // MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
	membarrierExpedited = 1 << 3 // MEMBARRIER_CMD_PRIVATE_EXPEDITED
)

// fence makes every thread of the process pass a memory barrier: what others stored before it is seen afterwards, and what they
// load afterwards was stored before it. So Close pays for an order that otherwise each request would pay for.
func fence() {
	if !membarrier() {
		fenceWorld()
	}
}

var registerMembarrier = sync.OnceValue(func() bool {
	return membarrierNumber() != 0 && membarrierCall(membarrierRegister)
})

func membarrier() bool { return registerMembarrier() && membarrierCall(membarrierExpedited) }

func membarrierCall(command uintptr) bool {
	_, _, errno := syscall.RawSyscall(membarrierNumber(), command, 0, 0)
	return errno == 0
}

func membarrierNumber() uintptr {
	switch runtime.GOARCH {
	case "amd64":
		return 324
	case "386":
		return 375
	case "arm":
		return 389
	case "s390x":
		return 356
	case "arm64", "riscv64", "loong64":
		return 283
	}
	return 0
}
