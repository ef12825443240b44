// Package plot draws the figures of a report as SVG: curves ([Lines]), distributions and intervals on a common axis
// ([Rows]), sums and their parts ([Bars]), and where a profile's time went ([Flame]).
//
// A chart is a plain struct of numbers and names. Its Draw returns a [Figure], which is written as a file of its own or set
// into a page, and which carries the same numbers as a table for those who cannot see a picture or want to copy it. Nothing
// is loaded from anywhere: no font, no script, no image.
//
// # What a reader can rely on
//
// Series are told apart by colour and by the shape of their marks and the dashes of their lines, so that a figure
// survives a black and white printer and colour-blind eyes; the colours follow the reader's light or dark preference
// (style.css), each with a contrast of at least 3:1 to the background as WCAG 2.2, 1.4.11 asks. A figure is one image with a
// title and a description for screen readers. An axis that starts above zero or is logarithmic says so in its label. What
// cannot be drawn (a zero on a logarithmic axis) is left out of the picture but stays in the table, and Figure.Marks says
// how many values were drawn, which lets a test see that nothing got lost.
//
// Names are data and may be hostile: they are escaped, characters that do not print (controls, overrides of the writing
// direction) become U+FFFD, and long ones are cut in the picture and kept whole in its tooltip and the table.
//
// The density of a distribution is a Gaussian kernel estimate with Silverman's bandwidth 0.9 min(s, IQR/1.34) n^(-1/5)
// (Density Estimation for Statistics and Data Analysis, 1986, section 3.4.2), taken where the axis is even: of the
// logarithms on a logarithmic axis. Each is drawn to the same height, so that widths compare shapes and not counts.
package plot
