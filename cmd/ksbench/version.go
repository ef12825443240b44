package main

import (
	"fmt"
	"runtime/debug"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// versionCommand says what this program is.
type versionCommand struct {
	Format string `enum:"text,json" default:"text" help:"How to write it: text or json."`
}

type version struct {
	Version  string `json:"version"` // of the module, "(devel)" if built from a tree
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Level    string `json:"level"`
	Schema   int    `json:"report_schema"`
}

// Document is a line.
func (v version) Document() *doc.Document {
	return &doc.Document{Summary: []string{fmt.Sprintf("ksbench %s, commit %s, %s, %s, %s, reports of schema %d",
		v.Version, v.Commit, v.Go, v.Platform, v.Level, v.Schema)}}
}

// Run is called by kong.
func (c *versionCommand) Run(con *console) error {
	env := machine.Describe()
	v := version{"(devel)", env.Commit, env.GoVersion, env.OS + "/" + env.Arch, env.Level, report.SchemaVersion}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	return con.show(v, c.Format)
}
