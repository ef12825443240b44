//go:build linux && amd64 && !purego && !invariants && !race

package instructions

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// limit is how many instructions are too many, also for a busy machine, where the runtime interrupts what is stepped often.
const limit = 5_000_000

// step starts this program with the variable child set, and returns for each of n stretches between two breakpoints that it comes to
// how many instructions it took, by function. The program must keep its main goroutine on the first thread: only that is stepped.
func step(child string, n int) (counts []map[string]int, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread() // a process is traced by a thread
	defer runtime.UnlockOSThread()
	p, err := os.StartProcess(self, []string{self}, &os.ProcAttr{
		Env:   append(os.Environ(), child+"=1", "GODEBUG=asyncpreemptoff=1", "GOGC=off"),
		Files: []*os.File{nil, nil, os.Stderr},
		Sys:   &syscall.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = p.Kill()
		var status syscall.WaitStatus
		for !status.Exited() && !status.Signaled() {
			if _, err := syscall.Wait4(p.Pid, &status, syscall.WALL, nil); err != nil && err != syscall.EINTR {
				break
			}
		}
		_ = p.Release()
	}()
	if _, err = trapped(p.Pid); err != nil { // it has not begun yet
		return nil, err
	}
	for range n {
		begin, err := resume(p.Pid)
		if err != nil {
			return nil, err
		}
		count, err := stretch(p.Pid, begin)
		if err != nil {
			return nil, err
		}
		counts = append(counts, count)
	}
	return counts, nil
}

// stretch steps from the breakpoint at begin to the next, and counts the instructions by function. Steps take so long that the runtime
// has the goroutine give way: then a function that has just begun calls morestack, and later begins again. What lies between is left
// out.
func stretch(pid int, begin uint64) (count map[string]int, err error) {
	count = map[string]int{}
	var name string
	var entry uintptr // of the function that was entered last
	var since int     // instructions from there on
	away := false
	for range limit {
		if err := syscall.PtraceSingleStep(pid); err != nil {
			return nil, err
		}
		at, err := trapped(pid)
		if err != nil || at == begin {
			return count, err
		}
		if away {
			if away = uintptr(at) != entry; away {
				continue
			}
			count[name] -= since
		}
		f := runtime.FuncForPC(uintptr(at)) // this program is the one that is stepped
		if f == nil {
			return nil, fmt.Errorf("no function at %#x", at)
		}
		if away = strings.HasPrefix(f.Name(), "runtime.morestack"); away {
			continue
		}
		if name = f.Name(); uintptr(at) == f.Entry() {
			entry, since = f.Entry(), 0
		}
		count[name]++
		since++
	}
	return nil, fmt.Errorf("no breakpoint within %d instructions", limit)
}

// resume lets the process run to its next breakpoint, and returns where that is.
func resume(pid int) (at uint64, err error) {
	if err := syscall.PtraceCont(pid, 0); err != nil {
		return 0, err
	}
	return trapped(pid)
}

// trapped waits until the process stops at a breakpoint or after a step, and returns where. Other signals it does not get.
func trapped(pid int) (at uint64, err error) {
	for {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, syscall.WALL, nil); err == syscall.EINTR {
			continue
		} else if err != nil {
			return 0, err
		}
		if !status.Stopped() {
			return 0, fmt.Errorf("the process ended: status %#x", uint32(status))
		}
		if status.StopSignal() == syscall.SIGTRAP {
			var regs syscall.PtraceRegs
			err := syscall.PtraceGetRegs(pid, &regs)
			return regs.Rip, err
		}
		if err := syscall.PtraceCont(pid, 0); err != nil {
			return 0, err
		}
	}
}
