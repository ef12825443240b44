// Package perfdoc fills the figures into docs/performance.md and README.md.
//
// A page is prose with blocks between <!-- begin NAME --> and <!-- end NAME -->. What stands in a block is generated from
// reports that ksbench and bench/peers wrote as JSON, which are kept in docs/performance, and from the sidecars in profiles. So
// nobody types a figure, both pages tell of one run, each block is stamped with the commit, the machine and the Go version of that
// run, and a test asks whether the pages say what the reports say.
//
//	go run ./internal/lab/perfdoc/gen              # fill the pages from the reports that are there
//	go run ./internal/lab/perfdoc/gen -measure     # make all reports, charts and profiles anew first: about 20 quiet minutes
//
// Measure on a clean checkout: all output is put aside until the last run has ended, so that every report names a commit and
// not a changed tree.
//
// The reports are measured once for each release, because they and the profiles weigh 1.6 MB. In between they tell of the release's
// code, and may name what has gone since. Before a release, go test -release asks whether everything that they name is still there,
// and whether all of them are of one commit.
package perfdoc

//go:generate go run ./gen
