// Package plot draws the figures of a report as SVG: curves (Lines), distributions and intervals on a common axis
// (Rows), sums and their parts (Bars), and where a profile's time went (Flame).
//
// A chart is a plain struct of numbers and names. Its Draw method returns a Figure, which can be written to a file of
// its own or embedded in a page, and which carries the same numbers as a table for readers who cannot see the picture
// or want to copy them. A figure loads nothing: no font, no script, no image.
//
// # What a reader can rely on
//
// Series differ in colour, in the shape of their marks and in the dashes of their lines, so that a figure survives a
// black and white printer and colour-blind eyes. Colours follow the reader's light or dark preference (style.css), each
// with a contrast of at least 3:1 to the background, as WCAG 2.2, 1.4.11 requires. A figure is one image with a title
// and a description for screen readers. The label of an axis says so if the axis starts above zero or is logarithmic. A
// value that cannot be drawn, such as zero on a logarithmic axis, is missing from the picture but stays in the table.
// Figure.Marks counts the values that were drawn, so a test can see that none got lost.
//
// Names are data and may be hostile: they are escaped, characters that do not print (controls, overrides of the writing
// direction) become U+FFFD, and a long name is cut in the picture and kept whole in its tooltip and in the table.
//
// The density of a distribution is a Gaussian kernel estimate with Silverman's bandwidth 0.9 min(s, IQR/1.34) n^(-1/5)
// (Density Estimation for Statistics and Data Analysis, 1986, section 3.4.2), computed on the axis's own scale: of the
// logarithms on a logarithmic axis. All densities are drawn equally high, so widths compare shapes and not counts.
package plot
