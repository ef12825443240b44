package testkit

import (
	"fmt"
	"strings"
	"testing"
)

// recorder notes what a test would say. Fatalf ends the goroutine's work with a panic.
type recorder struct {
	testing.TB
	log []string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Logf(f string, a ...any)   { r.log = append(r.log, fmt.Sprintf(f, a...)) }
func (r *recorder) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

func TestSeed(t *testing.T) {
	t.Setenv(SeedVariable, "")
	r := &recorder{TB: t}
	a, b := Seed(r), Seed(r)
	if a == b {
		t.Errorf("two seeds are %d", a)
	}
	if want := fmt.Sprintf("[KSDISPATCH_SEED=%d KSDISPATCH_SEED=%d]", a, b); fmt.Sprint(r.log) != want {
		t.Errorf("logged %v; want %s", r.log, want)
	}
	x := Rand(r).Uint64()
	t.Setenv(SeedVariable, strings.TrimPrefix(r.log[2], "KSDISPATCH_SEED="))
	if y := Rand(r).Uint64(); x != y || r.log[3] != r.log[2] {
		t.Errorf("%s replayed: %d, %s; want %d", r.log[2], y, r.log[3], x)
	}
}

func TestSeedRefused(t *testing.T) {
	for _, text := range []string{"x", "-1", "0x10", "1 ", "18446744073709551616"} {
		t.Setenv(SeedVariable, text)
		func() {
			defer func() {
				if said, _ := recover().(string); !strings.HasPrefix(said, "KSDISPATCH_SEED: ") {
					t.Errorf("%q: %q", text, said)
				}
			}()
			Seed(&recorder{TB: t})
		}()
	}
}
