//go:build !race

package profile

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pp "github.com/google/pprof/profile"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
	"github.com/stretchr/testify/require"
)

const committed = "../../../profiles"

// TestCommitted checks what the repository says about itself.
func TestCommitted(t *testing.T) {
	_, err := Check(t.Context(), committed, source(t), LeastRequests)
	require.NoError(t, err)
	for _, name := range names(t, committed) {
		s := sidecarOf(t, committed, name)
		require.NotContains(t, s.Environment.Commit, "+dirty", name)
		require.NotEqual(t, "unknown", s.Environment.Commit, name)
		require.Equal(t, s.Environment.Commit, sidecarOf(t, committed, names(t, committed)[0]).Environment.Commit, "%s: of one recording", name)
	}
}

func source(t *testing.T) *Source {
	t.Helper()
	s, err := FindSource(t.Context(), ".")
	require.NoError(t, err)
	return s
}

// names are the profiles in a directory.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".pb.gz") || strings.HasSuffix(e.Name(), ".trace") {
			list = append(list, e.Name())
		}
	}
	require.Len(t, list, len(workloads)*len(kinds), "no file that nobody checks")
	return list
}

func sidecarOf(t *testing.T, dir, name string) (s Sidecar) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name+".json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &s))
	return s
}

const few = 20_000

func record(t *testing.T, dir string, opt Options) {
	t.Helper()
	opt.Requests, opt.CPUTime, opt.Seed, opt.Command = few, 200*time.Millisecond, testkit.Seed(t), "go test"
	require.NoError(t, Record(context.Background(), dir, opt))
}

// TestRecording: a recording made here and now passes the checks, and no damage to it does.
func TestRecording(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, Options{})
	src := source(t)
	all, err := Check(t.Context(), dir, src, few)
	require.NoError(t, err)
	require.Len(t, all, len(workloads)*len(kinds))
	require.Contains(t, all[1].Says(), " allocations, 0 of them by a request")
	names(t, dir)
	for _, name := range names(t, dir) {
		s := sidecarOf(t, dir, name)
		require.GreaterOrEqual(t, s.Requests, int64(few), name)
	}

	_, err = Check(t.Context(), dir, src, LeastRequests)
	require.ErrorContains(t, err, "requests, of at least 10000000")
	for _, c := range []struct {
		name, want string
		damage     func(t *testing.T, dir string)
	}{
		{"no sidecar", "irp.cpu.pb.gz.json", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "irp.cpu.pb.gz.json")))
		}},
		{"no file", "fast.trace: no such file", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "fast.trace")))
		}},
		{"another file", "the checksum", func(t *testing.T, dir string) { exchange(t, dir, "irp.heap.pb.gz", "fast.heap.pb.gz") }},
		{"another sidecar", "it is of fast.heap.pb.gz", func(t *testing.T, dir string) {
			exchange(t, dir, "irp.heap.pb.gz.json", "fast.heap.pb.gz.json")
		}},
		{"a bit", "the checksum", func(t *testing.T, dir string) {
			path := filepath.Join(dir, "irp.trace")
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			content[len(content)/2] ^= 1
			require.NoError(t, os.WriteFile(path, content, 0o666))
		}},
		{"half a trace", "fast.trace: ", func(t *testing.T, dir string) {
			rewrite(t, dir, "fast.trace", func(content []byte) []byte { return content[:len(content)/2] }, nil)
		}},
		{"what unpacks to more", "irp.heap.pb.gz: unpacked: is larger than", func(t *testing.T, dir string) {
			rewrite(t, dir, "irp.heap.pb.gz", func([]byte) []byte {
				var packed bytes.Buffer
				w := gzip.NewWriter(&packed)
				_, err := w.Write(make([]byte, maxProfile+1))
				require.NoError(t, errors.Join(err, w.Close()))
				return packed.Bytes()
			}, nil)
		}},
		{"counts", "it says", func(t *testing.T, dir string) {
			rewrite(t, dir, "irp.block.pb.gz", nil, func(s *Sidecar) { s.Counts.Total++ })
		}},
		{"no command", "command, commit", func(t *testing.T, dir string) {
			rewrite(t, dir, "irp.block.pb.gz", nil, func(s *Sidecar) { s.Command = "" })
		}},
		{"an empty CPU profile", "fast.cpu.pb.gz: the profile is empty", func(t *testing.T, dir string) {
			rewriteProfile(t, dir, "fast.cpu.pb.gz", func(p *pp.Profile) { p.Sample = nil })
		}},
		{"a CPU profile of something else", "no sample is in", func(t *testing.T, dir string) {
			rewriteProfile(t, dir, "fast.cpu.pb.gz", func(p *pp.Profile) { rename(p, "FastProperty", "SlowProperty") })
		}},
		{"an allocation", "irp.heap.pb.gz: 1 allocations belong to the dispatch path", func(t *testing.T, dir string) {
			rewriteProfile(t, dir, "irp.heap.pb.gz", func(p *pp.Profile) { plant(p, module+"engine.(*Dispatcher).FastProperty") })
		}},
		{"a wait", "irp.block.pb.gz: 1 waits belong to the dispatch path", func(t *testing.T, dir string) {
			rewriteProfile(t, dir, "irp.block.pb.gz", func(p *pp.Profile) { plant(p, module+"internal/lab/profile.(*worker).irp") })
		}},
		{"no witness", "irp.heap.pb.gz: of what was done on purpose it shows 0", func(t *testing.T, dir string) {
			rewriteProfile(t, dir, "irp.heap.pb.gz", func(p *pp.Profile) { p.Sample = nil })
		}},
		{"a function that is gone", `not in the source any more: ["` + module + `internal/lab/profile.witless"]`, func(t *testing.T, dir string) {
			rewriteProfile(t, dir, "irp.mutex.pb.gz", func(p *pp.Profile) { plant(p, module+"internal/lab/profile.witless") })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			damaged := t.TempDir()
			require.NoError(t, os.CopyFS(damaged, os.DirFS(dir)))
			c.damage(t, damaged)
			_, err := Check(t.Context(), damaged, src, few)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func exchange(t *testing.T, dir, a, b string) {
	t.Helper()
	x, y := filepath.Join(dir, a), filepath.Join(dir, b)
	require.NoError(t, os.Rename(x, x+".tmp"))
	require.NoError(t, os.Rename(y, x))
	require.NoError(t, os.Rename(x+".tmp", y))
}

// rewrite forges a file together with its sidecar.
func rewrite(t *testing.T, dir, name string, content func([]byte) []byte, sidecar func(*Sidecar)) {
	t.Helper()
	path := filepath.Join(dir, name)
	s := sidecarOf(t, dir, name)
	if content != nil {
		old, err := os.ReadFile(path)
		require.NoError(t, err)
		forged := content(old)
		require.NoError(t, os.WriteFile(path, forged, 0o666))
		s.Bytes, s.XXHash64 = len(forged), digest(forged)
	}
	if sidecar != nil {
		sidecar(&s)
	}
	text, err := file{sidecar: s}.encoded()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".json", text, 0o666))
}

// rewriteProfile forges a profile, with a sidecar that counts what it then holds.
func rewriteProfile(t *testing.T, dir, name string, change func(*pp.Profile)) {
	t.Helper()
	rewrite(t, dir, name, func(content []byte) []byte {
		p, err := pp.ParseData(content)
		require.NoError(t, err)
		change(p)
		var b bytes.Buffer
		require.NoError(t, p.Write(&b))
		return b.Bytes()
	}, func(s *Sidecar) {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		found, err := inspect(workloads[slices.IndexFunc(workloads, func(w workload) bool { return w.name == s.Workload })], s.Kind, content)
		require.NoError(t, err)
		s.Counts = found.counts
	})
}

func rename(p *pp.Profile, from, to string) {
	for _, f := range p.Function {
		f.Name = strings.ReplaceAll(f.Name, from, to)
	}
}

// plant adds a sample of one in a function.
func plant(p *pp.Profile, function string) {
	f := &pp.Function{ID: uint64(len(p.Function) + 1), Name: function}
	l := &pp.Location{ID: uint64(len(p.Location) + 1), Line: []pp.Line{{Function: f, Line: 1}}}
	values := make([]int64, len(p.SampleType))
	values[0] = 1
	p.Function, p.Location = append(p.Function, f), append(p.Location, l)
	p.Sample = append(p.Sample, &pp.Sample{Location: []*pp.Location{l}, Value: values})
}

// TestPlanted: what a handler does is on the dispatch path, and each of the profiles sees it. While the processor is profiled it does
// nothing else: collections could take all of the time in which samples are taken.
func TestPlanted(t *testing.T) {
	dir := t.TempDir()
	var calls, waiting, often atomic.Int64
	const longest = 200 * time.Millisecond
	var patience time.Duration // until the other worker comes, less whenever it has not: it may have ended
	var sink atomic.Pointer[[32]byte]
	var mutex sync.Mutex
	next := func(done, _ int, name string) {
		patience = longest
		switch {
		case done%3 == 0:
			often.Store(0)
		case name == "serialize":
			often.Store(items)
		default:
			often.Store(1)
		}
	}
	record(t, dir, Options{Progress: next, get: func(irp *engine.IRP, request, data []byte) ks.Status {
		switch n, each := calls.Add(1), often.Load(); {
		case each == 0:
		case n%(each*few/2) == 0:
			runtime.GC()
		case n%(each*few/10) == 0:
			sink.Store(new([32]byte))
			mutex.Lock()
			for begun := time.Now(); waiting.Load() == 0 && time.Since(begun) < patience; {
				time.Sleep(100 * time.Microsecond)
			}
			time.Sleep(100 * time.Microsecond)
			if patience /= 2; waiting.Load() > 0 {
				patience = longest
			}
			mutex.Unlock()
		case n%7 == 0: // the other worker may hold it
			waiting.Add(1)
			mutex.Lock()
			waiting.Add(-1)
			mutex.Unlock()
		}
		return answer(irp, request, data)
	}})
	_, err := Check(t.Context(), dir, source(t), few)
	for _, w := range []string{"irp", "serialize"} { // on a busy machine the workers of one may never meet, and none waits
		require.ErrorContains(t, err, w+".heap.pb.gz: ")
		require.ErrorContains(t, err, w+".trace: ")
	}
	for _, want := range []string{"allocations belong", "contentions belong", "waits belong", "garbage collection fall among"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "fast.", "its handlers are others")
	require.NotContains(t, err.Error(), "cpu")
}

func TestFailingRequestsEndARecording(t *testing.T) {
	dir := t.TempDir()
	err := Record(context.Background(), dir, Options{Requests: few, Command: "go test",
		get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusUnsuccessful }})
	require.ErrorContains(t, err, "irp: ")
	require.ErrorContains(t, err, "requests failed")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)

	ctx, cancel := context.WithCancel(context.Background())
	err = Record(ctx, dir, Options{Requests: few, Command: "go test", Progress: func(int, int, string) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
}

// TestNames takes apart what the runtime calls functions.
func TestNames(t *testing.T) {
	for name, want := range map[string][2]string{
		module + "engine.(*Dispatcher).FastProperty":                              {"engine", "Dispatcher.FastProperty"},
		module + "engine.(*Dispatcher).serializeSet-range1":                       {"engine", "Dispatcher.serializeSet"},
		module + "engine.(*Dispatcher).run.func1.2":                               {"engine", "Dispatcher.run"},
		module + "engine.(*Dispatcher).run.deferwrap1":                            {"engine", "Dispatcher.run"},
		module + "engine/table.(*Table[...]).Lookup":                              {"engine/table", "Table.Lookup"},
		module + "engine/table.fill[go.shape.struct { a/b.V[go.shape.int] }]":     {"engine/table", "fill"},
		module + "engine/table.(*Table[go.shape.struct { F func() }]).at.gowrap1": {"engine/table", "Table.at"},
		module + "engine.init":                                                    {"engine", ""},
		module + "engine.init.0":                                                  {"engine", ""},
		module + "engine.glob..func1":                                             {"engine", ""},
		"main.(*profileCommand).Run":                                              {"cmd/ksbench", "profileCommand.Run"},
		"main.main":                                                               {"cmd/ksbench", "main"},
	} {
		dir, function := split(name)
		require.Equal(t, want, [2]string{dir, function}, name)
	}
}

func TestSource(t *testing.T) {
	src := source(t)
	for name, want := range map[string]bool{
		module + "engine.(*Dispatcher).FastProperty":       true,
		module + "engine.(*Dispatcher).FastProperty.func1": true,
		module + "engine.(*Dispatcher).NoSuchProperty":     false,
		module + "engine/table.(*Table[...]).Lookup":       true,
		module + "engine/table.seed.hash":                  true, // a value receiver
		module + "engine/table.seed.hush":                  false,
		module + "engine/chair.(*Table[...]).Lookup":       false,
		module + "engine.init":                             true,
		module + "chair.init":                              false,
		"main.main":                                        true,
		"main.maine":                                       false,
	} {
		got, err := src.Has(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
	_, err := FindSource(t.Context(), t.TempDir())
	require.ErrorContains(t, err, "is not in the source of github.com/ksdispatch/ksdispatch")
}
