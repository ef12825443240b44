// Package trace keeps what clients ask of a device in .kst files, and asks it again.
//
// A [Recorder] opens handles of devices; what goes through them is written by a goroutine of its own. A [Reader] checks and reads what
// was written. [Replay] sends the requests of a trace to devices, and compares what they answer with what was recorded. A device is
// attached by being opened through the recorder, so one that is not recorded runs no code of this package.
//
// # What recording costs
//
// Each handle has a buffer of its own. A request is copied to it before it is sent, as its memory belongs to the client again
// afterwards, and how it ended is added; then one atomic store shows it to the writer. Nothing is allocated. The only memory that
// requests of several handles write in common is the count of records, by which their order is known. When the writer is slower than
// the clients, requests are dropped, counted, and the count is written where they are missing; or, with Config.Wait, they wait.
//
// Reading a clock takes longer than answering a request. It is read for one request in Config.ClockEvery, to the nanosecond, and a
// flag says so; the others have the time of a clock that ticks each millisecond. So a request that was slow is seen whenever it comes.
//
// # Order
//
// The order of a record is how many records had been made when it was. Begin is how many had been made when its request began.
// So one request ended before another began if its Order is less than or equal to the Begin of the other, and if neither is so they ran
// side by side. A request of a handle begins after the one before has ended.
//
// # The file
//
// docs/trace.md describes the format byte by byte. A file is a row of blocks, each of which is checked by xxhash64 and holds the
// records of one handle. What was in memory when a process was killed is lost, at most Config.Flush of time; the file is readable, but
// for its last block if that was being written.
package trace
