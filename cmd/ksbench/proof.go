package main

// proofCommands write down what a stranger can check: profiles and growth curves.
type proofCommands struct {
	Scale scaleCommand `cmd:"" help:"Measure how the table grows, from 8 to 4,000,000 keys: time, memory, build."`
}
