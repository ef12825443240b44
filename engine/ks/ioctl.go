package ks

// IOCTL codes of the requests that carry a KSIDENTIFIER: FILE_DEVICE_KS, METHOD_NEITHER, FILE_ANY_ACCESS, functions 0 to 3.
// The input buffer is the request, the output buffer the data. Documented at ni-ks-ioctl_ks_property and its siblings.
const (
	IoctlProperty     uint32 = 0x002F0003 // IOCTL_KS_PROPERTY
	IoctlEnableEvent  uint32 = 0x002F0007 // IOCTL_KS_ENABLE_EVENT
	IoctlDisableEvent uint32 = 0x002F000B // IOCTL_KS_DISABLE_EVENT
	IoctlMethod       uint32 = 0x002F000F // IOCTL_KS_METHOD
)
