package exec

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// ClientOp is what an application does.
type ClientOp uint8

const (
	ClientRequest  ClientOp = iota // DeviceIoControl
	ClientOpen                     // opens Object as Handle
	ClientCreate                   // creates a pin on Parent as Handle
	ClientClose                    // closes Handle, or File
	ClientGenerate                 // the driver of Object generates an event
	ClientComplete                 // the driver completes what is pended as Tag
	ClientCancel                   // cancels what is pended as Tag, or all that is on Handle
)

// Client is a request line as an application sends it to a driver, which knows nothing of allocators, prepared requests and faults.
// Its slices are its own.
type Client struct {
	Op             ClientOp
	Object         string // "" for the first
	Handle, Parent string // "" for none: then Object and File say which handle
	File           uint64
	Kernel         bool
	Overlapped     bool // open, create: many requests at once
	Alias          bool
	Code           uint32 // control code
	In, Out        []byte
	Event          uint64 // names the KSEVENTDATA
	Tag            string

	Set         ks.GUID // generate: zero for any
	ID          uint32
	Data        []byte // generate, complete
	Count       uint32
	Status      ks.Status // complete
	Information uint64
}

// MaxClient is the longest buffer of a client, in bytes.
const MaxClient = 16 << 20

// DecodeClient reads a line. The error says what is wrong with it, or that no application can do what it asks.
func DecodeClient(line []byte) (*Client, error) {
	var d decoder
	var q request
	if err := d.decode(line, &q); err != nil {
		return nil, err
	}
	for _, x := range []struct {
		key   string
		given bool
	}{
		{"memory: faults are", q.faultIn || q.faultOut}, {"prepared: an IRP that a driver prepared is", q.prepared != fresh},
		{"allocator: one that fails is", q.allocator == allocFail || q.allocator == allocNoBuffer}, {"info0: it is", q.info0 != 0},
	} {
		if x.given {
			return nil, fmt.Errorf("%s not what an application sends through a handle; leave the line out, or the key", x.key)
		}
	}
	if max(q.in, q.out) > MaxClient {
		return nil, fmt.Errorf("in or out is longer than %d bytes (16 MiB), which is what a trace takes", MaxClient)
	}
	c := &Client{Object: string(q.object), Handle: string(q.handle), Parent: string(q.parent), File: q.file,
		Kernel: q.mode == engine.KernelMode, Overlapped: q.overlapped,
		Event: q.eventData, Tag: string(q.tag), Set: q.set, ID: q.id, Count: q.count,
		Status: q.status, Information: q.information,
		Data: append([]byte(nil), q.data...)}
	switch q.op {
	case opProperty:
		c.Code = ks.IoctlProperty
	case opMethod:
		c.Code = ks.IoctlMethod
	case opEnableEvent:
		c.Code = ks.IoctlEnableEvent
	case opDisableEvent:
		c.Code = ks.IoctlDisableEvent
	case opGenerate:
		c.Op = ClientGenerate
	case opComplete:
		c.Op = ClientComplete
	case opCancel:
		c.Op = ClientCancel
	case opClose:
		c.Op = ClientClose
	case opOpen:
		c.Op = ClientOpen
	case opCreatePin:
		c.Op, c.In = ClientCreate, append([]byte(nil), q.connect...)
	default:
		return nil, errors.New("op: no application does that through a handle; leave the line out")
	}
	if c.Op == ClientRequest {
		c.buffers(&q)
	}
	return c, nil
}

// buffers makes the buffers of a request.
func (c *Client) buffers(q *request) {
	c.In, c.Out, c.Alias = make([]byte, q.in), make([]byte, q.out), q.alias
	id := ks.Identifier{Set: q.set, ID: q.id, Flags: q.flags}.Bytes()
	copy(c.In[copy(c.In, id):], q.extra)
	copy(c.Out, q.output)
	if q.alias {
		both := make([]byte, max(q.in, q.out))
		copy(both, c.Out)
		copy(both, c.In)
		c.In, c.Out = both[:q.in], both[:q.out]
	}
}
