package engine_test

import (
	"encoding/binary"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

var (
	attributeMode = ks.MustParseGUID("e1f89eb5-5f46-419b-967b-ff6770b98401") // KSATTRIBUTEID_AUDIOSIGNALPROCESSING_MODE
	modeRaw       = ks.MustParseGUID("9e90ea20-b493-4fd1-a1a8-7e1361a956cf")
	modeDefault   = ks.MustParseGUID("c18e2f7e-933d-4965-b7d1-1eef228d2af3")
	modePending   = ks.GUID{1}
	modeBroken    = ks.GUID{2}
	modeShort     = ks.GUID{3}
)

// modePins is pins with formats in two modes, and with functions that misbehave in others.
func modePins() *engine.PinSet {
	s := pins()
	wave, analog := ks.WaveFormat(2, 16, 48000).Bytes(), ks.AnalogRange().Bytes()
	answers := map[ks.GUID][][]byte{modeRaw: {wave}, modeDefault: {analog, wave, analog}, ks.GUID{}: {}, modeBroken: {analog, wave[:80]},
		modeShort: {analog[:63]}}
	s.ModeFormats = func(_ *engine.IRP, pin uint32, mode ks.GUID) ([][]byte, ks.Status) {
		formats, ok := answers[mode]
		switch {
		case mode == modePending:
			return nil, ks.StatusPending
		case !ok || pin != 1:
			return nil, ks.StatusNotSupported
		}
		return formats, ks.StatusSuccess
	}
	s.ModeFormat = func(irp *engine.IRP, pin uint32, mode ks.GUID) ([]byte, ks.Status) {
		formats, status := s.ModeFormats(irp, pin, mode)
		switch {
		case status != ks.StatusSuccess:
			return nil, status
		case len(formats) == 0:
			return nil, ks.StatusNotSupported
		}
		return formats[len(formats)-1], status
	}
	return s
}

// modeAttribute is a KSATTRIBUTE with the mode behind it.
func modeAttribute(mode ks.GUID) []byte {
	return join(ks.Attribute{Size: 40, Attribute: attributeMode}.Bytes(), mode[:])
}

func TestPN16_ProposeDataFormat2(t *testing.T) {
	h := pinHost(t, modePins())
	ask := func(pin uint32, list []byte) request {
		return request{set: setPin, id: pinProposeDataFormat2, flags: get, extra: join(node(pin), list)}
	}
	flagged := func(format []byte) []byte {
		b := padded(format)
		b[4] |= byte(ks.DataRangeAttributes)
		return b
	}
	wave, analog := ks.WaveFormat(2, 16, 48000).Bytes(), ks.AnalogRange().Bytes()
	for mode, format := range map[ks.GUID][]byte{modeRaw: wave, modeDefault: analog} {
		list := ks.AttributeList(modeAttribute(mode))
		h.twoCall(ask(1, list), join(flagged(format), list))
		h.twoCall(ask(1, join(list, full(5))), join(flagged(format), list)) // what stands behind the list is no part of it
	}
	const bad = ks.StatusInvalidParameter
	for what, c := range map[string]struct {
		pin    uint32
		list   []byte
		status ks.Status
	}{
		"a pin that is not there":           {3, ks.AttributeList(modeAttribute(modeRaw)), ks.StatusInvalidParameter},
		"a pin without modes":               {0, ks.AttributeList(modeAttribute(modeRaw)), ks.StatusNotSupported},
		"a mode that is not there":          {1, ks.AttributeList(modeAttribute(setB)), ks.StatusNotSupported},
		"no attribute":                      {1, ks.AttributeList(), ks.StatusNotSupported},
		"another attribute":                 {1, ks.AttributeList(ks.Attribute{Size: 24, Attribute: setB}.Bytes()), ks.StatusNotSupported},
		"another attribute behind the mode": {1, ks.AttributeList(modeAttribute(modeRaw), ks.Attribute{Size: 24}.Bytes()), ks.StatusNotSupported},
		"an attribute without a mode":       {1, ks.AttributeList(modeAttribute(modeRaw)[:24]), ks.StatusInvalidParameter},
		"an attribute that is no mode":      {1, ks.AttributeList(ks.Attribute{Size: 24, Attribute: attributeMode}.Bytes()), bad},
		"half a mode":                       {1, ks.AttributeList(join(u32(39), modeAttribute(modeRaw)[4:39])), ks.StatusInvalidParameter},
		"an attribute of no bytes":          {1, ks.AttributeList(ks.Attribute{Attribute: attributeMode}.Bytes()), ks.StatusInvalidParameter},
		"more attributes than there are":    {1, join(u32(48), u32(2), modeAttribute(modeRaw)), ks.StatusInvalidParameter},
		"a Size of nothing":                 {1, join(u32(0), u32(1), modeAttribute(modeRaw)), ks.StatusInvalidParameter},
		"a Size beyond the request":         {1, join(u32(49), u32(1), modeAttribute(modeRaw)), ks.StatusInvalidParameter},
		"a Size that wraps":                 {1, join(u32(0xFFFFFFFF), u32(0xFFFFFFFF), modeAttribute(modeRaw)), ks.StatusInvalidParameter},
		"less than a list":                  {1, full(7), ks.StatusInvalidBufferSize}, // P-27
		"a function that pends":             {1, ks.AttributeList(modeAttribute(modePending)), ks.StatusInvalidDeviceRequest},
		"a format that is cut short":        {1, ks.AttributeList(modeAttribute(modeBroken)), ks.StatusInvalidBufferSize},
		"less than a format":                {1, ks.AttributeList(modeAttribute(modeShort)), ks.StatusInvalidBufferSize},
	} {
		for _, out := range []int{0, 4, 64, 200} {
			q := ask(c.pin, c.list)
			q.out = full(out)
			if a := h.want(q, c.status, 0); t.Failed() {
				t.Fatalf("%s: %v", what, a)
			}
		}
	}
}

func TestPN17_ModeDataFormats(t *testing.T) {
	h := pinHost(t, modePins())
	ask := func(pin uint32, mode ks.GUID) request {
		return request{set: setPin, id: pinModeDataFormats, flags: get, extra: join(node(pin), mode[:])}
	}
	u64 := func(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
	wave, analog := ks.WaveFormat(2, 16, 48000).Bytes(), ks.AnalogRange().Bytes()
	h.listLadder(ask(1, ks.GUID{}), join(u32(8), u32(0)))
	h.listLadder(ask(1, modeRaw), join(u32(16+88), u32(1), u64(16), padded(wave)))
	h.listLadder(ask(1, modeDefault), join(u32(32+64+88+64), u32(3), u64(32), u64(96), u64(184), analog, padded(wave), analog))
	for _, c := range []struct {
		q      request
		status ks.Status
	}{
		{ask(3, modeRaw), ks.StatusInvalidParameter},
		{ask(0, modeRaw), ks.StatusNotSupported},
		{ask(1, setB), ks.StatusNotSupported},
		{ask(1, modePending), ks.StatusInvalidDeviceRequest},
		{ask(1, modeBroken), ks.StatusInvalidBufferSize},
		{request{set: setPin, id: pinModeDataFormats, flags: get, extra: full(23)}, ks.StatusInvalidBufferSize}, // P-27
	} {
		for _, out := range []int{0, 4, 8, 300} {
			c.q.out = full(out)
			h.want(c.q, c.status, 0)
		}
	}
}
