// Package verdict says whether one set of measurements differs from another, and how sure that is.
//
// # The question
//
// A benchmark that takes 70 ns today and 73 ns tomorrow is slower, or it ran while a neighbour compiled something. A gate that
// cannot tell these apart is switched off within a week, and one that never fires is worse than none. So a verdict needs three
// things at once: a test that chance alone would seldom pass, an effect that is worth acting on, and enough samples that the
// test could have passed at all.
//
//	improved      the change is for the better: chance excluded, at least the minimum effect, interval on one side of none
//	regressed     likewise for the worse
//	changed       likewise, of a metric of which nobody says whether more is better
//	same          the whole interval of the change lies within the minimum effect: a larger change is excluded
//	inconclusive  neither: measure longer, or on a quieter machine
//	insufficient  so few samples that no difference, however large, could have been called
//
// "No significant difference" is not "same": a noisy run proves nothing. Only an interval that is short enough does.
//
// # Statistics
//
// Times of a shared machine are skewed, with outliers of any size on one side and often two modes (a sibling core busy or
// idle), so nothing assumes a normal distribution and no sample is dropped. Everything is done on the logarithms of the values: a
// change is a ratio.
//
// Two runs made one after the other are independent samples. Their test is Mann-Whitney's (H. B. Mann, D. R. Whitney, 1947) from
// golang.org/x/perf/benchmath, as in benchstat; the change is Hodges' and Lehmann's estimate, the median of all ratios
// new/old (J. L. Hodges, E. L. Lehmann, 1963), and its interval the one that inverts the same test (M. Hollander, D. A. Wolfe,
// Nonparametric Statistical Methods, 4.3). So the interval and the p-value tell one story, which the quotient of two medians with
// the p-value of a rank test does not. Each side's median comes with the interval of order statistics, also from benchmath.
//
// Two variants that took turns in one run are pairs. Most of the noise is common to both halves of a pair, milliseconds apart, and
// cancels in their ratio; Mann-Whitney would throw that away. On two shared cores at a load of 17, with nothing
// changed, half of the ratios of pairs lay within 1 to 6 % of 1, while the middle 80 % of the times ranged over a factor of 1.7 to
// 3.5. Their test is Wilcoxon's signed-rank test on the log-ratios (F. Wilcoxon, 1945). It asks for ratios that are symmetric about 1 when
// nothing changed. That is not hoped for but arranged: which variant begins a block is drawn from a seeded generator (package pair), so
// that without a difference the sign of each log-ratio is a fair coin whatever the machine does meanwhile, drifting or jumping between
// modes (R. A. Fisher, The Design of Experiments, 1935, section 21). The estimate is the median of the Walsh averages, which up to 29 % of
// wild pairs do not move far.
//
// When a report has many rows, one in twenty differs at p < 0.05 by chance alone. Holm's correction (S. Holm, 1979) bounds the
// chance of any false alarm among all rows of a comparison; it needs no independence and loses little.
//
// A report also has rows that no change of the engine can move: floor and bare, timed in the same rounds. A time that
// improved or regressed must have done so divided by theirs as well; else the machine was another, and the verdict is inconclusive.
// Three reports of one binary, made at a load of 13 on two cores, gave five false alarms in 36 comparisons of rows without this
// rule, and one with it.
//
// Allocations and bytes are exact: they are counted, not sampled, and any change counts. If the counts of one side disagree
// among themselves, a change counts when the ranges do not overlap or the rank test says so. Less than one allocation in a thousand
// operations is a stray one of the runtime.
//
// # What is compared with what
//
// A benchmark is known by its import path, its name, its GOMAXPROCS and the configuration that differs within a file, whatever else
// the file has; [Align] decides it, and shortens names for display alone.
//
// What is better is what the user says; else what a Unit line of either file says; else what the words of the unit say
// ([DirectionOf]): "items/sec" is throughput, "p99-ns" a time, "cache-misses" a cost. A unit that says nothing can change, never
// regress. A metric at zero or below has no ratio: its rank test is judged by the medians.
//
// [Load] reads a report of ksbench or the output of go test -bench, [New] compares two of them row by row, and
// [Incomparable] lists what forbids a comparison of times: another CPU, GOMAXPROCS, instruction set or workload. A
// [Comparison] is one model for every output: JSON, text, Markdown, and pages elsewhere. Warnings travel with the value that
// they are about.
package verdict
