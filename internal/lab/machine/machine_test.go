package machine

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestDescribeLeavesNothingOut(t *testing.T) {
	before := time.Now().Truncate(time.Second) // a stamp has whole seconds
	env := Describe()
	for name, value := range map[string]string{
		"cpu":            env.CPU,
		"os":             env.OS,
		"arch":           env.Arch,
		"go":             env.GoVersion,
		"level":          env.Level,
		"commit":         env.Commit,
		"kernel":         env.Kernel,
		"virtualization": env.Virtualization,
	} {
		if value == "" {
			t.Errorf("%s is empty; what is not known is called %q", name, unknown)
		}
	}
	if at, err := time.Parse(time.RFC3339, env.Time); err != nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("time %q: %v", env.Time, err)
	}
	if env.Cores < 1 || env.GOMAXPROCS != runtime.GOMAXPROCS(0) {
		t.Errorf("%d cores, GOMAXPROCS %d", env.Cores, env.GOMAXPROCS)
	}
}

func TestModelOf(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"amd64", "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: other\n", "AMD EPYC"},
		{"arm64 board", "processor\t: 0\nCPU part\t: 0xd08\n\nModel\t\t: Raspberry Pi 4\n", "Raspberry Pi 4"},
		{"arm64 server", "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "0xd0c"},
		{"s390x", "vendor_id       : IBM/S390\n# processors    : 2\n", "IBM/S390"},
		{"empty", "", unknown},
		{"no value", "model name\t:\n", unknown},
	} {
		if got := modelOf([]byte(c.text)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestStampedCommit(t *testing.T) {
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "GOAMD64", Value: "v3"}}}
	if got := stampedCommit(info); got != unknown {
		t.Errorf("without a stamp: %q", got)
	}
	if got := level(info); got != "GOAMD64=v3" {
		t.Errorf("level %q", got)
	}
	if got := level(&debug.BuildInfo{}); got != unknown {
		t.Errorf("without settings: level %q", got)
	}
	info.Settings = append(info.Settings,
		debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
		debug.BuildSetting{Key: "vcs.modified", Value: "false"})
	if got := stampedCommit(info); got != "0123456789ab" {
		t.Errorf("clean: %q", got)
	}
	info.Settings[2].Value = "true"
	if got := stampedCommit(info); got != "0123456789ab+dirty" {
		t.Errorf("dirty: %q", got)
	}
}
