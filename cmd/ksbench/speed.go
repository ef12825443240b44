package main

// speedCommands ask whether the engine is as fast as it should be, and where a request's time goes.
type speedCommands struct{}
