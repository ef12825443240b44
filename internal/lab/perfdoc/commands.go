package perfdoc

// Command is how one of the reports is made.
type Command struct {
	Figure string   // what it is for, in words
	Name   string   // of the file in docs/performance that it writes, or of a directory
	Args   []string // of the go command; FILE stands for where the output goes, the name of an earlier command for its output
	Fails  bool     // an exit code of 1 is an answer: a target was missed
}

// Commands are all of them, in the order in which they run.
var Commands = []Command{
	{"targets", "targets.json", []string{"run", "./cmd/ksbench", "targets", "--format", "json", "--out", "FILE"}, true},
	{"stages, limits", "stages.json", []string{"run", "./cmd/ksbench", "stages", "--format", "json", "--out", "FILE"}, false},
	{"the engine and what people write", "run.json", []string{"run", "./cmd/ksbench", "--rounds", "31",
		"--run", "^(1x8|20x12|2000x20|wds-sysvad|wdk81-msvad-pcmex)/(lookup|fast|irp)/", "--format", "json", "--out", "FILE"}, false},
	{"growth", "scale", []string{"run", "./cmd/ksbench", "scale", "--dir", "FILE"}, false},
	{"peers", "peers.json", []string{"run", "-C", "bench/peers", ".", "--format", "json", "--out", "FILE"}, false},
	{"profile for the next", "peers.pgo", []string{"run", "-C", "bench/peers", ".", "--cpuprofile", "FILE"}, false},
	{"peers, with PGO", "peers-pgo.json", []string{"run", "-C", "bench/peers", "-pgo", "peers.pgo", ".", "--format", "json", "--out", "FILE"},
		false},
	{"profile for the next", "ksbench.pgo", []string{"tool", "pprof", "-proto", "-output", "FILE",
		"profiles/irp.cpu.pb.gz", "profiles/fast.cpu.pb.gz", "profiles/batch.cpu.pb.gz"}, false},
	{"ksbench, with PGO", "run-pgo.json", []string{"run", "-pgo", "ksbench.pgo", "./cmd/ksbench", "--rounds", "31",
		"--run", "^(1x8|20x12|2000x20)/(lookup|fast|irp)/(engine|bare)", "--format", "json", "--out", "FILE"}, false},
	{"profiles", "profiles", []string{"run", "-trimpath", "./cmd/ksbench", "profile", "--out", "FILE"}, false},
}
