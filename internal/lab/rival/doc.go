// Package rival is what a good engineer writes who does not want this library. It exists to be measured against, and it is written
// to win: a rival that somebody makes faster is a defect of this package, and the engine may take over any of its ideas.
//
// # Dispatchers
//
// A [Handle] answers the same requests as the engine, GET and SET, with the same checks in the same order and the same results. Its
// parts that are not the search are the engine's own or as short as they can be: the identifier is read as three words and written
// from them, the buffer is one of package arena's, the guard of P-21 keeps three words, and a result that is simply a success is
// asked about once. What differs between the four is one step, from the identifier to the item:
//
//	Linear  scans the GUIDs of the sets, then the ids of one. It wins on objects of one or two items
//	Map     asks a Go map keyed by the first 20 bytes of the request, which it hashes where they lie
//	Open    open addressing with linear probing, at most half full, in entries of 64 bytes that hold the item, too
//	Dense   open addressing on the GUID, then an array by id; sets with large ids are in an Open. It wins where ids are small
//
// The step is chosen by a switch that is predicted: an interface, a func value and a type parameter would each cost a request an
// indirect call. Where the engine does more, a Handle is let off: it does not note what IRP.PropertySet reads, knows neither pended
// nor prepared requests nor caller memory that faults, and answers no verb but two; no measured request needs any of that. As
// ks.sys-like code takes a buffer of the pool for each request, a Handle can take one of the Go heap.
//
// # Lookups alone
//
// A [Sorted] is a slice of keys in order and a binary search without branches that depend on the data. [Switch] is what a
// programmer gets who writes out the keys of one real driver as nested switch statements, which the compiler turns into
// binary searches over constants: no data is read at all, and in a profile-guided build it may be inlined into its
// caller. [Direct] goes on from there: a whole request on the fast path in which sizes are constants and handlers are called by
// name. It does not capture the request, guard against a handler that panics, or judge what the handler returns. It is a limit
// for code without these, not a replacement.
//
// switch.go is generated from the embedded driver wds-sysvad, from the object of it that has the most properties.
package rival

//go:generate go run ./gen switch.go
