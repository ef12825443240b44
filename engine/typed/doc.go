// Package typed declares properties by the type of their value, one line each, instead of by handlers over bytes:
//
//	var level atomic.Int32
//	var mute atomic.Bool
//	var name typed.Text
//
//	set, err := typed.PropertySet(kssets.KSPROPSETID_Audio,
//		typed.ScalarVar(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, &level).Step(-96<<16, 0, 1<<15).Default(0),
//		typed.ScalarVar(kssets.KSPROPERTY_AUDIO_MUTE, &mute).ReadOnly(),
//		typed.StringVar(100, 64, &name),
//	)
//
// The result is an engine.PropertySet like any other, ready for engine.Compile. Each line becomes an item and a fast
// item with GET, SET, the sizes, the check of values and the Values that BASICSUPPORT and DEFAULTVALUES report.
//
// # The kinds
//
//	declared by             bound to                on the wire                          type (VT_)
//	ScalarVar, ScalarFunc   a variable, functions   LONG, ULONG, LONGLONG, ULONGLONG,    I4, UI4, I8, UI8,
//	                                                  BOOL of 4 bytes, FLOAT               BOOL, R4
//	StructVar, StructFunc   a variable, functions   what its codec writes                none
//	StringVar, StringFunc   a Text, functions       UTF-16LE with a terminating 0        LPWSTR
//	BlobVar, BlobFunc       a Bytes, functions      any bytes                            BLOB
//
// A variable is a [Cell]: an atomic of sync/atomic, a [Locked], or anything that has Load and Store and is safe for concurrent
// use. Add the rest of an item, its relations for instance, to the set that [PropertySet] returns.
//
// ScalarPer, StructPer, StringPer and BlobPer are bound to many variables, of which the NodeId, the PinId or the Channel of a request
// selects one:
//
//	var levels [8]atomic.Int32
//	typed.ScalarPer(kssets.KSPROPERTY_AUDIO_VOLUMELEVEL, typed.PerChannel, typed.Each[int32](levels[:])...).Step(-96<<16, 0, 1<<15)
//
// Their MinProperty is the length of that request, and they enforce and report the same limits for all variables. The driver says
// which channels there are: a Channel of -1, which is all of them, has no variable unless a ScalarFunc answers it.
//
// [NewEvent] declares an event whose clients send a structure along, and generates it for those whose structure matches.
//
// # Sizes
//
// Values of fixed size set MinData, so that the dispatcher answers wrong sizes (P-28); the handlers check once more, as the
// fast path of a set that dropped the items has no MinData. More data than the value is fine in both directions. Strings and
// blobs check sizes themselves, in the same two-call way. An empty buffer gets STATUS_BUFFER_OVERFLOW with the size, a warning,
// because an error would lose the size (N-1); a short one gets STATUS_BUFFER_TOO_SMALL. Every string and blob has a limit
// (S-24). A value beyond it is STATUS_INVALID_BUFFER_SIZE in both directions before a byte of it is copied.
//
// # Values
//
// Ranges, steps and explicit values are kept once and serve both the check of a SET and the member lists, so that a property
// reports what it enforces: KSPROPERTY_BOUNDS_LONG, KSPROPERTY_STEPPING_LONG (or _LONGLONG) and plain values. Ranges come
// first and the default comes last, alone in its list, because some clients take the first list for a range and the list of
// DEFAULTVALUES for one value (P-33, P-36). A SET of another value is STATUS_INVALID_PARAMETER and has no effect.
//
// # Mistakes
//
// A declaration returns no error, which would turn one line into four. It remembers its mistakes, such as an empty range or a
// default that is not allowed, and [PropertySet] returns them all, each with set, id and remedy. Every declaration passes
// through PropertySet on its way to a dispatcher, and nothing here panics. Declarations are values: a method returns a changed
// copy, so several declarations may start from one.
//
// # Two paths, one implementation
//
// Each verb is one function from data to Information and status. Two closures around it are the engine.Handler and the
// engine.FastHandler, so that both give the same answer (S-20).
//
// On the fast path the data is the caller's own memory (F-5), which the caller may change at any time. A scalar is read with
// one load before it is checked. A structure, a string or a blob is checked and used byte by byte, so its SET has no fast
// handler and takes the IRP path, which has captured the data (P-8, S-2). GET has both paths for all kinds.
//
// # What functions must do
//
// Getters and setters are called concurrently, for different requests of any handles, and answer before they return:
// STATUS_PENDING becomes STATUS_UNSUCCESSFUL, since they have no IRP to complete. They may panic (P-21). They must not keep
// Request.Property, the bytes or text that a setter gets, or the bytes that a decoder gets. Variables need no such care: atomics,
// Locked, Text and Bytes are safe by themselves, and no GET sees half of a SET.
//
// # Cost
//
// No request allocates if the functions do not (TestNoAllocations). Direct calls of an item's handlers
// for an int32, in ns (amd64, Go 1.26, the least of 8,000 windows of 500 calls on a busy machine):
//
//	                                        GET     SET, stepped range
//	written by hand, constants in the code  2.2      4.1
//	ScalarVar of an atomic.Int32            6.8     10.9
//	ScalarFunc                              9.0     13.3
//
// A whole request through package device took 38 ns by hand and 41 ns with ScalarVar in the same windows. The difference is two
// more indirect calls. The four integers of sync/atomic have closures of their own; every other cell, an atomic.Bool for
// instance, costs a call through the interface and a type switch, and its GET takes 9.3 ns.
//
// # Sources
//
//   - https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-ksproperty_values, ns-ks-ksproperty_membersheader,
//     ns-ks-ksproperty_bounds_long, ns-ks-ksproperty_stepping_long: the description of values
//   - https://learn.microsoft.com/windows-hardware/drivers/audio/audio-property-handlers: sizes and statuses
//   - https://learn.microsoft.com/windows-hardware/drivers/audio/basic-support-queries: what BASICSUPPORT answers
//   - https://learn.microsoft.com/windows/win32/winprog/windows-data-types: BOOL, WCHAR and the other types
//
// No public source says what a driver should answer to a string without a terminator, with half a surrogate pair or of odd
// length, or to a value above its limit. Those statuses are this package's choice.
package typed
