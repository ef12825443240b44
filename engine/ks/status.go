package ks

// Status is an NTSTATUS.
type Status uint32

const (
	StatusSuccess               Status = 0x00000000
	StatusPending               Status = 0x00000103
	StatusSomeNotMapped         Status = 0x00000107
	StatusDatatypeMisalignment  Status = 0x80000002
	StatusBufferOverflow        Status = 0x80000005
	StatusNoMoreEntries         Status = 0x8000001A
	StatusUnsuccessful          Status = 0xC0000001
	StatusAccessViolation       Status = 0xC0000005
	StatusInvalidParameter      Status = 0xC000000D
	StatusInvalidDeviceRequest  Status = 0xC0000010
	StatusBufferTooSmall        Status = 0xC0000023
	StatusInsufficientResources Status = 0xC000009A
	StatusNotSupported          Status = 0xC00000BB
	StatusInvalidBufferSize     Status = 0xC0000206
	StatusNotFound              Status = 0xC0000225
	StatusPropsetNotFound       Status = 0xC0000230
)

// IsError reports NT_ERROR: severity 3.
func (s Status) IsError() bool { return s >= 0xC0000000 }

// IsSuccess reports NT_SUCCESS: severity 0 or 1.
func (s Status) IsSuccess() bool { return s < 0x80000000 }

// IsWarning reports NT_WARNING: severity 2.
func (s Status) IsWarning() bool { return s-0x80000000 < 0x40000000 }
