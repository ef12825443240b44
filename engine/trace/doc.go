// Package trace records what clients ask of a device in .kst files, and asks it again.
//
// A [Recorder] opens handles of devices, and a goroutine of its own writes what goes through them. A [Reader] checks
// and reads a trace. [Replay] sends the requests of a trace to devices, and compares their answers with the recorded
// ones. Only a device that is opened through a recorder is recorded; any other runs no code of this package.
//
// # What recording costs
//
// Each handle has a buffer of its own. The handle copies a request there before it sends it, because afterwards the
// memory belongs to the client again, and adds how the request ended; then one store shows the record to the writer,
// which is woken when half of the buffer is full. Who fills a sixteenth of the buffer hashes it. Nothing is allocated.
// Requests of different handles write to one common word only, the count of records, which determines their order. When
// the writer is slower than the clients, requests are dropped and counted, and the count is written in their place;
// with Config.Wait they wait instead.
//
// Reading a clock takes longer than answering a request. So only one request in Config.ClockEvery reads it, to the
// nanosecond, and is flagged as exact; the others take the time from a clock that ticks each millisecond. A slow
// request therefore shows whenever it comes.
//
// # Order
//
// The Order of a record is the number of records that existed when it was made. Its Begin is the number that existed
// when its request began. So one request ended before another began if its Order is less than or equal to the Begin of
// the other; if this holds in neither direction, the two ran side by side. A request of a handle begins after the one
// before has ended.
//
// # The file
//
// docs/trace.md describes the format byte by byte. A file is a sequence of blocks, each of which is protected by
// xxhash64 and holds the records of one handle. A process that is killed loses what it had in memory, at most
// Config.Flush of time. The file stays readable, except for its last block if that was being written.
package trace
