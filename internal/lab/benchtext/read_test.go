package benchtext

import (
	"encoding/json"
	"fmt"
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

const (
	head = "goos: linux\ngoarch: amd64\npkg: m/a\ncpu: C\n"
	foot = "PASS\nok  \tm/a\t1.2s\n"
)

// cases are texts and what they say, or a part of the error. What all results have, "m/a" and its machine, is left out.
var cases = []struct{ name, text, want, refused string }{
	{name: "as go test writes it",
		text: head + "BenchmarkA-2 \t  10\t 31.00 ns/op\t 0 B/op\nBenchmarkA-2 \t  10\t 30 ns/op\n" + foot,
		want: "A-2 31 ns/op 0 B/op\nA-2 30 ns/op\n"},
	{name: "on Windows",
		text: strings.ReplaceAll(head+"BenchmarkA-2 \t  10\t 31.00 ns/op\n"+foot, "\n", "\r\n"),
		want: "A-2 31 ns/op\n"},
	{name: "a log before the figures",
		text: head + "BenchmarkA-2 \t2024/05/01 slow: 12ms\n  10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "logs before the figures",
		text: head + "BenchmarkA-2 \tone\ntwo: 2\nBenchmarking\n\n  10\t 31 ns/op\nBenchmarkB-2 \t  10\t 3 ns/op\n" + foot,
		want: "A-2 31 ns/op\nB-2 3 ns/op\n"},
	{name: "a log that begins with a newline", text: head + "BenchmarkA-2 \t\none\n  10\t 31 ns/op\n" + foot, want: "A-2 31 ns/op\n"},
	{name: "a log that is a number", text: head + "BenchmarkA-2 \t12\n  10\t 31 ns/op\n" + foot, want: "A-2 31 ns/op\n"},
	{name: "a log that counts", text: head + "BenchmarkA-2 \t12 rows\n  10\t 31 ns/op\n" + foot, want: "A-2 31 ns/op\n"},
	{name: "a log without a newline",
		text: head + "BenchmarkA-2 \tslow insert       10\t 31 ns/op\t 5 things\n" + foot,
		want: "A-2 31 ns/op 5 things\n"},
	{name: "a log before the figures and one without a newline",
		text: head + "BenchmarkA-2 \tone\ntwo      10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "a log without a newline before the name",
		text: head + "...BenchmarkA-2 \t      10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "logs without a newline before and behind the name",
		text: head + "endBenchmarkA-2 \tend      10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "words before the name",
		text:    head + "the best: BenchmarkA-2 \t      10\t 31 ns/op\n" + foot,
		refused: `file:5: something was printed before a name; let it end with a newline, or mend the line: "the best: BenchmarkA-2`},
	{name: "a name and no figures",
		text:    head + "BenchmarkA-2 \tslow insert\nBenchmarkB-2 \t  10\t 3 ns/op\n" + foot,
		refused: `file:5: this came instead of the figures of BenchmarkA-2; mend the line or leave it out: "slow insert"`},
	{name: "a name, nothing, and no figures",
		text:    head + "BenchmarkA-2 \t\nBenchmarkB-2 \t  10\t 3 ns/op\n" + foot,
		refused: `file:5: no figures follow the name; mend the line or leave it out: "BenchmarkA-2"`},
	{name: "a name, and the end",
		text:    head + "BenchmarkA-2 \tslow insert\n" + foot,
		refused: `file:5: this came instead of the figures`},
	{name: "a name, and the end of the file",
		text:    head + "BenchmarkA-2 \tslow insert\n",
		refused: `file:5: this came instead of the figures`},
	{name: "figures without a name",
		text:    head + "BenchmarkA-2 \t  10\t 3 ns/op\n      10\t 31 ns/op\n" + foot,
		refused: `file:6: figures without a name; mend the line or leave it out: "10\t 31 ns/op"`},
	{name: "figures that are none",
		text:    head + "BenchmarkA-2 \t  10\t 3 ns/op 4\n" + foot,
		refused: `file:5: missing units: "BenchmarkA-2`},
	{name: "iterations that are none",
		text:    head + "BenchmarkA-2 x 3 ns/op\n" + foot,
		refused: `file:5: parsing iteration count: invalid syntax: "BenchmarkA-2 x 3 ns/op"`},
	{name: "prose",
		text: head + "Benchmarking with 4 workers\nBenchmark results follow\nUnit tests are not run\nBenchmarks:\n" +
			"BenchmarkA-2 \t  10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "a small letter", text: "Benchmarkuber_zap 1 0.59 quality\n", want: ".uber_zap 0.59 quality\n"},
	{name: "no name",
		text: head + "Benchmark-2 \t 10\t 5 ns/op\nBenchmark \tlog\n 10\t 6 ns/op\n" + foot,
		want: "-2 5 ns/op\n 6 ns/op\n"},

	{name: "-v",
		text: head + "BenchmarkA\ncpu: hot\nnote: x\n    a_test.go:7: hello\nBenchmarkA-2 \t  10\t 31 ns/op\n" +
			"BenchmarkB\nBenchmarkB/x\nBenchmarkB/x-2\t  10\t 3 ns/op\n" + foot,
		want: "A-2 31 ns/op\nB/x-2 3 ns/op\n"},
	{name: "-v, and another run",
		text: head + "BenchmarkA\nBenchmarkA-2 \t  10\t 31 ns/op\nBenchmarkB\n" +
			strings.ReplaceAll(head, "m/a", "m/b") + "BenchmarkA-2 \t  10\t 3 ns/op\n",
		want: "A-2 31 ns/op\nm/b.A-2 [cpu=C] [goarch=amd64] [goos=linux] 3 ns/op\n"},

	{name: "a log of the CPU behind the header",
		text: head + "cpu: throttled to 800 MHz\nBenchmarkA-2 \t  10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "a log of the CPU before the header",
		text: "cpu: hot\n" + head + "BenchmarkA-2 \t  10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "a log of the CPU between results",
		text: head + "BenchmarkA-2 \t  10\t 31 ns/op\ncpu: 97%\nBenchmarkA-2 \t  10\t 30 ns/op\n" + foot,
		want: "A-2 31 ns/op\nA-2 30 ns/op\n"},
	{name: "a log of the CPU of a test binary",
		text: head + "BenchmarkA-2 \t  10\t 31 ns/op\ncpu: 97%\nBenchmarkA-2 \t  10\t 30 ns/op\nPASS\n",
		want: "A-2 31 ns/op\nA-2 30 ns/op\n"},
	{name: "a log of the CPU of a machine that has no name",
		text: "goos: linux\ngoarch: arm64\npkg: m/a\nBenchmarkA-2 \t  10\t 31 ns/op\ncpu: 97%\nBenchmarkA-2 \t  10\t 30 ns/op\n" + foot,
		want: "m/a.A-2 [goarch=arm64] [goos=linux] 31 ns/op\nm/a.A-2 [goarch=arm64] [goos=linux] 30 ns/op\n"},
	{name: "two CPUs",
		text: head + "BenchmarkA-2 \t  10\t 31 ns/op\n" +
			"" + foot + strings.ReplaceAll(head, "cpu: C", "cpu: D") + "BenchmarkA-2 \t  10\t 30 ns/op\n" + foot,
		want: "A-2 31 ns/op\nm/a.A-2 [cpu=D] [goarch=amd64] [goos=linux] 30 ns/op\n"},
	{name: "two CPUs in plain benchmark text",
		text: "cpu: C\nBenchmarkA-2 10 31 ns/op\ncpu: D\nBenchmarkA-2 10 30 ns/op\n",
		want: ".A-2 [cpu=C] 31 ns/op\n.A-2 [cpu=D] 30 ns/op\n"},
	{name: "two CPUs in results that were cut out", text: head + "BenchmarkA-2 10 31 ns/op\ncpu: D\nBenchmarkA-2 10 30 ns/op\n",
		want: "A-2 31 ns/op\nm/a.A-2 [cpu=D] [goarch=amd64] [goos=linux] 30 ns/op\n"},
	{name: "a log of a package",
		text: head + "BenchmarkA-2 \t  10\t 31 ns/op\npkg: installed\nBenchmarkA-2 \t  10\t 30 ns/op\n" + foot,
		want: "A-2 31 ns/op\nA-2 30 ns/op\n"},
	{name: "packages without their machine",
		text: "pkg: m/a\nBenchmarkA-2 10 31 ns/op\npkg: m/b\nBenchmarkA-2 10 30 ns/op\nPASS\n",
		want: "m/a.A-2 31 ns/op\nm/b.A-2 30 ns/op\n"},
	{name: "configuration",
		text: "note: a\nBenchmarkA-2 10 31 ns/op\nnote: b\nother: c d\nBenchmarkA-2 10 30 ns/op\nnote:\nBenchmarkA-2 10 29 ns/op\n",
		want: ".A-2 [note=a] 31 ns/op\n.A-2 [note=b] [other=c d] 30 ns/op\n.A-2 [other=c d] 29 ns/op\n"},
	{name: "configuration within a run",
		text: head + "note: a\nBenchmarkA-2 \t10\t31 ns/op\nnote: b\nBenchmarkA-2 \t10\t30 ns/op\n" + foot,
		want: "m/a.A-2 [cpu=C] [goarch=amd64] [goos=linux] [note=a] 31 ns/op\nm/a.A-2 [cpu=C] [goarch=amd64] [goos=linux] [note=b] 30 ns/op\n"},
	{name: "what a benchmark prints is no configuration",
		text: "mode: x\n" + head + "BenchmarkA-2 \tmode: y\n 10\t31 ns/op\nmode: x\nBenchmarkA-2 \tone\nmode: z\n" +
			" 10\t30 ns/op\n" + foot,
		want: "A-2 31 ns/op\nA-2 30 ns/op\n"},
	{name: "chatter",
		text: "go: downloading m/c v1.0.0\n" + head + "warning: slow\nerror: none\nBenchmarkA-2 \t  10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},

	{name: "FAIL in a log",
		text: head + "FAILOVER to replica 2\nFAIL: none\nFAIL\nBenchmarkA-2 \t  10\t 31 ns/op\n--- FAIL: not me\n" +
			"panic: recovered\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "FAIL in a log before the header",
		text: "FAIL\n" + head + "BenchmarkA-2 \t  10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "FAIL in a log of a test binary", text: head + "FAIL\nBenchmarkA-2 \t  10\t 31 ns/op\nPASS\n", want: "A-2 31 ns/op\n"},
	{name: "FAIL in a log behind a name", text: head + "BenchmarkA-2 \tFAIL\n  10\t 31 ns/op\n" + foot, want: "A-2 31 ns/op\n"},
	{name: "a test binary that failed before another",
		text:    "--- FAIL: TestA\nFAIL\n" + head + "BenchmarkA-2 \t  10\t 31 ns/op\nPASS\n",
		refused: `file:1: the test run failed`},
	{name: "failed",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\n--- FAIL: BenchmarkB\nFAIL\nexit status 1\nFAIL\tm/a\t0.5s\nFAIL\n",
		refused: `file:9: the test run failed: its figures are not all there: "FAIL\tm/a\t0.5s"`},
	{name: "failed, behind a name",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\nBenchmarkB-2 \t--- FAIL: BenchmarkB-2\n",
		refused: `file:6: the test run failed`},
	{name: "failed, and another did not",
		text:    "FAIL\tm/b\t0.5s\n" + head + "BenchmarkA-2 \t  10\t 31 ns/op\n" + foot + "FAIL\n",
		refused: `file:1: the test run failed`},
	{name: "another was not built",
		text:    "FAIL\tm/b [build failed]\n" + head + "BenchmarkA-2 \t  10\t 31 ns/op\n" + foot + "FAIL\n",
		refused: `file:1: the test run failed`},
	{name: "the last line says so",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\n" + foot + "FAIL\n",
		refused: `file:8: the test run failed`},
	{name: "a panic",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\npanic: runtime error: index out of range\n\ngoroutine 7 [running]:\n",
		refused: `file:6: the test run failed: its figures are not all there: "panic: runtime error: index out of range"`},
	{name: "a panic behind a name",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\nBenchmarkB-2 \tpanic: x\n\ngoroutine 7 [running]:\nexit status 2\n",
		refused: `file:6: the test run failed`},
	{name: "a panic with -v",
		text:    head + "BenchmarkA\nBenchmarkA-2 \t  10\t 31 ns/op\nBenchmarkB\npanic: x\n",
		refused: `file:8: the test run failed`},
	{name: "an exit status", text: head + "BenchmarkA-2 \t  10\t 31 ns/op\nexit status 2\n", refused: `file:6: the test run failed`},
	{name: "a signal", text: head + "BenchmarkA-2 \t  10\t 31 ns/op\nsignal: killed\n", refused: `file:6: the test run failed`},
	{name: "the runtime",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\nfatal error: all goroutines are asleep - deadlock!\n",
		refused: `file:6: the test run failed`},
	{name: "the time",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\n*** Test killed with quit: ran too long (11m0s).\n",
		refused: `file:6: the test run failed`},
	{name: "the shell",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\nSegmentation fault (core dumped)\n",
		refused: `file:6: the test run failed`},
	{name: "a panic behind PASS",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\nPASS\npanic: in TestMain\n",
		refused: `file:7: the test run failed`},
	{name: "a run that failed, and one that did not",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\npanic: x\n" + head + "BenchmarkA-2 \t  10\t 31 ns/op\nPASS\n",
		refused: `file:6: the test run failed`},
	{name: "another program that failed",
		text: "goos: linux\npkg:\nfatal error: x\n" + head + "BenchmarkA-2 \t  10\t 31 ns/op\n",
		want: "A-2 31 ns/op\n"},
	{name: "another program that failed last",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\n" + "goos: linux\npkg:\nfatal error: x\n",
		refused: "file:8: the test run failed"},
	{name: "cut in figures",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\nBenchmarkA-2 \t  10\t 3",
		refused: "file:6: ends within a line: it is truncated"},
	{name: "cut behind a name",
		text:    head + "BenchmarkA-2 \t  10\t 31 ns/op\nBenchmarkA-2 \t",
		refused: "file:6: ends within a line: it is truncated"},
	{name: "nothing", text: foot, refused: "file: no line is a benchmark's result"},
	{name: "a long log",
		text: head + strings.Repeat("x", 200_000) + "\nBenchmarkA-2 \t  10\t 31 ns/op\n" + foot,
		want: "A-2 31 ns/op\n"},
	{name: "no lines", text: strings.Repeat("x", mostLine+1<<17), refused: "file:1: a line of more than 1048576 bytes"},
}

// result completes what a case wants.
func complete(want string) string {
	var b strings.Builder
	for line := range strings.Lines(want) {
		if name, _, _ := strings.Cut(line, " "); !strings.Contains(name, ".") {
			name, values, _ := strings.Cut(line, " ")
			line = "m/a." + name + " [cpu=C] [goarch=amd64] [goos=linux] " + values
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(c.text), "file")
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				return
			}
			require.NoError(t, err)
			require.Equal(t, complete(c.want), say(got))
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
		if c.refused != "" || !strings.HasSuffix(c.text, foot) {
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
		{"a benchmark failed", strings.Join(whole[:8], "") + `{"Action":"fail","Package":"m/a","Test":"BenchmarkB"}` + "\n",
			"file:9: m/a BenchmarkB: the test run failed"},
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
	for _, c := range cases {
		if len(c.text) < 1000 {
			f.Add(c.text)
			f.Add(strings.Join(events("m/a", c.text), ""))
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
