package table_test

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine/table"
)

func Example() {
	audio := [16]byte{0x4a, 0x5d, 0xe1, 0x45, 0x2f, 0x5c, 0xd0, 0x4b, 0x8e, 0x5a, 0x00, 0xa0, 0xc9, 0x06, 0x28, 0x21}
	names := []string{"latency", "volume", "mute"}

	var entries []table.Entry[string]
	for id, name := range names {
		k := table.KeyOf(audio, uint32(id))
		entries = append(entries, table.Entry[string]{Lo: k.Lo, Hi: k.Hi, ID: k.ID, Value: name})
	}
	t, err := table.Build(entries, table.Config{})
	if err != nil {
		panic(err)
	}

	k := table.KeyOf(audio, 1)
	fmt.Println(t.Lookup(k.Lo, k.Hi, k.ID).Value)
	fmt.Println(t.Lookup(k.Lo, k.Hi, 99))
	// Output:
	// volume
	// <nil>
}
