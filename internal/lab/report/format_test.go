package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchproc"
)

// wide is a report with a latency, which every format must show.
func wide(t testing.TB) *Report {
	r := sample(7)
	h, clock := NewHistogram(), NewHistogram()
	for i := range int64(10_000) {
		require.NoError(t, h.RecordValue(50+i*i/1000))
		require.NoError(t, clock.RecordValue(25+i%3))
	}
	service, err := NewDistribution(h)
	require.NoError(t, err)
	own, err := NewDistribution(clock)
	require.NoError(t, err)
	r.Settings.Latency = true
	r.Results[4].Latency = &Latency{Every: 16, Service: service, Clock: own}
	r.Results[5].Latency = &Latency{Every: 16, Service: service, Clock: own}
	r.Incomplete = true
	return r
}

func open(t testing.TB) *Report {
	r := wide(t)
	r.Settings.Rate = 250000
	for i := 4; i < 6; i++ {
		l := r.Results[i].Latency
		l.Every, l.Response, l.Behind = 1, &l.Service, 1234
	}
	return r
}

func TestFormatGolden(t *testing.T) {
	golden(t, "latency.txt", render(t, as(wide(t), "text")))
	golden(t, "latency.md", render(t, as(open(t), "md")))
	golden(t, "latency.bench", render(t, open(t).WriteGoBench))
	golden(t, "latency.csv", render(t, wide(t).WriteCSV))
}

// benchfmt and benchproc are what benchstat is made of: every line is understood, and names split into keys.
func TestGoBenchIsReadAsBenchstatReadsIt(t *testing.T) {
	r := open(t)
	var parser benchproc.ProjectionParser
	keys, err := parser.Parse("/workload,/path,/impl,/gomaxprocs", nil)
	require.NoError(t, err)
	reader := benchfmt.NewReader(strings.NewReader(render(t, r.WriteGoBench)), "report")
	rows := map[string][]float64{}
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			require.Fail(t, rec.Error())
		case *benchfmt.Result:
			require.Equal(t, "Example 9000", rec.GetConfig("cpu"))
			if ns, ok := rec.Value("sec/op"); ok {
				name := keys.Project(rec).String()
				rows[name] = append(rows[name], ns)
			} else {
				_, ok := rec.Value("p99-sec")
				require.True(t, ok, "%s", rec.Name)
			}
		}
	}
	require.NoError(t, reader.Err())
	require.Len(t, rows, len(r.Results))
	name := "/workload:20x12 /path:lookup /impl:engine /gomaxprocs:2"
	require.Len(t, rows[name], 7, "%v", rows)
	for i, s := range r.Results[0].Samples {
		require.InEpsilon(t, s.NsPerOp, rows[name][i]*1e9, 1e-9)
	}
	require.NotNil(t, reader.Units().Get("allocs/op", "assume"))
	require.Contains(t, fmt.Sprint(rows), "my|dri%1B[31mver")
}

func TestGoNames(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"20x12", "a b", "a_b", "a/b", "a%2Fb", "a=b", "a\x00b", "ü"} {
		got := goName(name)
		require.NotContains(t, seen, got, name)
		require.NotRegexp(t, `[\s/=]`, got)
		seen[got] = name
	}
	require.Contains(t, seen, "20x12")
	require.Contains(t, seen, "ü")
}

func TestCSVIsRectangular(t *testing.T) {
	r := wide(t)
	lines, err := csv.NewReader(strings.NewReader(render(t, r.WriteCSV))).ReadAll() // refuses lines of another length
	require.NoError(t, err)
	require.Len(t, lines, 1+len(r.Results)*7*5+2*2*9)
	for _, line := range lines[1:] {
		require.NotContains(t, line, "")
		_, err := strconv.ParseFloat(line[6], 64)
		require.NoError(t, err)
	}
}

// Whatever the format and wherever the disk is full, the error comes through.
func TestEveryFormatReportsAFullDisk(t *testing.T) {
	r := wide(t)
	for name, write := range map[string]func(io.Writer) error{
		"text": as(r, "text"), "md": as(r, "md"), "json": r.WriteJSON, "bench": r.WriteGoBench, "csv": r.WriteCSV,
	} {
		whole := len(render(t, write))
		for room := 0; room < whole; room += 1 + whole/15 {
			require.ErrorIs(t, write(&disk{room: room}), errFull, "%s with room for %d of %d bytes", name, room, whole)
		}
		require.NoError(t, write(&disk{room: whole}), name)
	}
}

type disk struct{ room int }

func (d *disk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		n := d.room
		d.room = 0
		return n, errFull
	}
	d.room -= len(p)
	return len(p), nil
}
