package main

// proofCommands write down what a stranger can check: profiles and growth curves.
type proofCommands struct {
	Profile profileCommand `cmd:"" help:"Record profiles of requests, or check recorded ones: nothing allocates, contends, waits or collects."`
	Scale   scaleCommand   `cmd:"" help:"Measure how the table grows, from 8 to 4,000,000 keys: time, memory, build."`
}
