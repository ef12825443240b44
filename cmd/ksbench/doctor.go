package main

import (
	"errors"

	"github.com/ksdispatch/ksdispatch/internal/lab/doctor"
)

// doctorCommand looks at the machine.
type doctorCommand struct {
	Format string `enum:"text,json" default:"text" help:"How to write the findings: text or json."`
	Out    string `placeholder:"FILE" help:"Where to write them, instead of standard output."`
}

// Run is called by kong.
func (c *doctorCommand) Run(con *console) error {
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	d, err := doctor.Examine(con.ctx)
	if err != nil {
		return err
	}
	if err := con.write(out, d, c.Format); err != nil {
		return err
	}
	if !d.Fit {
		return errors.New("the machine is not fit to measure on; the findings say what to do")
	}
	return nil
}
