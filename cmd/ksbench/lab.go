package main

// labCommands compare measurements and judge them.
type labCommands struct{}
