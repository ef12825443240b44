package trace

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/device"
)

const victim = "KSDISPATCH_TRACE_VICTIM"

// TestKilledRecorder kills a process that records, whenever it happens to be. What it wrote is readable but for its last block, and
// replays.
func TestKilledRecorder(t *testing.T) {
	if file := os.Getenv(victim); file != "" {
		recordForEver(t, file)
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		file := filepath.Join(t.TempDir(), "killed.kst")
		c := exec.Command(self, "-test.run=^TestKilledRecorder$")
		c.Env = append(os.Environ(), victim+"="+file)
		alive, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer alive.Close()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for size := int64(0); size < int64(i+1)<<20; {
			if info, err := os.Stat(file); err == nil {
				size = info.Size()
			}
			time.Sleep(time.Millisecond)
		}
		if err := errors.Join(c.Process.Kill()); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(f, info.Size(), "killed.kst")
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(r.Torn(), ErrTorn) {
			t.Errorf("a trace that was cut off has an end: %v", r.Torn())
		}
		var last uint64
		for _, b := range r.blocks {
			last = max(last, uint64(b.offset)+blockHeader+uint64(b.length))
		}
		if lost := uint64(info.Size()) - last; lost > defaultBuffer/manyChunks {
			t.Errorf("%d bytes at the end cannot be read, more than a block has", lost)
		}
		res := again(t, r, ReplayOptions{}, func() *device.Device { return items(t) })
		if res.Requests < 1000 || res.Differences != 0 {
			t.Errorf("%+v", res)
		}
		_ = f.Close()
	}
}

func recordForEver(t *testing.T, file string) {
	w, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRecorder(w, Config{Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(2) {
		h := open(t, r, items(t), "items")
		go func() {
			rng := rand.New(rand.NewPCG(1, i))
			for {
				talk(h, rng, 1000)
			}
		}()
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with who kills it
	os.Exit(1)
}
