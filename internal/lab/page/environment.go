package page

import (
	"fmt"
	"slices"
	"strings"
)

// environment is where and how was measured, a column for each report.
func environment(in Input) (*section, error) {
	t := table{Caption: "machine, build and settings", Header: []string{"what"}}
	for _, r := range in.Reports {
		t.Header = append(t.Header, r.Name)
	}
	for _, fact := range []struct {
		name string
		of   func(Report) string
	}{
		{"processor", func(r Report) string { return r.Environment.CPU }},
		{"cores, GOMAXPROCS", func(r Report) string { return fmt.Sprintf("%d, %d", r.Environment.Cores, r.Environment.GOMAXPROCS) }},
		{"system", func(r Report) string { return r.Environment.OS + "/" + r.Environment.Arch }},
		{"compiler", func(r Report) string { return r.Environment.GoVersion + ", " + r.Environment.Level }},
		{"began", func(r Report) string { return r.when() }},
		{"kernel", func(r Report) string { return r.Environment.Kernel }},
		{"virtualization", func(r Report) string { return r.Environment.Virtualization }},
		{"commit", func(r Report) string { return r.Environment.Commit }},
		{"rounds", func(r Report) string { return fmt.Sprint(r.Settings.Rounds) }},
		{"seed", func(r Report) string { return fmt.Sprint(r.Settings.Seed) }},
		{"requests per workload", func(r Report) string { return fmt.Sprint(r.Settings.Requests) }},
		{"untimed cycles before a batch", func(r Report) string {
			if r.Settings.Prime == 0 { // no report of today, or one whose rows differ in it
				return ""
			}
			return fmt.Sprint(r.Settings.Prime)
		}},
		{"least length of a batch", func(r Report) string { return fmt.Sprintf("%g ms", float64(r.Settings.BatchNs)/1e6) }},
	} {
		row, known := plain(fact.name), false
		for _, r := range in.Reports {
			text := fact.of(r)
			if r.Bench != nil && !slices.Contains([]string{"processor", "system"}, fact.name) { // what text does not say
				text = ""
			}
			known = known || text != ""
			row = append(row, cell{Text: text})
		}
		if known {
			t.Rows = append(t.Rows, row)
		}
	}
	names := table{Caption: "what the names mean", Header: []string{"name", "meaning"}}
	r := in.main()
	for _, impl := range r.Impls {
		names.Rows = append(names.Rows, plain(impl.Name, impl.Description))
	}
	for _, w := range r.Workloads {
		names.Rows = append(names.Rows, plain(w.Name, fmt.Sprintf("%s (%d objects, %d items)", w.Description, w.Objects, w.Items)))
	}
	var notes []string
	if r.Incomplete {
		notes = append(notes, "The run was interrupted: there are fewer rounds or workloads than asked for.")
	}
	if n := len(r.Shards); n > 0 {
		notes = append(notes, fmt.Sprintf("Merged from %d runs.", n))
	}
	s := &section{ID: "environment", Notes: append(notes, r.Warnings...), Title: "Where it was measured", Tables: []table{t},
		Text: []string{"Times belong to a machine. Only runs on the same one can be compared; ratios travel a little better."}}
	if len(names.Rows) > 0 {
		s.Folds = []fold{{Title: "Workloads and implementations", Tables: []table{names}}}
	}
	return s, nil
}

// quickBatch is the length of a batch under --quick, by which such a report is known.
const quickBatch = 500_000

// reproduce lists the commands that repeat the run.
func reproduce(in Input) (*section, error) {
	r := in.main()
	if r.Bench != nil || len(r.Settings.Command) == 0 && r.Settings.BatchNs == 0 { // ksbench has not made it: it is of a fleet
		return nil, nil
	}
	s := &section{ID: "reproduce", Title: "Do it again", Text: []string{
		"The same seed makes the same tables, the same requests and the same order. In the source tree of ksdispatch:",
	}}
	if c := strings.TrimSuffix(r.Environment.Commit, "+dirty"); c != "" && c != "unknown" {
		s.Commands = append(s.Commands, "git checkout "+quote(c))
		if c != r.Environment.Commit {
			s.Notes = []string{"The tree had changes that the commit does not have."}
		}
	}
	s.Commands = append(s.Commands, "go run ./cmd/ksbench "+r.command()+" --format json --out again.json",
		"go run ./cmd/ksbench report again.json --out again.html")
	if !r.pageOnly {
		s.Text = append(s.Text, fmt.Sprintf("With a copy of %s beside it, ksbench report %s again.json shows what changed.", r.Name,
			quote(r.Name)))
	}
	if len(r.Results) > 0 && len(r.Settings.Command) == 0 {
		s.Text = append(s.Text, "Workloads from manifests need --manifest FILE, parts of a run --run REGEXP as well.")
	}
	return s, nil
}

// command is what made the report, as far as the report says.
func (r Report) command() string {
	if c := r.Settings.Command; len(c) > 0 && slices.Contains([]string{"run", "load", "scale", "stages", "targets"}, c[0]) {
		command := c[0]
		for _, w := range c[1:] {
			// writes, or reads, elsewhere
			if name, _, _ := strings.Cut(w, "="); !slices.Contains([]string{"--out", "--html", "--trace", "--dir", "--config"}, name) {
				command += " " + word(w)
			}
		}
		return command
	}
	command := "run"
	switch {
	case len(r.Results) > 0:
	case len(r.Scale) > 0:
		command = "scale"
	case len(r.Stages) > 0:
		command = "stages"
	case len(r.Targets) > 0:
		command = "targets"
	}
	if r.Settings.BatchNs == quickBatch {
		command += " --quick"
	}
	return fmt.Sprintf("%s --seed %d --rounds %d", command, r.Settings.Seed, r.Settings.Rounds)
}

// quote makes a word of a shell from any text, and no flag.
func quote(s string) string {
	if strings.HasPrefix(s, "-") {
		s = "./" + s
	}
	return word(s)
}

// word makes a word of a shell from any text.
func word(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-+=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
