package table

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// kind is a reason why an attempt to build fails, in ascending order of precedence.
type kind int

const (
	noPilot   kind = iota // a bucket cannot be placed
	noRoom                // a part has more keys than slots
	collision             // two keys have one hash
	duplicate             // two entries have one key: no other seed will help
)

// failure is why an attempt failed, and for which bucket and entries.
type failure struct {
	kind    kind
	bucket  uint64
	entries []uint32
}

func (b *builder) error(f *failure) error {
	const shown = 4
	var names []string
	for _, i := range f.entries[:min(len(f.entries), shown)] {
		names = append(names, b.key(i).text())
	}
	if more := len(f.entries) - shown; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	keys := strings.Join(names, ", ")
	switch f.kind {
	case duplicate:
		return fmt.Errorf("table: entries %d and %d have the same key %s: remove one", f.entries[0], f.entries[1], names[0])
	case collision:
		return fmt.Errorf("table: bucket %d: keys %s have one hash, as others had with each of %d seeds: try another Config.Seed",
			f.bucket, keys, b.stats.Seeds)
	case noRoom:
		return fmt.Errorf("table: bucket %d: the part that it is the largest bucket of has too many keys, as with each of %d seeds: "+
			"try another Config.Seed; its keys are %s", f.bucket, b.stats.Seeds, keys)
	}
	return fmt.Errorf("table: bucket %d: no pilot places its %d keys, as with each of %d seeds: try another Config.Seed; its keys are %s",
		f.bucket, len(f.entries), b.stats.Seeds, keys)
}

// text names a key as declarations do: "45e15d4a-5c2f-4bd0-8e5a-00a0c9062821 id 7".
func (k Key) text() string {
	var tail [8]byte
	binary.LittleEndian.PutUint64(tail[:], k.Hi)
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x id %d", uint32(k.Lo), uint16(k.Lo>>32), uint16(k.Lo>>48), tail[:2], tail[2:], k.ID)
}
