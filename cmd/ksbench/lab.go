package main

// labCommands compare measurements and judge them.
type labCommands struct {
	Compare  compareCommand  `cmd:"" help:"Say what changed between two measurements, or between two revisions that take turns."`
	Gate     gateCommand     `cmd:"" help:"Fail when something got worse than a baseline: 0 ok, 1 regressed, 2 bad input, 3 not comparable."`
	Baseline baselineCommand `cmd:"" help:"Keep measurements under names: save, list, show."`
	Selftest selftestCommand `cmd:"" help:"Try whether verdicts can be believed on this machine: nothing changed, planted changes."`
	Merge    mergeCommand    `cmd:"" help:"Add the reports of several machines or shards into one."`
}
