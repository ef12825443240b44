// Fleet replays, verifies and counts the traces of a test farm, on one machine or on a cluster, as a pipeline of Apache Beam.
//
// docs/fleet.md says how to use it, and what it promises. The unit of work is a device of a trace under one parameter point: the least
// that can be replayed with the state that it had when it was recorded. Its result is a Total; totals add in any order.
package main
