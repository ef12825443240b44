package doctor

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// governor looks at what decides the processor's frequency.
func (s subject) governor() Finding {
	f := Finding{Name: "frequency"}
	files, _ := fs.Glob(s.root, "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
	var names []string
	for _, file := range files {
		if text, err := fs.ReadFile(s.root, file); err == nil {
			names = append(names, strings.TrimSpace(string(text)))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case len(names) == 0:
		f.Grade, f.Saw = Unknown, "the system does not say how the frequency is chosen, as most virtual machines"
	case len(names) == 1 && names[0] == "performance":
		f.Grade, f.Saw = Good, "governor performance"
	default:
		f.Grade, f.Saw = Warning, "governor "+strings.Join(names, ", ")
		f.Advice = "the frequency follows the load; for the time of the measurement: sudo cpupower frequency-set -g performance"
	}
	return f
}

// hypervisor judges where the machine itself runs.
func hypervisor(name string) Finding {
	f := Finding{Name: "virtualization", Grade: Good, Saw: name}
	switch name {
	case "none":
	case "", "unknown":
		f.Grade, f.Saw = Unknown, "the system does not say"
	default:
		f.Grade = Warning
		f.Advice = "neighbours on the same hardware disturb and cannot be seen from here: compare only what took turns in one run, and " +
			"believe intervals rather than medians"
	}
	return f
}

// clockSource looks at what the kernel reads the time from.
func (s subject) clockSource() Finding {
	f := Finding{Name: "clock source", Grade: Good}
	text, err := fs.ReadFile(s.root, "sys/devices/system/clocksource/clocksource0/current_clocksource")
	f.Saw = strings.TrimSpace(string(text))
	switch {
	case err != nil || f.Saw == "":
		f.Grade, f.Saw = Unknown, "the system does not say"
	case slices.Contains([]string{"hpet", "acpi_pm", "jiffies", "pit"}, f.Saw):
		f.Grade, f.Advice = Warning, "reading this clock is a call into the kernel or slower; boot with clocksource=tsc where the processor's "+
			"counter is stable"
	}
	return f
}

// usage is the processors' time so far, in ticks.
type usage struct{ total, idle, stolen float64 }

func (u usage) minus(v usage) usage {
	return usage{u.total - v.total, u.idle - v.idle, u.stolen - v.stolen}
}

// usage reads the first line of /proc/stat: user nice system idle iowait irq softirq steal, and guest times that are in user already.
func (s subject) usage() (u usage, ok bool) {
	text, err := fs.ReadFile(s.root, "proc/stat")
	if err != nil {
		return u, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return u, false
	}
	for i, field := range fields[1:9] {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return u, false
		}
		u.total += v
		switch i {
		case 3, 4:
			u.idle += v
		case 7:
			u.stolen = v
		}
	}
	return u, true
}

// load judges what others used while this program waited: with a core of their own left for the measurement they disturb less.
func load(u usage, cores int) Finding {
	f := Finding{Name: "other load", Grade: Good}
	busy := 0.0
	if u.total > 0 {
		busy = (u.total - u.idle - u.stolen) / u.total * float64(cores)
	}
	f.Saw = fmt.Sprintf("%.2f of %d cores busy while this program waited", busy, cores)
	switch {
	case busy > float64(cores)-1 && busy > 0.5:
		f.Grade, f.Advice = Bad, "no core is free for the measurement: end the other programs or wait for them (top shows them)"
	case busy > 0.2:
		f.Grade, f.Advice = Warning, "other programs run: end them, or measure with more rounds"
	}
	return f
}

// steal judges what the hypervisor gave to others.
func steal(u usage) Finding {
	f := Finding{Name: "stolen time", Grade: Good}
	share := 0.0
	if u.total > 0 {
		share = u.stolen / u.total
	}
	f.Saw = fmt.Sprintf("%.1f %% of the processor's time went to other virtual machines", 100*share)
	switch {
	case share > 0.05:
		f.Grade, f.Advice = Bad, "the hypervisor takes the processor away: measure on another machine, or at another hour"
	case share > 0.005:
		f.Grade, f.Advice = Warning, "neighbours are active: measure with more rounds, and believe intervals rather than medians"
	}
	return f
}
