package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Benchmark is what a series was measured of, in the words of its source. Which of them tell benchmarks apart is only known when
// all sides of a comparison have been read: Align decides it.
type Benchmark struct {
	Package string // import path; "" where the source does not say
	Name    string // as go test writes it, with the GOMAXPROCS at its end if that is not 1: "Copy/size=1-8"
	Config  string // the other "key: value" lines in force, sorted, each with its newline
}

// alignment is what Align found, shared by its sides.
type alignment struct {
	sides  []*Measurements
	keys   []string // of configuration, that tell series apart
	differ []unalike
}

// unalike is a key of configuration that is one thing on one side and another on the other, and tells no series apart.
type unalike struct{ key, old, new string }

func joined(differ []unalike) string {
	texts := make([]string, len(differ))
	for i, d := range differ {
		texts[i] = d.String()
	}
	return strings.Join(texts, "; ")
}

func (d unalike) String() string { return fmt.Sprintf("%s: %s, now %s", d.key, d.old, d.new) }

// Align decides which series of the sides are of one benchmark, and names each as shortly as keeps all of them apart.
//
// A benchmark is known by its import path, its name, its GOMAXPROCS, and the configuration that differs within a side. What is one
// thing on one side and another on the other, as a commit is, does not keep benchmarks apart: it is what is compared.
//
// A number at the end of a name is GOMAXPROCS or the name's own, and nothing but other names tells which. So names are compared as
// they are written; only if that finds fewer benchmarks in common than the other reading, in which all names of a side end in
// one GOMAXPROCS and those of the other in another or none, is it taken off.
//
// Series that no text of go test was read for are known by their Name. Aligning the same sides again changes nothing, also when
// series were dropped meanwhile.
func Align(sides ...*Measurements) {
	if a := sides[0].aligned; a != nil && slices.Equal(a.sides, sides) {
		return
	}
	a := &alignment{sides: sides}
	configs := configs{}
	keys := a.apartBy(configs)
	a.keys = keys
	packages := a.packages()
	suffix := a.suffixes(func(b Benchmark) string { return packages.of(b) + "\t" + configs.of(b, keys) })
	for i, m := range sides {
		m.aligned = a
		for j := range m.Series {
			s := &m.Series[j]
			if s.Benchmark == (Benchmark{}) {
				s.id = s.Name
				continue
			}
			s.Name = strings.TrimSuffix(s.Benchmark.Name, suffix[i])
			s.id = packages.of(s.Benchmark) + "\t" + s.Name + "\t" + configs.of(s.Benchmark, keys)
		}
	}
	a.name(packages, configs, keys)
}

// rowKey is what a series of one side has in common with its counterpart.
type rowKey struct{ id, unit string }

func (s *Series) key() rowKey { return rowKey{s.id, s.Unit} }

// configs are the configurations that were taken apart.
type configs map[string]map[string]string

func (c configs) values(b Benchmark) map[string]string {
	values, ok := c[b.Config]
	if !ok {
		values = map[string]string{}
		for line := range strings.Lines(b.Config) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			values[key] = value
		}
		c[b.Config] = values
	}
	return values
}

// of returns what a benchmark's configuration says to some keys.
func (c configs) of(b Benchmark, keys []string) string {
	values := c.values(b)
	var text strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&text, "%s=%s\n", key, values[key])
	}
	return text.String()
}

// machineKeys are those of go test that say where it ran. What they say is in a side's Environment.
var machineKeys = [...]string{"cpu", "goarch", "goos"}

// apartBy returns the keys that tell series apart: those with several values on a side. But if no value of a key is on both
// sides, as when each package was given its time, and without the key no two series of a side become one, it tells nothing.
func (a *alignment) apartBy(configs configs) (keys []string) {
	values := map[string][]map[string]bool{} // by key and side
	for i, m := range a.sides {
		benchmarks := map[string]Benchmark{}
		for _, s := range m.Series {
			benchmarks[s.Benchmark.Config] = s.Benchmark
		}
		for _, b := range benchmarks {
			for key := range configs.values(b) {
				if values[key] == nil {
					values[key] = make([]map[string]bool, len(a.sides))
				}
			}
		}
		for key := range values {
			values[key][i] = map[string]bool{}
			for _, b := range benchmarks {
				values[key][i][configs.values(b)[key]] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		of := values[key]
		for i := range of {
			if of[i] == nil && len(a.sides[i].Series) > 0 { // a key that only later sides have
				of[i] = map[string]bool{"": true}
			}
		}
		switch {
		case slices.ContainsFunc(of, func(v map[string]bool) bool { return len(v) > 1 }):
			keys = append(keys, key)
		case !slices.Contains(machineKeys[:], key):
			a.compare(key, of)
		}
	}
	for _, key := range slices.Clone(keys) {
		without := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == key })
		if len(a.sides) > 1 && !common(values[key]) && !a.apart(configs, keys, without) {
			keys = without
			if !slices.Contains(machineKeys[:], key) {
				a.compare(key, values[key])
			}
		}
	}
	return keys
}

// common reports whether a value is on all sides.
func common(of []map[string]bool) bool {
	for value := range of[0] {
		if !slices.ContainsFunc(of, func(v map[string]bool) bool { return !v[value] }) {
			return true
		}
	}
	return false
}

// apart reports whether series of a side are apart by some keys and not by fewer.
func (a *alignment) apart(configs configs, keys, fewer []string) bool {
	count := func(m *Measurements, keys []string) int {
		seen := map[string]bool{}
		for _, s := range m.Series {
			seen[strings.Join([]string{s.Benchmark.Package, s.Benchmark.Name, s.Unit, configs.of(s.Benchmark, keys)}, "\t")] = true
		}
		return len(seen)
	}
	return slices.ContainsFunc(a.sides, func(m *Measurements) bool { return count(m, keys) != count(m, fewer) })
}

// compare notes a key that differs from side to side.
func (a *alignment) compare(key string, of []map[string]bool) {
	first, last := slices.Sorted(maps.Keys(of[0])), slices.Sorted(maps.Keys(of[len(of)-1]))
	if slices.Equal(first, last) {
		return
	}
	say := func(values []string) string { return cmp.Or(doc.Listed(values), "nothing") }
	a.differ = append(a.differ, unalike{key, say(first), say(last)})
}

// packages are the import paths of all sides.
type packages struct {
	short  map[string]string
	ignore bool // a side says none, and there is only one
}

func (p packages) of(b Benchmark) string {
	if p.ignore {
		return ""
	}
	return b.Package
}

func (a *alignment) packages() packages {
	all := map[string]bool{}
	silent := false
	for _, m := range a.sides {
		some, any := false, false
		for _, s := range m.Series {
			if s.Benchmark != (Benchmark{}) {
				all[s.Benchmark.Package] = true
				some, any = some || s.Benchmark.Package != "", true
			}
		}
		silent = silent || any && !some
	}
	p := packages{short: map[string]string{}, ignore: silent && len(all) == 2}
	paths := slices.Sorted(maps.Keys(all))
	for keep := 1; len(p.short) < len(paths); keep++ {
		taken := map[string]bool{}
		clear(p.short)
		for _, path := range paths {
			parts := strings.Split(path, "/")
			short := strings.Join(parts[max(0, len(parts)-keep):], "/")
			if !taken[short] {
				taken[short] = true
				p.short[path] = short
			}
		}
	}
	return p
}

// mostProcs is the largest number that is taken for a GOMAXPROCS.
const mostProcs = 1 << 16

// procsOf returns the number at the end of a name if it can be what go test appends, else 1.
func procsOf(name string) int {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return 1
	}
	n, err := strconv.Atoi(name[i+1:])
	if err != nil || n <= 1 || n > mostProcs || strconv.Itoa(n) != name[i+1:] {
		return 1
	}
	return n
}

// sideNames are the names of a side, each with what else its benchmark is known by.
type sideNames struct {
	names  map[[2]string]bool
	common int  // the number at the end of all names, 1 if it is not the same or none
	bare   bool // no name ends in a number
	known  bool // common is the GOMAXPROCS that names were measured at
}

// suffixes returns for each side what go test appended to all its names, and says in the Environment of those that do not know
// how many processors that makes.
func (a *alignment) suffixes(rest func(Benchmark) string) []string {
	all := make([]sideNames, len(a.sides))
	for i, m := range a.sides {
		n := sideNames{names: map[[2]string]bool{}, bare: true}
		for _, s := range m.Series {
			if s.Benchmark == (Benchmark{}) {
				continue
			}
			procs := procsOf(s.Benchmark.Name)
			if len(n.names) == 0 {
				n.common = procs
			} else if n.common != procs {
				n.common = 1
			}
			n.bare = n.bare && procs == 1
			n.names[[2]string{rest(s.Benchmark), s.Benchmark.Name}] = true
		}
		if n.known = !m.text && m.Environment.GOMAXPROCS > 0; n.known {
			n.common = m.Environment.GOMAXPROCS
		}
		all[i] = n
	}
	suffix := make([]string, len(all))
	written := true // names are compared as they are written
	most := -1
	last := all[len(all)-1]
	for _, now := range last.readings() {
		chosen, found := make([]string, len(all)), 0
		chosen[len(all)-1] = now
		for i, n := range all[:len(all)-1] {
			best := -1
			for _, was := range n.readings() {
				if c := shared(n, was, last, now); c > best {
					best, chosen[i] = c, was
				}
			}
			found += best
		}
		if found > most {
			most, suffix = found, chosen
			written = !slices.ContainsFunc(chosen, func(s string) bool { return s != "" })
		}
	}
	same := !slices.ContainsFunc(all, func(n sideNames) bool { return n.common != last.common })
	for i, m := range a.sides {
		n := all[i]
		if len(n.names) == 0 || n.known {
			continue
		}
		if written && same && n.common > 1 {
			suffix[i] = "-" + strconv.Itoa(n.common)
		}
		env := &m.Environment
		switch {
		case suffix[i] != "":
			env.GOMAXPROCS = n.common
		case !written, n.bare, same && len(all) == 1 && !n.list():
			env.GOMAXPROCS = 1
		default:
			env.GOMAXPROCS = 0
		}
	}
	return suffix
}

// list reports whether the names can be those of a run with -cpu 1,2,4: some name is there both without a number and with one.
func (n sideNames) list() bool {
	for name := range n.names {
		if procs := procsOf(name[1]); procs > 1 && n.names[[2]string{name[0], strings.TrimSuffix(name[1], "-"+strconv.Itoa(procs))}] {
			return true
		}
	}
	return false
}

// readings are the suffixes that go test may have appended to all names.
func (n sideNames) readings() []string {
	switch {
	case n.known && n.common > 1:
		return []string{"-" + strconv.Itoa(n.common)}
	case n.common > 1 && !n.known:
		return []string{"", "-" + strconv.Itoa(n.common)}
	}
	return []string{""}
}

// shared counts the names that two sides have in common if each ends in a suffix.
func shared(a sideNames, suffixA string, b sideNames, suffixB string) (count int) {
	for name := range a.names {
		if b.names[[2]string{name[0], strings.TrimSuffix(name[1], suffixA) + suffixB}] {
			count++
		}
	}
	return count
}

// name makes names that are distinct: the package is put before them where there are several, and configuration behind them.
func (a *alignment) name(packages packages, configs configs, keys []string) {
	ids := map[string]map[string]bool{} // by name
	count := func(s *Series) {
		if ids[s.Name] == nil {
			ids[s.Name] = map[string]bool{}
		}
		ids[s.Name][s.id] = true
	}
	each := func(do func(s *Series)) {
		for _, m := range a.sides {
			for j := range m.Series {
				do(&m.Series[j])
			}
		}
	}
	text := func(do func(s *Series)) {
		each(func(s *Series) {
			if s.Benchmark != (Benchmark{}) {
				do(s)
			}
		})
	}
	text(func(s *Series) {
		if short := packages.short[s.Benchmark.Package]; len(packages.short) > 1 && !packages.ignore && short != "" {
			s.Name = short + "." + s.Name
		}
	})
	values := map[string]map[string]bool{} // by name and key
	text(func(s *Series) {
		for _, key := range keys {
			k := s.Name + "\t" + key
			if values[k] == nil {
				values[k] = map[string]bool{}
			}
			values[k][configs.values(s.Benchmark)[key]] = true
		}
	})
	text(func(s *Series) {
		name := s.Name
		for _, key := range keys {
			if len(values[name+"\t"+key]) > 1 {
				s.Name += " " + key + "=" + cmp.Or(configs.values(s.Benchmark)[key], "nothing")
			}
		}
	})
	each(count)
	text(func(s *Series) { // what is still ambiguous was made to be
		if len(ids[s.Name]) > 1 {
			s.Name = strings.Join(append([]string{s.Benchmark.Package, s.Benchmark.Name}, keysOf(configs, s.Benchmark, keys)...), " ")
		}
	})
}

func keysOf(configs configs, b Benchmark, keys []string) (list []string) {
	for _, key := range keys {
		list = append(list, key+": "+configs.values(b)[key])
	}
	return list
}
