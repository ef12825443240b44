package main

// labCommands compare measurements and judge them.
type labCommands struct {
	Selftest selftestCommand `cmd:"" help:"Try whether verdicts can be believed on this machine: nothing changed, planted changes."`
	Merge    mergeCommand    `cmd:"" help:"Add the reports of several machines or shards into one."`
}
