package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLoadFairness(t *testing.T) {
	require.InDelta(t, 1, NewLoad([]int64{5, 5, 5}, time.Second).Fairness, 1e-12)
	require.InDelta(t, 1.0/4, NewLoad([]int64{0, 8, 0, 0}, time.Second).Fairness, 1e-12)
	l := NewLoad([]int64{9, 1, 5}, time.Second)
	require.Equal(t, []int64{1, 5, 9, 15}, []int64{l.Least, l.Median, l.Most, l.Requests})
	require.Zero(t, NewLoad([]int64{0}, time.Second).Fairness)
}

func TestLoadIsChecked(t *testing.T) {
	whole := func() *Load {
		l := NewLoad([]int64{2, 1}, time.Second)
		l.Statuses = []LoadStatus{{"STATUS_SUCCESS", false, 3}}
		return l
	}
	require.NoError(t, whole().check())
	for name, spoil := range map[string]func(*Load){
		"clients":  func(l *Load) { l.Clients = 0 },
		"order":    func(l *Load) { l.Least = 5 },
		"fairness": func(l *Load) { l.Fairness = 1.5 },
		"sum":      func(l *Load) { l.Statuses[0].Count = 2 },
		"count":    func(l *Load) { l.Sessions = []LoadCount{{"random", 0}} },
	} {
		l := whole()
		spoil(l)
		require.Error(t, l.check(), name)
	}
}
