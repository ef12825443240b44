package arena

import "testing"

func BenchmarkAllocFree(b *testing.B) {
	a, _ := New(Config{})
	b.Run("impl=arena/size=64", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			p, _ := a.AllocUninit(64)
			a.Free(p)
		}
	})
	b.Run("impl=arena/size=n", func(b *testing.B) {
		n := 64
		for i := 0; i < b.N; i++ {
			p, err := a.AllocUninit(n)
			if err != nil {
				b.Fatal(err)
			}
			p[0] = byte(i)
			a.Free(p)
		}
	})
}
