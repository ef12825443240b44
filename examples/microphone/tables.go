package main

import (
	"encoding/hex"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// What nodes and pins are, by ksmedia.h.
var (
	nodeADC         = ks.MustParseGUID("4d837fe0-c555-11d0-8a2b-00a0c9255ac1") // KSNODETYPE_ADC
	nodeVolume      = ks.MustParseGUID("3a5acc00-c557-11d0-8a2b-00a0c9255ac1") // KSNODETYPE_VOLUME
	nodeMute        = ks.MustParseGUID("02b223c0-c557-11d0-8a2b-00a0c9255ac1") // KSNODETYPE_MUTE
	microphoneArray = ks.MustParseGUID("dff21be5-f70f-11d0-b917-00a0c9223196") // KSNODETYPE_MICROPHONE_ARRAY
)

// setMicrophone is the microphone's own: what no standard set has.
var setMicrophone = ks.MustParseGUID("9a1e7c20-5b0d-4f4e-9d6a-2f0c7be1a001")

// Its items.
const (
	itemGain    = 2 // property, of the second edition of the wave filter
	itemReset   = 1 // method: volume and mute as they were at first
	itemChanged = 1 // event: a control has changed; its data is the new value
)

// The pins of both filters, and the node through which each volume and each sample goes.
const (
	pinJack, pinOut       = 0, 1 // of the topology
	pinBridge, pinCapture = 0, 1 // of the wave filter
	channels              = 2
)

// wire is a connection of a topology: -1 stands for the filter itself.
func wire(from, fromPin, to, toPin int32) ks.TopologyConnection {
	return ks.TopologyConnection{FromNode: uint32(from), FromNodePin: uint32(fromPin), ToNode: uint32(to), ToNodePin: uint32(toPin)}
}

// topologyTable: jack -> volume -> mute -> out.
var topologyTable = engine.Topology{
	Nodes:       []ks.GUID{nodeVolume, nodeMute},
	Connections: []ks.TopologyConnection{wire(-1, pinJack, 0, 1), wire(0, 0, 1, 1), wire(1, 0, -1, pinOut)},
}

// waveTable: bridge -> converter -> capture.
var waveTable = engine.Topology{
	Nodes:       []ks.GUID{nodeADC},
	Connections: []ks.TopologyConnection{wire(-1, pinBridge, 0, 1), wire(0, 0, -1, pinCapture)},
}

// topologyPins are the jack and the line to the wave filter.
func topologyPins() []device.PinFactory {
	return []device.PinFactory{
		{PinDescriptor: engine.PinDescriptor{DataFlow: ks.DataFlowIn, Category: &microphoneArray}},
		{PinDescriptor: engine.PinDescriptor{DataFlow: ks.DataFlowOut}},
	}
}

// bridge is the pin that the wave filter is wired to the topology with.
func bridge() device.PinFactory {
	return device.PinFactory{PinDescriptor: engine.PinDescriptor{DataFlow: ks.DataFlowIn,
		PhysicalConnection: &engine.PhysicalConnection{Pin: pinOut, Link: `\??\ksd#mic#topo`}}}
}

// capture is the pin that gives samples: 48 kHz, 32 bits, two channels.
func capture() engine.PinDescriptor {
	return engine.PinDescriptor{DataFlow: ks.DataFlowOut, Communication: ks.CommunicationSink, InstancesPossible: 1,
		Interfaces: []ks.Identifier{{Set: ks.MustParseGUID("1a8766a0-62ce-11cf-a5d6-28db04c10000"), ID: 1}}, // looped streaming
		DataRanges: []engine.DataRange{{Format: fromHex(captureRange), Attributes: fromHex(captureAttributes)}}}
}

// offered is KSPROPERTY_PIN_DATARANGES with the attributes for all who ask, as the sample driver says it that was recorded. The class
// leaves them out unless a client asks for them (PN-11), and what a filter declares itself takes its place.
func offered(r typed.Request) ([]byte, ks.Status) {
	if r.Property[ks.SizeIdentifier] == pinBridge {
		return fromHex("0800000000000000"), ks.StatusSuccess // none
	}
	return fromHex("8000000002000000" + captureRange + captureAttributes), ks.StatusSuccess
}

// A KSDATARANGE_AUDIO, the attributes behind it, and the KSPIN_CONNECT with a WAVEFORMATEXTENSIBLE that fits.
const (
	captureRange = "580000000200000000000000000000006175647300001000800000aa00389b710100000000001000800000aa00389b71819f" +
		"580556c3ce11bf0100aa0055595a02000000200000002000000080bb000080bb000000000000"
	captureAttributes = "20000000010000001800000000000000b59ef8e1465f9b41967bff6770b98401"
	captureConnect    = "a066871ace62cf11a5d628db04c10000010000000000000020b34747ce62cf11a5d628db04c1000000000000000000000100" +
		"00000000000000000000000000000000004001000000680000000000000008000000000000006175647300001000800000aa" +
		"00389b710100000000001000800000aa00389b71819f580556c3ce11bf0100aa0055595afeff020080bb000000dc05000800" +
		"200016002000030000000100000000001000800000aa00389b71"
)

func fromHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
