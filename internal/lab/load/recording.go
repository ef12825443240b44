package load

import (
	"bytes"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// recordings are what real clients sent, a request a line: the handle it went through, its identifier, what follows that in the input,
// what the output buffer held and how long it was.
//
//go:embed recordings
var recordings embed.FS

// recorded is a line of a recording.
type recorded struct {
	Handle string
	Set    ks.GUID
	ID     uint32
	Flags  uint32
	Extra  hexBytes
	Data   hexBytes
	Out    int
}

type hexBytes []byte

// UnmarshalText is called by encoding/json.
func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// recordedSessions returns the recorded sessions. The n-th device of a recording is the n-th of those that are to answer, and begins
// anew with the first when there are no more; a pin of one is its filter.
func recordedSessions(devices int) ([]*session, error) {
	files, err := fs.ReadDir(recordings, "recordings")
	if err != nil {
		return nil, err
	}
	var all []*session
	for _, f := range files {
		text, err := recordings.ReadFile(path.Join("recordings", f.Name()))
		if err != nil {
			return nil, err
		}
		s, err := recordedSession(strings.TrimSuffix(f.Name(), ".jsonl"), text, devices)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func recordedSession(name string, text []byte, devices int) (*session, error) {
	s := &session{name: name}
	handles, objects := map[string]int{}, map[string]int{}
	from := json.NewDecoder(bytes.NewReader(text))
	for from.More() {
		var r recorded
		if err := from.Decode(&r); err != nil {
			return nil, fmt.Errorf("recording %s, request %d: %w", name, len(s.steps)+1, err)
		}
		slot, known := handles[r.Handle]
		if !known {
			object := r.Handle[strings.Index(r.Handle, "@")+1:]
			if _, known := objects[object]; !known {
				objects[object] = len(objects) % devices
			}
			slot = len(s.opens)
			handles[r.Handle] = slot
			s.opens = append(s.opens, objects[object])
		}
		in := make([]byte, ks.SizeIdentifier, ks.SizeIdentifier+len(r.Extra))
		ks.Identifier{Set: r.Set, ID: r.ID, Flags: r.Flags}.Put(in)
		s.steps = append(s.steps, step{slot: slot, code: ks.IoctlProperty, in: append(in, r.Extra...), data: r.Data, out: r.Out})
	}
	return s, nil
}
