package bench_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/ksdispatch/ksdispatch/bench"
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// What follows is a file of a user, say volume_test.go, in full. The property set has one property, the level of a channel.
var volume = []engine.PropertySet{{
	Set:   ks.MustParseGUID("6f8b9a10-3a5e-4c65-9d0c-2f1f7a3d5e21"),
	Items: []engine.PropertyItem{{ID: 4, Get: getLevel, Set: setLevel, MinData: 4}},
}}

var level int32

func getLevel(irp *engine.IRP, _, data []byte) ks.Status {
	binary.LittleEndian.PutUint32(data, uint32(level))
	irp.IoStatus.Information = 4
	return ks.StatusSuccess
}

func setLevel(_ *engine.IRP, _, data []byte) ks.Status {
	wanted := int32(binary.LittleEndian.Uint32(data))
	if wanted > 0 {
		return ks.StatusInvalidParameter
	}
	level = wanted
	return ks.StatusSuccess
}

// BenchmarkVolume shows what a request costs with these handlers:
//
//	go test -bench Volume -count 10 | benchstat -
//
// and fails as soon as a handler allocates, or answers otherwise than expected.
func BenchmarkVolume(b *testing.B) {
	d, err := engine.Compile(engine.Config{PropertySets: volume})
	if err != nil {
		b.Fatal(err)
	}
	tooLoud := bench.Request{In: make([]byte, ks.SizeIdentifier), Out: []byte{1, 0, 0, 0}, Want: ks.StatusInvalidParameter}
	ks.Identifier{Set: volume[0].Set, ID: 4, Flags: ks.PropertyTypeSet}.Put(tooLoud.In)

	b.Run("requests=hits", func(b *testing.B) { bench.Dispatch(b, d, bench.Hits(volume, 1)) })
	b.Run("requests=loud", func(b *testing.B) { bench.Dispatch(b, d, []bench.Request{tooLoud}) })
}

// Benchmarks of a user's own handlers. They are run here as a test would run them; what go test -bench
// prints for them are lines like BenchmarkVolume/requests=hits/path=irp.
func ExampleDispatch() {
	failed := true
	testing.Benchmark(func(b *testing.B) {
		BenchmarkVolume(b)
		failed = b.Failed()
	})
	fmt.Println("failed:", failed)
	// Output: failed: false
}
