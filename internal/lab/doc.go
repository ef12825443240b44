// Package lab measures the engine against what people would otherwise write, on tables and requests like theirs.
//
// # What is measured
//
// A [Workload] is a table of properties, in one object or many, and 65,536 requests drawn from a seed. The synthetic
// workloads are named after their sets and items: 1x8, 20x12, 200x20, 2000x20. Each exists twice: once with requests
// that all hit, and once with a mix in which half fail the way clients' probes fail. The other workloads are the twelve
// embedded drivers, or a user's own manifests; each request goes to a random item of a random object, through that
// object's own dispatcher. A short list of requests would flatter the peers, because the branch predictor learns the
// length of every scan in it.
//
// Every item has the same small handler, so the call is predicted and what remains is the dispatcher. A manifest
// contributes its sets, ids, sizes and verbs, but not its handler programs. Every item also has a fast handler; without
// one the path fast would measure refusals, and every property is declared as a method too.
//
// # Paths
//
//	lookup  decode the 20 bytes of (GUID, id) and find the item: table.Direct.Find or table.Table.Lookup, as a dispatcher does
//	fast    a request without an IRP: engine.Dispatcher.FastProperty
//	irp     a request through an open handle: device.Handle.IoControl with IOCTL_KS_PROPERTY
//	method  the same bytes sent as a method: IOCTL_KS_METHOD
//
// The engine's rows call these exported functions and nothing else, with every check on. The table of lookup has values
// of 40 bytes, so its entries take 64, as the dispatcher's do.
//
// # Implementations
//
// The peers linear, map, open and dense are the dispatcher of package rival with four ways of finding an item. They are
// what a good engineer would write who does not want this library, and they are written to win. On irp, linear
// allocates a buffer on the Go heap for each request, as ks.sys-like code allocates from the pool; the others use an
// arena, as the engine does. Before it times anything, [Run] sends thousands of random requests, valid and broken,
// through the engine and through each peer, and compares statuses, information, output bytes and the arguments of the
// handlers. A difference ends the run: a peer that answers something else is no peer.
//
// Three rows are limits. No dispatcher can be faster than these on the same requests:
//
//	floor    read the GUID and the id of the request, index an array with them
//	bare     read the request's slice and flags, take one of 16 func values by a byte of the request, call it, check the
//	         status; all 16 are the same handler, so the branch is predicted and hides nothing
//	guarded  bare, with each handler called under a recover: the least that a call costs which must survive a panic
//
// Package measure describes how the rows warm up and take turns, packages stats and outlier how they are summarised,
// and package report what comes out. The same loops run as Go benchmarks: go test -bench . ./bench
//
// # Latency, shards, several machines
//
// The rounds only yield means over thousands of requests. With [Options].Latency, a separate pass afterwards times
// single requests, in a closed loop or at a rate; package latency explains how, and what the clock adds. With
// [Options].Shard, a run measures its share of the rounds, and [report.Merge] combines the shares of several machines
// of one kind. Each workload carries a digest of its tables and requests, so only the same work is combined. There are
// no hardware counters, because no machine was at hand to test them on.
package lab
