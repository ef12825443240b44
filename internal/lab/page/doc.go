// Package page writes a measurement as one HTML page: what was measured and where, who was faster and how certain that
// is, with pictures (package plot).
//
// # What a page promises
//
// The page is one file that works from a disk, an attachment or an archive, today and in ten years: no script, no
// request, no font from elsewhere. Its Content-Security-Policy has the browser forbid all of these too, and allows only
// its own style sheet, by hash; so even a name in a report that got past the escaping could do nothing. Names are data
// from strangers: html/template escapes them, characters that do not print become U+FFFD, and each name stands in a
// <bdi>, so that one written from right to left does not reorder its neighbours.
//
// The page is read on a phone and on a wide screen, in dark and light, on paper, by keyboard and by ear. Each picture
// has a title, a summary, and its numbers as a table; wide tables and pictures scroll in regions that a keyboard
// reaches; a verdict is a word and not only a colour; folded parts open without a script and print unfolded.
//
// # How it is made
//
// Write turns the Input into sections, one builder each (environment.go, ratios.go, ...). A builder returns nil when
// the reports have nothing for it, so a page shows what its reports have. A section consists of paragraphs, tables and
// figures, and one template lays out every section.
//
// With several reports, the page is about the last. The others appear beside it: their rounds in the distributions,
// their medians in the history. Targets, stages and growth come from other commands; the page shows each from the last
// report that has it.
package page
