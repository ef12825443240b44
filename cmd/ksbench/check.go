package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ksdispatch/ksdispatch/cmd/ksbench/internal/exec"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/internal/lab"
)

// checkCommand validates files and shows what they declare.
type checkCommand struct {
	Files    []string `arg:"" name:"file" help:"Manifests, and request files, whose names end in .jsonl."`
	Manifest string   `placeholder:"FILE" help:"The manifest that the request files are for."`
	Format   string   `enum:"text,json" default:"text" help:"How to write the result: text or json."`
	HTML     string   `name:"html" placeholder:"FILE" help:"Draw the filters on an HTML page, too."`
}

// Run is called by kong. Every file is looked at, whatever is wrong with the ones before.
func (c *checkCommand) Run(con *console) error {
	html, err := newOutputOf("--html", c.HTML, nil)
	if err != nil {
		return err
	}
	var checked checkedFiles
	var faults []error
	for _, path := range c.Files {
		f := checkedFile{File: path}
		var err error
		if strings.HasSuffix(path, ".jsonl") {
			err = c.requests(con, &f)
		} else {
			err = f.manifest(con.ctx)
		}
		if err != nil {
			f.Error, f.state = err.Error(), "broken"
			if errors.As(err, new(*fs.PathError)) {
				f.state = "cannot be read"
			}
			faults = append(faults, err)
		}
		checked = append(checked, f)
	}
	if con.ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err := con.show(checked, c.Format); err != nil {
		return err
	}
	if c.HTML != "" {
		if err := html.write(checked.writePage); err != nil {
			return err
		}
	}
	if len(faults) > 0 {
		return badInput{errors.Join(faults...)}
	}
	return nil
}

// checkedFile is what was found out about a file.
type checkedFile struct {
	File     string          `json:"file"`
	Driver   string          `json:"driver,omitempty"`
	Source   string          `json:"source,omitempty"`
	Digest   string          `json:"digest,omitempty"`
	Objects  []checkedObject `json:"objects,omitempty"`
	Requests *int64          `json:"requests,omitempty"` // lines of a request file
	Warnings []string        `json:"warnings,omitempty"`
	Error    string          `json:"error,omitempty"`

	state string // in a word or two, if there is an error
}

func (f *checkedFile) manifest(ctx context.Context) error {
	m, err := lab.LoadManifest(ctx, f.File)
	if err != nil {
		return err
	}
	f.Driver, f.Source, f.Digest = m.Driver, m.Source, m.Digest
	var faults []error
	for i := range m.Objects {
		o := &m.Objects[i]
		described := describeObject(o)
		for _, w := range doubts(o) {
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s: object %q: %s", f.File, o.Name, w))
		}
		_, err := engine.Compile(o.Config(manifest.Options{}))
		if refused, ok := errors.AsType[*engine.CompileError](err); ok && refused.Index < 0 {
			described.Refused = refused.Reason // a table that loads and answers (P-3)
		} else if err != nil {
			faults = append(faults, fmt.Errorf("%s: object %q: %w", f.File, o.Name, err))
		}
		f.Objects = append(f.Objects, described)
	}
	return errors.Join(faults...)
}

// maxFaults is how many malformed lines of one file are told one by one.
const maxFaults = 20

func (c *checkCommand) requests(con *console, f *checkedFile) (err error) {
	if c.Manifest == "" {
		return fmt.Errorf("%s: name the manifest that the requests are for with --manifest", f.File)
	}
	m, err := lab.LoadManifest(con.ctx, c.Manifest)
	if err != nil {
		return err
	}
	session, err := exec.New(m, exec.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Manifest, err)
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	text, done, err := con.lines(f.File)
	if err != nil {
		return err
	}
	defer done()
	var faults []error
	malformed := 0
	lines, err := session.Validate(text, func(line int64, err error) {
		if malformed++; malformed <= maxFaults {
			faults = append(faults, fmt.Errorf("%s:%d: %w", f.File, line, err))
		}
	})
	if malformed > maxFaults {
		faults = append(faults, fmt.Errorf("%s: and %d more malformed lines", f.File, malformed-maxFaults))
	}
	f.Requests = &lines
	return errors.Join(append(faults, err)...)
}
