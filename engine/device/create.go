package device

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Names of the classes of what is created on a handle: KSNAME_Pin and KSNAME_TopologyNode.
var (
	classPin  = ks.MustParseGUID("146f1a80-4791-11d0-a5d6-28db04c10000")
	classNode = ks.MustParseGUID("0621061a-ee75-11d0-b915-00a0c9223196")
)

// Create creates what name says on the handle and opens it: the class, a GUID in braces, in UTF-16, and for parameters a backslash
// and the raw bytes of them, as in the IRP_MJ_CREATE of a sub-object (OB-1). On a filter the classes are Pin, whose parameters are
// those of CreatePin, and TopologyNode with a KSNODE_CREATE; on a pin TopologyNode. Requests to the handle of a node go to the sets
// of that node (AT-10). Everything else is as for CreatePin, of which no clocks and allocators are known (OB-11).
func (h *Handle) Create(name []byte) (*Handle, ks.Status) {
	if status := h.refusal(); status != ks.StatusSuccess {
		return nil, status
	}
	o := h.object
	if o == nil {
		return nil, h.noClass()
	}
	class, parameters, ok := splitName(name)
	switch {
	case len(name) > longestName:
		return nil, o.decide(&ruleOB1, ks.StatusInvalidParameter)
	case ok && class == classPin:
		return h.CreatePin(parameters)
	case ok && class == classNode && (o.parent == nil || o.pin != nil):
		mode := h.irp.RequestorMode
		return o.create(mode, func(f *filter) (*Handle, ks.Status) { return o.createNode(f, mode, parameters) })
	}
	return nil, h.noClass()
}

// longestName is the longest name in bytes: its length has 16 bits, and is that of whole characters.
const longestName = 65534

// splitName splits a name at the first backslash (OB-1, OB-3).
func splitName(name []byte) (class ks.GUID, parameters []byte, ok bool) {
	var text [38]byte // a GUID in braces
	for i := range text {
		if len(name) < 2*i+2 {
			return class, nil, false
		}
		c := binary.LittleEndian.Uint16(name[2*i:])
		if c > 0x7F {
			return class, nil, false
		}
		text[i] = byte(c)
	}
	if text[0] != '{' || class.UnmarshalText(text[:]) != nil {
		return class, nil, false
	}
	switch rest := name[2*len(text):]; {
	case len(rest) == 0:
		return class, nil, true
	case len(rest) >= 2 && binary.LittleEndian.Uint16(rest) == '\\':
		return class, rest[2:], true
	}
	return class, nil, false
}

// createNode opens a node (OB-10).
func (o *object) createNode(f *filter, mode engine.Mode, parameters []byte) (*Handle, ks.Status) {
	const sizeNodeCreate = 8
	if len(parameters) < sizeNodeCreate {
		return nil, o.decide(&ruleOB10, ks.StatusInvalidBufferSize)
	}
	flags, node := binary.LittleEndian.Uint32(parameters), binary.LittleEndian.Uint32(parameters[4:])
	d := f.nodes.Node(node)
	if flags != 0 || d == nil {
		return nil, o.decide(&ruleOB10, ks.StatusInvalidParameter)
	}
	h, err := o.handle.device.newHandle(&object{instance: o.instance, parent: o, node: &openNode{node, d}, refs: 1})
	if err != nil {
		return nil, o.decide(&ruleS37, ks.StatusInsufficientResources)
	}
	h.irp.RequestorMode = mode
	return h, o.decide(&ruleOB10, ks.StatusSuccess)
}
