// Package model is a naive reading of the rules, made to judge the dispatcher that is fast.
//
// It answers the same requests as package engine with slices, loops and fresh copies, allocates as it likes, and shares
// nothing with the engine but the vocabulary of package ks, not even its wire encoders. Two programs that agree on
// millions of random requests and were written apart are wrong together only where the rules themselves were misread;
// therefore every step here stands beside the number of the rule it spells out, and recorded expectations judge it.
//
// # Terms
//
// An Object is what a driver declares: sets of items, each with handler programs instead of code. A Model is an object
// with its state: stored values and pended requests. Do takes one Request, which carries everything the world around a
// request can be (lengths, initial memory, allocator, faults, requestor mode), and returns one Outcome, which carries
// everything that can be seen from outside: status, Information, the handlers called and the bytes that each one saw,
// allocations, IRP flags, and the caller's buffer after completion.
//
// # The way of a request (P-23)
//
//	check    P-3, P-4, P-5, the identifier, P-25, P-24, P-26 P-36 P-38, P-27, P-28   lookup.go, size.go
//	obtain   P-10, P-12..P-16, then probe, copy in or zero: P-8, P-9                 property.go
//	run      a handler (P-17..P-22, P-30, P-34) or the standard processing           property.go, verbs.go, serialize.go
//	finish   P-1, P-17, P-20; completion copies back: N-1                            property.go, complete.go
//
// The fast path (F-1..F-7) is fast.go, KsDispatchSpecificProperty (P-50, P-51) complete.go, topology (P-60..P-62)
// topology.go, pins (PN-1..PN-23, OB-6, OB-16) pin.go, filters with what is open on them (OB-1..OB-24, AT-10..AT-14,
// AS-28, AS-33) filter.go, pended requests and their queues (AS-1..AS-16, AS-24, AS-25) async.go and the registry
// (P-70..P-73) registry.go. generate.go makes random objects and requests for comparison.
//
// # Readings
//
// Where the rules leave a choice, the model takes one and says so here.
//
// S-15, where a forged buffer is refused: where a buffer would be obtained, as P-23 counts P-15 among the rules of that step.
// A request that fails before is answered as if there were no buffer, from an identifier that is read from the caller, so
// that the forged bytes are never taken for a request. A prepared request is judged by its captured identifier (S-2): its input is
// not read again and may fault.
//
// P-15, the flags of a prepared request. They are those that the earlier pass left, for the same entry point and an
// allocator that worked, and stay as they are even if this pass fails a check: the buffer is still there and its owner is
// whoever the flags say (S-9). A request that no pass can prepare, because it fails a test that no table influences
// (P-3..P-5, P-25, P-32 of GUID_NULL), has none.
//
// P-9, a faulting output buffer. P-23 puts the buffer before the copy, so the allocation is listed; S-9 then frees it and
// drops the flags. A length of zero is neither probed nor copied. An in-verb faults in either mode, since the copy itself
// fails; an out-verb only in user mode, where there is a probe: a kernel request runs and its copy-back does not happen.
// Both halves of a request's memory fault before any handler runs, or never.
//
// P-11, aliasing. One block holds the initial output, then the input over its start. The data of a SET therefore begin
// with its own identifier.
//
// P-16, an allocator that claims success and leaves less than the size it was asked for has left no buffer to use: the
// same STATUS_INSUFFICIENT_RESOURCES. Failure is anything but NT_SUCCESS; a panic is P-21 with the allocator in the place
// of the handler (S-13), listed with the status that it became.
//
// P-25 with Compat.P25: unknown bits are refused all the same; of several verbs SET wins, then GET, then BASICSUPPORT,
// then the lowest bit.
//
// P-37: "without a get handler STATUS_NOT_FOUND" is P-37's own status, not P-26's, and Compat.P26 does not change it.
// Compat.P36 and Compat.P38 also give the status after a support handler left an unanswerable request to the helper.
//
// P-32: no sets is STATUS_SUCCESS at every Out, zero included. P-40: the total is compared with 0xFFFFFFFF when pass 1 is
// complete, before the ladder. P-42: a warning from an inner SET is a failure, as P-39 says of GET; the outer Information
// is 0 then. P-43: an inner request that pends is STATUS_UNSUCCESSFUL, since nobody in a script could complete it.
//
// P-50: KsDispatchSpecificProperty does not reset Information, and the request stays pended. A completion with more
// Information than there is buffer copies what there is.
//
// F-4: the fast path of a table that P-3 refuses answers FALSE, as does one whose caller memory faults: the IRP then
// gets the exact status. F-6 with S-20: Information is 0 when a fast handler starts, as in P-1.
//
// OB-8, OB-9, OB-12: behind the checks of OB-6, the denial first, the places last. A filter that denies access does so before them, and
// S-37 comes between. OB-13: a pin counts until it has ended, so also while a node that was created on it is open. A pin that
// ends lets go of the pin that it is connected to, and then of its filter.
//
// S-14: item size times items above 0xFFFFFFFF in any one set is P-3's refusal.
package model
