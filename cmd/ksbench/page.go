package main

import kongcompletion "github.com/jotaen/kong-completion"

// pageCommands show reports, and help with the command itself.
type pageCommands struct {
	Report     reportCommand             `cmd:"" help:"Write reports as one HTML page that needs nothing else: tables, plots, flame graphs."`
	Serve      serveCommand              `cmd:"" help:"Show a folder's reports in a browser on this machine, compare two, watch a run."`
	Doctor     doctorCommand             `cmd:"" help:"Say if this machine is fit to measure on, and what to do if not; exit with 1 then."`
	Version    versionCommand            `cmd:"" help:"Say what this program is: version, commit, compiler."`
	Completion kongcompletion.Completion `cmd:"" help:"Say how to complete commands and flags with the tab key, in bash, zsh or fish."`
}
