// Package perfdoc fills the figures into docs/performance.md.
//
// The page is prose with blocks between <!-- begin NAME --> and <!-- end NAME -->. What stands in a block is generated from
// reports that ksbench and bench/peers wrote as JSON, which are kept beside the page in docs/performance, and from the
// sidecars in profiles. So no figure is typed, each is stamped with the commit, the machine and the Go version of its run, and a
// test can ask whether the page says what the reports say, and whether the names in them still exist.
//
//	go run ./internal/lab/perfdoc/gen              # fill the page from the reports that are there
//	go run ./internal/lab/perfdoc/gen -measure     # make all reports, charts and profiles anew first: about 20 quiet minutes
//
// Measure on a clean checkout: all output is put aside until the last run has ended, so that every report names a commit and
// not a changed tree.
package perfdoc

//go:generate go run ./gen
