// Package load puts many clients on the devices of a manifest at once, and measures what they see.
//
// A client has sessions, one after the other: it opens handles, sends requests and closes the handles. Some sessions are those of real
// clients, recorded; others are drawn from what the manifest declares, by a seed. Each client is a goroutine, which gives the processor
// away after a turn of some requests: the scheduler would leave it to one client for 10 milliseconds, and with a thousand of them on two
// processors a client would wait seconds for its next turn.
//
// In a closed loop a client sends its next request when it has the answer to the one before. In an open loop each request has an intended
// start, whether or not the ones before are done: the k-th of client i of n at (k*n + i)/rate. A client that is late sends at once, and
// its response time counts from the intended start, so that a stall is seen by all the requests that would have come meanwhile, as package
// latency explains (coordinated omission).
package load
