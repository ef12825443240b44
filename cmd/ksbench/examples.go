package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// helpExamples stand at the end of a command's help, each with what it does. A test runs all of them, and wants one for each
// command.
var helpExamples = map[string]string{
	"run": `
ksbench --quick                                          # everything, briefly
ksbench run --run 20x12/irp/                             # one workload on one path
ksbench run --rounds 30 --seed 7 --format json --out new.json
ksbench run --quick --html new.html                      # and a page to look at
ksbench run --manifest mine.json                         # drivers of your own`,
	"exec": `
ksbench exec --manifest mine.json --requests requests.jsonl --explain`,
	"check": `
ksbench check mine.json
ksbench check requests.jsonl --manifest mine.json`,
	"trace": `
ksbench trace record --manifest mine.json --requests requests.jsonl --out mine.kst
ksbench trace record --manifest mine.json --object filter --client portaudio-wavert --out client.kst
ksbench trace show mine.kst
ksbench trace show mine.kst --html mine.html             # a page to look at
ksbench trace verify mine.kst --manifest mine.json       # exits with 1 if an answer differs
ksbench trace replay mine.kst --manifest mine.json --speed 2
ksbench trace convert mine.kst --out lines.jsonl         # for exec, and to edit
ksbench trace cut mine.kst --set KSPROPSETID_Audio --out audio.kst`,
	"load": `
ksbench load --manifest mine.json --clients 100 --duration 2s
ksbench load --manifest mine.json --duration 2s --rate 20000  # open loop: response times, too
ksbench load --manifest mine.json --duration 2s --mix mix.txt --format json --out load.json`,
	"soak": `
ksbench soak --duration 1s
ksbench soak --duration 1s --seed 7 --trace fault.kst`,
	"targets": `
ksbench targets --quick --run ^fast/20x12/`,
	"stages": `
ksbench stages --quick --run ^irp/`,
	"profile": `
ksbench profile --out cpu --cpu-time 5s                  # minutes, then what they prove
ksbench profile --check cpu`,
	"scale": `
ksbench scale --quick
ksbench scale --max 100000 --dir growth                  # and charts as SVG`,
	"compare": `
ksbench compare old.json new.json
ksbench compare old.json new.json --format md            # for a pull request
ksbench compare old.json new.json --filter /path:lookup`,
	"gate": `
ksbench gate new.json --baseline old.json                # exits with 1 if something regressed`,
	"baseline": `
ksbench baseline save main new.json
ksbench baseline list
ksbench gate new.json --baseline main`,
	"selftest": `
ksbench selftest --quick --run ^20x12`,
	"report": `
ksbench report new.json --out new.html
ksbench report old.json new.json --out change.html       # what changed, overlaid
ksbench report results --out history.html                # a folder of reports
ksbench report new.json --profile cpu.pprof --out new.html`,
	"serve": `
ksbench serve results                                    # then open the address that it prints
ksbench serve results --listen 127.0.0.1:0`,
	"doctor": `
ksbench doctor
ksbench doctor --format json --out machine.json`,
	"version": `
ksbench version
ksbench version --format json`,
	"completion": `
ksbench completion bash
ksbench completion --code zsh`,
}

// addExamples puts them into the help.
func addExamples(parser *kong.Kong) error {
	for _, command := range parser.Model.Children {
		text, ok := helpExamples[command.Name]
		if !ok {
			continue
		}
		if command.Detail != "" {
			command.Detail = strings.TrimRight(command.Detail, "\n") + "\n\n"
		}
		command.Detail += "Examples:\n" + strings.ReplaceAll(text, "\n", "\n  ")
	}
	return nil
}
