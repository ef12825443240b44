package main

import (
	"strings"
	"testing"

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
	if err := judge(rep); err == nil || !strings.Contains(err.Error(), "1 of 3") || !strings.HasSuffix(err.Error(), ": slow") {
		t.Errorf("%v", err)
	}
	rep.Targets = nil
	if err := judge(rep); err != nil {
		t.Error(err)
	}
}
