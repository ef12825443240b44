package ks

import (
	"strconv"
	"strings"
)

// Status is an NTSTATUS (4 bytes): severity in bits 31 and 30, then a facility and a code. The zero value is
// STATUS_SUCCESS. Documented at https://learn.microsoft.com/windows-hardware/drivers/kernel/using-ntstatus-values.
type Status uint32

// IsError reports NT_ERROR: severity 3.
func (s Status) IsError() bool { return s >= 0xC0000000 }

// IsSuccess reports NT_SUCCESS: severity 0 or 1, success or informational.
func (s Status) IsSuccess() bool { return s < 0x80000000 }

// IsWarning reports NT_WARNING: severity 2.
func (s Status) IsWarning() bool { return s-0x80000000 < 0x40000000 }

// String returns the C name, such as STATUS_BUFFER_OVERFLOW, or for a status without a constant here its number as
// 0xC0001234.
func (s Status) String() string {
	if name := s.name(); name != "" {
		return name
	}
	return string(appendHex32(nil, uint32(s)))
}

// ParseStatus reads what [Status.String] writes: the C name of a status that has a constant here, or a number of 0x and one to
// eight hexadecimal digits of either case. It reports whether text is one of them.
func ParseStatus(text string) (Status, bool) {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok {
		return statusNamed(text)
	}
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) > 8 {
		return 0, false
	}
	return Status(v), true
}

// mrMidNotFound is ERROR_MR_MID_NOT_FOUND, which stands for statuses without a Win32 code of their own.
const mrMidNotFound = 317

// Win32 returns the code that GetLastError gives the caller of DeviceIoControl: what RtlNtStatusToDosError makes of s.
// It is 0 (ERROR_SUCCESS) for success and informational statuses, and 317 (ERROR_MR_MID_NOT_FOUND) where no code is known.
func (s Status) Win32() uint32 {
	if s.IsSuccess() {
		return 0
	}
	return s.win32()
}

// appendHex32 appends v as 0x and eight upper-case digits.
func appendHex32(b []byte, v uint32) []byte {
	b = append(b, "0x"...)
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, "0123456789ABCDEF"[v>>shift&0xF])
	}
	return b
}
