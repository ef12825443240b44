package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

func TestMicrophone(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `enable: STATUS_SUCCESS, 0 bytes
enable queue: STATUS_SUCCESS, 0 bytes
volume: STATUS_SUCCESS, 0 bytes
changed: STATUS_SUCCESS, 4 bytes
to -6 dB
mute: STATUS_SUCCESS, 0 bytes
jack: STATUS_BUFFER_OVERFLOW, 36 bytes
reset: STATUS_SUCCESS, 0 bytes
state: STATUS_SUCCESS, 0 bytes
state: STATUS_SUCCESS, 0 bytes
state: STATUS_SUCCESS, 0 bytes
read: STATUS_PENDING
read: STATUS_PENDING
delivered: STATUS_SUCCESS, "8 bytes!"
position: STATUS_SUCCESS, 16 bytes
it is 8
register: STATUS_SUCCESS, 40 bytes
closed: STATUS_CANCELLED
gain: STATUS_PROPSET_NOT_FOUND, 0 bytes
swap: 1 items added, 0 removed, 1 pins changed
gain: STATUS_SUCCESS, 4 bytes
pins: STATUS_SUCCESS, 4 bytes
there are 3
4509f757-2d46-4637-8e62-ce7db944f57b 1 get: 1
45ffaaa0-6e1b-11d0-bcf2-444553540000 4 set: 1
45ffaaa0-6e1b-11d0-bcf2-444553540000 13 set: 1
45ffaaa0-6e1b-11d0-bcf2-444553540000 5 get: 1
a855a48c-2f78-4729-9051-1968746b9eef 3 get: 1
9a1e7c20-5b0d-4f4e-9d6a-2f0c7be1a001 1 method: 1
9a1e7c20-5b0d-4f4e-9d6a-2f0c7be1a001 2 get: 1
`, out.String())
}

// The walk shows what the program has.
func TestReadmeShowsTheProgram(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	blocks := strings.Split(string(readme), "```go\n")[1:]
	require.Len(t, blocks, 10)
	for _, b := range blocks {
		block, _, _ := strings.Cut(b, "```")
		require.Contains(t, string(program), block)
	}
}

// recorded is a request of a real host, and how a real driver answered it.
type recorded struct {
	Handle string `json:"x_handle"`
	Set    ks.GUID
	ID     uint32
	Flags  uint32
	Out    uint32
	Extra  string
	Status string `json:"x_status"`
	N      uint32 `json:"x_n"`
	Output string `json:"x_output"`
}

// PortAudio asks both filters for what they are, and gets what the sample driver of Windows' driver kit said.
func TestARealHostIsAnswered(t *testing.T) {
	m, err := newMicrophone()
	require.NoError(t, err)
	handles := make(map[string]*device.Handle)
	for name, dev := range map[string]*device.Device{"mic#wave": m.wave, "mic#topo": m.topology} {
		handles[name], err = dev.Open()
		require.NoError(t, err)
		defer handles[name].Close()
	}
	text, err := os.ReadFile("testdata/portaudio.jsonl")
	require.NoError(t, err)
	asked := 0
	for line := range strings.Lines(string(text)) {
		var r recorded
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		extra, err := hex.DecodeString(r.Extra)
		require.NoError(t, err)
		status, err := strconv.ParseUint(r.Status, 0, 32)
		require.NoError(t, err)
		out := make([]byte, r.Out)
		n, got := handles[r.Handle].IoControl(ks.IoctlProperty, append(identifier(r.Set, r.ID, r.Flags), extra...), out)
		require.Equal(t, ks.Status(status), got, line)
		require.Equal(t, r.N, n, line)
		if r.Output != "" {
			require.Equal(t, r.Output, hex.EncodeToString(out[:n]), line)
		}
		asked++
	}
	require.Equal(t, 26, asked)
}
