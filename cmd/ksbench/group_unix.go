//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// killGroup makes a shell a group of processes of its own, which ends whole when the command's context does: what the shell started
// would outlive it.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
