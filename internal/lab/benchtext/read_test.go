package benchtext

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// say writes what was read: "package.name config value unit ...".
func say(t *Text) string {
	var b strings.Builder
	for _, r := range t.Results {
		b.WriteString(r.Package + "." + r.Name)
		for _, p := range r.Config {
			fmt.Fprintf(&b, " [%s=%s]", p.Key, p.Value)
		}
		for _, v := range r.Values {
			fmt.Fprintf(&b, " %g %s", v.Value, v.Unit)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// What texts are made of.
const (
	head  = "goos: linux\ngoarch: amd64\npkg: m/a\ncpu: C\n"
	foot  = "PASS\nok  \tm/a\t1.2s\n"
	headB = "goos: linux\ngoarch: amd64\npkg: m/b\ncpu: C\n"
	headD = "goos: linux\ngoarch: amd64\npkg: m/a\ncpu: D\n"
	nameA = "BenchmarkA-2 \t"
	after = "      10\t 31 ns/op\n"
	row31 = nameA + after
	row30 = nameA + "      10\t 30 ns/op\n"
	rowB  = "BenchmarkB/x-2 \t      10\t 3 ns/op\n"
)

// What is read from them, and what is said of those that are refused.
const (
	onC, onD     = " [cpu=C] [goarch=amd64] [goos=linux] ", " [cpu=D] [goarch=amd64] [goos=linux] "
	ns31, ns30   = "31 ns/op\n", "30 ns/op\n"
	a31, a30, b3 = "A-2 " + ns31, "A-2 " + ns30, "B/x-2 3 ns/op\n"
	runFailed    = "the test run failed: its figures are not all there"
	mend         = "; mend the line or leave it out: "
)

// on is what is read with a configuration.
func on(config, want string) string {
	return regexp.MustCompile(`(?m)^(\S*) `).ReplaceAllString(want, "m/a.$1"+config)
}

// cases are texts and what they say. What all results have, "m/a" and its machine, is left out.
var cases = []struct{ name, text, want string }{
	{"as go test writes it", head + "BenchmarkA-2 \t  10\t 31.00 ns/op\t 0 B/op\n" + row30 + foot, "A-2 31 ns/op 0 B/op\nA-2 30 ns/op\n"},
	{"on Windows", strings.ReplaceAll(head+"BenchmarkA-2 \t  10\t 31.00 ns/op\n"+foot, "\n", "\r\n"), a31},
	{"a log before the figures", head + nameA + "2024/05/01 slow: 12ms\n" + after + foot, a31},
	{"logs before the figures", head + nameA + "one\ntwo: 2\nBenchmarking\n\n" + after + rowB + foot, a31 + b3},
	{"a log that begins with a newline", head + nameA + "\none\n" + after + foot, a31},
	{"a log that is a number", head + nameA + "12\n" + after + foot, a31},
	{"a log that counts", head + nameA + "12 rows\n" + after + foot, a31},
	{"a log without a newline", head + nameA + "slow insert       10\t 31 ns/op\t 5 things\n" + foot, "A-2 31 ns/op 5 things\n"},
	{"a log before the figures and one without a newline", head + nameA + "one\ntwo" + after + foot, a31},
	{"a log without a newline before the name", head + "..." + nameA + after + foot, a31},
	{"logs without a newline before and behind the name", head + "end" + nameA + "end" + after + foot, a31},
	{"prose", head + "Benchmarking with 4 workers\nBenchmark results follow\nUnit tests are not run\nBenchmarks:\n" + row31 + foot, a31},
	{"a small letter", "Benchmarkuber_zap 1 0.59 quality\n", ".uber_zap 0.59 quality\n"},
	{"no name", head + "Benchmark-2 \t 10\t 5 ns/op\nBenchmark \tlog\n 10\t 6 ns/op\n" + foot, "-2 5 ns/op\n 6 ns/op\n"},

	{"-v", head + "BenchmarkA\ncpu: hot\nnote: x\n    a_test.go:7: hello\n" + row31 + "BenchmarkB\nBenchmarkB/x\n" + rowB + foot, a31 + b3},
	{"-v, and another run", head + "BenchmarkA\n" + row31 + "BenchmarkB\n" + headB + row30, a31 + "m/b.A-2" + onC + "30 ns/op\n"},

	{"a log of the CPU behind the header", head + "cpu: throttled to 800 MHz\n" + row31 + foot, a31},
	{"a log of the CPU before the header", "cpu: hot\n" + head + row31 + foot, a31},
	{"a log of the CPU between results", head + row31 + "cpu: 97%\n" + row30 + foot, a31 + a30},
	{"a log of the CPU of a test binary", head + row31 + "cpu: 97%\n" + row30 + "PASS\n", a31 + a30},
	{"a log of the CPU of an unnamed one", "goos: linux\npkg: m/a\n" + row31 + "cpu: 97%\n" + row30 + foot, on(" [goos=linux] ", a31+a30)},
	{"two CPUs", head + row31 + foot + headD + row30 + foot, a31 + on(onD, a30)},
	{"two CPUs in plain benchmark text", "cpu: C\n" + row31 + "cpu: D\n" + row30, ".A-2 [cpu=C] 31 ns/op\n.A-2 [cpu=D] 30 ns/op\n"},
	{"two CPUs in results that were cut out", head + row31 + "cpu: D\n" + row30, a31 + on(onD, a30)},
	{"a log of a package", head + row31 + "pkg: installed\n" + row30 + foot, a31 + a30},
	{"packages without their machine", "pkg: m/a\n" + row31 + "pkg: m/b\n" + row30 + "PASS\n", "m/a.A-2 31 ns/op\nm/b.A-2 30 ns/op\n"},
	{"keys", "n: a\n" + row31 + "n: b\no: c d\n" + row30, ".A-2 [n=a] " + ns31 + ".A-2 [n=b] [o=c d] " + ns30},
	{"a key that goes", "n: a\no: b\n" + row31 + "n:\n" + row30, ".A-2 [n=a] [o=b] " + ns31 + ".A-2 [o=b] " + ns30},
	{"keys within a run", head + "n: a\n" + row31 + "n: b\n" + row30 + foot, on(onC+"[n=a] ", a31) + on(onC+"[n=b] ", a30)},
	{"printed keys", "m: x\n" + head + nameA + "m: y\n" + after + "m: x\n" + nameA + "one\nm: z\n" + after + foot, a31 + a31},
	{"chatter", "go: downloading m/c v1.0.0\n" + head + "warning: slow\nerror: none\n" + row31 + foot, a31},

	{"FAIL in a log", head + "FAILOVER to replica 2\nFAIL: none\nFAIL\n" + row31 + "--- FAIL: not me\npanic: recovered\n" + foot, a31},
	{"FAIL in a log before the header", "FAIL\n" + head + row31 + foot, a31},
	{"FAIL in a log of a test binary", head + "FAIL\n" + row31 + "PASS\n", a31},
	{"FAIL in a log behind a name", head + nameA + "FAIL\n" + after + foot, a31},
	{"another program that failed", "goos: linux\npkg:\nfatal error: x\n" + head + row31, a31},
	{"a long log", head + strings.Repeat("x", 200_000) + "\n" + row31 + foot, a31},
}

// refusals are texts, the line that is refused, or 0 for the whole, and what is said of it.
var refusals = []struct {
	name, text string
	line       int
	refused    string
}{
	{"words before the name", head + "the best: " + nameA + after + foot, 5, `let it end with a newline, or mend the line: "the best`},
	{"a name and no figures", head + nameA + "slow\n" + rowB + foot, 5, "this came instead of the figures of BenchmarkA-2" + mend + `"slow"`},
	{"a name, nothing, and no figures", head + nameA + "\n" + rowB + foot, 5, "no figures follow the name" + mend + `"BenchmarkA-2"`},
	{"a name, and the end", head + nameA + "slow insert\n" + foot, 5, "this came instead of the figures"},
	{"a name, and the end of the file", head + nameA + "slow insert\n", 5, "this came instead of the figures"},
	{"figures without a name", head + row31 + after + foot, 6, "figures without a name" + mend + `"10\t 31 ns/op"`},
	{"figures that are none", head + nameA + "  10\t 3 ns/op 4\n" + foot, 5, `missing units: "BenchmarkA-2`},
	{"iterations that are none", head + "BenchmarkA-2 x 3 ns/op\n" + foot, 5, `parsing iteration count: invalid syntax: "BenchmarkA-2 x `},
	{"a test binary that failed before another", "--- FAIL: TestA\nFAIL\n" + head + row31 + "PASS\n", 1, runFailed},
	{"failed", head + row31 + "--- FAIL: BenchmarkB\nFAIL\nexit status 1\nFAIL\tm/a\t0.5s\nFAIL\n", 9, runFailed + `: "FAIL\tm/a\t0.5s"`},
	{"failed, behind a name", head + row31 + "BenchmarkB-2 \t--- FAIL: BenchmarkB-2\n", 6, runFailed},
	{"failed, and another did not", "FAIL\tm/b\t0.5s\n" + head + row31 + foot + "FAIL\n", 1, runFailed},
	{"another was not built", "FAIL\tm/b [build failed]\n" + head + row31 + foot + "FAIL\n", 1, runFailed},
	{"the last line says so", head + row31 + foot + "FAIL\n", 8, runFailed},
	{"a panic", head + row31 + "panic: index out of range\n\ngoroutine 7 [running]:\n", 6, runFailed + `: "panic: index out of range"`},
	{"a panic behind a name", head + row31 + "BenchmarkB-2 \tpanic: x\n\ngoroutine 7 [running]:\nexit status 2\n", 6, runFailed},
	{"a panic with -v", head + "BenchmarkA\n" + row31 + "BenchmarkB\npanic: x\n", 8, runFailed},
	{"an exit status", head + row31 + "exit status 2\n", 6, runFailed},
	{"a signal", head + row31 + "signal: killed\n", 6, runFailed},
	{"the runtime", head + row31 + "fatal error: all goroutines are asleep - deadlock!\n", 6, runFailed},
	{"the time", head + row31 + "*** Test killed with quit: ran too long (11m0s).\n", 6, runFailed},
	{"the shell", head + row31 + "Segmentation fault (core dumped)\n", 6, runFailed},
	{"a panic behind PASS", head + row31 + "PASS\npanic: in TestMain\n", 7, runFailed},
	{"a run that failed, and one that did not", head + row31 + "panic: x\n" + head + row31 + "PASS\n", 6, runFailed},
	{"another program that failed last", head + row31 + "goos: linux\npkg:\nfatal error: x\n", 8, runFailed},
	{"cut in figures", head + row31 + nameA + "  10\t 3", 6, "ends within a line: it is truncated"},
	{"cut behind a name", head + row31 + nameA, 6, "ends within a line: it is truncated"},
	{"nothing", foot, 0, "no line is a benchmark's result"},
	{"no lines", strings.Repeat("x", mostLine+1<<17), 1, "a line of more than 1048576 bytes"},
}

// complete adds to what a case wants.
func complete(want string) string {
	var b strings.Builder
	for line := range strings.Lines(want) {
		if name, _, _ := strings.Cut(line, " "); !strings.Contains(name, ".") {
			line = on(onC, line)
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(c.text), "file")
			require.NoError(t, err)
			require.Equal(t, complete(c.want), say(got))
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			where := "file: "
			if c.line != 0 {
				where = fmt.Sprintf("file:%d: ", c.line)
			}
			_, err := Read(strings.NewReader(c.text), "file")
			require.ErrorContains(t, err, c.refused)
			require.True(t, strings.HasPrefix(err.Error(), where), "%v", err)
		})
	}
}

// events records a text as go test -json does, in pieces.
func events(pkg, text string) (lines []string) {
	write := func(action, output string) {
		line, _ := json.Marshal(map[string]string{"Action": action, "Package": pkg, "Output": output})
		lines = append(lines, string(line)+"\n")
	}
	write("start", "")
	for line := range strings.Lines(text) {
		if head, rest, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(line, "Benchmark") {
			write("output", head+"\t")
			line = rest
		}
		write("output", line)
	}
	write("pass", "")
	return lines
}

// What is read from text is read from the events of the same run, also when the events of others are among them.
func TestEvents(t *testing.T) {
	other := "goos: linux\ngoarch: amd64\npkg: m/b\ncpu: C\nBenchmarkA-2 \t  10\t 500 ns/op\nPASS\nok  \tm/b\t1s\n"
	tried := 0
	for _, c := range cases {
		if !strings.HasSuffix(c.text, foot) {
			continue
		}
		tried++
		a, b := events("m/a", c.text), events("m/b", other)
		var mixed strings.Builder
		for i := range max(len(a), len(b)) {
			for _, lines := range [][]string{a, b} {
				if i < len(lines) {
					mixed.WriteString(lines[i])
				}
			}
		}
		got, err := Read(strings.NewReader("go: downloading m/c v1.0.0\n"+strings.TrimSuffix(mixed.String(), "\n")), "file")
		require.NoError(t, err, c.name)
		require.Equal(t, complete(c.want)+"m/b.A-2 [cpu=C] [goarch=amd64] [goos=linux] 500 ns/op\n", say(got), c.name)
	}
	require.Greater(t, tried, 20)
}

func TestEventsRefused(t *testing.T) {
	whole := events("m/a", head+"BenchmarkA-2 \t  10\t 31 ns/op\n"+foot)
	for _, c := range []struct {
		name, text, refused string
	}{
		{"cut between events", strings.Join(whole[:7], ""), "file:7: nothing says that m/a has ended: the output is truncated"},
		{"cut in an event", strings.Join(whole, "")[:len(whole[0])+5], "no whole event of go test -json"},
		{"a package that did not end", strings.Join(whole, "") + `{"Action":"start","Package":"m/b"}` + "\n", "nothing says that m/b has ended"},
		{"failed", strings.Join(whole[:8], "") + `{"Action":"fail","Package":"m/a"}` + "\n", "file:9: m/a: the test run failed"},
		{"a benchmark", strings.Join(whole[:8], "") + `{"Action":"fail","Package":"m/a","Test":"B"}` + "\n", "file:9: m/a B: the test run"},
		{"not built", `{"ImportPath":"m/b","Action":"build-fail"}` + "\n" + strings.Join(whole, ""), "file:1: m/b could not be built"},
		{"not built, in words", strings.Join(whole, "") + "FAIL\tm/b [build failed]\n", "the test run failed"},
		{"no results", strings.Join(events("m/a", foot), ""), "no line is a benchmark's result"},
	} {
		_, err := Read(strings.NewReader(c.text), "file")
		require.ErrorContains(t, err, c.refused, c.name)
	}
}

// Of events without a header the package is known all the same.
func TestEventsPackage(t *testing.T) {
	two := strings.Join(events("m/a", "BenchmarkA-2 \t  10\t 31 ns/op\n"), "") +
		strings.Join(events("m/b", "BenchmarkA-2 \t  10\t 30 ns/op\n"), "")
	got, err := Read(strings.NewReader(two), "file")
	require.NoError(t, err)
	require.Equal(t, "m/a.A-2 31 ns/op\nm/b.A-2 30 ns/op\n", say(got))
}

func FuzzRead(f *testing.F) {
	var texts []string
	for _, c := range cases {
		texts = append(texts, c.text)
	}
	for _, c := range refusals {
		texts = append(texts, c.text)
	}
	for _, text := range texts {
		if len(text) < 1000 {
			f.Add(text)
			f.Add(strings.Join(events("m/a", text), ""))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Read(strings.NewReader(text), "file")
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.NotEmpty(t, got.Results)
		for _, r := range got.Results {
			require.NotEmpty(t, r.Values)
		}
	})
}

// Whatever is printed into a run that passes, wherever: it is refused, or every result is there in its place.
func FuzzLog(f *testing.F) {
	pieces := []string{"goos: linux\n", "goarch: amd64\n", "pkg: m/a\n", "cpu: C\n", "BenchmarkA-2 \t", "      10\t       111 ns/op\n",
		"BenchmarkA-2 \t",
		"      10\t       222 ns/op\n", "BenchmarkB/x-2 \t", "      10\t       333 ns/op\t 0 B/op\n", "PASS\n", "ok  \tm/a\t1.2s\n"}
	for place := range pieces {
		for _, log := range []string{"log\n", "log", "cpu: hot\n", "FAIL\n", "panic: x\n", "12 rows\n", "5\t 3 x", "BenchmarkA-2 \t", "pkg: b\n",
			"Unit x\n", "\n\n"} {
			f.Add(log, uint8(place))
		}
	}
	f.Fuzz(func(t *testing.T, log string, place uint8) {
		at := int(place) % len(pieces)
		if line := log[strings.LastIndexByte(log, '\n')+1:]; strings.Contains(line, "Benchmark") && strings.HasPrefix(pieces[at], "Benchmark") {
			t.Skip() // "BenchmarkOneBenchmarkTwo" is a name
		}
		got, err := Read(strings.NewReader(strings.Join(pieces[:at], "")+log+strings.Join(pieces[at:], "")), "file")
		if err != nil {
			return
		}
		wanted := []string{"A-2 111", "A-2 222", "B/x-2 333"}
		for _, r := range got.Results {
			if len(wanted) > 0 && fmt.Sprintf("%s %g", r.Name, r.Values[0].Value) == wanted[0] {
				wanted = wanted[1:]
			}
		}
		require.Empty(t, wanted, "missing from %s", say(got))
	})
}
