package manifest

import (
	"fmt"
	"io"
	"os"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// MaxSize is the largest manifest in bytes: 16 MiB.
const MaxSize = 16 << 20

// Manifest is what one file declares: the property, method and event sets of one driver. It is not changed by anything
// in this package, so goroutines may share it.
type Manifest struct {
	Driver  string
	Source  string // where the facts come from; may be empty
	Objects []Object
	Digest  string // xxhash64 of the bytes, 16 hexadecimal digits: the same in every process
}

// Object is one KS object, a filter, a pin or a node: what one dispatcher answers for.
type Object struct {
	Name             string
	PropertyItemSize uint32 // engine.Config.PropertyItemSize, as it stands: engine.Compile judges it (P-3)
	PropertySets     []PropertySet
	MethodSets       []MethodSet
	EventSets        []EventSet

	Role   Role
	Of     string // the filter that a node or a pin belongs to
	Number uint32 // of the node or pin in it
	// Pins are those of a filter; nil if the file says nothing of them. On a filter that Manifest.Filter declares, their properties are
	// answered from here, as are those of the Topology, but for the items that PropertySets declare.
	Pins     []engine.PinDescriptor
	Topology *Topology          // nil if the file says nothing of it
	Names    map[ks.GUID]string // texts that the file has for names: what Name GUIDs of pins and nodes stand for
}

// PropertySet is one KSPROPERTY_SET. Several sets of an object may have one GUID, with disjoint ids (P-24).
type PropertySet struct {
	Name   string
	Set    ks.GUID
	Items  []PropertyItem
	FastIO []FastItem
}

// PropertyItem is one KSPROPERTY_ITEM. Sizes are in bytes.
type PropertyItem struct {
	Name           string
	ID             uint32
	MinProperty    uint32 // 24 where the file does not know it
	MinData        uint32 // 0 where the file does not know it
	SerializedSize uint32
	Get, Set       *Program // nil: the verb is not supported
	Support        *Program // nil: no support handler
	Relations      []ks.Identifier
	Values         *engine.PropertyValues // nil: none
	Per            Per

	// ValueSize is how many bytes store keeps: MinData, or where the file does not know it the size in the standard sets. 0 where
	// neither says, which is 4 bytes.
	ValueSize uint32
}

// FastItem is one KSFASTPROPERTY_ITEM: the verbs that run the program of that property without an IRP. One that names
// an id or a verb which the object does not have answers nothing.
type FastItem struct {
	ID       uint32
	Get, Set bool
}

// MethodSet is one KSMETHOD_SET.
type MethodSet struct {
	Name   string
	Set    ks.GUID
	Items  []MethodItem
	FastIO []uint32 // ids of the methods that also run without an IRP: KSFASTMETHOD_ITEM
}

// MethodItem is one KSMETHOD_ITEM. Sizes are in bytes.
type MethodItem struct {
	Name      string
	ID        uint32
	MinMethod uint32   // 24 where the file does not know it
	MinData   uint32   // 0 where the file does not know it
	Flags     uint32   // KSMETHOD_TYPE_*, as the handler sees it (M-4)
	Handler   *Program // store where the file names none; nil where it says null: no handler
	Support   *Program // nil: no support handler
}

// EventSet is one KSEVENT_SET.
type EventSet struct {
	Name  string
	Set   ks.GUID
	Items []EventItem
}

// EventItem is one KSEVENT_ITEM. Sizes are in bytes.
type EventItem struct {
	Name           string
	ID             uint32
	DataInput      uint32 // 32, a KSEVENTDATA, where the file does not know it
	ExtraEntryData uint32
}

// Load reads a manifest to the end of r, at most MaxSize bytes of it. name stands for the file in errors. A fault of
// the manifest is an *Error; only the first is reported.
func Load(r io.Reader, name string) (*Manifest, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", name, err)
	}
	return Parse(data, name)
}

// LoadFile is Load of the file at path.
func LoadFile(path string) (*Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	defer f.Close()
	return Load(f, path)
}

// Parse is Load of bytes in memory. It keeps no reference to data.
func Parse(data []byte, name string) (*Manifest, error) {
	p := newParser(data, name)
	m := p.manifest()
	if p.err != nil {
		return nil, p.err
	}
	m.Digest = fmt.Sprintf("%016x", xxhash.Sum64(data))
	return m, nil
}
