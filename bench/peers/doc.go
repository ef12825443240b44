// Peers measures the engine against libraries that others wrote, and against the strongest code that one can write by hand:
//
//	go run -C bench/peers .                  # --format md or json, --quick, --out FILE
//	go run -C bench/peers . --cpuprofile /tmp/peers.pgo && go run -C bench/peers -pgo /tmp/peers.pgo .
//
// the second of which is the same program guided by a profile of itself.
//
// It is a module of its own, so that the engine and its command depend on none of them. Every peer stands behind one small
// adapter (finder, allocator): the same keys, built with all that its library offers to say in advance, asked in a loop
// written out for it, so that no peer pays for an interface. Before anything is timed, every peer is asked for every key and
// for strangers near them, and must answer as a plain Go map does.
//
//	lookup    the item of a (GUID, id): 65,536 prepared random requests, hits or half strangers
//	fast      a whole request on the fast path of a real driver: the engine, and a generated switch that calls its handlers
//	          directly and does less (see package rival)
//	alloc     64 buffers of 8 to 256 bytes each, then all of them given back; nanoseconds per buffer
//
// The rows of a workload take turns (package measure), and the report is that of ksbench.
package main
