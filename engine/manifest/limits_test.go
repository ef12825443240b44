package manifest

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// member returns a list of numbers of size bytes, of which each makes part.
func member(kind, mark uint32, size, each int, numbers ...int64) engine.MembersList {
	var b []byte
	for _, n := range numbers {
		b = append(b, le(n, size)...)
	}
	return engine.MembersList{MembersHeader: ks.MembersHeader{MembersFlags: kind, MembersSize: uint32(size * each), Flags: mark,
		MembersCount: uint32(len(numbers) / each)}, Members: b}
}

func le(n int64, size int) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(n))[:size] }

func valuesOf(vt uint32, lists ...engine.MembersList) *engine.PropertyValues {
	return &engine.PropertyValues{PropTypeSet: ks.Identifier{Set: kssets.KSPROPTYPESETID_General, ID: vt}, MembersList: lists}
}

// TestRange sets numbers on both sides of every bound, on both paths, and reads back what is stored then.
func TestRange(t *testing.T) {
	const ranges, stepped, values, isDefault = ks.MemberRanges, ks.MemberSteppedRanges, ks.MemberValues, ks.MemberFlagDefault
	number := func(mark uint32, n int64) engine.MembersList { return member(values, mark, 4, 1, n) }
	for i, c := range []struct {
		values  *engine.PropertyValues
		size    int
		ok, bad []int64
	}{
		{valuesOf(kssets.VT_I4, member(ranges, 0, 4, 2, -100, 50)), 4, []int64{-100, -1, 0, 50}, []int64{-101, 51, math.MaxInt32, math.MinInt32}},
		{valuesOf(kssets.VT_UI4, member(ranges, 0, 4, 2, 5, 0x80000005)), 4, []int64{5, 0x80000005}, []int64{4, 0x80000006, -1}},
		{valuesOf(kssets.VT_I8, member(ranges, 0, 8, 2, math.MinInt64, -5)), 8, []int64{math.MinInt64, -5}, []int64{-4, 0, math.MaxInt64}},
		{valuesOf(kssets.VT_UI8, member(ranges, 0, 8, 2, 1, -1)), 8, []int64{1, -1, math.MinInt64}, []int64{0}},
		{valuesOf(kssets.VT_I4, member(stepped, 0, 4, 4, 10, 0, -20, 20)), 4, []int64{-20, 3, 20}, []int64{-21, 21}},
		{valuesOf(kssets.VT_UI4, member(stepped, 0, 4, 4, 1, 0, 1, 3, 1, 0, 7, 9)), 4, []int64{1, 3, 7, 9}, []int64{0, 4, 6, 10}},
		{valuesOf(kssets.VT_UI8, member(stepped, 0, 8, 3, 3, 1, 9)), 8, []int64{1, 2, 9}, []int64{0, 10}},
		{valuesOf(kssets.VT_I4, member(values, 0, 4, 1, 1, -5, 9)), 4, []int64{1, -5, 9}, []int64{0, 2, -4}},
		{valuesOf(kssets.VT_I8, member(values, 0, 8, 1, -1)), 8, []int64{-1}, []int64{1, 0xFFFFFFFF}},
		// The first range list decides, also behind values; a list of defaults never does; an empty one allows nothing.
		{valuesOf(kssets.VT_I4, number(0, 3), member(ranges, 0, 4, 2, 0, 1), member(ranges, 0, 4, 2, 5, 9)), 4, []int64{0, 1}, []int64{3, 5}},
		{valuesOf(kssets.VT_I4, number(isDefault, 7), number(0, 8), number(0, 9)), 4, []int64{8}, []int64{7, 9}},
		{valuesOf(kssets.VT_I4, member(values, 0, 4, 1)), 4, nil, []int64{0, 1}},
		// The number is at the start of a longer value, and a shorter one is continued with zeros.
		{valuesOf(kssets.VT_I4, member(ranges, 0, 4, 2, 1, 2)), 40, []int64{1, 2}, []int64{0, 3}},
		{valuesOf(kssets.VT_I4, member(ranges, 0, 4, 2, 1, 200)), 1, []int64{1, 200}, []int64{0, 201}},
	} {
		for _, path := range paths {
			v := NewValue(uint32(c.size))
			v.limits = limitsOf(c.values)
			require.NotNil(t, v.limits, "case %d", i)
			p := program(t, "range")
			stored := make([]byte, c.size)
			try := func(n int64, want ks.Status) {
				name := fmt.Sprintf("case %d, %s, %d", i, path.name, n)
				data := make([]byte, c.size)
				copy(data, le(n, 8))
				status, information := path.call(p, VerbSet, v, data)
				require.Equal(t, want, status, name)
				if want == ks.StatusSuccess {
					require.Zero(t, information, name)
					stored = data
				}
				got := make([]byte, c.size)
				status, _ = path.call(p, VerbGet, v, got)
				require.Equal(t, ks.StatusSuccess, status, name)
				require.Equal(t, stored, got, name)
			}
			for _, n := range c.bad {
				try(n, ks.StatusInvalidParameter)
			}
			for _, n := range c.ok {
				try(n, ks.StatusSuccess)
			}
			for _, n := range c.bad {
				try(n, ks.StatusInvalidParameter)
			}
		}
	}
}

// TestRangePart: a SET of fewer bytes than the value has is judged by what the value would be.
func TestRangePart(t *testing.T) {
	for _, size := range []uint32{0, 12} {
		v := NewValue(size)
		v.limits = limitsOf(valuesOf(kssets.VT_UI4, member(ks.MemberRanges, 0, 4, 2, 0, 0x01FFFF)))
		p := program(t, "range")
		for _, c := range []struct {
			data []byte
			want ks.Status
		}{
			{[]byte{0, 0, 1, 0}, ks.StatusSuccess},
			{[]byte{0xFF, 0xFF}, ks.StatusSuccess},
			{[]byte{0, 0, 2}, ks.StatusInvalidParameter},
			{nil, ks.StatusSuccess},
		} {
			status, _ := paths[0].call(p, VerbSet, v, c.data)
			require.Equal(t, c.want, status, "% x", c.data)
		}
		got := make([]byte, max(size, 4))
		paths[0].call(p, VerbGet, v, got)
		require.Equal(t, []byte{0xFF, 0xFF, 1, 0}, got[:4])
	}
}

// TestLimitsOf refuses what says nothing about a whole number.
func TestLimitsOf(t *testing.T) {
	good := member(ks.MemberRanges, 0, 4, 2, 0, 1)
	require.NotNil(t, limitsOf(valuesOf(kssets.VT_I4, good)))
	foreign := valuesOf(kssets.VT_I4, good)
	foreign.PropTypeSet.Set[0]++
	require.NotNil(t, limitsOf(foreign), "the number of the type decides")
	for i, v := range []*engine.PropertyValues{
		nil, valuesOf(kssets.VT_I4), valuesOf(kssets.VT_BOOL, good), valuesOf(kssets.VT_I8, good),
		valuesOf(kssets.VT_I4, member(9, 0, 4, 2, 0, 1)),
		valuesOf(kssets.VT_I4, member(ks.MemberValues, ks.MemberFlagDefault, 4, 1, 1)),
		valuesOf(kssets.VT_I4, member(ks.MemberSteppedRanges, 0, 4, 2, 0, 1)),
	} {
		require.Nil(t, limitsOf(v), "case %d", i)
	}
	v := NewValue(4)
	require.True(t, ranged.NeedsLimits(v))
	require.False(t, store.NeedsLimits(v))
	status, _ := paths[0].call(ranged, VerbSet, v, make([]byte, 4))
	require.Equal(t, ks.StatusInvalidParameter, status)
}
