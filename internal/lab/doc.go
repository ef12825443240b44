// Package lab measures the engine against what people would otherwise write, on tables and requests like theirs.
//
// # What is measured
//
// A [Workload] is a table of properties, one or many objects, and 65,536 requests prepared from a seed. The synthetic ones
// are sets x items: 1x8, 20x12, 200x20, 2000x20, each once with requests that all hit and once with a mix in which half
// of them fail in the ways that clients' probes fail. The others are the twelve embedded drivers, or manifests of the
// user's own: a random item of a random object each time, through that object's own dispatcher. The requests are many
// because few would flatter the peers: over a short cycle the branch predictor learns the length of every scan.
//
// All handlers are the same small function, so that the call is predicted and what is left is the dispatcher; from a
// manifest come sets, ids, sizes and verbs, not its handler programs. Every item also gets a fast handler, as otherwise
// the path fast would only measure refusals.
//
// # Paths
//
//	lookup  decode the 20 bytes of (GUID, id), find the item: table.Dense.Lookup or table.Table.Lookup, as a dispatcher does
//	fast    a request without an IRP: engine.Dispatcher.FastProperty
//	irp     a request through an open handle: device.Handle.IoControl with IOCTL_KS_PROPERTY
//
// The engine's rows call these exported functions and nothing else, with every check on. The table of lookup has a value
// of 40 bytes, which makes an entry of 64 as in the dispatcher's own.
//
// # Implementations
//
// The peers linear, map, open and dense are the dispatcher of package rival with four ways of finding an item, written to win:
// what a good engineer would write who does not want this library. On irp, linear allocates its buffer on the Go heap for each
// request, as ks.sys-like code allocates from the pool; the others take it from an arena as the engine does. Before anything is
// timed, [Run] sends thousands of random requests, valid and broken, through the engine and through each peer, and compares
// statuses, information, output bytes, and what the handlers were given; a difference ends the run. A peer that answers
// something else is no peer.
//
// Three rows are limits, below which no dispatcher can be on the same requests:
//
//	floor   read the GUID and the id of the request, index an array with them
//	bare    read the request's slice and flags, take one of 16 func values by a byte of the request, call it, check the
//	        status; all 16 are the same handler, so that the branch is predicted and hides nothing
//	guarded bare, each call of a handler under a recover: the least that a call which must survive a panic can take
//
// How the rows are warmed up and take turns is described in package measure, how they are summarised in
// stats and outlier, and the result in package report. The same loops run as Go benchmarks:
// go test -bench . ./bench
//
// # Latency, shards, several machines
//
// The rounds know means of thousands of requests. With [Options].Latency single requests are timed in a pass that follows,
// in a closed loop or at a rate; package latency says how, and what the clock adds. With [Options].Shard a run
// measures its part of the rounds, on a machine of the same kind as the others, and [report.Merge] puts one report together
// again; each workload carries a digest of its tables and requests, so that only the same work is added. There are no
// hardware counters: what was developed on has none, and a reader that could not be tried is not offered.
package lab
