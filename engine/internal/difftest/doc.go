// Package difftest runs random requests through the dispatcher and through the model of its rules, and compares all that
// can be seen of them.
//
// A Case is one object, the settings of its dispatcher, and requests to be answered in order. Generate draws one; Run
// answers it on both sides and returns the first Difference; Minimize removes from a case whatever its difference does not
// need, and what is left prints as text that a person can read.
//
// # What is compared
//
// Status, Information, the handlers called (which, in what order, with which mode, file object, lengths, offsets and
// DriverContext, and every byte that each of them saw), allocations (who served them, size, inputOperation, status), IRP
// flags, BytesReturned, the Win32 code, and the caller's output buffer after completion. On the fast path: whether the
// request was handled, IoStatus, the call and the caller's data.
//
// # What must hold besides
//
// The dispatcher never writes IoStatus.Status (P-1). No byte of caller memory is read twice, and none after an earlier pass
// captured it (S-2, P-15). The padding of a buffer is zero (P-6, S-11). Every panic is reported once. A pool buffer goes
// when the request is complete, an allocator's stays for its owner, and the arena then holds as many buffers as there are
// pended requests (S-9); at the end it holds none.
//
// # What the world around a request can be
//
// The same request can come from plain slices or from a Memory that counts its readers and changes after each; as an IRP
// of one's own or through a device handle; with a pool or from the Go heap; prepared by a genuine earlier pass of another
// dispatcher, whose table knows the property, or with a buffer that nobody prepared. Nothing that can be seen may depend
// on the choice, which Case.Seed and the request's tag make, so that a request keeps its choice while others are removed.
//
// Buffers start as 0xCC, or as what the last request left. The IRP is reused from request to request, as handles do.
//
// Pins have cases of their own, a PinCase: what clients ask about them and the parameters of creates, answered by a PinSet and by its
// model.
//
// So have filters, a FilterCase: random steps on a filter and all that is open on it. Statuses, bytes, the rules of creates, and
// the calls of drivers' hooks are compared, in order.
//
// Pended requests have an AsyncCase: a script that sends, arms, queues, takes, completes, cancels, moves and cleans up, in any order.
//
// # Readings
//
// Where a manifest cannot say what an object's handlers do, package model says it: see there. An inner request that pends is
// completed by its handler with STATUS_UNSUCCESSFUL before that returns, which is the model's reading of P-43. A slice
// that is there cannot fault, so the fast path sees no output that faults.
package difftest
