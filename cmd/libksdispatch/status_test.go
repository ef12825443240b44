package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The header's statuses, codes and verbs are those of package ks.
func TestConstants(t *testing.T) {
	header, err := os.ReadFile("ksdispatch.h")
	require.NoError(t, err)
	constants := map[string]uint32{}
	for _, m := range regexp.MustCompile(`(?m)^#define KSD_(\w+) (KSD_STATUS\()?(\w+?)[u)]*(\s|$)`).FindAllSubmatch(header, -1) {
		value, err := strconv.ParseUint(string(m[3]), 0, 32)
		require.NoError(t, err, "%s", m[0])
		constants[string(m[1])] = uint32(value)
		if len(m[2]) != 0 {
			require.Equal(t, "STATUS_"+string(m[1]), ks.Status(value).String())
		}
	}
	require.Greater(t, len(constants), 20)
	for name, want := range map[string]uint32{"IOCTL_PROPERTY": ks.IoctlProperty, "IOCTL_METHOD": ks.IoctlMethod,
		"IOCTL_ENABLE_EVENT": ks.IoctlEnableEvent, "IOCTL_DISABLE_EVENT": ks.IoctlDisableEvent, "GET": ks.PropertyTypeGet,
		"SET": ks.PropertyTypeSet, "BASIC_SUPPORT": ks.PropertyTypeBasicSupport} {
		require.Equal(t, want, constants[name], name)
	}
}
