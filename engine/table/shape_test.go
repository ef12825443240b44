package table

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestWindows: what Lookup does not check. Whatever a hash and a pilot are, they lead to a bucket of the table and to a slot of
// the part that the hash belongs to; parts divide buckets and slots among them, and leave none out.
func TestWindows(t *testing.T) {
	rng := testkit.Rand(t)
	sizes := []int{0, 1, 2, 3, 8, 31, 32, 33, 240, 993, 994, 995, 1500, onePart, onePart + 1, 36_000, 40_000, 400_000, maxKeys}
	for range 300 {
		sizes = append(sizes, rng.IntN(1<<(1+rng.IntN(28))))
	}
	for _, n := range sizes {
		s := newShape(n)
		if s.mask&(s.mask+1) != 0 || s.buckets == 0 || uint64(n) > s.slots {
			t.Fatalf("%d keys: %d buckets, %d slots, mask %#x", n, s.buckets, s.slots, s.mask)
		}
		window, bucket, slot := uint64(0), uint64(0), uint64(0)
		for _, p := range s.parts {
			fromBucket, toBucket := s.bucketsOf(p)
			from, to := s.slotsOf(p)
			if p.first != window || fromBucket != bucket || from != slot || p.end <= p.first {
				t.Fatalf("%d keys: part %+v begins at bucket %d and slot %d, the one before ends at %d and %d",
					n, p, fromBucket, from, bucket, slot)
			}
			window, bucket, slot = p.end, toBucket, to
			for i := p.first; i < p.end; i++ {
				if base := uint64(s.bases[i]); base < from || base+s.mask >= to {
					t.Fatalf("%d keys: window %d is [%d, %d], its part [%d, %d)", n, i, base, base+s.mask, from, to)
				}
			}
			const bits = 64 - windowBits
			for _, h := range []uint64{p.first << bits, p.end<<bits - 1, p.first<<bits + rng.Uint64N((p.end-p.first-1)<<bits+1<<bits-1)} {
				if b := s.bucket(h); b < fromBucket || b >= toBucket {
					t.Fatalf("%d keys: hash %#x: bucket %d, those of its part are [%d, %d)", n, h, b, fromBucket, toBucket)
				}
				if at := s.slot(h, rng.Uint64N(256)); at < from || at >= to {
					t.Fatalf("%d keys: hash %#x: slot %d, those of its part are [%d, %d)", n, h, at, from, to)
				}
			}
		}
		if window != windows || bucket != s.buckets || slot != s.slots {
			t.Fatalf("%d keys: the parts end at window %d, bucket %d and slot %d of %d, %d and %d",
				n, window, bucket, slot, windows, s.buckets, s.slots)
		}
	}
}
