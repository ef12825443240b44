package difftest

import (
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// checkEvents fails with the fewest requests at the end of which c still differs.
func checkEvents(t *testing.T, c EventCase) (compared int) {
	n, d := c.Run()
	if d == "" {
		return n
	}
	for i := n; i >= 0; i-- { // what came before may not matter
		small := c
		small.Requests = append(append(small.Requests[:0:0], c.Requests[:i]...), c.Requests[min(i+1, len(c.Requests)):]...)
		if _, still := small.Run(); still != "" {
			c, d = small, still
		}
	}
	t.Errorf("%d requests: %s", len(c.Requests), d)
	return n
}

func TestEventsAgainstModel(t *testing.T) {
	s, compared := testkit.Seed(t), 0
	for i := range objects() {
		compared += checkEvents(t, GenerateEvents(rand.New(rand.NewPCG(s, i))))
		if t.Failed() {
			t.Fatalf("case %d of KSDISPATCH_SEED=%d", i, s)
		}
	}
	t.Logf("%d requests agree", compared)
}

// TestEventsNotice is the control: a list with another limit, or with other answers, is told from the model.
func TestEventsNotice(t *testing.T) {
	s := testkit.Seed(t)
	for name, change := range map[string]func(c *EventCase){
		"limit of entries": func(c *EventCase) { c.Events.MaxPerFile++ },
		"limit of queues":  func(c *EventCase) { c.Events.MaxQueued++ },
		"E-5":              func(c *EventCase) { c.Events.Compat.E5 = 0xC0001234 },
	} {
		found := false
		for i := range uint64(300) {
			c := GenerateEvents(rand.New(rand.NewPCG(s, i)))
			wrong := c
			change(&wrong)
			subject, err := newEventSubject(&wrong)
			if err != nil {
				t.Fatal(err)
			}
			for j := range c.Requests {
				want := c.Events.Do(c.Requests[j])
				got, _ := subject.do(&c.Requests[j])
				if found = found || want.Status != got.Status; found {
					break
				}
			}
			subject.worker.Close()
		}
		if !found {
			t.Errorf("%s: 300 cases do not notice", name)
		}
	}
}

// FuzzEventsAgainstModel lets the fuzzer draw the case.
func FuzzEventsAgainstModel(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		checkEvents(t, GenerateEvents(rand.New(newSource(data))))
	})
}
