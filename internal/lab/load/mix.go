package load

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab"
)

// Mix says how often each session, and each request of random sessions, is drawn. nil weighs all alike.
type Mix struct {
	sessions map[string]uint64
	items    []itemWeight
}

// itemWeight is a line of a mix: the last that is about a request decides.
type itemWeight struct {
	set    *ks.GUID // nil for any
	id     *uint32
	verb   string // "" for any
	weight uint64
}

const maxWeight = 1_000_000

// ReadMix reads a mix: a line is "session NAME WEIGHT" or "item SET ID VERB WEIGHT", where * is any, and # begins a comment. Errors name
// the file and the line.
func ReadMix(from io.Reader, name string) (*Mix, error) {
	m := &Mix{sessions: map[string]uint64{}}
	lines := bufio.NewScanner(from)
	number := 0
	for lines.Scan() {
		number++
		text, _, _ := strings.Cut(lines.Text(), "#") // no name of a set or a session has one
		if words := strings.Fields(text); len(words) > 0 {
			if err := m.line(words); err != nil {
				return nil, fmt.Errorf("%s: line %d: %w", name, number, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: line %d: %w", name, number+1, err)
	}
	return m, nil
}

func (m *Mix) line(words []string) error {
	form := map[string]int{"session": 3, "item": 5}[words[0]]
	if form == 0 {
		return fmt.Errorf("%q: a line is session NAME WEIGHT or item SET ID VERB WEIGHT", words[0])
	}
	if len(words) != form {
		return fmt.Errorf("%s: %d words; it is session NAME WEIGHT or item SET ID VERB WEIGHT", words[0], len(words))
	}
	last := words[form-1]
	weight, err := strconv.ParseUint(last, 10, 64)
	if err != nil || weight > maxWeight {
		return fmt.Errorf("weight %q: must be a whole number from 0 to %d", last, maxWeight)
	}
	if words[0] == "session" {
		name := words[1]
		if _, twice := m.sessions[name]; twice {
			return fmt.Errorf("session %s: is there twice", name)
		}
		m.sessions[name] = weight
		return nil
	}
	it := itemWeight{weight: weight}
	if words[1] != "*" {
		g, err := lab.ParseSet([]byte(words[1]))
		if err != nil {
			return err
		}
		it.set = &g
	}
	if words[2] != "*" {
		id, err := strconv.ParseUint(words[2], 0, 32)
		if err != nil {
			return fmt.Errorf("id %q: must be a number of 32 bits, or *", words[2])
		}
		it.id = new(uint32(id))
	}
	switch verb := words[3]; verb {
	case "*":
	case verbGet, verbSet, verbSupport, verbMethod:
		it.verb = verb
	default:
		return fmt.Errorf("verb %q: must be GET, SET, SUPPORT, METHOD or *", verb)
	}
	m.items = append(m.items, it)
	return nil
}

// session is the weight of a session. What a mix that has sessions does not name has none.
func (m *Mix) session(name string) uint64 {
	if m == nil || len(m.sessions) == 0 {
		return 1
	}
	return m.sessions[name]
}

// item is the weight of a request in random sessions.
func (m *Mix) item(d *declared) uint64 {
	weight := uint64(1)
	if m == nil {
		return weight
	}
	for _, it := range m.items {
		if (it.set == nil || *it.set == d.set) && (it.id == nil || *it.id == d.id) && (it.verb == "" || it.verb == d.verb) {
			weight = it.weight
		}
	}
	return weight
}

// unknown returns a session that a mix names and nobody knows.
func (m *Mix) unknown(known map[string]bool) (string, bool) {
	if m != nil {
		for name := range m.sessions {
			if !known[name] {
				return name, true
			}
		}
	}
	return "", false
}
