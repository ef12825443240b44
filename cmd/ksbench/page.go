package main

// pageCommands show reports, and help with the command itself.
type pageCommands struct{}
