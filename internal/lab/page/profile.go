package page

import (
	"fmt"
	"io"
	"slices"

	"github.com/google/pprof/profile"

	"github.com/ksdispatch/ksdispatch/internal/input"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
)

// Profile is a profile as Go programs write them.
type Profile struct {
	Name string
	*profile.Profile
}

// maxProfile is how much of a profile is read, packed or not: a minute of a benchmark has a hundredth of it.
const maxProfile = 64 << 20

// ReadProfile reads a profile in pprof's format, packed with gzip or not. Errors begin with its name.
func ReadProfile(name string, r io.Reader) (Profile, error) {
	text, err := io.ReadAll(input.Limit(r, maxProfile))
	if err == nil {
		text, err = input.Unpack(text, maxProfile)
	}
	var p *profile.Profile
	if err == nil {
		p, err = profile.ParseUncompressed(text)
	}
	if err == nil {
		err = p.CheckValid()
	}
	if err == nil && len(p.SampleType) == 0 {
		err = fmt.Errorf("it measures nothing")
	}
	if err != nil {
		return Profile{}, fmt.Errorf("%s: no profile in pprof's format: %w; write one with go test -cpuprofile FILE", name, err)
	}
	return Profile{Name: name, Profile: p}, nil
}

// flames draws each profile by its last value, which in a CPU profile is the time and in a heap profile what is in use.
func flames(in Input) (*section, error) {
	if len(in.Profiles) == 0 {
		return nil, nil
	}
	s := &section{ID: "profile", Title: "Where the time goes", Wide: true, Text: []string{
		"A flame graph, root on top. The width of a frame is the share of the profile in which the function was running or waiting for what " +
			"it called; the frames under it are what it called, largest first. Colours only tell packages apart. The numbers list the functions " +
			"that took most themselves. " +
			"Frames below 0.2 % and stacks deeper than 60 are not drawn.",
	}}
	for i, p := range in.Profiles {
		kind := p.SampleType[len(p.SampleType)-1]
		c := plot.Flame{Title: p.Name + ": " + kind.Type, Root: stacks(p),
			Format: func(v float64) string { return doc.Number(v) + " " + kind.Unit }}
		if kind.Unit == "nanoseconds" {
			c.Format = doc.Nanoseconds
		}
		s.Figures = append(s.Figures, c.Draw(fmt.Sprintf("flame-%d", i)))
	}
	return s, nil
}

// stacks sums the samples to a tree. Values below zero, which a difference of profiles has, are not drawn.
func stacks(p Profile) *plot.Frame {
	root := &plot.Frame{Name: "all"}
	value := len(p.SampleType) - 1
	for _, sample := range p.Sample {
		v := float64(sample.Value[value])
		if v <= 0 {
			continue
		}
		frame := root
		frame.Value += v
		for _, location := range slices.Backward(sample.Location) {
			for _, line := range slices.Backward(location.Line) { // inlined calls: the innermost first
				name := "?"
				if line.Function != nil {
					name = line.Function.Name
				}
				frame = frame.Child(name)
				frame.Value += v
			}
			if len(location.Line) == 0 {
				frame = frame.Child(fmt.Sprintf("%#x", location.Address))
				frame.Value += v
			}
		}
	}
	return root
}
