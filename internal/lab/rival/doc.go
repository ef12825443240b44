// Package rival is the strongest that one can write by hand against the table: code and data made for one set of keys.
//
// A Sorted is a slice of keys in order and a binary search without branches that depend on the data. Switch is what a
// programmer gets who writes out the keys of one real driver as nested switch statements, which the compiler turns into
// binary searches over constants: no data is read at all, and in a profile-guided build it may be inlined into its
// caller. Direct goes on from there: a whole request on the fast path in which sizes are constants and handlers are called by
// name. It does less than engine.Dispatcher.FastProperty: it does not capture the request, guard against a handler that
// panics, or judge what the handler returns. It is a limit for code without these, not a replacement.
//
// switch.go is generated from the embedded driver wds-sysvad, from the object of it that has the most properties.
package rival

//go:generate go run ./gen switch.go
