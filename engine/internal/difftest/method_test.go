package difftest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func checkMethods(t *testing.T, c MethodCase) (compared int) {
	n, d := c.Run()
	if d == nil {
		return n
	}
	small := c.Minimize(func(c MethodCase) bool { _, d := c.Run(); return d != nil })
	_, left := small.Run()
	t.Errorf("%v\n\nwhich comes down to\n\n%v%v", d, small, left)
	return n
}

func TestMethodsAgainstModel(t *testing.T) {
	s, compared := testkit.Seed(t), 0
	for i := range objects() {
		compared += checkMethods(t, GenerateMethods(rand.New(rand.NewPCG(s, i))))
		if t.Failed() {
			t.Fatalf("object %d of KSDISPATCH_SEED=%d", i, s)
		}
	}
	t.Logf("%d requests agree", compared)
}

// TestMethodsNotices is the control: a method that is declared with other flags, or other sizes, is found out.
func TestMethodsNotices(t *testing.T) {
	for name, change := range map[string]func(*model.Method){
		"flags":     func(it *model.Method) { it.Flags ^= 2 },
		"source":    func(it *model.Method) { it.Flags ^= 4 },
		"MinData":   func(it *model.Method) { it.MinData++ },
		"MinMethod": func(it *model.Method) { it.MinMethod = max(it.MinMethod, 24) + 1 },
	} {
		s, found := testkit.Seed(t), false
		for i := range uint64(50) {
			c := GenerateMethods(rand.New(rand.NewPCG(s, i)))
			bad := c
			bad.Methods.Sets = slices.Clone(c.Methods.Sets)
			for j := range bad.Methods.Sets {
				set := &bad.Methods.Sets[j]
				set.Items = slices.Clone(set.Items)
				for k := range set.Items {
					change(&set.Items[k])
				}
			}
			sub, err := newMethodSubject(&bad)
			if err != nil {
				t.Fatal(err)
			}
			m := model.NewMethods(c.Methods)
			for _, q := range c.Requests {
				if found = found || sub.compare(m, &q) != nil; found {
					break
				}
			}
		}
		if !found {
			t.Errorf("%s: no case of 50 finds it", name)
		}
	}
}

func FuzzMethodsAgainstModel(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		checkMethods(t, GenerateMethods(rand.New(newSource(data))))
	})
}
