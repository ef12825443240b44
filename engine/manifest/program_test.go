package manifest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// untouched is Information before a program runs; no program sets it by itself.
const untouched = 0xABCDEF

// paths call a program's handler the way each path of the dispatcher does.
var paths = []struct {
	name string
	call func(p *Program, verb Verb, v *Value, data []byte) (status ks.Status, information uint64)
}{
	{"irp", func(p *Program, verb Verb, v *Value, data []byte) (ks.Status, uint64) {
		irp := engine.IRP{IoStatus: engine.IoStatus{Information: untouched}, OutputBufferLength: uint32(len(data))}
		status := p.Handler(verb, v)(&irp, nil, data)
		return status, irp.IoStatus.Information
	}},
	{"fast", func(p *Program, verb Verb, v *Value, data []byte) (ks.Status, uint64) {
		io := engine.IoStatus{Information: untouched}
		if !p.FastHandler(verb, v)(new(engine.FileObject), engine.UserMode, nil, data, &io) {
			panic("a program always answers")
		}
		return io.Status, io.Information
	}},
}

func program(t testing.TB, text string) *Program {
	t.Helper()
	p, err := ParseProgram(text)
	require.NoError(t, err)
	require.Equal(t, text, p.String())
	return p
}

func TestPrograms(t *testing.T) {
	const x = 0xEE // what data holds before
	for _, c := range []struct {
		text        string
		out         int
		status      ks.Status
		information uint64
		data        []byte
	}{
		{"accept", 0, ks.StatusSuccess, 0, []byte{}},
		{"accept", 2, ks.StatusSuccess, 0, []byte{x, x}},
		{"emit:01aB", 0, ks.StatusSuccess, 0, []byte{}},
		{"emit:01aB", 1, ks.StatusSuccess, 0, []byte{x}},
		{"emit:01aB", 2, ks.StatusSuccess, 2, []byte{1, 0xAB}},
		{"emit:01aB", 3, ks.StatusSuccess, 2, []byte{1, 0xAB, x}},
		{"emit:", 1, ks.StatusSuccess, 0, []byte{x}},
		{"emitupto:01aB", 0, ks.StatusSuccess, 0, []byte{}},
		{"emitupto:01aB", 1, ks.StatusSuccess, 1, []byte{1}},
		{"emitupto:01aB", 2, ks.StatusSuccess, 2, []byte{1, 0xAB}},
		{"emitupto:01aB", 3, ks.StatusSuccess, 2, []byte{1, 0xAB, x}},
		{"sized:01aB", 0, ks.StatusBufferOverflow, 2, []byte{}},
		{"sized:01aB", 1, ks.StatusBufferTooSmall, 0, []byte{x}},
		{"sized:01aB", 2, ks.StatusSuccess, 2, []byte{1, 0xAB}},
		{"sized:01aB", 4, ks.StatusSuccess, 2, []byte{1, 0xAB, x, x}},
		{"sized:0102030405", 3, ks.StatusBufferTooSmall, 0, []byte{x, x, x}},
		{"sized:0102030405", 5, ks.StatusSuccess, 5, []byte{1, 2, 3, 4, 5}},
		{"sized:", 0, ks.StatusBufferOverflow, 0, []byte{}},
		{"sized:", 1, ks.StatusSuccess, 0, []byte{x}},
		{"status:0xC0000010", 1, ks.StatusInvalidDeviceRequest, untouched, []byte{x}},
		{"status:0xc000009a", 1, ks.StatusInsufficientResources, untouched, []byte{x}},
		{"status:0x0", 1, ks.StatusSuccess, untouched, []byte{x}},
		{"status:0xFFFFFFFF:0", 1, 0xFFFFFFFF, 0, []byte{x}},
		{"status:0x80000005:1000", 0, ks.StatusBufferOverflow, 1000, []byte{}},
		{"status:0x00000107:18446744073709551615", 0, ks.StatusSomeNotMapped, 1<<64 - 1, []byte{}},
		{"pend", 1, ks.StatusPending, untouched, []byte{x}},
	} {
		for _, path := range paths {
			for _, verb := range []Verb{VerbGet, VerbSet, VerbSupport} {
				data := bytes.Repeat([]byte{x}, c.out)
				status, information := path.call(program(t, c.text), verb, nil, data)
				require.Equal(t, c.status, status, "%s %s %s, Out %d", c.text, path.name, verb, c.out)
				require.Equal(t, c.information, information, "%s %s %s, Out %d", c.text, path.name, verb, c.out)
				require.Equal(t, c.data, data, "%s %s %s, Out %d", c.text, path.name, verb, c.out)
			}
		}
	}
}

// TestSizedSupport: with room for the access flags alone, a support handler answers with them.
func TestSizedSupport(t *testing.T) {
	p := program(t, "sized:0102030405")
	for _, verb := range []Verb{VerbGet, VerbSet, VerbSupport} {
		data := make([]byte, 4)
		status, information := paths[0].call(p, verb, nil, data)
		if verb == VerbSupport {
			require.Equal(t, ks.StatusSuccess, status)
			require.EqualValues(t, 4, information)
			require.Equal(t, []byte{1, 2, 3, 4}, data)
		} else {
			require.Equal(t, ks.StatusBufferTooSmall, status, verb)
			require.Zero(t, information, verb)
		}
	}
}

func TestPanicProgram(t *testing.T) {
	for _, path := range paths {
		require.PanicsWithValue(t, ks.StatusAccessViolation, func() { path.call(program(t, "panic"), VerbGet, nil, nil) }, path.name)
	}
}

func TestParseProgramRefuses(t *testing.T) {
	for _, text := range []string{
		"", "Store", "store ", " store", "store:", "accept:", "accept:1", "panic:0", "pend:1", "noop",
		"emit", "emit:0", "emit:0g", "emit:0x00", "emit:00 11", "emit:00:11", "EMIT:00", "emitupto", "emitupto:1", "range:", "range:0", "Range",
		"sized", "sized:0", "sized:0x00",
		"status", "status:", "status:0x", "status:0X10", "status:10", "status:0x1C0000010", "status:0x00000000C", "status:0x-1",
		"status:0x+1", "status:0x_1", "status:0xG", "status:0x10:", "status:0x10:-1", "status:0x10:+1", "status:0x10:1_0",
		"status:0x10:0x1", "status:0x10:18446744073709551616", "status:0x10:1:1", "status:0x10: 1",
	} {
		p, err := ParseProgram(text)
		require.Error(t, err, "%q", text)
		require.Nil(t, p, "%q", text)
		require.Contains(t, err.Error(), quote(text))
	}
}

// GET, SET and the fast path share one value, so every step here runs on a path of its own.
func TestStore(t *testing.T) {
	store := program(t, "store")
	for _, setPath := range paths {
		for _, getPath := range paths {
			for _, c := range []struct {
				minData uint32
				size    int
			}{{0, 4}, {1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {7, 7}, {8, 8}, {9, 9}, {40, 40}, {256, 256}, {257, 257}, {5000, 5000}} {
				v := NewValue(c.minData)
				model := make([]byte, c.size)
				get := func(out int) {
					t.Helper()
					data := bytes.Repeat([]byte{0xEE}, out)
					want := bytes.Clone(data)
					wantStatus, wantInformation := ks.StatusSuccess, uint64(c.size)
					switch {
					case out == 0:
						wantStatus = ks.StatusBufferOverflow
					case out < c.size:
						wantStatus, wantInformation = ks.StatusBufferTooSmall, untouched
					default:
						copy(want, model)
					}
					status, information := getPath.call(store, VerbGet, v, data)
					require.Equal(t, wantStatus, status, "size %d, Out %d", c.size, out)
					require.Equal(t, wantInformation, information, "size %d, Out %d", c.size, out)
					require.Equal(t, want, data, "size %d, Out %d", c.size, out)
				}
				getAll := func() {
					t.Helper()
					for _, out := range []int{0, 1, c.size - 1, c.size, c.size + 1, 2 * c.size} {
						get(out)
					}
				}
				getAll()
				for i, out := range []int{1, 3, 0, c.size - 1, c.size, c.size + 5, 2, c.size} {
					data := bytes.Repeat([]byte{byte(0x10 * (i + 1))}, out)
					for j := range data {
						data[j] += byte(j % 16)
					}
					before := bytes.Clone(data)
					status, information := setPath.call(store, VerbSet, v, data)
					require.Equal(t, ks.StatusSuccess, status)
					require.Zero(t, information)
					require.Equal(t, before, data, "SET leaves its data alone")
					copy(model, data)
					getAll()
				}
			}
		}
	}
}

// A manifest can declare a value of 4 GiB; nothing is spent on it until somebody stores as much.
func TestStoreHuge(t *testing.T) {
	v := NewValue(0xFFFFFFFF)
	var information uint64
	require.Equal(t, ks.StatusBufferOverflow, v.Get(nil, &information))
	require.Equal(t, uint64(0xFFFFFFFF), information)
	require.Equal(t, ks.StatusSuccess, v.Set([]byte{1, 2, 3}, &information))
	require.Equal(t, ks.StatusBufferTooSmall, v.Get(make([]byte, 100), &information))
	require.LessOrEqual(t, cap(v.bytes), 16)
}
