package main

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab/load"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// A mix has what load can ask for by itself, under the verbs of a mix.
func TestAMixHasTheVerbsOfLoad(t *testing.T) {
	set := ks.GUID{1}
	for _, c := range []struct {
		it   traffic.Item
		verb string
	}{
		{traffic.Item{Code: ks.IoctlProperty, Flags: ks.PropertyTypeGet}, "GET"},
		{traffic.Item{Code: ks.IoctlProperty, Flags: ks.PropertyTypeSet | ks.PropertyTypeTopology}, "SET"},
		{traffic.Item{Code: ks.IoctlProperty, Flags: ks.PropertyTypeBasicSupport}, "SUPPORT"},
		{traffic.Item{Code: ks.IoctlMethod, Flags: ks.MethodTypeSend | ks.MethodTypeTopology}, "METHOD"},
		{traffic.Item{Code: ks.IoctlMethod, Flags: ks.MethodTypeBasicSupport}, ""},
		{traffic.Item{Code: ks.IoctlProperty, Flags: ks.PropertyTypeGet | ks.PropertyTypeSet}, ""},
		{traffic.Item{Code: ks.IoctlProperty, Flags: ks.PropertyTypeRelations}, ""},
		{traffic.Item{Code: ks.IoctlEnableEvent, Flags: ks.EventTypeEnable}, ""},
		{traffic.Item{Code: ks.IoctlProperty, Flags: ks.PropertyTypeGet, Foreign: true}, ""},
	} {
		c.it.Set, c.it.ID = set, 7
		a, ok := ask(c.it)
		require.Equal(t, c.verb != "", ok, "%v", c)
		require.Equal(t, Ask{Set: set, ID: 7, Verb: c.verb}, a)
	}
}

// Whatever was counted, load reads the mix: no weight is beyond what it takes, and nothing that occurs has none.
func TestAMixIsReadByLoad(t *testing.T) {
	for _, n := range []uint64{1, maxWeight, maxWeight + 1, math.MaxUint64 / 4} {
		total := &Total{Requests: n + 1, Asked: []Ask{{Set: ks.GUID{1}, Verb: "GET", Requests: n}, {Set: ks.GUID{1}, Verb: "SET", Requests: 1}}}
		text, err := total.mix()
		require.NoError(t, err)
		require.Regexp(t, `(?m)^session random 1\nitem \* \* \* 0\nitem \S+ 0 GET [1-9]\d* # .*\nitem \S+ 0 SET 1 # `, string(text))
		_, err = load.ReadMix(bytes.NewReader(text), "mix")
		require.NoError(t, err)
	}
	_, err := new(Total).mix()
	require.ErrorContains(t, err, "no request of the traces")
}

// The command loads a device with the mix, and asks for nothing that was not recorded.
func TestLoadDrawsWhatWasMined(t *testing.T) {
	mix := filepath.Join(t.TempDir(), "mix.txt")
	traces := farm(t)
	rep, _, code := fleet(t, t.Context(), "mine", "--traces", traces, "--mix", mix)
	require.Zero(t, code)
	want, err := os.ReadFile(mix)
	require.NoError(t, err)
	_, _, code = fleet(t, t.Context(), "mine", "--traces", traces, "--mix", mix, "--runner", "local")
	require.Zero(t, code)
	got, err := os.ReadFile(mix)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))

	trace := filepath.Join(t.TempDir(), "load.kst")
	command := exec.CommandContext(t.Context(), "go", "run", "./cmd/ksbench", "load", "--manifest", strings.TrimPrefix(driver, "../"),
		"--clients", "2", "--duration", "1s", "--mix", mix, "--trace", trace)
	command.Dir = ".."
	text, err := command.CombinedOutput()
	require.NoError(t, err, "%s", text)
	asked := func(r *report.Report) map[[2]string]bool {
		all := map[[2]string]bool{}
		for _, row := range r.Traffic {
			all[[2]string{row.Item, row.Verb}] = true
		}
		return all
	}
	loaded, _, code := fleet(t, t.Context(), "mine", "--traces", trace)
	require.Zero(t, code)
	require.Subset(t, asked(rep), asked(loaded))
}
