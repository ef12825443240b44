package load

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/recordings"
)

// recorded is a line of a recording (package recordings): a request, or what Op says.
type recorded struct {
	Op      string // "open", "create_pin", "close"
	Handle  string
	Object  string // that is opened
	Parent  string // the handle on which a pin is created
	Connect hexBytes

	Set   ks.GUID
	ID    uint32
	Flags uint32
	Extra hexBytes
	Data  hexBytes
	Out   int
}

type hexBytes []byte

// UnmarshalText is called by encoding/json.
func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// recordedSessions returns the recorded sessions with the devices, by the names of their objects. An object that is not there is the n-th
// of the devices if it is the n-th of those of the recording, beginning anew with the first when there are no more.
func recordedSessions(devices []string) ([]*session, error) {
	var all []*session
	for _, name := range recordings.Names() {
		text, err := recordings.Lines(name)
		if err != nil {
			return nil, err
		}
		s, err := recordedSession(name, text, devices)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func recordedSession(name string, text []byte, devices []string) (*session, error) {
	s := &session{name: name}
	handles, opens := map[string]int{}, 0
	from := json.NewDecoder(bytes.NewReader(text))
	for from.More() {
		var r recorded
		if err := from.Decode(&r); err != nil {
			return nil, fmt.Errorf("recording %s, line %d: %w", name, len(s.steps)+1, err)
		}
		slot, known := handles[r.Handle]
		if !known {
			slot = len(handles)
			handles[r.Handle] = slot
		}
		st := step{slot: slot}
		switch r.Op {
		case "open":
			st.op, st.from = opOpen, slices.Index(devices, r.Object)
			if st.from < 0 {
				st.from = opens % len(devices)
			}
			opens++
		case "create_pin":
			st.op, st.from, st.in = opCreatePin, handles[r.Parent], r.Connect
		case "close":
			st.op = opClose
		default:
			in := make([]byte, ks.SizeIdentifier, ks.SizeIdentifier+len(r.Extra))
			ks.Identifier{Set: r.Set, ID: r.ID, Flags: r.Flags}.Put(in)
			st.code, st.in, st.data, st.out = ks.IoctlProperty, append(in, r.Extra...), r.Data, r.Out
		}
		s.steps = append(s.steps, st)
	}
	s.slots = len(handles)
	return s, nil
}
