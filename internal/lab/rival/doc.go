// Package rival is what a good engineer writes who does not want this library. It exists to be measured against, and it
// is written to win: a rival that somebody makes faster is a defect of this package, and the engine may adopt any of
// its ideas.
//
// # Dispatchers
//
// A Handle answers the same requests as the engine, GET and SET, with the same checks in the same order and the same
// results. Apart from the search, its parts are the engine's own or as short as they can be: it reads the identifier as
// three words and writes it back from them, takes its buffers from package arena, guards against panics (P-21) with
// three words of state, and checks once whether a result is a plain success. The four dispatchers differ in one step,
// from the identifier to the item:
//
//	Linear  scans the GUIDs of the sets, then the ids of one. It wins on objects of one or two items
//	Map     asks a Go map keyed by the first 20 bytes of the request, which it hashes where they lie
//	Open    open addressing with linear probing, at most half full, in entries of 64 bytes that hold the item, too
//	Dense   open addressing on the GUID, then an array by id; sets with large ids are in an Open. It wins where ids are small
//
// Both choose among multipliers, so that nearly every key is where it is looked for first.
//
// A switch that is predicted chooses the step; an interface, a func value or a type parameter would cost every request
// an indirect call. A Handle does less than the engine in a few places: it does not record what IRP.PropertySet reads, nor the buffer,
// it knows no pended or prepared requests and no caller memory that faults, and it answers only two verbs. No measured
// request needs more. A Handle can take a buffer from the Go heap for each request, as ks.sys-like code takes one from
// the pool.
//
// # Lookups alone
//
// A Sorted is a slice of keys in the order of a word made of each, searched by a binary search without branches. Switch writes out the keys
// of one real driver as nested switch statements, which the compiler turns into binary searches over constants: it reads no data at all,
// and a profile-guided build may inline it into its caller. Direct goes further: a whole request on the fast path, with constant sizes
// and handlers called by name. It does not capture the request, guard against a handler that panics, or check what the handler returns,
// so it is a limit for code that does without these, not a replacement.
//
// switch.go is generated from the embedded driver wds-sysvad, from its object with the most properties.
package rival

//go:generate go run ./gen switch.go
