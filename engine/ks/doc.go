// Package ks is the vocabulary of Kernel Streaming: GUIDs, statuses, flags, IOCTL codes and the structures that cross
// the boundary between an application and a driver. It holds no behaviour and imports the standard library only, so
// that a protocol tool can use it without the engine.
//
// # Byte order and layout
//
// Everything here describes bytes of the x64 Windows ABI: little-endian, LONG and ULONG of 4 bytes, handles and pointers
// of 8, whatever the host is. A structure X comes with four names:
//
//	const SizeX                          // sizeof(X) in bytes, padding included
//	func DecodeX(b []byte) (X, bool)     // reads the first SizeX bytes; false, and a zero X, if b is shorter
//	func (x X) Put(b []byte)             // writes SizeX bytes; panics, before writing any, if b is shorter
//	func (x X) Bytes() []byte            // the SizeX bytes, in memory of their own
//
// Decoding reads field by field and never casts memory. The wire gives no alignment (clients pass buffers at odd
// addresses, and a KSPROPERTY_SERIAL follows its 20-byte header at an offset that is no multiple of 8), a cast would take
// the host's byte order, and on amd64 and arm64 the compiler merges the byte loads into the load that a cast would be.
// A decoded value is a copy: caller memory that changes later does not change it.
//
// Reserved members are fields like any other, so that decoding and Put give the same bytes again. Padding, as bytes 4 to 7 of
// KSEVENTDATA are, is no field: Decode skips it and Put writes zeros. SizeX of a structure that ends in a text of any length is
// where that text begins.
//
// Structures that hold kernel pointers and never leave the kernel (KSPROPERTY_ITEM, KSPROPERTY_VALUES, KSEVENT_ENTRY and
// so on) are not here. Package engine declares their Go counterparts.
//
// # GUIDs
//
// A [GUID] is the 16 bytes as they lie in a request, so that reading one from the wire is a copy and comparing two is
// two 8-byte compares. Text is another order: of xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx the first three groups are numbers
// and lie in memory with the least significant byte first, the last two are bytes in order:
//
//	text   45ffaaa0-6e1b-11d0-bcf2-444553540000
//	wire   a0aaff45 1b6e d011 bcf2 444553540000
//
// GUID_NULL is the zero value. There is no IsNull method: g == ks.GUID{} says it, and compiles to the same.
//
// # Statuses
//
// A [Status] is an NTSTATUS. Its top two bits are the severity, and the severity decides what a client gets: on
// success, informational and warning statuses the I/O manager copies Information bytes back, on errors it copies nothing
// and reports no length (N-1). That is why a size answer is STATUS_BUFFER_OVERFLOW, a warning.
//
// Status is a fmt.Stringer and deliberately not an error. Most statuses are answers: a success, a warning that carries a
// size, STATUS_PENDING. An error interface holding StatusSuccess would be non-nil, and a handler that returned its
// statuses as errors would report every success as a failure. A handler that has to model a fault panics with the Status
// itself, which the dispatcher returns (P-21).
//
// Win32 codes are those that RtlNtStatusToDosError gives. Microsoft publishes no table of that function. The codes here
// are what that function of Wine 8.0 returns when called, and agree with each code that Microsoft's pages on IKsControl
// and the frame server and the texts of vfwmsgs.mc name.
//
// # Sources
//
// Names, values, sizes and offsets are those of ks.h, ntstatus.h and winerror.h as mingw-w64 10.0.0 carries them,
// computed by x86_64-w64-mingw32-gcc, and of Microsoft's Windows metadata for four flags that mingw-w64 lacks. Pages
// named in the comments are under https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ unless they say otherwise.
//
// Every type is a plain value: copying is cheap, the zero value is usable, and all functions are safe for concurrent use.
package ks

//go:generate go run ./internal/gen status status_table.go
