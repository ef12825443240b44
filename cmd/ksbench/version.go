package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/ksdispatch/ksdispatch/bench/doctor"
	"github.com/ksdispatch/ksdispatch/bench/report"
)

// versionCommand says what this program is.
type versionCommand struct {
	Format string `enum:"text,json" default:"text" help:"How to write it: text or json."`
}

// Run is called by kong.
func (c *versionCommand) Run(con *console) error {
	env := doctor.Environment()
	v := struct {
		Version  string `json:"version"` // of the module, "(devel)" if built from a tree
		Commit   string `json:"commit"`
		Go       string `json:"go"`
		Platform string `json:"platform"`
		Level    string `json:"level"`
		Schema   int    `json:"report_schema"`
	}{"(devel)", env.Commit, env.GoVersion, env.OS + "/" + env.Arch, env.Level, report.SchemaVersion}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	if c.Format == "json" {
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		_, err = con.stdout.Write(append(text, '\n'))
		return err
	}
	_, err := fmt.Fprintf(con.stdout, "ksbench %s, commit %s, %s, %s, %s, reports of schema %d\n", v.Version, v.Commit, v.Go, v.Platform, v.Level, v.Schema)
	return err
}
