package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// A target that is missed beyond its interval fails the command, by name; one that is not does not.
func TestAMissedTargetFails(t *testing.T) {
	rep := &report.Report{}
	for name, samples := range map[string][]float64{"slow": {9, 9, 9, 9, 9, 9}, "near": {1, 9, 1, 9, 9, 9}, "fast": {1, 1, 1, 1, 1, 1}} {
		target := report.Target{Name: name, Bound: report.AtMost, Limit: 2, Samples: samples}
		target.Summarize()
		rep.Targets = append(rep.Targets, target)
	}
	err := judge(rep)
	require.ErrorContains(t, err, "1 of 3")
	require.Regexp(t, ": slow$", err.Error())
	rep.Targets = nil
	require.NoError(t, judge(rep))
}
