package main

// pageCommands show reports, and help with the command itself.
type pageCommands struct {
	Report reportCommand `cmd:"" help:"Write reports as one HTML page that needs nothing else: tables, plots, flame graphs."`
}
