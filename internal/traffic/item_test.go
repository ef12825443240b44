package traffic

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

func TestItemsHaveTheNamesOfTheHeaders(t *testing.T) {
	var in [ks.SizeIdentifier]byte
	ks.Identifier{Set: ks.GUID{1}, ID: 7, Flags: ks.PropertyTypeGet | ks.PropertyTypeTopology}.Put(in[:])
	strange := ItemOf(ks.IoctlProperty, in[:])
	require.Equal(t, "GET|TOPOLOGY", strange.Verb())
	require.Equal(t, strange.Set.String()+" 7", strange.Name())
	for _, foreign := range []Item{ItemOf(0x1234, in[:]), ItemOf(ks.IoctlProperty, in[:10]), ItemOf(ks.IoctlDisableEvent, in[:])} {
		require.True(t, foreign.Foreign)
		require.Equal(t, "-", foreign.Name())
	}
	require.Equal(t, "code 0x1234", (&Item{Code: 0x1234, Foreign: true}).Verb())
	require.Equal(t, "disable_event", (&Item{Code: ks.IoctlDisableEvent, Foreign: true}).Verb())
}
