// Package bench has bodies of Go benchmarks for the users of the engine, and this repository's own benchmarks.
//
// [Dispatch], [IoControl], [FastProperty] and [Lookup] time a user's handlers and tables with a user's requests, or with
// those of [Hits], and fail when a request is not answered as it should be or allocates on the heap. The example of
// Dispatch is a file of such benchmarks in full. This is why the package imports testing; it registers no flags.
//
// The benchmarks of this repository are the rows of ksbench, each as a Go benchmark, with names of the form key=value:
//
//	go test -run '^$' -bench . -count 10 ./bench
package bench
