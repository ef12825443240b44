package ks

import (
	"strings"
	"testing"
)

func TestFormatFlags(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{FormatPropertyFlags(0), "0"},
		{FormatPropertyFlags(0x00000001), "GET"},
		{FormatPropertyFlags(0x10000001), "GET|TOPOLOGY"},
		{FormatPropertyFlags(0x10000000), "TOPOLOGY"},
		{FormatPropertyFlags(0x00000022), "SET|0x00000020"},
		{FormatPropertyFlags(0x00000020), "0x00000020"},
		{FormatPropertyFlags(0x00000003), "GET|SET"},
		{FormatMethodFlags(0x10000001), "SEND|TOPOLOGY"},
		{FormatMethodFlags(0x00000302), "SETSUPPORT|BASICSUPPORT|0x00000002"},
		{FormatEventFlags(0x00000002), "ONESHOT"},
		{FormatEventFlags(0x10000400), "QUERYBUFFER|TOPOLOGY"},
		{FormatEventFlags(0x00000004), "ENABLEBUFFERED"},
		{FormatEventFlags(0x08000001), "ENABLE|0x08000000"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if all := FormatPropertyFlags(0xFFFFFFFF); strings.Count(all, "|") != 16 || !strings.HasSuffix(all, "|0x27FE00F8") {
		t.Errorf("all flags print as %q; want 16 names and the 16 unknown bits", all)
	}
}

// TestFlagNames checks that each name stands for one bit, once, in ascending order, which formatFlags relies on.
func TestFlagNames(t *testing.T) {
	for _, names := range [][]flagName{propertyFlagNames[:], methodFlagNames[:], eventFlagNames[:]} {
		last := uint32(0)
		for _, n := range names {
			if n.bit&(n.bit-1) != 0 || n.bit <= last {
				t.Errorf("%s is %#x after %#x; want single bits in ascending order", n.name, n.bit, last)
			}
			last = n.bit
		}
	}
}

// TestNumbers holds flags and codes that no table above covers against values written down by hand.
func TestNumbers(t *testing.T) {
	ctlCode := func(function uint32) uint32 { return 0x2F<<16 | 0<<14 | function<<2 | 3 }
	for _, c := range []struct {
		name      string
		got, want uint32
	}{
		{"IOCTL_KS_PROPERTY", IoctlProperty, ctlCode(0)},
		{"IOCTL_KS_ENABLE_EVENT", IoctlEnableEvent, ctlCode(1)},
		{"IOCTL_KS_DISABLE_EVENT", IoctlDisableEvent, ctlCode(2)},
		{"IOCTL_KS_METHOD", IoctlMethod, ctlCode(3)},
		{"KSMETHOD_TYPE_NONE", MethodTypeNone, 0},
		{"KSMETHOD_TYPE_READ", MethodTypeRead, 1},
		{"KSMETHOD_TYPE_WRITE", MethodTypeWrite, 2},
		{"KSMETHOD_TYPE_MODIFY", MethodTypeModify, 3},
		{"KSMETHOD_TYPE_SOURCE", MethodTypeSource, 4},
		{"KSMETHOD_TYPE_SEND", MethodTypeSend, MethodTypeRead},
		{"KSEVENT_ENTRY_DELETED", EventEntryDeleted, 1},
		{"KSEVENT_ENTRY_ONESHOT", EventEntryOneShot, 2},
		{"KSEVENT_ENTRY_BUFFERED", EventEntryBuffered, 4},
		{"KSEVENTF_EVENT_HANDLE", NotificationEventHandle, 1},
		{"KSEVENTF_SEMAPHORE_HANDLE", NotificationSemaphoreHandle, 2},
		{"KSEVENTF_EVENT_OBJECT", NotificationEventObject, 4},
		{"KSEVENTF_SEMAPHORE_OBJECT", NotificationSemaphoreObject, 8},
		{"KSEVENTF_DPC", NotificationDPC, 16},
		{"KSEVENTF_WORKITEM", NotificationWorkItem, 32},
		{"KSEVENTF_KSWORKITEM", NotificationKsWorkItem, 128},
		{"KSPROPERTY_MEMBER_RANGES", MemberRanges, 1},
		{"KSPROPERTY_MEMBER_STEPPEDRANGES", MemberSteppedRanges, 2},
		{"KSPROPERTY_MEMBER_VALUES", MemberValues, 3},
		{"KSPROPERTY_MEMBER_FLAG_DEFAULT", MemberFlagDefault, 1},
		{"KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL", MemberFlagMultichannel, 2},
		{"KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM", MemberFlagUniform, 4},
	} {
		if c.got != c.want {
			t.Errorf("%s is %#x; want %#x", c.name, c.got, c.want)
		}
	}
}
