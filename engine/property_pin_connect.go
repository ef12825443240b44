package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// ConnectRequest is what a client that creates a pin asks for, found possible. Its slices lie in the parameters that it was read from.
type ConnectRequest struct {
	ks.PinConnect
	Format     []byte // the KSDATAFORMAT behind the KSPIN_CONNECT, FormatSize bytes
	Attributes []byte // the attribute list behind that, if its Flags announce one
}

// ValidateConnectRequest reads the parameters of a request to create a pin, a KSPIN_CONNECT and the KSDATAFORMAT behind it, and
// checks them against the declarations: KsValidateConnectRequest (OB-6). The parameters must not change meanwhile: they are the copy
// that was captured of the client's. A PinToHandle that is not 0 is for the caller to look up (OB-8), what stands behind the 64 bytes
// of the format for the driver to judge (OB-7).
//
// The status is STATUS_INVALID_BUFFER_SIZE for parameters, or a format in them, that are too short or longer than what is there,
// STATUS_INVALID_PARAMETER for a pin that does not exist or cannot be connected in this way, and STATUS_NO_MATCH for an interface, a
// medium or a format that the pin does not have.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksvalidateconnectrequest
func (s *PinSet) ValidateConnectRequest(parameters []byte) (ConnectRequest, ks.Status) {
	connect, _ := ks.DecodePinConnect(parameters)
	if len(parameters) < ks.SizePinConnect+ks.SizeDataFormat {
		return ConnectRequest{}, ks.StatusInvalidBufferSize
	}
	if uint64(connect.PinID) >= uint64(len(s.Pins)) {
		return ConnectRequest{}, ks.StatusInvalidParameter
	}
	pin := &s.Pins[connect.PinID]
	if !pin.connects(connect.PinToHandle != 0) {
		return ConnectRequest{}, ks.StatusInvalidParameter
	}
	if !hasIdentifier(pin.Interfaces, &ks.InterfaceStreaming, connect.Interface) ||
		!hasIdentifier(pin.Mediums, &ks.MediumDevIO, connect.Medium) {
		return ConnectRequest{}, ks.StatusNoMatch
	}
	format, attributes, ok := SplitDataFormat(parameters[ks.SizePinConnect:])
	if !ok {
		return ConnectRequest{}, ks.StatusInvalidBufferSize
	}
	if !pin.takes(format) {
		return ConnectRequest{}, ks.StatusNoMatch
	}
	return ConnectRequest{PinConnect: connect, Format: format, Attributes: attributes}, ks.StatusSuccess
}

// connects reports that the communication of the pin lets a client create it: as the source of another pin, or, with none to connect
// to, as one that takes requests.
func (d *PinDescriptor) connects(toPin bool) bool {
	switch d.Communication {
	case ks.CommunicationSink, ks.CommunicationBridge:
		return !toPin
	case ks.CommunicationSource:
		return toPin
	case ks.CommunicationBoth:
		return true
	}
	return false
}

// hasIdentifier reports that list, or what stands for an empty one, has an identifier; Flags are not compared.
func hasIdentifier(list []ks.Identifier, none *ks.Identifier, want ks.Identifier) bool {
	if len(list) == 0 {
		return none.Set == want.Set && none.ID == want.ID
	}
	for i := range list {
		if list[i].Set == want.Set && list[i].ID == want.ID {
			return true
		}
	}
	return false
}
