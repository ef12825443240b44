package serve

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

func sample(t *testing.T, commit string) []byte {
	t.Helper()
	r := &report.Report{
		SchemaVersion: report.SchemaVersion,
		Environment: report.Environment{CPU: "Example 9000", Cores: 2, GOMAXPROCS: 2, OS: "linux", Arch: "amd64", GoVersion: "go1.26.8",
			Level: "GOAMD64=v1", Commit: commit, Time: "2026-11-22T20:00:00Z"},
		Settings:  report.Settings{Seed: 1, Rounds: 6, Requests: 65536},
		Workloads: []report.Workload{{Name: "20x12", Objects: 1, Items: 240}}, Paths: []report.Path{{Name: "lookup"}},
		Impls: []report.Impl{{Name: "engine", Kind: report.Engine}, {Name: "map", Kind: report.Peer}},
	}
	for i, impl := range r.Impls {
		var samples []report.Sample
		for range 6 {
			samples = append(samples, report.Sample{Operations: 1, NsPerOp: float64(4 * (i + 1))})
		}
		r.Results = append(r.Results, report.NewResult("20x12", "lookup", impl.Name, samples))
	}
	r.Compare()
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	return b.Bytes()
}

// served is a folder behind a server, and what asks it.
type served struct {
	t    *testing.T
	dir  string
	addr string
	stop func() error
}

func begin(t *testing.T) *served {
	t.Helper()
	outside := t.TempDir()
	s := &served{t: t, dir: filepath.Join(outside, "reports")}
	require.NoError(t, os.Mkdir(s.dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret.json"), sample(t, "secret"), 0o644))
	for _, name := range []string{"old.json", "new.json", `<b>&"'.json`} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, `<"`) {
			continue
		}
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), sample(t, "0123"), 0o644))
	}
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "notes.json"), []byte("{}"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "notes.txt"), sample(t, "text"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, ".hidden.json"), sample(t, "hidden"), 0o644))
	if err := os.Symlink("../secret.json", filepath.Join(s.dir, "link.json")); err != nil {
		t.Logf("no links here: %v", err)
	}
	l, err := Listen("127.0.0.1:0", false)
	require.NoError(t, err)
	s.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, s.dir) }()
	s.stop = func() error { cancel(); return <-done }
	t.Cleanup(cancel)
	return s
}

// get asks for a path as it is written, with other headers than a browser's own.
func (s *served) get(target string, headers ...string) (int, string, http.Header) {
	s.t.Helper()
	return s.do(http.MethodGet, target, headers...)
}

func (s *served) do(method, target string, headers ...string) (int, string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequest(method, "http://"+s.addr, nil)
	require.NoError(s.t, err)
	path, query, _ := strings.Cut(target, "?")
	r.URL.Opaque, r.URL.RawQuery = path, query // not cleaned
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer.StatusCode, string(text), answer.Header
}

func TestPages(t *testing.T) {
	s := begin(t)
	code, text, header := s.get("/")
	require.Equal(t, 200, code)
	for _, want := range []string{"3 reports", `href="/report?name=old.json"`, "passed over: notes.json", "/history",
		`<form action="/compare"`, `value="new.json"`} {
		require.Contains(t, text, want)
	}
	for _, not := range []string{"secret", ".hidden.json", "notes.txt", "link.json", "<b>", "refresh"} {
		require.NotContains(t, text, not)
	}
	require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))

	code, text, _ = s.get("/report?name=old.json")
	require.Equal(t, 200, code)
	require.Contains(t, text, `<section id="verdict"`)
	require.Contains(t, text, `<a href="/">All reports</a>`)
	code, text, _ = s.get("/report?" + url.Values{"name": {`<b>&"'.json`}}.Encode())
	require.Equal(t, 200, code)
	require.NotContains(t, text, "<b>")
	code, text, _ = s.get("/compare?old=old.json&new=new.json")
	require.Equal(t, 200, code)
	require.Contains(t, text, "From old.json to new.json")
	code, _, _ = s.get("/compare?old=old.json&new=old.json")
	require.Equal(t, 200, code)
	code, text, _ = s.get("/history")
	require.Equal(t, 200, code)
	require.Contains(t, text, `<section id="history"`)
	code, text, _ = s.get("/report?name=notes.json")
	require.Equal(t, 422, code)
	require.Contains(t, text, "notes.json")

	// What changes is read again, and what goes is gone.
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "old.json"), sample(t, "another-commit"), 0o644))
	_, text, _ = s.get("/report?name=old.json")
	require.Contains(t, text, "another-commit")
	require.NoError(t, os.Remove(filepath.Join(s.dir, "old.json")))
	code, _, _ = s.get("/report?name=old.json")
	require.Equal(t, 404, code)
	require.NoError(t, s.stop())
}

func TestNothingLeadsOutOfTheFolder(t *testing.T) {
	s := begin(t)
	for _, name := range []string{"../secret.json", "..%2fsecret.json", "%2e%2e/secret.json", "/etc/passwd", "link.json", ".hidden.json",
		"notes.txt", "", ".",
		"old.json/../../secret.json", `..\secret.json`, "C:secret.json", "old.json%00", "./old.json",
		filepath.Join(filepath.Dir(s.dir), "secret.json")} {
		for _, target := range []string{"/report?name=" + name, "/compare?new=old.json&old=" + name} {
			code, text, _ := s.get(target)
			require.Contains(t, []int{400, 404}, code, "%s: %s", target, text)
			require.NotContains(t, text, "secret.json")
		}
	}
	for _, target := range []string{"/../secret.json", "/old.json", "/%2e%2e/secret.json", "/report/old.json", "//evil", "/.hidden.json"} {
		code, text, _ := s.get(target)
		require.NotEqual(t, 200, code, target)
		require.NotContains(t, text, "Example 9000")
	}
}

func TestOnlyTheReaderIsAnswered(t *testing.T) {
	s := begin(t)
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(t, err)
	for _, c := range []struct {
		code    int
		headers []string
	}{
		{200, nil},
		{200, []string{"Host", "localhost:" + port}},
		{200, []string{"Host", "[::1]:" + port}},
		{421, []string{"Host", "evil.example:" + port}},
		{421, []string{"Host", "localhost.evil.example:" + port}},
		{421, []string{"Host", "127.0.0.1.evil.example:" + port}},
		{421, []string{"Host", "localhost"}},
		{421, []string{"Host", "localhost:1"}},
		{200, []string{"Origin", "http://" + s.addr}},
		{403, []string{"Origin", "http://evil.example"}},
		{403, []string{"Origin", "https://" + s.addr}},
		{403, []string{"Origin", "null"}},
		{200, []string{"Sec-Fetch-Site", "none"}},
		{200, []string{"Sec-Fetch-Site", "same-origin"}},
		{403, []string{"Sec-Fetch-Site", "same-site"}},
		{403, []string{"Sec-Fetch-Site", "cross-site"}},
	} {
		code, text, header := s.get("/", c.headers...)
		require.Equal(t, c.code, code, "%v", c.headers)
		require.Equal(t, c.code == 200, strings.Contains(text, "old.json"))
		require.NotEmpty(t, header.Get("Content-Security-Policy"))
		require.Empty(t, header.Get("Access-Control-Allow-Origin"))
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "CONNECT-ME"} {
		code, _, _ := s.do(method, "/")
		require.Equal(t, 405, code, method)
	}
	code, text, _ := s.do("HEAD", "/")
	require.Equal(t, 200, code)
	require.Empty(t, text)
}

func TestListenKeepsToItself(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		l, err := Listen(address, false)
		require.ErrorContains(t, err, "is not a loopback address", address)
		require.Nil(t, l)
		l, err = Listen(address, true)
		if err != nil {
			t.Logf("%s: %v", address, err) // no such family here
			continue
		}
		known, wild := hosts(l.Addr())
		require.True(t, wild)
		require.Greater(t, len(known), 1)
		require.NoError(t, l.Close())
	}
	_, err := Listen("nonsense", false)
	require.Error(t, err)
}

func TestServeStopsCleanly(t *testing.T) {
	s := begin(t)
	code, _, _ := s.get("/")
	require.Equal(t, 200, code)
	silent, err := net.Dial("tcp", s.addr) // as browsers have one in store
	require.NoError(t, err)
	defer silent.Close()
	once := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := once.Get("http://" + s.addr) // on a connection behind that one
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.NoError(t, s.stop()) // an error if what was being answered took too long
	_, err = http.Get("http://" + s.addr)
	require.Error(t, err)

	l, err := Listen("127.0.0.1:0", false)
	require.NoError(t, err)
	require.Error(t, Serve(t.Context(), l, filepath.Join(s.dir, "missing")))
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestProgressIsShown(t *testing.T) {
	s := begin(t)
	run, written := filepath.Join(s.dir, "next.json"), time.Now()
	require.NoError(t, WriteProgress(run, Progress{Done: 25, Total: 100, Workload: "20x12<i>", Began: written.Add(-10 * time.Second)}))
	require.NoError(t, os.Chtimes(progressFile(run), written, written)) // however long it took
	_, text, _ := s.get("/")
	for _, want := range []string{"next.json", "measuring 20x12&lt;i&gt;, 30s left", `<progress value="25" max="100"`, `href="/?follow=1"`} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "refresh")
	_, text, _ = s.get("/?follow=1")
	require.Contains(t, text, `http-equiv="refresh" content="2"`)
	require.NoError(t, WriteProgress(run, Progress{Done: 25, Total: 100, Workload: "20x12"}))
	_, text, _ = s.get("/")
	require.Contains(t, text, "measuring 20x12</bdi>", "nobody knows how long since the year 1")
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(progressFile(run), old, old))
	_, text, _ = s.get("/")
	require.Contains(t, text, "it was probably killed; remove .next.json.progress")
	require.NotContains(t, text, "<progress")
	require.NoError(t, RemoveProgress(run))
	for _, odd := range []string{"", "{", `{"done":5,"total":1}`, `{"done":-1,"total":1}`, strings.Repeat(" ", maxProgress) + "{}"} {
		require.NoError(t, os.WriteFile(progressFile(run), []byte(odd), 0o644))
		_, text, _ = s.get("/")
		require.NotContains(t, text, "next.json", odd)
	}
}
