package rival

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
	"github.com/stretchr/testify/require"
)

func TestSortedFindsWhatAMapFinds(t *testing.T) {
	rng := testkit.Rand(t)
	for range 200 {
		n := rng.IntN(60)
		want := map[table.Key]uint32{}
		var keys []table.Key
		draw := func() table.Key { // of few, so that halves are shared and strangers are near
			return table.Key{Lo: rng.Uint64N(4), Hi: rng.Uint64N(4), ID: rng.Uint32N(6)}
		}
		for len(keys) < n {
			if k := draw(); want[k] == 0 {
				keys = append(keys, k)
				want[k] = uint32(len(keys))
			}
		}
		s := NewSorted(keys)
		for range 300 {
			k := draw()
			require.Equal(t, want[k], s.Find(k.Lo, k.Hi, k.ID), "%+v of %d", k, n)
		}
	}
}

func object(t *testing.T) engine.Config {
	t.Helper()
	config, err := Declared()
	require.NoError(t, err)
	return config
}

// The generated code knows exactly the properties of the driver.
func TestSwitch(t *testing.T) {
	rng := testkit.Rand(t)
	want := map[table.Key]uint32{}
	for _, s := range object(t).PropertySets {
		for _, it := range s.Items {
			want[table.KeyOf(s.Set, it.ID)] = uint32(len(want) + 1)
		}
	}
	require.NotEmpty(t, want)
	for k, position := range want {
		require.Equal(t, position, Switch(k.Lo, k.Hi, k.ID))
		for range 20 {
			near := k
			switch rng.IntN(3) {
			case 0:
				near.Lo ^= 1 << rng.IntN(64)
			case 1:
				near.Hi ^= 1 << rng.IntN(64)
			case 2:
				near.ID ^= 1 << rng.IntN(32)
			}
			require.Equal(t, want[near], Switch(near.Lo, near.Hi, near.ID), "%+v", near)
		}
	}
}

// Direct answers as the engine does wherever what it leaves out plays no part.
func TestDirect(t *testing.T) {
	rng := testkit.Rand(t)
	config := object(t)
	for s := range config.PropertySets {
		set := &config.PropertySets[s]
		set.FastIO = nil
		for i := range set.Items {
			f := engine.FastPropertyItem{ID: set.Items[i].ID}
			if set.Items[i].Get != nil {
				f.Get = Answer
			}
			if set.Items[i].Set != nil {
				f.Set = Answer
			}
			set.FastIO = append(set.FastIO, f)
		}
	}
	d, err := engine.Compile(config)
	require.NoError(t, err)
	answered := 0
	for range 20_000 {
		set := &config.PropertySets[rng.IntN(len(config.PropertySets))]
		it := &set.Items[rng.IntN(len(set.Items))]
		n := max(int(it.MinProperty), 24) + rng.IntN(3) - 1
		request := make([]byte, n+1)
		id := ks.Identifier{Set: set.Set, ID: it.ID, Flags: 1 + rng.Uint32N(2)}
		if rng.IntN(5) == 0 {
			id.Set[rng.IntN(16)] ^= 1 << rng.IntN(8)
		}
		if rng.IntN(5) == 0 {
			id.Flags = rng.Uint32N(5)
		}
		id.Put(request)
		request = request[:n]
		data := make([]byte, max(0, int(it.MinData)+rng.IntN(5)-2))
		other := bytes.Clone(data)
		var io, otherIO engine.IoStatus
		want := d.FastProperty(new(engine.FileObject), engine.UserMode, request, data, &io)
		got := Direct(new(engine.FileObject), engine.UserMode, request, other, &otherIO)
		require.Equal(t, want, got, "% x, %d bytes", request, len(data))
		if want {
			answered++
			require.Equal(t, io, otherIO)
			require.Equal(t, data, other)
		}
	}
	require.Greater(t, answered, 1000)
}

// What is committed is what the generator writes.
func TestGenerated(t *testing.T) {
	want, err := os.ReadFile("switch.go")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "switch.go")
	out, err := exec.Command("go", "run", "./gen", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "go generate ./internal/lab/rival")
}

var sink uint32

// BenchmarkFind times the two on the driver's keys; -pgo=FILE shows what a profile makes of them.
func BenchmarkFind(b *testing.B) {
	config, err := Declared()
	require.NoError(b, err)
	var keys []table.Key
	for _, s := range config.PropertySets {
		for _, it := range s.Items {
			keys = append(keys, table.KeyOf(s.Set, it.ID))
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	stream := make([]table.Key, 1<<16)
	for i := range stream {
		stream[i] = keys[rng.IntN(len(keys))]
	}
	b.Run("impl=switch", func(b *testing.B) {
		for i := range b.N {
			k := &stream[i&(len(stream)-1)]
			sink += Switch(k.Lo, k.Hi, k.ID)
		}
	})
	s := NewSorted(keys)
	b.Run("impl=sorted", func(b *testing.B) {
		for i := range b.N {
			k := &stream[i&(len(stream)-1)]
			sink += s.Find(k.Lo, k.Hi, k.ID)
		}
	})
}
