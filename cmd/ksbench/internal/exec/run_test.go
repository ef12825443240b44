package exec

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/input"
)

// padded is a good request of n bytes.
func padded(n int) string {
	const line = `{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4}`
	return line[:1] + strings.Repeat(" ", n-len(line)) + line[1:]
}

// TestLineLengths crosses the buffer of the reader and the limit, with a line end and without.
func TestLineLengths(t *testing.T) {
	const buffered, limit = 64, 200
	for n := range 4 * limit {
		long := strings.Repeat("x", n)
		r := lineReader{limit: limit, r: bufio.NewReaderSize(strings.NewReader("a\n"+long+"\nb\n"+long), buffered)}
		for _, want := range []string{"a", long, "b", long} {
			line, err := r.next()
			switch {
			case len(want) > limit:
				require.ErrorIs(t, err, errTooLong, "%d bytes", n)
				continue
			case want == "" && errors.Is(err, io.EOF): // nothing after the last line end is no line
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want, string(line))
		}
		_, err := r.next()
		require.ErrorIs(t, err, io.EOF)
	}
}

// TestTooLong answers a line beyond the limit in its place.
func TestTooLong(t *testing.T) {
	out, bad := run(t, golden(t), padded(maxLine)+"\n"+padded(maxLine+1)+"\n"+padded(100))
	require.Equal(t, 1, bad)
	lines := strings.Split(out, "\n")
	require.Contains(t, lines[0], "STATUS_SUCCESS")
	require.Contains(t, lines[1], `{"line":2,"error":"the line is longer than 16777216 bytes`)
	require.Contains(t, lines[2], "STATUS_SUCCESS")
}

// TestLongData carries a SET of a megabyte there and its front back.
func TestLongData(t *testing.T) {
	data := strings.Repeat("5a", 1<<20)
	out, bad := run(t, golden(t), `{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":2,"out":1048576,"data":"`+data+`"}
{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4}`)
	require.Zero(t, bad)
	require.Contains(t, out, `"output":"5a5a5a5a"`)
}

// TestAnswersAtOnce asks one question at a time, with the next already begun.
func TestAnswersAtOnce(t *testing.T) {
	s := golden(t)
	requests, ask := io.Pipe()
	listen, answers := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := s.Run(requests, answers)
		answers.Close()
		done <- err
	}()
	r := bufio.NewReader(listen)
	fmt.Fprint(ask, `{"i":`)
	for i := range 3 {
		_, err := fmt.Fprintf(ask, "%d}\n{\"i\":", i)
		require.NoError(t, err)
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, fmt.Sprintf(`{"i":%d,`, i))
	}
	fmt.Fprint(ask, "3}")
	require.NoError(t, ask.Close())
	io.Copy(io.Discard, r)
	require.NoError(t, <-done)
}

// TestInterrupt ends a run that waits for input that never comes.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	requests, ask := io.Pipe()
	defer ask.Close()
	out := &notify{wrote: make(chan struct{}, 1)}
	done := make(chan error)
	go func() {
		_, err := golden(t).Run(input.Reader(ctx, requests), out)
		done <- err
	}()
	fmt.Fprintln(ask, "{}")
	<-out.wrote
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

type notify struct{ wrote chan struct{} }

func (n *notify) Write(p []byte) (int, error) {
	n.wrote <- struct{}{}
	return len(p), nil
}

// TestBrokenStreams reports what the reader or the writer says.
func TestBrokenStreams(t *testing.T) {
	broken := errors.New("broken")
	out := new(bytes.Buffer)
	_, err := golden(t).Run(io.MultiReader(strings.NewReader("{}\n{"), iotest.ErrReader(broken)), out)
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, strings.Count(out.String(), "\n"), "what was answered before is written")

	for _, requests := range []string{"{}\n", strings.Repeat("{}\n", bufferSize)} {
		_, err = golden(t).Run(strings.NewReader(requests), failing{broken})
		require.ErrorIs(t, err, broken)
	}
	_, err = golden(t).Run(iotest.OneByteReader(strings.NewReader("{}\n{}")), io.Discard)
	require.NoError(t, err)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestValidate finds malformed lines without answering any.
func TestValidate(t *testing.T) {
	s := golden(t)
	var found []int64
	lines, err := s.Validate(strings.NewReader("{}\n{\n"+padded(maxLine+1)+"\n{\"object\":\"nobody\"}\n"+
		`{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":2,"out":4,"data":"01020304"}`), func(line int64, err error) {
		require.Error(t, err)
		found = append(found, line)
	})
	require.NoError(t, err)
	require.Equal(t, int64(5), lines)
	require.Equal(t, []int64{2, 3, 4}, found)
	out, _ := run(t, s, padded(100))
	require.Contains(t, out, `"output":"00000000"`, "the SET was not dispatched")

	broken := errors.New("broken")
	_, err = s.Validate(iotest.ErrReader(broken), nil)
	require.ErrorIs(t, err, broken)
}

// TestPoolExhausted lists a pool allocation that failed, with the size that was asked for.
func TestPoolExhausted(t *testing.T) {
	s := golden(t)
	small, err := arena.New(arena.Config{ChunkSize: 256, Limit: 4096})
	require.NoError(t, err)
	require.NoError(t, s.arena.Close())
	s.arena = small
	out, _ := run(t, s, `{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":8001,"entry":"plain"}
{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":8001}
{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4}`)
	lines := strings.Split(out, "\n")
	require.Contains(t, lines[0], `"status":"0xc000009a"`)
	require.Contains(t, lines[0], `"allocations":[{"by":"pool","size":8032,"status":"0xc000009a"}],"irp_flags":[]`)
	require.Contains(t, lines[1], `"allocations":[{"by":"custom","size":8032,"input_operation":true,"status":"0xc000009a"}]`)
	require.Contains(t, lines[2], "STATUS_SUCCESS")
}

// TestNothingKept dispatches every golden request and finds the arena as empty as before.
func TestNothingKept(t *testing.T) {
	s := golden(t)
	text := bytes.Buffer{}
	for _, m := range []string{"ok", "fault_in", "fault_out"} {
		for _, p := range []string{"true", "false", `"forged"`} {
			for _, a := range []string{"arena", "none", "fail", "nobuffer"} {
				for id := range 6 {
					fmt.Fprintf(&text, `{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":%d,"flags":1,"out":9,`, id)
					fmt.Fprintf(&text, `"memory":%q,"prepared":%s,"allocator":%q,"tag":"x"}`+"\n", m, p, a)
				}
			}
		}
	}
	fmt.Fprintln(&text, `{"op":"complete","tag":"x"}`)
	_, bad := run(t, s, text.String())
	require.Zero(t, bad)
	stats := s.arena.Stats()
	require.Zero(t, stats.Live)
	require.NotZero(t, stats.Allocs)
}

// TestOffset holds offset against slices whose place is known.
// TestHugeBuffers: when a request with a huge buffer has been answered, the buffer is gone, whoever made it and whoever
// freed it.
func TestHugeBuffers(t *testing.T) {
	const size = hugeBuffer + 1<<20
	held := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for name, more := range map[string]string{
		"allocator":         `"flags":1`,
		"pool":              `"flags":1,"entry":"plain"`,
		"a pass before":     `"flags":1,"prepared":true`,
		"fault, allocator":  `"flags":2,"memory":"fault_out"`,
		"fault, pool":       `"flags":2,"entry":"plain","memory":"fault_out"`,
		"pool, basic":       `"flags":512`,
		"pended, and taken": `"id":2,"flags":1`,
	} {
		if !strings.Contains(more, `"id"`) {
			more = `"id":1,` + more
		}
		s := session(t, "testdata/manifest.json", Options{Explain: true, MaxOut: size})
		runtime.GC()
		before := held()
		line := fmt.Sprintf(`{"set":"aaaaaaaa-0000-0000-0000-000000000001","out":%d,%s}`, size, more)
		out, bad := run(t, s, line)
		require.Zero(t, bad)
		require.Regexp(t, fmt.Sprintf(`"(size":%d|request_offset":%d),`, size+24, size), out, name) // there was one
		require.LessOrEqual(t, held()-before, int64(size/2), name)
	}
}

func TestOffset(t *testing.T) {
	b := make([]byte, 64)
	require.Equal(t, int64(0), offset(b, b[:3]))
	require.Equal(t, int64(40), offset(b, b[40:41:41]))
	require.Equal(t, int64(-8), offset(b[8:], b))
}

// TestPrefaces keeps no more dispatchers than it says.
func TestPrefaces(t *testing.T) {
	p := preface{}
	first := p.dispatcher(prefaceKey{set: ks.GUID{1}})
	require.Same(t, first, p.dispatcher(prefaceKey{set: ks.GUID{1}}))
	for id := range uint32(maxPrefaces) {
		p.dispatcher(prefaceKey{set: ks.GUID{2}, id: id})
	}
	require.LessOrEqual(t, len(p.dispatchers), maxPrefaces)
	require.NotSame(t, first, p.dispatcher(prefaceKey{set: ks.GUID{1}}))
	require.Equal(t, ks.StatusNotFound, decline(&engine.IRP{}, nil, nil))
}

// repeat is a reader of n lines that takes no memory for them.
type repeat struct {
	line func(i int) string
	i, n int
	rest string
}

func (r *repeat) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if r.rest == "" {
			if r.i == r.n {
				return n, io.EOF
			}
			r.rest = r.line(r.i)
			r.i++
		}
		k := copy(p[n:], r.rest)
		r.rest = r.rest[k:]
		n += k
	}
	return n, nil
}

// growth is how much more heap is live after n lines than after a tenth of them.
func growth(t *testing.T, n int, line func(i int) string) int64 {
	t.Helper()
	s := golden(t)
	live := func(n int) int64 {
		_, err := s.Run(&repeat{line: line, n: n}, io.Discard)
		require.NoError(t, err)
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live(n / 10)
	return live(n) - before
}

// TestMemory answers 200,000 lines of every kind and ends with the heap it began with.
func TestMemory(t *testing.T) {
	lines := []string{
		`{"i":%d,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":2,"out":4,"data":"01020304"}`,
		`{"i":%d,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4,"entry":"plain"}`,
		`{"i":%d,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":2,"flags":1,"out":4}`,
		`{"i":%d,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":2,"flags":1,"out":4,"tag":"same"}`,
		`{"i":%[1]d,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":%[1]d,"flags":1,"out":4,"prepared":true}`,
		`{"i":%d,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4,"prepared":"forged"}`,
		`{"i":%d,"op":"fast_property","set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4}`,
		`{"i":%[1]d,"set":"aaaaaaaa-0000-0000-0000-000000000001","flags":512,"out":4,"file":%[1]d}`,
		`{"op":"close","file":%d}`,
		`{"i":%d,"set":"aaaaaaaa-0000-0000-0000-000000000001","flags":2048,"out":100,"memory":"fault_out"}`,
	}
	g := growth(t, 200_000, func(i int) string {
		if k := i % len(lines); k == 8 {
			return fmt.Sprintf(`{"op":"close","file":%d}`+"\n", i-1)
		}
		return fmt.Sprintf(lines[i%len(lines)]+"\n", i)
	})
	require.LessOrEqual(t, g, int64(1<<20), "more live bytes after 200,000 lines than after 20,000")
}

// TestMemoryNotices is its control: state that a run does ask for, a pended request for each line, is more than that.
func TestMemoryNotices(t *testing.T) {
	g := growth(t, 20_000, func(i int) string {
		return fmt.Sprintf(`{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":2,"flags":1,"out":4,"tag":"%d"}`+"\n", i)
	})
	require.GreaterOrEqual(t, g, int64(1<<20), "18,000 more pended requests: the test of memory would not notice a leak")
}

// BenchmarkExec is the throughput of exec: lines a second, by what they ask.
func BenchmarkExec(b *testing.B) {
	for name, line := range map[string]string{
		"get":       `{"i":123456,"object":"plain","set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4}`,
		"set":       `{"i":123456,"object":"plain","set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":2,"out":4,"data":"01020304"}`,
		"missing":   `{"i":123456,"object":"plain","set":"aaaaaaaa-0000-0000-0000-000000000001","id":99,"flags":1,"out":4}`,
		"serialize": `{"i":123456,"object":"plain","set":"aaaaaaaa-0000-0000-0000-000000000001","flags":2048,"out":56}`,
		"fast":      `{"i":123456,"op":"fast_property","set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4}`,
		"prepared":  `{"i":123456,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4,"prepared":true}`,
		"fault":     `{"i":123456,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":3,"flags":1,"out":4}`,
		"malformed": `{"i":123456,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":-1,"flags":1,"out":4}`,
	} {
		b.Run("line="+name, func(b *testing.B) {
			s := golden(b)
			line := line + "\n"
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			in := &repeat{line: func(int) string { return line }, n: b.N}
			b.ResetTimer()
			_, err := s.Run(in, io.Discard)
			require.NoError(b, err)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
