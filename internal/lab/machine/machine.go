// Package machine describes the machine that a measurement was made on. Without that, a number of nanoseconds means
// nothing.
package machine

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// unknown stands for whatever cannot be found out: the field is never left out or guessed.
const unknown = "unknown"

// Describe returns the facts of this machine and this build, and the time of day.
func Describe() report.Environment {
	env := report.Environment{
		CPU:            cpuModel(),
		Cores:          runtime.NumCPU(),
		GOMAXPROCS:     runtime.GOMAXPROCS(0),
		OS:             runtime.GOOS,
		Arch:           runtime.GOARCH,
		GoVersion:      runtime.Version(),
		Level:          unknown,
		Commit:         unknown,
		Time:           time.Now().UTC().Format(time.RFC3339Nano),
		Kernel:         kernelRelease(),
		Virtualization: hypervisor(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		env.Level = level(info)
		env.Commit = stampedCommit(info)
	}
	if env.Commit == unknown {
		env.Commit = sourceCommit()
	}
	return env
}

// level is the instruction set that the compiler was allowed to use, such as GOAMD64=v1.
func level(info *debug.BuildInfo) string {
	for _, s := range info.Settings {
		switch s.Key {
		case "GOAMD64", "GOARM64", "GOARM", "GO386", "GOPPC64", "GORISCV64", "GOMIPS", "GOMIPS64":
			return s.Key + "=" + s.Value
		}
	}
	return unknown
}

// stampedCommit is what the go command recorded in the binary, with "+dirty" for a changed tree.
func stampedCommit(info *debug.BuildInfo) string {
	revision, dirty := unknown, ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && s.Value != "":
			revision = fmt.Sprintf("%.12s", s.Value)
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if revision == unknown {
		return unknown
	}
	return revision + dirty
}

// sourceCommit asks git about the directory of this very file, for "go run" and "go test", which stamp nothing. Those
// put their binary into a directory named go-build*, and build it from the source as it is now; for any other binary
// the tree may have moved on or be somebody else's, and the answer stays unknown.
func sourceCommit() string {
	program, err := os.Executable()
	if err != nil || !strings.Contains(program, "go-build") {
		return unknown
	}
	const here = "internal/lab/machine/machine.go"
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return unknown
	}
	if !filepath.IsAbs(file) { // -trimpath: only the root of the source can still be told
		if _, err := os.Stat(here); err != nil {
			return unknown
		}
		file = here
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	git := exec.CommandContext(ctx, "git", "-C", filepath.Dir(file), "describe", "--always", "--dirty=+dirty", "--abbrev=12", "--exclude=*")
	git.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0") // only look: take no lock from a git that works
	out, err := git.Output()
	if commit := strings.TrimSpace(string(out)); err == nil && commit != "" {
		return commit
	}
	return unknown
}

// hypervisor names the virtual machine monitor, as far as the processor tells.
func hypervisor() string {
	switch {
	case runtime.GOARCH != "amd64" && runtime.GOARCH != "386":
		return unknown
	case !cpuid.CPU.VM():
		return "none"
	case strings.TrimSpace(cpuid.CPU.HypervisorVendorString) == "":
		return "a hypervisor without a name"
	}
	if v := cpuid.CPU.HypervisorVendorID; v != cpuid.VendorUnknown {
		return v.String()
	}
	return strings.TrimSpace(cpuid.CPU.HypervisorVendorString)
}

// modelOf finds the processor's name in the text of /proc/cpuinfo. The key differs between architectures.
func modelOf(cpuinfo []byte) string {
	names := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(cpuinfo)); lines.Scan(); {
		key, value, found := strings.Cut(lines.Text(), ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if _, seen := names[key]; found && !seen && value != "" {
			names[key] = value
		}
	}
	for _, key := range []string{"model name", "Model", "cpu model", "cpu", "vendor_id", "uarch", "Hardware", "CPU part"} {
		if name, ok := names[key]; ok {
			return name
		}
	}
	return unknown
}
