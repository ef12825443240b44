// Package clients replays what real clients send to a Kernel Streaming object, and lets each client judge the answers by
// its own rule. It has no code to import: it is a test of the engine from the other side of DeviceIoControl.
//
// # Facts, clients, objects
//
// A file of testdata holds one client: its requests by number, with set, id, flags and lengths as the client sends them,
// and for each the answers that the client takes for success:
//
//	win32       the last error must be one of these; 0 is success
//	win32_not   the last error must be none of these
//	bytes       BytesReturned must be this, bytes_min: at least this, exact: the length of the output
//	output      the output must begin with these bytes
//	optional    the client has another way if the answer is refused; else it gives up
//	fetch       the output is as long as the size answer before said
//	alias       input and output are the same memory (P-11)
//
// The clients themselves (portaudio_test.go and so on) send them in the client's order, take its branches and stop where
// it gives up. The objects that answer (objects_test.go) are declared as a driver declares them, and every request goes
// through device.Handle.IoControl. The conversation is compared with a transcript in testdata as well, so that an answer that
// the client does not look at cannot change unnoticed; whether a client is satisfied is never read from the transcript.
//
// # Where a client and a rule disagree
//
// Two sources of behaviour are not always one. A test whose name begins with TestContradiction names the request, the rule
// and what satisfies the client: a setting of engine.Compat where there is one, else a handler of the driver.
//
// Where the facts come from stands in each file and in PROVENANCE.md.
package clients
