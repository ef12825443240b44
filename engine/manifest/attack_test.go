package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestMutatedFilter changes one value after the other of a filter with its parts to what is wrong there or just allowed. What loads can
// be opened and answers; what does not says where it is wrong and what to do.
func TestMutatedFilter(t *testing.T) {
	file, err := os.ReadFile("testdata/good/filter.json")
	require.NoError(t, err)
	var root any
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&root))
	values := []any{nil, true, "", "filter Wave", "node 0 of filter Wave", "pin 1 of filter Wave", "alone", "nobody",
		"table", "filter", "node", "pin", "channel", "\x00", "\ufffd", strings.Repeat("x", 70000), "00", "6994ad04-93ef-11d0-a3cc-00a0c9223196",
		[]any{}, map[string]any{}}
	for _, n := range []int64{-1 << 31, -2, -1, 0, 1, 2, 3, 24, 32, 40, 72, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1} {
		values = append(values, json.Number(strconv.FormatInt(n, 10)))
	}
	loaded, refused := 0, 0
	try := func(what string) {
		text, err := json.MarshalIndent(root, "", " ")
		require.NoError(t, err)
		m, err := Parse(text, "mutated.json")
		if err == nil {
			loaded++
			openAll(t, m, what)
			return
		}
		refused++
		var fault *Error
		require.ErrorAs(t, err, &fault, what)
		require.True(t, fault.Line != 0 && fault.Reason != "" && fault.Path != "", "%s: the error has no place: %v", what, err)
	}
	var mutate func(path string, node any, put func(any))
	mutate = func(path string, node any, put func(any)) {
		for _, v := range values {
			put(v)
			try(fmt.Sprintf("%s = %.40v", path, v))
		}
		put(node)
		switch n := node.(type) {
		case map[string]any:
			for key, v := range n {
				delete(n, key)
				try(path + "." + key + " is deleted")
				mutate(path+"."+key, v, func(v any) { n[key] = v })
			}
		case []any:
			for i, v := range n {
				mutate(fmt.Sprintf("%s[%d]", path, i), v, func(v any) { n[i] = v })
			}
			put(append(n[:len(n):len(n)], n...))
			try(path + " is doubled")
			if len(n) > 0 {
				put(n[1:])
				try(path + "[0] is removed")
			}
			put(n)
		}
	}
	for key, v := range root.(map[string]any) {
		mutate(key, v, func(v any) { root.(map[string]any)[key] = v })
	}
	require.Greater(t, loaded, 100)
	require.Greater(t, refused, 1000)
}

// openAll opens every filter of m and asks each of its pins and nodes something.
func openAll(t *testing.T, m *Manifest, what string) {
	for i := range m.Objects {
		o := &m.Objects[i]
		_, err := engine.Compile(o.Config(Options{}))
		require.NoError(t, err, what)
		if o.Role != RoleFilter {
			continue
		}
		decl, err := m.Filter(o.Name, Options{})
		require.NoError(t, err, what)
		dev, err := device.NewFilter(decl)
		require.NoError(t, err, what)
		h, err := dev.Open()
		require.NoError(t, err, what)
		out := make([]byte, 4096)
		for id := range uint32(17) {
			for number := range uint32(4) {
				q := ks.Pin{Identifier: ks.Identifier{Set: ks.MustParseGUID(pin), ID: id, Flags: ks.PropertyTypeGet}, PinID: number}
				n, _ := h.IoControl(ks.IoctlProperty, q.Bytes(), out)
				require.LessOrEqual(t, int(n), len(out), what)
			}
		}
		for node := range uint32(4) {
			q := ks.Node{Identifier: ks.Identifier{Flags: ks.PropertyTypeSetSupport | ks.PropertyTypeTopology}, NodeID: node}
			_, status := h.IoControl(ks.IoctlProperty, q.Bytes(), out)
			require.Equal(t, int(node) < len(decl.Nodes), status == ks.StatusSuccess, what)
		}
		require.NoError(t, h.Close(), what)
	}
}
