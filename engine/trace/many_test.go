package trace

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestManyRequests records requests that read and write, some of which fail, to a file, and replays them: not one answers otherwise.
// KSDISPATCH_OPS=10000000 makes them as many.
func TestManyRequests(t *testing.T) {
	n := 50_000
	if s := os.Getenv("KSDISPATCH_OPS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("KSDISPATCH_OPS: %v", err)
		}
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "many.kst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := NewRecorder(f, Config{Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	h, rng, start := open(t, r, items(t), "items"), rand.New(rand.NewPCG(testkit.Seed(t), 0)), time.Now()
	var in [ks.SizeIdentifier]byte
	var out [4]byte
	for range n {
		v := rng.Uint64()
		flags := ks.PropertyTypeGet
		if v&7 == 0 {
			flags = ks.PropertyTypeSet
		}
		ks.Identifier{Set: setOf(int((v >> 8) % 21)), ID: uint32((v >> 16) % 13), Flags: flags}.Put(in[:])
		binary.LittleEndian.PutUint32(out[:], uint32(v>>32))
		h.IoControl(ks.IoctlProperty, in[:], out[:])
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	recorded := time.Since(start)
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := NewReader(f, info.Size(), "many.kst")
	if err != nil {
		t.Fatal(err)
	}
	res := again(t, reader, ReplayOptions{}, func() *device.Device { return items(t) })
	if res.Requests != uint64(n) || res.Differences != 0 || reader.Dropped() != 0 {
		t.Fatalf("%+v; want %d requests and no difference", res, n)
	}
	t.Logf("%d requests, %d bytes: recorded in %v, replayed and verified in %v", n, info.Size(), recorded, res.Elapsed)
}
