package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
)

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// Every peer answers as a Go map does, on the sizes at which tables change their shape, and on the driver.
func TestFinders(t *testing.T) {
	rng := newRand(t)
	config, err := rival.Declared()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range finders {
		sets := [][]table.Key{keysOf(config)}
		if f.name != "switch" {
			sets = append(sets, nil)
			for _, n := range []int{1, 2, 7, 8, 9, 63, 240, 4000} {
				sets = append(sets, syntheticKeys(n, 1, rng), syntheticKeys(1, n, rng))
			}
		}
		for _, keys := range sets {
			made, err := f.make(keys)
			if err != nil {
				t.Fatalf("%s: %v", f.name, err)
			}
			if err := verify(made, keys, rng); err != nil {
				t.Errorf("%s, %d keys: %v", f.name, len(keys), err)
			}
		}
	}
}

// liar finds a key that is not there, or does not find one that is.
type liar struct {
	finder
	about request
}

func (l liar) find(r *request) uint32 {
	if *r == l.about {
		return l.finder.find(r) ^ 1
	}
	return l.finder.find(r)
}

func TestVerifyNoticesAWrongAnswer(t *testing.T) {
	rng := newRand(t)
	keys := syntheticKeys(20, 12, rng)
	honest, _ := newSorted(keys)
	if verify(liar{honest, requestOf(keys[rng.IntN(len(keys))])}, keys, rng) == nil {
		t.Error("a wrong position passes")
	}
	if verify(sorted{rival.NewSorted(nil)}, keys, rng) == nil {
		t.Error("an empty slice passes")
	}
}

func TestAllocators(t *testing.T) {
	rng := newRand(t)
	sizes := make([]uint16, 100*perReset)
	for i := range sizes {
		sizes[i] = uint16(8 + rng.IntN(249))
	}
	for _, a := range allocators {
		made, err := a.make()
		if err != nil {
			t.Fatal(err)
		}
		if err := verifyAllocator(made, sizes); err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
		made.close()
	}
	if verifyAllocator(new(thief), sizes) == nil {
		t.Error("buffers that overlap pass")
	}
}

// thief hands out the same memory again.
type thief struct{ memory [512]byte }

func (h *thief) send([]uint16, int) uint64 { return 0 }
func (h *thief) take(size int) []byte      { return h.memory[:size] }
func (h *thief) reset()                    {}
func (h *thief) close()                    {}

func TestCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures")
	}
	path := filepath.Join(t.TempDir(), "report.json")
	var stdout, stderr bytes.Buffer
	if code := command(context.Background(), []string{"-quick", "-format", "json", "-out", path}, &stdout, &stderr); code != 0 {
		t.Fatalf("%d: %s", code, &stderr)
	}
	text, err := os.ReadFile(path)
	if err != nil || stdout.Len() > 0 || !bytes.Contains(text, []byte(`"impl": "swiss"`)) ||
		!bytes.Contains(text, []byte(`"impl": "ristretto"`)) {
		t.Errorf("%v, %d bytes on stdout, report %.100s", err, stdout.Len(), text)
	}
	for _, args := range [][]string{{"-format", "pdf"}, {"-no-such-flag"}, {"surplus"}} {
		if code := command(context.Background(), args, &stdout, &stderr); code != 2 {
			t.Errorf("%v: %d", args, code)
		}
	}
}

var total uint64

// The lookups as Go benchmarks: go test -C bench/peers -bench . -count 10 | benchstat -col /impl -
func BenchmarkLookup(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{8, 240, 4000, 40_000} {
		keys := syntheticKeys(n/4, 4, rng)
		stream := make([]request, cycle)
		for i := range stream {
			stream[i] = requestOf(keys[rng.IntN(len(keys))])
		}
		for _, f := range finders {
			if f.name == "switch" {
				continue
			}
			b.Run(fmt.Sprintf("impl=%s/keys=%d", f.name, n), func(b *testing.B) {
				made, err := f.make(keys)
				if err != nil {
					b.Fatal(err)
				}
				b.ResetTimer()
				total += made.send(stream, b.N)
			})
		}
	}
}
