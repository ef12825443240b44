package difftest

import (
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func TestAsyncAgainstModel(t *testing.T) {
	s, compared, ended := testkit.Seed(t), 0, map[ks.Status]int{}
	for i := range objects() {
		c := GenerateAsync(rand.New(rand.NewPCG(s, i)))
		n, err := c.Run()
		if err != nil {
			t.Fatalf("case %d of KSDISPATCH_SEED=%d: %v", i, s, err)
		}
		compared += n
		m := model.NewAsync(asyncRequests, asyncQueues)
		for _, op := range c.Ops {
			for _, e := range m.Do(op).Ended {
				ended[e.Status]++
			}
		}
	}
	if ended[ks.StatusCancelled] == 0 || ended[ks.StatusSuccess] == 0 || ended[ks.StatusBufferTooSmall] == 0 {
		t.Errorf("what requests end with: %v", ended)
	}
	t.Logf("%d steps agree", compared)
}

// wrongAsync is a model that has one rule wrong.
type wrongAsync struct {
	*model.Async
	change func(*model.AsyncOp)
}

func (w wrongAsync) Do(op model.AsyncOp) model.AsyncOutcome {
	w.change(&op)
	return w.Async.Do(op)
}

// TestAsyncNotices is the control: a model that does something else in one step is found out.
func TestAsyncNotices(t *testing.T) {
	s := testkit.Seed(t)
	for name, change := range map[string]func(*model.AsyncOp){
		"AS-3, information":  func(op *model.AsyncOp) { op.Information++ },
		"AS-7, the routine":  func(op *model.AsyncOp) { op.Arm = (op.Arm + 1) % 3 },
		"AS-9, cancel first": func(op *model.AsyncOp) { op.First = false },
		"AS-11, the end":     func(op *model.AsyncOp) { op.Tail = true },
		"AS-12, single":      func(op *model.AsyncOp) { op.Single = false },
		"AS-12, only":        func(op *model.AsyncOp) { op.Only = false },
		"AS-14, the file":    func(op *model.AsyncOp) { op.File = (op.File + 1) % 3 },
		"AS-16, the target":  func(op *model.AsyncOp) { op.To = 0 },
		"S-15, within": func(op *model.AsyncOp) {
			if op.Within == model.Send {
				op.Within = model.Take
			}
		},
		"AS-1, completed within": func(op *model.AsyncOp) {
			if op.Within == model.Finish {
				op.Within = model.Take
			}
		},
		"AS-25, closed within": func(op *model.AsyncOp) {
			if op.Within == model.Close {
				op.Within = model.Cancel
			}
		},
		"AS-24, closed": func(op *model.AsyncOp) {
			if op.Verb == model.Close {
				op.Verb = model.Abort
			}
		},
		"AS-24, cleanup": func(op *model.AsyncOp) {
			if op.Verb == model.Abort {
				op.Verb = model.Cancel
			}
		},
	} {
		found := false
		for i := uint64(0); i < 10_000 && !found; i++ {
			c := GenerateAsync(rand.New(rand.NewPCG(s, i)))
			_, err := c.compare(wrongAsync{model.NewAsync(asyncRequests, asyncQueues), change})
			found = err != nil
		}
		if !found {
			t.Errorf("%s: no case of 10,000 finds it", name)
		}
	}
}

func FuzzAsyncAgainstModel(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := GenerateAsync(rand.New(newSource(data))).Run(); err != nil {
			t.Error(err)
		}
	})
}
