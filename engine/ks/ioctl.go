package ks

// IOCTL codes of the requests that carry a KSIDENTIFIER: FILE_DEVICE_KS, METHOD_NEITHER, FILE_ANY_ACCESS, functions 0 to 3.
// The input buffer is the request, the output buffer the data. Documented at ni-ks-ioctl_ks_property and its siblings.
const (
	IoctlProperty     uint32 = 0x002F0003 // IOCTL_KS_PROPERTY
	IoctlEnableEvent  uint32 = 0x002F0007 // IOCTL_KS_ENABLE_EVENT
	IoctlDisableEvent uint32 = 0x002F000B // IOCTL_KS_DISABLE_EVENT
	IoctlMethod       uint32 = 0x002F000F // IOCTL_KS_METHOD
)

// IOCTL codes of a pin's stream, METHOD_NEITHER too. The first two have KSSTREAM_HEADERs in the output buffer, the third a ULONG,
// ResetBegin or ResetEnd, in the input buffer.
const (
	IoctlWriteStream uint32 = 0x002F8013 // IOCTL_KS_WRITE_STREAM: to a device that consumes data
	IoctlReadStream  uint32 = 0x002F4017 // IOCTL_KS_READ_STREAM
	IoctlResetState  uint32 = 0x002F001B // IOCTL_KS_RESET_STATE
)

// KSRESET: what IoctlResetState asks for.
const (
	ResetBegin uint32 = 0 // KSRESET_BEGIN
	ResetEnd   uint32 = 1 // KSRESET_END
)

// Transfer methods: how the I/O manager passes the buffers of a control code.
const (
	MethodBuffered  uint32 = 0 // METHOD_BUFFERED
	MethodInDirect  uint32 = 1 // METHOD_IN_DIRECT
	MethodOutDirect uint32 = 2 // METHOD_OUT_DIRECT
	MethodNeither   uint32 = 3 // METHOD_NEITHER
)

// TransferMethod returns the transfer method of a control code: METHOD_FROM_CTL_CODE.
func TransferMethod(code uint32) uint32 { return code & 3 }
