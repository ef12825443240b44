package main

// proofCommands write down what a stranger can check: profiles and growth curves.
type proofCommands struct{}
