package ks

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestStatusNumbers holds the statuses that the rules name against values written down by hand, with what a client gets.
func TestStatusNumbers(t *testing.T) {
	const success, warning, failure = 0, 2, 3
	for _, c := range []struct {
		status   Status
		value    uint32
		name     string
		severity int
		win32    uint32
	}{
		{StatusSuccess, 0x00000000, "STATUS_SUCCESS", success, 0},
		{StatusPending, 0x00000103, "STATUS_PENDING", success, 0},
		{StatusMoreEntries, 0x00000105, "STATUS_MORE_ENTRIES", success, 0},
		{StatusSomeNotMapped, 0x00000107, "STATUS_SOME_NOT_MAPPED", success, 0},
		{StatusGuardPageViolation, 0x80000001, "STATUS_GUARD_PAGE_VIOLATION", warning, 317},
		{StatusDatatypeMisalignment, 0x80000002, "STATUS_DATATYPE_MISALIGNMENT", warning, 998},
		{StatusBufferOverflow, 0x80000005, "STATUS_BUFFER_OVERFLOW", warning, 234},
		{StatusDeviceBusy, 0x80000011, "STATUS_DEVICE_BUSY", warning, 170},
		{StatusNoMoreEntries, 0x8000001A, "STATUS_NO_MORE_ENTRIES", warning, 259},
		{StatusUnsuccessful, 0xC0000001, "STATUS_UNSUCCESSFUL", failure, 31},
		{StatusAccessViolation, 0xC0000005, "STATUS_ACCESS_VIOLATION", failure, 998},
		{StatusInvalidHandle, 0xC0000008, "STATUS_INVALID_HANDLE", failure, 6},
		{StatusInvalidParameter, 0xC000000D, "STATUS_INVALID_PARAMETER", failure, 87},
		{StatusInvalidDeviceRequest, 0xC0000010, "STATUS_INVALID_DEVICE_REQUEST", failure, 1},
		{StatusAccessDenied, 0xC0000022, "STATUS_ACCESS_DENIED", failure, 5},
		{StatusBufferTooSmall, 0xC0000023, "STATUS_BUFFER_TOO_SMALL", failure, 122},
		{StatusObjectTypeMismatch, 0xC0000024, "STATUS_OBJECT_TYPE_MISMATCH", failure, 6},
		{StatusInsufficientResources, 0xC000009A, "STATUS_INSUFFICIENT_RESOURCES", failure, 1450},
		{StatusNotSupported, 0xC00000BB, "STATUS_NOT_SUPPORTED", failure, 50},
		{StatusIODeviceError, 0xC0000185, "STATUS_IO_DEVICE_ERROR", failure, 1117},
		{StatusInvalidBufferSize, 0xC0000206, "STATUS_INVALID_BUFFER_SIZE", failure, 1784},
		{StatusNotFound, 0xC0000225, "STATUS_NOT_FOUND", failure, 1168},
		{StatusPropsetNotFound, 0xC0000230, "STATUS_PROPSET_NOT_FOUND", failure, 1170},
		{StatusDeviceRemoved, 0xC00002B6, "STATUS_DEVICE_REMOVED", failure, 1617},
		// Strangers of each class.
		{0x00000104, 0x00000104, "0x00000104", success, 0},
		{0x40000000, 0x40000000, "0x40000000", 1, 0},
		{0x7FFFFFFF, 0x7FFFFFFF, "0x7FFFFFFF", 1, 0},
		{0x80000000, 0x80000000, "0x80000000", warning, 317},
		{0xBFFFFFFF, 0xBFFFFFFF, "0xBFFFFFFF", warning, 317},
		{0xC0000000, 0xC0000000, "0xC0000000", failure, 317},
		{0xE000ABCD, 0xE000ABCD, "0xE000ABCD", failure, 317},
		{0xFFFFFFFF, 0xFFFFFFFF, "0xFFFFFFFF", failure, 317},
	} {
		s := c.status
		if uint32(s) != c.value || s.String() != c.name || s.Win32() != c.win32 {
			t.Errorf("%s is %#08x %s, Win32 %d; want %#08x, Win32 %d", c.name, uint32(s), s, s.Win32(), c.value, c.win32)
		}
		if s.IsSuccess() != (c.severity < 2) || s.IsWarning() != (c.severity == 2) || s.IsError() != (c.severity == 3) {
			t.Errorf("%v: success %t, warning %t, error %t; want severity %d", s, s.IsSuccess(), s.IsWarning(), s.IsError(), c.severity)
		}
	}
}

// TestStatusFacts holds every status of the generator's facts against what the generated code answers.
func TestStatusFacts(t *testing.T) {
	b, err := os.ReadFile("internal/gen/facts/status.json")
	if err != nil {
		t.Fatal(err)
	}
	var facts struct {
		Statuses []struct {
			Name, Value string
			Win32       *uint32
		}
	}
	if err := json.Unmarshal(b, &facts); err != nil {
		t.Fatal(err)
	}
	if len(facts.Statuses) < 47 {
		t.Fatalf("%d facts; want at least 47", len(facts.Statuses))
	}
	for _, f := range facts.Statuses {
		v, err := strconv.ParseUint(f.Value, 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		s := Status(v)
		if s.String() != f.Name {
			t.Errorf("%s prints as %s; want %s", f.Value, s, f.Name)
		}
		if back, ok := ParseStatus(f.Name); back != s || !ok {
			t.Errorf("%s is read as %v, %t", f.Name, back, ok)
		}
		want := uint32(317)
		if s.IsSuccess() {
			want = 0
		} else if f.Win32 != nil {
			want = *f.Win32
		}
		if s.Win32() != want {
			t.Errorf("Win32 of %s is %d; want %d", s, s.Win32(), want)
		}
	}
}

func TestParseStatus(t *testing.T) {
	for text, want := range map[string]Status{
		"STATUS_SUCCESS":           StatusSuccess,
		"STATUS_PROPSET_NOT_FOUND": StatusPropsetNotFound,
		"STATUS_BUFFER_OVERFLOW":   StatusBufferOverflow,
		"0x0":                      0,
		"0xC0000230":               StatusPropsetNotFound,
		"0xc000023a":               0xC000023A,
		"0x00000103":               StatusPending,
		"0xFFFFFFFF":               0xFFFFFFFF,
	} {
		if s, ok := ParseStatus(text); s != want || !ok {
			t.Errorf("%q is read as %v, %t; want %v", text, s, ok, want)
		}
	}
	for _, text := range []string{"", "0x", "0x1C0000230", "0x00000000C", "0x-1", "0x+1", "0x_1", "0x1_0", "0xG", "0X10", "10", " 0x10",
		"0x10 ", "STATUS_", "STATUS_NO_SUCH", "status_success", "STATUS_SUCCESS ", "StatusSuccess"} {
		if s, ok := ParseStatus(text); ok || s != 0 {
			t.Errorf("%q is read as %v, %t", text, s, ok)
		}
	}
	r := testkit.Rand(t)
	for range 1000 {
		s := Status(r.Uint32())
		if back, ok := ParseStatus(s.String()); back != s || !ok {
			t.Fatalf("%v is read as %v, %t", s, back, ok)
		}
	}
}

// TestStatusIsNoError keeps a decision of the package comment: an error that holds StatusSuccess would be non-nil.
func TestStatusIsNoError(t *testing.T) {
	if _, ok := any(StatusSuccess).(error); ok {
		t.Error("Status implements error")
	}
}
