// Package soak keeps a device busy with everything that can go wrong, for as long as one likes, and notices when something does.
//
// A session is a device of its own, a handle, and some hundred requests, drawn by a seed. Each request carries an order in its input, which
// the driver obeys: answer, panic, complete the request later from another goroutine, let it be cancelled, forget it, swap the
// dispatcher, remove the device; others ask for more memory than there is. Answers follow from the orders alone, so that the client knows
// what must come, and so that the trace of a session, replayed to such a driver, does all of it again.
//
// Beside the sessions there are clients that stay from the beginning to the end. Their handles must still answer then.
//
// A soak checks that each request is answered once, as ordered, and in order; that each pended one is completed once; that each buffer is
// freed when its request has ended; that each enabled event ends with its handle, and that OnPanic is told of each panic. At the end, no
// more than 2 % more memory is resident than after a minute, the least of some seconds each, and no goroutine is left.
package soak
