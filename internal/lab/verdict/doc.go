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
// # Independent samples
//
// Times of a shared machine are skewed, with outliers of any size on one side and often two modes (a sibling core busy or
// idle), so nothing assumes a normal distribution and no sample is dropped. Everything is done on the logarithms of the values:
// a change is a ratio.
//
// Two runs made one after the other are two samples. The p-value is that of a permutation test (R. A. Fisher, 1935; E. J. G.
// Pitman, 1937): of all ways to deal the values to the two sides, the share in which the means lie as far apart. Before, the
// outermost values of both sides together are moved in to their neighbours (winsorised: W. J. Dixon, 1960), which looks at no
// side and so keeps the test exact. A rank test is as exact, but one outlier of ten costs it a factor of 140, this one a factor
// of 11. The change is Hodges' and Lehmann's estimate, the median of all ratios new/old (J. L. Hodges, E. L. Lehmann, 1963),
// and its interval that of M. Hollander and D. A. Wolfe (Nonparametric Statistical Methods, 4.3). Each side's median comes with
// the interval of order statistics, from golang.org/x/perf/benchmath.
//
// # Pairs
//
// Two variants that took turns in one run are pairs. Most of the noise is common to both halves of a pair, milliseconds apart,
// and cancels in their ratio. On two shared cores at a load of 17, with nothing changed, half of the ratios of pairs lay within
// 1 to 6 % of 1, while the middle 80 % of the times ranged over a factor of 1.7 to 3.5. Their test is Wilcoxon's signed-rank
// test on the log-ratios (F. Wilcoxon, 1945). It asks for ratios that are symmetric about 1 when nothing changed. That is not
// hoped for but arranged: which variant begins a block is drawn from a seeded generator (package pair), so that without a
// difference the sign of each log-ratio is a fair coin whatever the machine does meanwhile, drifting or jumping between modes
// (R. A. Fisher, The Design of Experiments, 1935, section 21). The estimate is the median of the Walsh averages, which up to 29
// % of wild pairs do not move far.
//
// # Many rows
//
// When a report has many rows, one in twenty differs at p < 0.05 by chance alone. Holm's correction (S. Holm, 1979) bounds the
// chance of any false alarm among all rows of a comparison; it needs no independence and loses little. A row that could not
// fail weakens no other (R. E. Tarone, 1990): one of so few samples that even sides wholly apart would be no evidence, and one
// whose values lie so close together that no deal of them to two sides makes a change that counts. A metric that is another of
// its benchmark times or by a constant, as MB/s is, is not tested twice.
//
// # Samples that depend on each other
//
// A permutation test takes each value for a fresh draw. On a machine whose state lasts longer than one benchmark they are not.
// The correlation of neighbours (of their ranks) is pooled over all series, as it is the machine's, and freed from its bias in
// short series (F. H. C. Marriott, J. A. Pope, 1954). Where chance is excluded at 1 %, the series are taken for autoregressive
// processes of first order: how much wider than it seems the difference of two means then varies, and on how many degrees of
// freedom its variance is known, follows from their covariance matrix. The p-value and the interval become those of Student's
// t, whose variance borrows from the other rows of the unit as much as they are alike (G. K. Smyth, Linear models and empirical
// Bayes methods, 2004). The p-value is never less than that of the permutation test. A warning says so.
//
// Nor does one run know how far the next lies apart. If a baseline has several runs ([Together]), the centre of a new run is held
// against theirs: Student's t on the variance between runs, moderated over rows as above. However many samples a run has, it
// counts once.
//
// A report also has rows that no change of the engine can move: floor and bare, timed in the same rounds. A time that improved
// or regressed must have done so divided by theirs as well; else the machine was another, and the verdict is inconclusive.
// Three reports of one binary, made at a load of 13 on two cores, gave five false alarms in 36 comparisons of rows without this
// rule, and one with it.
//
// Without such rows, all benchmarks are each other's. If there are five or more, at least three quarters of them got worse for
// certain, and the median of all is a factor of at most 1.5, then a row regressed only if it did so by more than the floor
// beyond that median; else it is inconclusive, and [Comparison].Shift says by how much most moved. Fewer than five may well
// share the code that changed, and a larger factor is no state of a machine that is fit to measure. Rows that got better
// together fail nothing, and are left alone.
//
// # Counts
//
// Allocations and bytes are counted, not sampled. Counts that are one number on each side are exact: a change by the floor
// needs no further evidence. Unless a floor is asked for, it is one in a thousand, and at least one allocation: 1 allocs/op, or
// the 8 B/op of the least heap object. go test rounds counts down to whole ones; less than that is a stray allocation of the
// runtime that was spread over more or fewer operations. Reports of ksbench count finer, to a thousandth of an allocation,
// which is their floor. Other exact units have one in a thousand.
//
// Counts that vary on either side are samples: they join the rows that are tested, by the same test on their differences.
//
// # What is compared with what
//
// A benchmark is known by its import path, its name, its GOMAXPROCS and the configuration that differs within a file, whatever
// else the file has; [Align] decides it, and shortens names for display alone.
//
// The user says which direction is better; else a Unit line of either file does; else the words of the unit do
// ([DirectionOf]): "items/sec" is throughput, "p99-ns" a time, "cache-misses" a cost. A unit that says nothing can change,
// never regress. A metric at zero or below has no ratio: its rank test is judged by the medians.
//
// [Load] reads a report of ksbench or the output of go test -bench, [New] compares two of them row by row, and [Incomparable]
// lists what forbids a comparison of times: another CPU, GOMAXPROCS, instruction set or workload. A [Comparison] is one model
// for every output: JSON, text, Markdown, and pages elsewhere. Warnings travel with the value that they are about.
package verdict
