package traffic

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestCompat sets every rule that can be set and reads the status back.
func TestCompat(t *testing.T) {
	c, err := ParseCompat("P-25=accept, P-33=strict,P-45=accept,M-2=0xC000000B,M-8=0xC000000C,P-26=0xC0000001,P-27=0xC0000002," +
		"P-28-zero=0xC000000D,P-33-zero=0xC0000003,P-36=0xC0000004,P-38=0xC0000005,P-39=0xC0000006," +
		"P-42-set=0xC0000007,P-42-entry=0xC0000008,P-42-item=0xC0000009,P-42-length=0xC000000A")
	require.NoError(t, err)
	require.True(t, c.MixedVerbs && c.StrictDescriptionSize && c.PayloadSizeModifier)
	e, err := ParseCompat("E-2=0xC0000001,E-5=0xC0000002,E-13=0xC0000003,E-24=0xC0000004,E-25=signal,PN-14=0xC0000005,PN-18=0xC0000006")
	require.NoError(t, err)
	require.Equal(t, engine.Compat{ShortEventRequest: 0xC0000001, ShortEventData: 0xC0000002, SecondEnable: 0xC0000003,
		QueueFull: 0xC0000004, SignalBuffered: true, NoConnection: 0xC0000005, BadRangeList: 0xC0000006}, e)
	got := []ks.Status{c.NoHandler, c.ShortRequest, c.NoDescriptionBuffer, c.NoDefaultValues, c.NoRawSerialization, c.ShortSerializeBuffer,
		c.UnserializeWrongSet, c.UnserializeTruncated, c.UnserializeWrongItem, c.UnserializeWrongLength, c.UnknownMethodFlags, c.NoMethodHandler,
		c.NoDataBuffer}
	for i, status := range got {
		require.Equal(t, 0xC0000001+ks.Status(i), status)
	}
	for _, bad := range []string{"P-25", "P-25=1", "P-99=STATUS_NOT_FOUND", "P-27=", "P-27=STATUS_NOT_A_STATUS", "P-27=0x1234567890",
		"P-27=0xG", "P-27=5", "P-26=STATUS_SUCCESS", "P-26=STATUS_PENDING", ",", "P-25=accept,"} {
		_, err := ParseCompat(bad)
		require.Error(t, err, bad)
	}
	_, err = ParseCompat("P-26=STATUS_BUFFER_OVERFLOW")
	require.NoError(t, err)
}
