package machine

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
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
		require.NotEmpty(t, value, "%s: what is not known is called %q", name, unknown)
	}
	at, err := time.Parse(time.RFC3339, env.Time)
	require.NoError(t, err)
	require.WithinRange(t, at, before, time.Now())
	require.Positive(t, env.Cores)
	require.Equal(t, runtime.GOMAXPROCS(0), env.GOMAXPROCS)
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
		require.Equal(t, c.want, modelOf([]byte(c.text)), c.name)
	}
}

func TestStampedCommit(t *testing.T) {
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "GOAMD64", Value: "v3"}}}
	require.Equal(t, unknown, stampedCommit(info), "without a stamp")
	require.Equal(t, "GOAMD64=v3", level(info))
	require.Equal(t, unknown, level(&debug.BuildInfo{}), "without settings")
	info.Settings = append(info.Settings,
		debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
		debug.BuildSetting{Key: "vcs.modified", Value: "false"})
	require.Equal(t, "0123456789ab", stampedCommit(info), "clean")
	info.Settings[2].Value = "true"
	require.Equal(t, "0123456789ab+dirty", stampedCommit(info), "dirty")
}
