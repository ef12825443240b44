// Package page writes a measurement as one HTML page: what was measured and where, who was faster and how sure that is, and
// pictures of it (package plot).
//
// # What a page promises
//
// It is one file that works from a disk, an attachment or an archive, today and in ten years: no script, no request, no font
// from elsewhere. Its Content-Security-Policy forbids all of that to the browser too, and allows exactly its own style sheet
// by its hash, so that a name in a report that got past the escaping still could not do anything. Names are data from
// strangers: html/template escapes them, what does not print becomes U+FFFD, and each stands in a <bdi>, so that a name
// written from right to left does not turn around its neighbours.
//
// It is read on a phone and on a wide screen, by dark and by light, on paper, by keyboard and by ear: each picture has a title,
// a summary and its numbers as a table; wide tables and pictures scroll in regions that a keyboard reaches; a verdict is a
// word and not only a colour; folded parts open without a script and are printed unfolded.
//
// # How it is made
//
// [Write] turns the [Input] into sections, one builder each (environment.go, ratios.go, ...). A builder returns nil when the
// reports have nothing for it, so a page shows what its reports have. A section is paragraphs, tables and figures in the same
// shape everywhere, and one template lays all of them out.
//
// Of several reports the last is the one the page is about. The others are drawn beside it: their rounds in the
// distributions, their medians in the history. Targets, stages and growth come from programs of their own; each is shown from
// the last report that has it.
package page
