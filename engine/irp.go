package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Mode is KPROCESSOR_MODE, with the untrusted mode as the zero value so that a forgotten field never grants trust.
type Mode uint8

const (
	UserMode Mode = iota
	KernelMode
)

// IRPFlags are the IRP_* flags that the dispatcher sets for completion (P-10).
type IRPFlags uint32

const (
	BufferedIO       IRPFlags = 0x10 // IRP_BUFFERED_IO
	DeallocateBuffer IRPFlags = 0x20 // IRP_DEALLOCATE_BUFFER
	InputOperation   IRPFlags = 0x40 // IRP_INPUT_OPERATION
)

// IoStatus is IO_STATUS_BLOCK.
type IoStatus struct {
	Status      ks.Status
	Information uint64
}

// FileObject stands for one open handle: FILE_OBJECT.
type FileObject struct {
	Context any
	scratch []byte
}

// Memory is caller memory that can fault or change (P-9, S-2).
type Memory interface {
	// ReadInput copies len(dst) bytes of the input buffer from offset off.
	ReadInput(dst []byte, off uint32) ks.Status
	// ReadOutput copies len(dst) bytes of the output buffer from offset off: what SET carries.
	ReadOutput(dst []byte, off uint32) ks.Status
	// ProbeOutput checks that the first n bytes of the output buffer can be read, or written.
	ProbeOutput(n uint32, write bool) ks.Status
	// WriteOutput copies src to the start of the output buffer, at completion.
	WriteOutput(src []byte) ks.Status
}

// IRP is one request.
type IRP struct {
	InputBufferLength  uint32
	OutputBufferLength uint32
	Flags              IRPFlags
	RequestorMode      Mode
	Type3InputBuffer   []byte
	UserBuffer         []byte
	SystemBuffer       []byte
	IoStatus           IoStatus
	FileObject         *FileObject
	Pool               *arena.Arena
	Memory             Memory
}
