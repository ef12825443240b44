// Package instructions knows how many instructions a request takes: its test sends one request of each path in a process that it steps
// through, one instruction at a time, and compares the counts with testdata. So a change that costs ten instructions is seen on any
// machine, however busy. How long an instruction takes is another question, which ksbench answers.
package instructions
