//go:build !race

package ks

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var (
	sinkBytes  []byte
	sinkString string
	sinkBool   bool
	sinkID     Identifier
	sinkWord   uint64
	sinkGUID   GUID
)

func TestNoAllocations(t *testing.T) {
	g := MustParseGUID("45ffaaa0-6e1b-11d0-bcf2-444553540000")
	text, braced := []byte(g.String()), "{"+g.String()+"}"
	room := make([]byte, 0, SizeDataRangeVideo)
	request := make([]byte, SizeQueryBuffer)
	for name, f := range map[string]func(){
		"AppendText":     func() { sinkBytes, _ = g.AppendText(room) },
		"ParseGUID":      func() { sinkGUID, _ = ParseGUID(braced) },
		"UnmarshalText":  func() { _ = sinkGUID.UnmarshalText(text) },
		"Words":          func() { sinkWord, _ = g.Words() },
		"Status.String":  func() { sinkString = StatusNotFound.String() },
		"Status.Win32":   func() { sinkWord = uint64(StatusNotFound.Win32()) },
		"Identifier":     func() { sinkID, sinkBool = DecodeIdentifier(request); sinkID.Put(request) },
		"Node":           func() { x, _ := DecodeNode(request); x.Put(request) },
		"Description":    func() { x, _ := DecodePropertyDescription(request); x.Put(request) },
		"QueryBuffer":    func() { x, _ := DecodeQueryBuffer(request); x.Put(request) },
		"PinConnect":     func() { x, _ := DecodePinConnect(room[:SizePinConnect]); x.Put(room[:SizePinConnect]) },
		"DataRangeVideo": func() { x, _ := DecodeDataRangeVideo(room[:SizeDataRangeVideo]); x.Put(room[:SizeDataRangeVideo]) },
		"too short":      func() { sinkID, sinkBool = DecodeIdentifier(request[:23]) },
		"Status classes": func() { sinkBool = StatusNotFound.IsError() && StatusBufferOverflow.IsWarning() },
	} {
		if n := testkit.Allocs(f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	// The controls: text that has to be made must show, or the measurement above sees nothing.
	for name, f := range map[string]func(){
		"GUID.String":       func() { sinkString = g.String() },
		"AppendText to nil": func() { sinkBytes, _ = g.AppendText(nil) },
		"Identifier.Bytes":  func() { sinkBytes = sinkID.Bytes() },
		"unknown status":    func() { sinkString = Status(0xC000FFFF).String() },
	} {
		if n := testkit.Allocs(f); n < 1 {
			t.Errorf("control %s allocates %v times; want at least 1", name, n)
		}
	}
}
