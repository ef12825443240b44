// Package perfdoc fills the figures into docs/performance.md and README.md.
//
// A page is prose with blocks between <!-- begin NAME --> and <!-- end NAME -->. The content of a block is generated
// from the JSON reports of ksbench and bench/peers, which are kept in docs/performance, and from the sidecars in
// profiles. So nobody types a figure, both pages describe one run, each block carries the commit, the machine and the
// Go version of that run, and a test checks that the pages agree with the reports.
//
//	go run ./internal/lab/perfdoc/gen              # fill the pages from the reports that are there
//	go run ./internal/lab/perfdoc/gen -measure     # make all reports, charts and profiles anew first: about 20 quiet minutes
//
// Measure on a clean checkout. All output is written after the last run has ended, so every report names a commit and
// not a changed tree.
//
// The reports are measured once per release, because they and the profiles weigh 1.6 MB. Between releases they describe
// the last release's code and may name functions that are gone. Before a release, go test -release checks that
// everything they name still exists, and that all of them are of one commit.
package perfdoc

//go:generate go run ./gen
