package table

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/cost.golden")

// TestBuildCost compares what builds cost, in seeds, tries and evictions, with testdata/cost.golden: exact numbers, equal
// on all machines. An order of buckets turned round or a hash that lost its grip passes all tests of results and
// shows here.
func TestBuildCost(t *testing.T) {
	const golden = "testdata/cost.golden"
	var b strings.Builder
	fmt.Fprintf(&b, "%-30s %7s %5s %5s %6s %7s %6s %9s %9s\n",
		"family", "keys", "load", "bits", "seeds", "tries", "evict", "tries/key", "evict/key")
	for _, f := range families {
		for _, n := range []int{8, 32, 240, 4096, 40_000, 200_000} {
			if n > 40_000 && slow {
				continue
			}
			const builds = 5
			var sum Stats
			for seed := range uint64(builds) {
				s := mustBuild(t, f.entries(n), Config{Seed: seed}).Stats()
				sum.Seeds += s.Seeds
				sum.Tries += s.Tries
				sum.Evictions += s.Evictions
				sum.Keys += s.Keys
				sum.Slots += s.Slots
				sum.Buckets += s.Buckets
				if n > 4096 {
					break
				}
			}
			keys := float64(sum.Keys)
			fmt.Fprintf(&b, "%-30s %7d %5.3f %5.2f %6d %7d %6d %9.2f %9.4f\n", f.name, n, keys/float64(sum.Slots), 8*float64(sum.Buckets)/keys,
				sum.Seeds, sum.Tries, sum.Evictions, float64(sum.Tries)/keys, float64(sum.Evictions)/keys)

			// What the numbers must be like, whoever rewrites them.
			if n >= 240 && float64(sum.Tries)/keys > 15 || keys/float64(sum.Slots) < leastLoad(n) || n >= 40_000 && 8*float64(sum.Buckets)/keys > 3 {
				t.Errorf("%s, %d keys: too dear: %+v", f.name, n, sum)
			}
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	wants := strings.Split(string(want), "\n")
	for i, got := range strings.Split(b.String(), "\n") {
		if slow {
			break
		}
		if i >= len(wants) || got != wants[i] {
			t.Fatalf("line %d\n got %s\nwant %s\nIf the change is meant, rewrite %s with -update and say why.", i+1, got,
				wants[min(i, len(wants)-1)], golden)
		}
	}
}
